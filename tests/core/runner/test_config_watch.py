"""A changed configuration is noticed by its content, wherever it stands; a touched one is not a changed one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from keguan.runner.reload import ConfigWatch
from keguan.settings import load_settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "config" / "keguan.toml"
    file.parent.mkdir()
    (tmp_path / "secrets").mkdir()
    file.write_text('language = "zh"\n')
    return file


@pytest.fixture
def watch(file: Path) -> ConfigWatch:
    return ConfigWatch(load_settings(file, {}))


def test_nothing_changed(watch: ConfigWatch) -> None:
    assert not watch.changed()


def test_a_new_text_is_told_once(watch: ConfigWatch, file: Path) -> None:
    file.write_text('language = "en"\n')
    assert watch.changed()
    assert not watch.changed()
    assert not watch.as_at_start


def test_a_touch_is_no_change(watch: ConfigWatch, file: Path) -> None:
    os.utime(file, (1, 1))
    assert not watch.changed()


def test_a_new_text_of_the_same_size_and_time_is_seen_when_the_file_was_replaced(
    watch: ConfigWatch, file: Path
) -> None:
    before = file.stat()
    other = file.with_suffix(".new")
    other.write_text('language = "en"\n')
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)
    assert watch.changed()


def test_taking_a_change_back_is_told_as_well(watch: ConfigWatch, file: Path) -> None:
    file.write_text('language = "en"\n')
    assert watch.changed()
    file.write_text('language = "zh"\n')
    assert watch.changed()
    assert watch.as_at_start


def test_a_secret_counts(watch: ConfigWatch, tmp_path: Path) -> None:
    (tmp_path / "secrets" / "KEGUAN_ADAPTERS__MAIL__PASSWORD").write_text("word")
    assert watch.changed()


def test_the_companys_own_templates_count(watch: ConfigWatch, tmp_path: Path) -> None:
    own = tmp_path / "config" / "templates" / "sixplustwo" / "zh" / "congratulation.sms.j2"
    own.parent.mkdir(parents=True)
    own.write_text("恭喜")
    assert watch.changed()


def test_a_file_that_is_gone_is_a_change_and_so_is_its_return(watch: ConfigWatch, file: Path) -> None:
    text = file.read_text()
    file.unlink()
    assert watch.changed()
    file.write_text(text)
    assert watch.changed()
    assert watch.as_at_start
