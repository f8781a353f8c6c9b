"""Evidence files are judged by their content and kept once, pictures with nothing in them but what is seen."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from tests.support.estate import Estate
from tests.support.papers import HEIC, PDF, document, photo, sound, video

from keguan.errors import InputError
from keguan.settings.evidence import EvidenceSettings
from keguan.store.schema import evidence
from keguan.tasks import pictures
from keguan.tasks.attaching import attach_files
from keguan.tasks.evidence import KeptFile, evidence_file, keep_evidence, safe_name

USUAL = EvidenceSettings()
Keep = Callable[..., KeptFile]


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """Keeps bytes under a name."""

    def kept(content: bytes, name: str = "照片.jpg", limits: EvidenceSettings = USUAL) -> KeptFile:
        file = tmp_path / name
        file.write_bytes(content)
        return keep_evidence(tmp_path / "evidence", file, limits)

    return kept


def content_of(folder: Path, file: KeptFile) -> bytes:
    return evidence_file(folder / "evidence", file.sha256).read_bytes()


def test_a_document_is_copied_under_its_sha_256_without_a_name(keep: Keep, tmp_path: Path) -> None:
    kept = keep(PDF, "签到表.pdf")
    digest = hashlib.sha256(PDF).hexdigest()
    assert kept == KeptFile("签到表.pdf", digest, len(PDF), "application/pdf", digest)
    copy = tmp_path / "evidence" / digest[:2] / digest
    assert copy == evidence_file(tmp_path / "evidence", digest)
    assert copy.read_bytes() == PDF
    assert stat.S_IMODE(copy.stat().st_mode) == 0o440
    assert (tmp_path / "签到表.pdf").exists()


def test_the_same_content_is_kept_once_under_whatever_name(keep: Keep, tmp_path: Path) -> None:
    first = keep(photo())
    before = evidence_file(tmp_path / "evidence", first.sha256).stat()
    again = keep(photo(), "again.jpg")
    assert again.sha256 == first.sha256
    after = evidence_file(tmp_path / "evidence", first.sha256).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [file.name for file in (tmp_path / "evidence").rglob("*") if file.is_file()] == [first.sha256]


def test_a_copy_that_a_crash_cut_short_is_replaced(keep: Keep, tmp_path: Path) -> None:
    copy = evidence_file(tmp_path / "evidence", keep(PDF, "a.pdf").sha256)
    copy.unlink()
    copy.write_bytes(PDF[:9])
    keep(PDF, "a.pdf")
    assert copy.read_bytes() == PDF


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (photo("JPEG"), "a.jpg", "image/jpeg"),
        (photo("PNG"), "a.png", "image/png"),
        (photo("WEBP"), "a.webp", "image/webp"),
        (photo("PNG"), "really a png.jpg", "image/png"),
        (PDF, "a.pdf", "application/pdf"),
        (document("word"), "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (document("xl"), "a.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (video(), "a.mp4", "video/mp4"),
        (video(b"iso6"), "a.mp4", "video/mp4"),
        (video(b"qt  "), "a.mov", "video/quicktime"),
        (video(b"M4A "), "a.m4a", "audio/mp4"),
        (sound(), "a.mp3", "audio/mpeg"),
        ("会议记录".encode(), "a.txt", "text/plain"),
        ("房号,签收\n".encode("gb18030"), "a.csv", "text/csv"),
    ],
)
def test_what_is_allowed_is_known_by_its_content(keep: Keep, content: bytes, name: str, media_type: str) -> None:
    assert keep(content, name).media_type == media_type


@pytest.mark.parametrize(
    ("content", "name", "key"),
    [
        (b"MZ" + b"\0" * 300, "photo.jpg", "evidence.kind"),
        (b"\x7fELF" + b"\0" * 300, "list.pdf", "evidence.kind"),
        (b"#!/bin/sh\nrm -rf /\n", "photo.jpg", "evidence.kind"),
        (b"<html><script>alert(1)</script>", "page.html", "evidence.kind"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "drawing.svg", "evidence.kind"),
        (b"binary\0\1\2", "notes.txt", "evidence.kind"),
        (b"\x81\x20broken \xff\xfe", "notes.txt", "evidence.kind"),
        (b"PK\x03\x04" + b"rubbish" * 40, "report.docx", "evidence.kind"),
        (b"%PDF-1.7\nonly the beginning", "report.pdf", "evidence.kind"),
        (b"GIF89a" + b"\0" * 60, "dance.gif", "evidence.kind"),
        (video(b"avif"), "photo.avif", "evidence.kind"),
        (document("word", macros=True), "report.docx", "evidence.macros"),
        (document("xl", macros=True), "report.xlsx", "evidence.macros"),
        (photo()[:300], "photo.jpg", "evidence.picture_damaged"),
        (b"\xff\xd8\xff\xe0" + b"no picture" * 20, "photo.jpg", "evidence.picture_damaged"),
        (b"", "photo.jpg", "tasks.evidence_empty"),
    ],
)
def test_anything_else_is_refused_with_one_line_also_when_the_name_lies(
    keep: Keep, content: bytes, name: str, key: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as refused:
        keep(content, name)
    assert refused.value.key == key
    assert "\n" not in str(refused.value)
    assert list((tmp_path / "evidence").iterdir()) == []


def test_each_kind_has_its_own_limit(keep: Keep) -> None:
    small = EvidenceSettings(photo_mb=1, document_mb=2, video_mb=3, audio_mb=1)
    page = PDF + b" " * 1_500_000 + b"%%EOF"
    assert keep(page, "a.pdf", small).size == len(page)
    for content, name, megabytes in (
        (PDF + b" " * 2_200_000 + b"%%EOF", "a.pdf", 2),
        (video() + b"\0" * 4_000_000, "a.mp4", 3),
        (photo() + b"\0" * 1_100_000, "a.jpg", 1),
    ):
        with pytest.raises(InputError) as refused:
            keep(content, name, small)
        assert (refused.value.key, refused.value.values["megabytes"]) == ("tasks.evidence_large", megabytes)


def test_what_is_no_readable_file_is_refused(tmp_path: Path) -> None:
    for file in (tmp_path / "gone.pdf", tmp_path):
        with pytest.raises(InputError) as refused:
            keep_evidence(tmp_path / "evidence", file)
        assert refused.value.key == "tasks.evidence_absent"


# --- Pictures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_tells_nothing_of_where_when_and_with_what_it_was_taken(
    keep: Keep, tmp_path: Path, form: str
) -> None:
    came = photo(form) + b"SECRETAPPENDIX"
    assert b"SECRETPHONE" in came
    content = content_of(tmp_path, keep(came, f"a.{form.lower()}"))
    assert b"SECRET" not in content
    with Image.open(BytesIO(content)) as seen:
        assert seen.format == form
        assert dict(seen.getexif()) == {}
        assert set(seen.info) <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "loop",
            "background",
            "timestamp",
            "duration",
        }


def test_a_photo_of_an_iphone_becomes_a_jpeg_that_tells_nothing(keep: Keep, tmp_path: Path) -> None:
    assert b"SECRETPHONE" in HEIC
    kept = keep(HEIC, "IMG_1.HEIC")
    assert kept.media_type == "image/jpeg"
    content = content_of(tmp_path, kept)
    assert b"SECRET" not in content
    with Image.open(BytesIO(content)) as seen:
        assert (seen.format, seen.size, dict(seen.getexif())) == ("JPEG", (16, 8), {})


def test_a_picture_is_turned_upright_and_made_smaller(keep: Keep, tmp_path: Path) -> None:
    lying = photo(size=(4000, 1000), turned=6)
    with Image.open(BytesIO(content_of(tmp_path, keep(lying)))) as seen:
        assert seen.size == (640, 2560)
    with Image.open(BytesIO(content_of(tmp_path, keep(photo(size=(50, 40)))))) as seen:
        assert seen.size == (50, 40), "what is small stays as it is"


@pytest.mark.parametrize(
    ("form", "mode", "colour"),
    [
        ("PNG", "RGBA", (1, 2, 3, 128)),
        ("PNG", "P", 7),
        ("PNG", "I;16", 900),
        ("PNG", "1", 1),
        ("JPEG", "CMYK", (9, 9, 9, 0)),
        ("JPEG", "L", 90),
    ],
)
def test_every_way_to_hold_pixels_is_read(keep: Keep, form: str, mode: str, colour: object) -> None:
    assert keep(photo(form, colour=colour, mode=mode)).kind == "photo"


def test_other_colour_spaces_become_srgb(keep: Keep, tmp_path: Path) -> None:
    out = BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (8, 8), (10, 200, 30)).save(out, "PNG", icc_profile=profile)
    with Image.open(BytesIO(content_of(tmp_path, keep(out.getvalue(), "a.png")))) as seen:
        assert "icc_profile" not in seen.info
        assert seen.getpixel((4, 4)) == pytest.approx((10, 200, 30), abs=2)


def test_a_bomb_of_pixels_is_refused_before_it_is_unpacked(keep: Keep) -> None:
    bomb = photo("PNG", size=(12_000, 9_000), mode="1", colour=1)
    assert len(bomb) < 100_000
    with pytest.raises(InputError) as refused:
        keep(bomb, "a.png")
    assert refused.value.key == "evidence.picture_large"


def test_photos_of_iphones_need_the_extra(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError) as refused:
        keep(video(b"heic"), "a.heic")
    assert refused.value.key == "evidence.picture_damaged", "it was read, and is none"
    monkeypatch.setitem(__import__("sys").modules, "pi_heif", None)
    with pytest.raises(InputError) as refused:
        keep(video(b"heic"), "a.heic")
    assert refused.value.key == "evidence.heic"
    assert "keguan[heic]" in str(refused.value)


# --- Laws --------------------------------------------------------------------------------------------------------


_ANY = st.one_of(
    st.binary(max_size=3000),
    st.tuples(
        st.sampled_from([b"", photo(), photo("PNG"), photo("WEBP"), PDF, document(), video(), video(b"heic"), sound()]),
        st.integers(0, 2000),
        st.binary(max_size=200),
    ).map(lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=_ANY, suffix=st.sampled_from([".jpg", ".txt", ".csv", ".pdf", ".exe", ""]))
def test_any_bytes_are_refused_with_a_line_or_kept_and_found_again(
    keep: Keep, tmp_path: Path, content: bytes, suffix: str
) -> None:
    try:
        kept = keep(content, f"file{suffix}")
    except InputError as error:
        refused = error
        kept = None
    if kept is None:
        assert "\n" not in str(refused)
        return
    found = content_of(tmp_path, kept)
    assert hashlib.sha256(found).hexdigest() == kept.sha256
    assert kept.original_sha256 == hashlib.sha256(content).hexdigest()
    assert len(found) == kept.size
    assert b"SECRET" not in found or kept.kind != "photo"


@given(st.text(max_size=200))
def test_a_name_is_safe_to_write_anywhere(name: str) -> None:
    safe = safe_name(name, "image/jpeg", before="12-1-")
    assert safe.startswith("12-1-")
    assert safe.endswith(".jpg")
    assert not set(safe) & set("/\\\0\n:*?\"<>|$`'; ")
    assert len(safe.encode()) <= 255


# --- Attaching ---------------------------------------------------------------------------------------------------


def test_the_same_photo_twice_is_one_piece_of_evidence(
    keep: Keep, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = estate.task()
    first = keep(photo(), "a.jpg")
    monkeypatch.setitem(pictures._WRITTEN, "image/jpeg", ("image/jpeg", {"format": "JPEG", "quality": 40}))
    later = keep(photo(), "b.jpg")
    assert later.sha256 != first.sha256, "a later version of the library writes it otherwise"
    with estate.store.write() as connection:
        attach_files(connection, task, [first, first], now=estate.now, by="li")
        assert attach_files(connection, task, [later], now=estate.now, by="li") == [first.sha256]
    [row] = estate.rows(evidence, task_id=task)
    assert (row.filename, row.media_type, row.original_sha256) == ("a.jpg", "image/jpeg", first.original_sha256)
