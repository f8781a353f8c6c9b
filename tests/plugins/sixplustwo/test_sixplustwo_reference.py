"""The reference of the playbook says what the models say."""

from __future__ import annotations

from tests.support.documents import ROOT

from keguan_sixplustwo.reference import playbook_reference
from keguan_sixplustwo.touchpoint import Channel, Touchpoint


def test_the_page_is_what_the_models_write() -> None:
    page = (ROOT / "docs" / "playbook.md").read_text(encoding="utf-8")
    assert page == playbook_reference(), "python -m keguan_sixplustwo.reference > docs/playbook.md"


def test_every_field_and_every_channel_stands_there() -> None:
    page = playbook_reference()
    assert all(f"\n| `{name}` |" in page for name in [*Touchpoint.model_fields, *Channel])


def test_every_field_and_every_word_is_explained() -> None:
    assert [line for line in playbook_reference().splitlines() if line.endswith("|  |")] == []
