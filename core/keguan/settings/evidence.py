"""``[evidence]``: how large the files that prove a task may be, and what becomes of pictures."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["EvidenceSettings"]


class EvidenceSettings(BaseModel):
    """Limits by kind of file. Sizes are megabytes of 1,048,576 bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    photo_mb: int = Field(default=30, ge=1, le=1024)
    document_mb: int = Field(default=50, ge=1, le=1024)
    """PDF, Word, Excel, texts."""
    video_mb: int = Field(default=200, ge=1, le=4096)
    audio_mb: int = Field(default=100, ge=1, le=1024)
    photo_side: int = Field(default=2560, ge=320, le=10_000)
    """Pixels of the longer side that a picture is kept with at most."""
    photo_megapixels: int = Field(default=89, ge=1, le=178)
    """Millions of pixels that a picture may come with; more is taken for a bomb."""

    def megabytes(self, kind: str) -> int:
        """Return how large a file of ``kind`` (photo, document, video, audio) may be."""
        limit = {"photo": self.photo_mb, "video": self.video_mb, "audio": self.audio_mb}
        return limit.get(kind, self.document_mb)

    @property
    def largest(self) -> int:
        """The bytes that no file may exceed."""
        return max(self.photo_mb, self.document_mb, self.video_mb, self.audio_mb) * 1_048_576
