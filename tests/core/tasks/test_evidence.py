"""Evidence files are kept once, by what they contain."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from keguan.errors import InputError
from keguan.tasks import evidence
from keguan.tasks.evidence import evidence_file, keep_evidence


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A file somebody took with a phone."""
    file = tmp_path / "照片.jpg"
    file.write_bytes(b"light")
    return file


def test_a_file_is_copied_under_its_sha_256(photo: Path, tmp_path: Path) -> None:
    kept = keep_evidence(tmp_path / "evidence", photo)
    digest = hashlib.sha256(b"light").hexdigest()
    assert (kept.filename, kept.sha256, kept.size) == ("照片.jpg", digest, 5)
    copy = tmp_path / "evidence" / digest[:2] / digest
    assert copy == evidence_file(tmp_path / "evidence", digest)
    assert copy.read_bytes() == b"light"
    assert photo.exists()


def test_the_same_content_is_kept_once_under_whatever_name(photo: Path, tmp_path: Path) -> None:
    first = keep_evidence(tmp_path / "evidence", photo)
    before = evidence_file(tmp_path / "evidence", first.sha256).stat()
    again = keep_evidence(tmp_path / "evidence", photo.rename(tmp_path / "again.jpg"))
    assert again.sha256 == first.sha256
    after = evidence_file(tmp_path / "evidence", first.sha256).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [file.name for file in (tmp_path / "evidence").rglob("*") if file.is_file()] == [first.sha256]


def test_a_copy_that_a_crash_cut_short_is_replaced(photo: Path, tmp_path: Path) -> None:
    kept = keep_evidence(tmp_path / "evidence", photo)
    copy = evidence_file(tmp_path / "evidence", kept.sha256)
    copy.unlink()
    copy.write_bytes(b"li")
    keep_evidence(tmp_path / "evidence", photo)
    assert copy.read_bytes() == b"light"


def test_what_proves_nothing_is_refused_and_leaves_nothing_behind(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty.pdf"
    empty.touch()
    monkeypatch.setattr(evidence, "LARGEST", 4)
    for file, key in (
        (tmp_path / "gone.pdf", "tasks.evidence_absent"),
        (tmp_path, "tasks.evidence_absent"),
        (empty, "tasks.evidence_empty"),
        (photo, "tasks.evidence_large"),
    ):
        with pytest.raises(InputError) as failed:
            keep_evidence(tmp_path / "evidence", file)
        assert failed.value.key == key
    assert list((tmp_path / "evidence").iterdir()) == []
