"""A variant brings its own settings and its own messages along."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict

import keguan_sixplustwo
from keguan import hookimpl
from keguan.testing import SampleCity
from keguan_sixplustwo import Playbook

Build = Callable[..., SampleCity]


class Wishes(BaseModel):
    model_config = ConfigDict(extra="forbid")
    days: int = 3


class Variant:
    """Calls back as soon as its settings say, and greets in its own words."""

    @hookimpl
    def register_settings(self) -> type[Wishes]:
        return Wishes

    @hookimpl
    def sixplustwo_adjust(self, playbook: Playbook, settings: Wishes) -> Playbook:
        return playbook.change(
            "signing_callback", due=f"contract_signed + {settings.days} days", until="contract_signed + 40 days"
        ).change("sms_congratulation", template="ours/hello")


def words(folder: Path) -> dict[str, Path]:
    for language in ("zh", "en"):
        place = folder / "ours" / language
        place.mkdir(parents=True)
        (place / "hello.sms.j2").write_text("{{ project }}: at last!", encoding="utf-8")
    package = Path(keguan_sixplustwo.__file__).parent / "templates"
    return {"ours": folder / "ours", "sixplustwo": package}


def test_the_variants_own_settings_and_its_own_template_are_in_force(sample_city: Build, tmp_path: Path) -> None:
    city = sample_city(
        {"sixplustwo": keguan_sixplustwo, "ours": Variant()},
        config="[plugins.ours]\nenabled = true\ndays = 8\n",
        templates=words(tmp_path),
    )
    sale = city.sign("1201", on=date(2026, 3, 2))
    city.run_until(date(2026, 3, 3))
    city.expect("signing_callback", sale, "planned", due="2026-03-10 08:00")
    assert [message.text for message in city.sent] == ["【云璟】云璟一期: at last!"]


def test_a_template_that_the_variant_does_not_bring_fails_by_its_full_name(sample_city: Build) -> None:
    city = sample_city({"sixplustwo": keguan_sixplustwo, "ours": Variant()})
    sale = city.sign("1201", on=date(2026, 3, 2))
    city.run_until(date(2026, 3, 3))
    city.expect("sms_congratulation", sale, "failed", why="ours")
