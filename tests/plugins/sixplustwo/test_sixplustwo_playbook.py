"""Playbooks: the data that comes with the plugin, and adjusting it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pluggy
import pytest

import keguan_sixplustwo as sixplustwo
from keguan import Context, hookimpl, hookspecs
from keguan.errors import PluginError
from keguan_sixplustwo import Playbook
from keguan_sixplustwo.library import read_playbook
from keguan_sixplustwo.planning.promises import Promises
from keguan_sixplustwo.playbook import Fields
from keguan_sixplustwo.touchpoint import Touchpoint

Company = Callable[..., Context]

PLAYBOOK = """
edition: guide
name: {zh: 测试, en: test}
steps: [{order: "2", name: {zh: 喜结连理, en: Tying the knot}}]
touchpoints:
  - id: signing_callback
    step: "2"
    name: {zh: 回访, en: call-back}
    kind: task
    trigger: contract_signed
    due: contract_signed + 3 workdays
    owner: 客关
"""


@pytest.fixture
def guide() -> Playbook:
    return sixplustwo.playbooks()["guide"]


def in_force(context: Context) -> Playbook:
    assert isinstance(context.prepared, sixplustwo.Prepared)
    return context.prepared.playbook("wuhan")


def due(playbook: Playbook, touchpoint: str) -> list[str]:
    return [str(timing) for timing in playbook.touchpoints[touchpoint].due]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("due: contract_signed + 3 workdays", "due: contract_signed + 3 workdayz", "signing_callback"),
        ("due: contract_signed + 3 workdays", "due: contract_signed + 3 workdayz", "contract_signed + 3 workdayz"),
        ("kind: task", "kind: tusk", "touchpoints.0.kind"),
        ("owner: 客关", "", "a task needs an owner"),
        ("owner: 客关", "owner: 客关\n    ours: [until]", "ours names fields without a value: until"),
        ("owner: 客关", "owner: 客关\n    ours: [deu]", "ours names what is no field: deu"),
        ("owner: 客关", "owner: 客关\n    colour: red", "touchpoints.0.colour"),
        ('step: "2"\n', 'step: "7"\n', 'no step "7"'),
        ("steps:", "steps: [", "book.yaml"),
        ("kind: task", "kind: message", "a message needs a template"),
    ],
)
def test_wrong_data_is_refused_with_its_place(old: str, new: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "book.yaml"
    file.write_text(PLAYBOOK, encoding="utf-8")
    assert "signing_callback" in read_playbook(file)
    file.write_text(PLAYBOOK.replace(old, new), encoding="utf-8")
    with pytest.raises(PluginError) as refused:
        read_playbook(file)
    assert told in str(refused.value)


def test_a_touchpoint_written_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "book.yaml"
    entry = PLAYBOOK[PLAYBOOK.index("  - id") :]
    file.write_text(PLAYBOOK + entry, encoding="utf-8")
    with pytest.raises(PluginError, match='already is a touchpoint "signing_callback"'):
        read_playbook(file)


def test_changing_gives_a_new_playbook_and_leaves_the_old_one(guide: Playbook) -> None:
    changed = guide.change("signing_callback", due="contract_signed + 1 week", owner="呼叫中心")
    assert due(changed, "signing_callback") == ["contract_signed + 1 week"]
    assert changed.touchpoints["signing_callback"].owner == ("呼叫中心",)
    assert changed.touchpoints["signing_callback"].coverage == guide.touchpoints["signing_callback"].coverage
    assert due(guide, "signing_callback") == ["contract_signed + 3 workdays"]


def test_removing_and_adding(guide: Playbook) -> None:
    changed = guide.remove("welcome_kit").add(
        "moving_day_help",
        step="4",
        name={"zh": "搬家协助", "en": "Help on moving day"},
        kind="task",
        trigger="handover",
        due="move_in",
        owner="物业",
    )
    assert "welcome_kit" not in changed
    assert "moving_day_help" in changed
    assert "welcome_kit" in guide


def test_adjusting_what_does_not_exist_names_the_nearest(guide: Playbook) -> None:
    with pytest.raises(PluginError, match=r"signing_callbak.*nearest names: signing_callback"):
        guide.change("signing_callbak", due="contract_signed")
    with pytest.raises(PluginError, match="nearest names: welcome_kit"):
        guide.remove("wellcome_kit")
    with pytest.raises(PluginError, match=r'no field "dew".*nearest names: due'):
        guide.change("welcome_kit", dew="handover")  # type: ignore[call-arg]  # a variant's misspelling
    with pytest.raises(PluginError, match='no field "ours"'):
        guide.change("welcome_kit", ours=["due"])  # type: ignore[call-arg]  # only the plugin's data has it


def test_everything_that_the_data_can_say_can_be_changed(guide: Playbook) -> None:
    changed = guide.change(
        "welcome_kit",
        due=["planned_handover - 1 month", "planned_handover - 15 days"],
        opens="planned_handover - 2 months",
        postpone_to="welcome_kit + 10 days",
        by_fitting={"bare": {"off": True}},
        optional=True,
        channel=["mail", "visit"],
        form="handover_callback",
        notes={"zh": "备注", "en": "a note"},
    )
    entry = changed.touchpoints["welcome_kit"]
    assert due(changed, "welcome_kit") == ["planned_handover - 1 month", "planned_handover - 15 days"]
    assert (str(entry.opens), str(entry.postpone_to)) == ("planned_handover - 2 months", "welcome_kit + 10 days")
    assert entry.by_fitting["bare"].off
    assert changed.origin("welcome_kit", "by_fitting") == "a variant"
    assert guide.origin("welcome_kit", "by_fitting") is None


def test_what_may_be_changed_is_what_a_touchpoint_has() -> None:
    assert set(Fields.__annotations__) == set(Touchpoint.model_fields) - {"id", "ours"}


def test_a_step_may_have_another_name(guide: Playbook) -> None:
    renamed = guide.rename_step("2", zh="喜结良缘").rename_step("+1", zh="相伴", en="Side by side")
    names = {step.order: (step.name.zh, step.name.en) for step in renamed.steps}
    assert (names["2"], names["+1"]) == (("喜结良缘", "Tying the knot"), ("相伴", "Side by side"))
    assert guide.steps[1].name.zh == "喜结连理"
    with pytest.raises(PluginError, match=r'no step "9" to rename.*1, 2, 3, 4, 5, 6, \+1, \+2'):
        guide.rename_step("9", en="Nine")


def test_two_variants_may_not_rename_one_step_in_one_language(company: Company) -> None:
    def first(playbook: Playbook, city: str) -> Playbook:
        return playbook.rename_step("2", zh="喜结良缘")

    def second(playbook: Playbook, city: str) -> Playbook:
        return playbook.rename_step("2", en="A bond")

    book = in_force(company({"one": first, "two": second}))
    assert (book.steps[1].name.zh, book.steps[1].name.en) == ("喜结良缘", "A bond")
    with pytest.raises(PluginError, match='"one" and "two" both adjust "zh"'):
        company({"one": first, "two": first})


def test_what_an_edition_that_is_not_configured_does_not_have_is_passed_over(company: Company) -> None:
    def adjust(playbook: Playbook, city: str) -> Playbook:
        changed = playbook.remove("welcome_kit").change("housewarming_visit", owner="物业")
        return changed.add(
            "second_visit", step="1", kind="task", owner="物业", trigger="handover",
            name={"zh": "二访", "en": "second visit"}, due="housewarming_visit + 1 month",
        )  # fmt: skip

    prepared = company({"wuhan": adjust}).prepared
    assert isinstance(prepared, sixplustwo.Prepared)
    assert "second_visit" in prepared.schedule("wuhan", "guide")["handover"].each
    assert "second_visit" not in prepared.schedule("wuhan", "e2011").get("handover", Promises(())).each


def test_an_optional_touchpoint_that_is_switched_on_must_exist(company: Company) -> None:
    with pytest.raises(PluginError, match=r'no optional touchpoint "lectures".*nearest names'):
        company(settings={"optional": ["lectures"]})


def test_a_value_that_does_not_fit_is_refused(guide: Playbook) -> None:
    with pytest.raises(PluginError, match=r"channel\.0.*welcome_kit"):
        guide.change("welcome_kit", channel="pigeon")
    with pytest.raises(PluginError, match=r'"handover \+ 1 fortnight" from "fortnight" on'):
        guide.change("welcome_kit", due="handover + 1 fortnight")
    with pytest.raises(PluginError, match='no step "9"'):
        guide.change("welcome_kit", step="9")


def test_adding_what_exists_is_refused(guide: Playbook) -> None:
    with pytest.raises(PluginError, match='already is a touchpoint "welcome_kit"'):
        guide.add("welcome_kit", step="4")


def test_each_value_says_where_it_comes_from(company: Company) -> None:
    def with_photo(playbook: Playbook, city: str) -> Playbook:
        return playbook.change("welcome_kit", evidence=[{"zh": "照片", "en": "photo"}])

    def sooner(playbook: Playbook, city: str) -> Playbook:
        return playbook.change("welcome_kit", due="planned_handover - 30 days")

    playbook = in_force(company({"photos": with_photo, "wuhan": sooner}))
    origins = {name: playbook.origin("welcome_kit", name) for name in ("due", "evidence", "until", "audience")}
    assert origins == {"due": "wuhan", "evidence": "photos", "until": "ours", "audience": "clause"}
    assert playbook.origin("handover_callback", "evidence") is None  # silent, and nobody filled the gap


def test_two_variants_may_share_a_touchpoint_but_not_a_field(company: Company) -> None:
    def sooner(playbook: Playbook, city: str) -> Playbook:
        return playbook.change("signing_callback", due="contract_signed + 1 workday")

    def later(playbook: Playbook, city: str) -> Playbook:
        return playbook.change("signing_callback", due="contract_signed + 5 workdays", owner="物业")

    with pytest.raises(PluginError) as refused:
        company({"hubei": sooner, "wuhan": later})
    assert str(refused.value).startswith('the plugins "hubei" and "wuhan" both adjust "due"')
    assert "signing_callback" in str(refused.value)


def test_one_variant_may_not_remove_what_another_changes(company: Company) -> None:
    def gone(playbook: Playbook, city: str) -> Playbook:
        return playbook.remove("signing_callback")

    def sooner(playbook: Playbook, city: str) -> Playbook:
        return playbook.change("signing_callback", due="contract_signed + 1 workday")

    for first, second in ((gone, sooner), (sooner, gone), (gone, gone)):
        with pytest.raises(PluginError, match='"hubei" and "wuhan" both adjust'):
            company({"hubei": first, "wuhan": second})


def test_one_variant_may_change_its_mind(company: Company) -> None:
    def twice(playbook: Playbook, city: str) -> Playbook:
        once = playbook.change("signing_callback", due="contract_signed + 1 workday")
        return once.change("signing_callback", due="contract_signed + 2 workdays")

    assert due(in_force(company({"wuhan": twice})), "signing_callback") == ["contract_signed + 2 workdays"]


def test_a_variant_must_give_the_playbook_back(company: Company) -> None:
    with pytest.raises(PluginError, match='plugin "wuhan" did not return the playbook'):
        company({"wuhan": lambda playbook, city: None})
    with pytest.raises(PluginError, match='plugin "wuhan" did not return the playbook'):
        company({"wuhan": lambda playbook, city: sixplustwo.playbooks()["e2011"]})


def test_a_timing_must_count_from_a_date_that_the_trigger_has(company: Company) -> None:
    def wrong(playbook: Playbook, city: str) -> Playbook:
        return playbook.change("handover_callback", due="contract_signed + 7 days")

    with pytest.raises(PluginError, match=r'counts from "contract_signed".*handover_callback.*handover, move_in'):
        company({"wuhan": wrong})


def test_a_message_needs_a_template_that_exists(company: Company) -> None:
    def wrong(playbook: Playbook, city: str) -> Playbook:
        return playbook.change("sms_congratulation", template="congratulations")

    with pytest.raises(PluginError, match=r'no sms template "congratulations".*nearest names: congratulation'):
        company({"wuhan": wrong})


def test_a_task_needs_a_form_that_exists(company: Company) -> None:
    def wrong(playbook: Playbook, city: str) -> Playbook:
        return playbook.change("signing_callback", form="signing_calback")

    with pytest.raises(PluginError, match=r'no form "signing_calback".*nearest names: signing_callback'):
        company({"wuhan": wrong})


def test_the_hooks_are_those_of_the_core_and_of_the_area(guide: Playbook) -> None:
    class Variant:
        @hookimpl
        def sixplustwo_adjust(self, playbook: Playbook) -> Playbook:
            return playbook

    plugins = pluggy.PluginManager(hookspecs.PROJECT)
    plugins.add_hookspecs(hookspecs)
    plugins.add_hookspecs(sixplustwo.register_hookspecs())
    plugins.register(sixplustwo)
    plugins.register(Variant())
    plugins.check_pending()
    assert plugins.hook.sixplustwo_adjust(playbook=guide, city="wuhan", settings=None) == [guide]


def test_settings_know_the_editions_and_nothing_else() -> None:
    assert sixplustwo.Settings.model_validate({"edition": 2011}).edition == "e2011"
    with pytest.raises(ValueError, match="'original', 'e2011', 'guide' or 'five_steps'"):
        sixplustwo.Settings.model_validate({"edition": "2012"})
    with pytest.raises(ValueError, match="Extra inputs"):
        sixplustwo.Settings.model_validate({"editon": "guide"})
