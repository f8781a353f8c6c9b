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
from keguan_sixplustwo.library import domain_ids, read_playbook

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


def test_the_three_editions_have_their_eight_steps() -> None:
    names = {edition: [step.name.zh for step in book.steps] for edition, book in sixplustwo.playbooks().items()}
    assert names == {
        "original": ["温馨牵手", "喜结连理", "亲密接触", "恭迎乔迁", "嘘寒问暖", "承担责任", "一路同行", "四年之约"],
        "e2011": ["温馨牵手", "喜结连理", "亲密接触", "隆重出阁", "恭迎乔迁", "举案齐眉", "一路同行", "持续关怀"],
        "guide": ["温馨牵手", "喜结连理", "亲密接触", "恭迎乔迁", "嘘寒问暖", "承担责任", "一路同行", "四年之约"],
    }


def test_every_touchpoint_is_one_that_the_domain_knows() -> None:
    assert len(domain_ids()) == len(set(domain_ids())) == 63
    for book in sixplustwo.playbooks().values():
        assert set(book.touchpoints) <= set(domain_ids())


def test_what_the_source_does_not_say_is_marked_as_ours(guide: Playbook) -> None:
    ours = {name: set(entry.ours) for name, entry in guide.touchpoints.items()}
    assert ours == {
        "sms_congratulation": {"due"},
        "sms_service_supervision": {"due"},
        "signing_callback": {"due", "until"},
        "welcome_kit": {"due", "until", "owner"},
        "handover_callback": {"due", "until", "coverage"},
        "housewarming_visit": {"due", "until", "owner"},
    }


def test_every_touchpoint_names_clause_and_lines() -> None:
    for book in sixplustwo.playbooks().values():
        for entry in book.touchpoints.values():
            assert entry.clause is not None
            assert entry.clause.source


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
    with pytest.raises(ValueError, match="'original', 'e2011' or 'guide'"):
        sixplustwo.Settings.model_validate({"edition": "2012"})
    with pytest.raises(ValueError, match="Extra inputs"):
        sixplustwo.Settings.model_validate({"editon": "guide"})


def test_the_table_shows_each_step_and_where_values_come_from(guide: Playbook) -> None:
    rows = {row["touchpoint"]: row for row in sixplustwo.playbook_rows(guide, "en")}
    kit = rows["welcome_kit"]
    assert kit["step_name"] == "Welcome to your new home"
    assert kit["due"] == "planned_handover - 15 days"
    assert kit["owner"] == ["customer relations"]
    assert kit["evidence"] is None
    assert kit["from"] == {
        "due": "ours", "until": "ours", "audience": "clause", "channel": "clause", "owner": "ours", "clause": "clause",
    }  # fmt: skip


def test_the_table_shows_empty_steps_as_empty() -> None:
    rows = sixplustwo.playbook_rows(sixplustwo.playbooks()["e2011"], "zh")
    empty = [row["step_name"] for row in rows if row["touchpoint"] is None]
    assert empty == ["温馨牵手", "亲密接触", "隆重出阁", "恭迎乔迁", "举案齐眉", "一路同行", "持续关怀"]
    assert len({tuple(row) for row in rows}) == 1  # every row has the same keys


def test_coverage_counts_what_has_an_entry_in_any_edition() -> None:
    told = sixplustwo.coverage()
    missing = told["missing"]
    assert isinstance(missing, list)
    assert told["total"] == 63
    assert told["covered"] == 63 - len(missing)
    assert {"deposit_sms_2011", "welcome_kit", "housewarming_visit"}.isdisjoint(missing)
    assert sixplustwo.coverage([]) == {"total": 63, "covered": 0, "missing": list(domain_ids())}
