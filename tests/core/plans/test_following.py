"""What follows on a task that was done, what jobs bring along, and what a task's form holds from the start."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, update
from tests.support.flow import Area, only, rows, templates

from keguan import Action, Contract, Effect, Form, Home, Job, Plan, Skip, Sms, Task, hookimpl
from keguan.errors import InputError, PluginError
from keguan.model import Filled
from keguan.plans.following import plan_followups
from keguan.plans.replay import replay
from keguan.queries.reader import Filters, Reader
from keguan.queries.tasks import list_tasks
from keguan.store.schema import form_entries, messages, plans, tasks
from keguan.tasks.desk import finish, postpone, skip
from keguan.tasks.papers import fill_paper
from keguan.testing import SampleCity

Build = Callable[..., SampleCity]


def words(text: str) -> dict[str, str]:
    return {"zh": f"{text}（中）", "en": text}


ASSESSMENT = Form.model_validate(
    {
        "name": "assessment",
        "title": words("Assessment"),
        "fields": [
            {"name": "passed", "type": "yes_no", "required": True, "label": words("Passed")},
            {"name": "rate", "type": "number", "decimals": 2, "label": words("Rate")},
            {"name": "held_on", "type": "date", "label": words("Held on")},
            {
                "name": "who",
                "type": "choices",
                "label": words("Who"),
                "choices": [{"name": name, "label": words(name)} for name in ("sales", "design")],
            },
            {"name": "minutes", "type": "document", "label": words("Minutes")},
        ],
        "lines": {
            "label": words("Homes"),
            "key": "home",
            "prefill": "homes",
            "most": 3,
            "fields": [{"name": "home", "type": "text", "required": True, "label": words("Home")}],
        },
    }
)


class Gate(Area):
    """An assessment when a contract is signed; what comes after it is given to the test."""

    def __init__(self, *further: Action, filled: Filled | None = None, form: str | None = "assessment") -> None:
        super().__init__(Action("assess", self._assess), *further, signed=self._plan)
        self.filled, self.form = filled, form
        self.latest: timedelta | None = None
        self.departments = ["客关"]
        self.errand = False

    @hookimpl
    def register_forms(self) -> list[Form]:
        return [ASSESSMENT]

    def _plan(self, contract: Contract, context: Any) -> list[Plan]:
        return [Plan("assess", context.city.at(contract.signed_on, time(9)), clause="G 5.2")]

    def _assess(self, job: Job) -> list[Task]:
        latest = None if self.latest is None else job.due + self.latest
        due = job.due + timedelta(days=1)
        papers = [
            Task("assess", each, due, form=self.form, filled=self.filled, latest=latest) for each in self.departments
        ]
        return [*papers, Task("tell them", "客关", due)] if self.errand else papers


class Told:
    """An action that keeps the jobs it was given and answers with a task, or what else it is told to."""

    def __init__(self, answer: Callable[[Job], Iterable[Effect] | Skip] | None = None) -> None:
        self.jobs: list[Job] = []
        self.answer = answer or (lambda job: [Task("go on", "客关", job.due + timedelta(days=1))])

    def __call__(self, job: Job) -> Iterable[Effect] | Skip:
        self.jobs.append(job)
        return self.answer(job)

    @property
    def job(self) -> Job:
        """The only one."""
        (job,) = self.jobs
        return job


def open_task(city: SampleCity, action: str) -> int:
    """The task of an action that is to be done."""
    return int(only(rows(city.store, tasks, "id", where=(tasks.c.action == action) & (tasks.c.status == "open"))).id)


def fill(city: SampleCity, task: int, lines: Iterable[Any] = (), **answers: Any) -> None:
    """Somebody fills the form of a task in."""
    forms, now = city.installation.plugins.forms, city.clock.now()
    fill_paper(
        city.store, forms, task, now=now, today=city.today, by="李", language="en", answers=answers, lines=list(lines)
    )


def close(city: SampleCity, *ids: int) -> None:
    """Somebody closes tasks as done, as the command does: without any plugin."""
    finish(city.store, ids, now=city.clock.now(), by="李")


def followups(city: SampleCity) -> list[tuple[str, int, str]]:
    """The plans that follow on tasks: action, round and status."""
    found = rows(city.store, plans, "action", "round", "status", where=plans.c.kind == "after")
    return [tuple(row) for row in found]


# --- What follows ------------------------------------------------------------------------------------------------


def test_what_comes_after_a_task_is_planned_when_it_is_done(sample_city: Build) -> None:
    told = Told()
    city = sample_city({"gate": Gate(Action("launch", told, after="assess"))})
    sale = city.sign()
    city.settle()
    assert followups(city) == []
    city.run_until(city.clock.now() + timedelta(hours=3))
    task = open_task(city, "assess")
    fill(city, task, passed="no")
    closed = city.clock.now()
    close(city, task)
    city.run_until(closed + timedelta(hours=2))
    promised = city.expect("launch", sale, "due")
    assert (promised.due_at, promised.clause) == (closed, "G 5.2")
    assert told.job.due == closed
    assert told.job.filled["assess"].answers == {"passed": False}
    assert told.job.filled["assess"].at == closed
    parent, child = rows(city.store, plans)
    same = ("subject_type", "subject_id", "occurrence", "project_id", "city", "event_seq", "clause")
    assert [getattr(child, name) for name in same] == [getattr(parent, name) for name in same]
    assert (child.until_at, child.late_at_creation, child.stale) == (None, False, False)


def test_a_chain_of_three_runs_one_after_the_other(sample_city: Build) -> None:
    first, second = Told(), Told()
    gate = Gate(Action("plan", first, after="assess"), Action("report", second, after="plan"), form=None)
    city = sample_city({"gate": gate})
    sale = city.sign()
    city.settle()
    close(city, open_task(city, "assess"))
    city.settle()
    assert (len(first.jobs), len(second.jobs)) == (1, 0)
    close(city, open_task(city, "plan"))
    city.settle()
    assert (len(first.jobs), len(second.jobs)) == (1, 1)
    assert second.job.filled == {}
    close(city, open_task(city, "report"))
    city.settle()
    assert [city.expect(name, sale).status for name in ("assess", "plan", "report")] == ["kept", "kept", "kept"]
    assert followups(city) == [("plan", 0, "done"), ("report", 0, "done")]


def test_nothing_follows_on_a_task_that_was_skipped(sample_city: Build) -> None:
    city = sample_city({"gate": Gate(Action("launch", Told(), after="assess"))})
    city.sign()
    city.settle()
    skip(city.store, [open_task(city, "assess")], reason="no site", now=city.clock.now(), by="李")
    city.run_until(city.clock.now() + timedelta(days=2))
    assert followups(city) == []


def test_each_task_that_is_done_is_followed_once_however_often_is_looked(sample_city: Build) -> None:
    told = Told()
    gate = Gate(Action("launch", told, after="assess"), form=None)
    gate.departments = ["客关", "营销"]
    city = sample_city({"gate": gate})
    city.sign()
    city.settle()
    first, second = (row.id for row in rows(city.store, tasks))
    close(city, first)
    for _ in range(3):
        city.settle()
        replay(city.installation)
    assert followups(city) == [("launch", 0, "done")]
    close(city, second)
    city.settle()
    assert followups(city) == [("launch", 0, "done"), ("launch", 1, "done")]
    assert len(told.jobs) == 2


def test_a_task_without_a_form_is_not_followed_beside_one_that_has_one(sample_city: Build) -> None:
    told = Told()
    gate = Gate(Action("launch", told, after="assess"))
    gate.errand = True
    city = sample_city({"gate": gate})
    city.sign()
    city.settle()
    [paper] = rows(city.store, tasks, "id", where=tasks.c.form.is_not(None))
    [errand] = rows(city.store, tasks, "id", where=tasks.c.form.is_(None))
    fill(city, paper.id, passed="yes")
    close(city, paper.id)
    city.settle()
    close(city, errand.id)
    city.settle()
    assert followups(city) == [("launch", 0, "done")]
    assert told.job.filled["assess"].answers == {"passed": True}


def test_tasks_closed_together_get_a_round_each(sample_city: Build) -> None:
    gate = Gate(Action("launch", Told(), after="assess"), form=None)
    gate.departments = ["客关", "营销", "设计"]
    city = sample_city({"gate": gate})
    city.sign()
    city.settle()
    close(city, *(row.id for row in rows(city.store, tasks)))
    assert plan_followups(city.installation, limit=2) == 2
    assert plan_followups(city.installation, limit=2) == 1
    assert plan_followups(city.installation, limit=2) == 0
    assert followups(city) == [("launch", number, "planned") for number in range(3)]


def test_a_promise_that_is_done_again_is_followed_again(sample_city: Build) -> None:
    gate = Gate(Action("launch", Told(), after="assess"), form=None)
    gate.actions[0] = Action("assess", gate._assess, again=True)
    city = sample_city({"gate": gate})
    sale = city.sign()
    city.settle()
    close(city, open_task(city, "assess"))
    city.run_until(date(2026, 3, 3))
    city.change(sale, on=date(2026, 3, 4))
    city.run_until(date(2026, 3, 4))
    close(city, open_task(city, "assess"))
    city.settle()
    assert followups(city) == [("launch", 0, "done"), ("launch", 1, "done")]


def test_a_process_that_dies_while_it_plans_what_follows_loses_and_repeats_nothing(sample_city: Build) -> None:
    told = Told()
    city = sample_city({"gate": Gate(Action("launch", told, after="assess"), form=None)})
    city.sign()
    city.settle()
    close(city, open_task(city, "assess"))

    def die(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE tasks"):  # the plans are written, the mark is not
            raise KeyboardInterrupt

    engine = city.installation.store.engine
    event.listen(engine, "before_cursor_execute", die)
    with pytest.raises(KeyboardInterrupt):
        plan_followups(city.installation)
    event.remove(engine, "before_cursor_execute", die)
    assert followups(city) == []
    city.restart()
    city.settle()
    city.restart()
    city.settle()
    assert followups(city) == [("launch", 0, "done")]
    assert len(told.jobs) == 1


def test_tasks_of_a_plugin_that_is_not_at_work_wait_for_it(sample_city: Build) -> None:
    city = sample_city({"gate": Gate(Action("launch", Told(), after="assess"), form=None), "other": Area()})
    city.sign()
    city.settle()
    city.restart(config="[plugins.gate]\nenabled = false\n[plugins.other]\nenabled = true\n")
    close(city, open_task(city, "assess"))
    city.run_until(city.clock.now() + timedelta(days=1))
    assert followups(city) == []
    city.restart(config="")
    city.settle()
    assert followups(city) == [("launch", 0, "done")]


def test_what_follows_is_held_where_its_plugin_rests(sample_city: Build) -> None:
    city = sample_city({"gate": Gate(Action("launch", Told(), after="assess"), form=None)})
    city.sign()
    city.settle()
    city.restart(config="[plugins.gate]\nenabled = true\nexcept_cities = ['shenzhen']\n[cities.wuhan]\nname = '武汉'\n")
    close(city, open_task(city, "assess"))
    city.settle()
    assert followups(city) == [("launch", 0, "held")]
    city.restart(config="")
    city.settle()
    assert followups(city) == [("launch", 0, "done")]


def test_what_follows_stays_when_the_record_is_asked_about_again(sample_city: Build) -> None:
    broken = Told(lambda job: [Task("", "客关", job.due)])
    city = sample_city({"gate": Gate(Action("launch", broken, after="assess"), form=None)})
    sale = city.sign()
    city.settle()
    close(city, open_task(city, "assess"))
    city.settle()
    assert followups(city) == [("launch", 0, "planned")]
    city.change(sale, planned_handover_on=date(2027, 1, 1))
    city.run_until(city.clock.now() + timedelta(days=1))
    assert followups(city) == [("launch", 0, "failed")]
    broken.answer = lambda job: [Task("go on", "客关", job.due)]
    replay(city.installation)
    city.settle()
    assert followups(city) == [("launch", 0, "done")]


def test_a_hook_that_asks_for_what_follows_is_refused(sample_city: Build) -> None:
    gate = Gate(Action("launch", Told(), after="assess"))
    gate.wants["signed"] = lambda contract, context: [Plan("launch", context.city.at(contract.signed_on, time(9)))]
    city = sample_city({"gate": gate})
    city.sign()
    (failure,) = city.settle().failures
    assert "'launch', which comes after another one" in failure


@pytest.mark.parametrize(
    ("action", "problem"),
    [
        (Action("launch", Told(), after="asses"), "'asses' in 'after'.*did you mean assess"),
        (Action("launch", Told(), reads=("assess", "lunch")), "'lunch' in 'reads'.*did you mean launch"),
        (Action("launch", Told(), after="launch"), "launch → launch"),
        (Action("launch", Told(), needs="flats"), "'launch' does not fit"),  # type: ignore[arg-type]
    ],
)
def test_actions_that_hang_on_nothing_are_refused_at_start(sample_city: Build, action: Action, problem: str) -> None:
    with pytest.raises(PluginError, match=problem):
        sample_city({"gate": Gate(action)})


def test_a_circle_is_refused_at_start(sample_city: Build) -> None:
    circle = [Action("one", Told(), after="two"), Action("two", Told(), after="one")]
    with pytest.raises(PluginError, match="one → two → one"):
        sample_city({"gate": Gate(*circle)})


# --- What jobs bring along ---------------------------------------------------------------------------------------


def test_a_job_reads_the_newest_form_that_is_complete(sample_city: Build) -> None:
    told = Told(lambda _: Skip("seen"))
    gate = Gate(Action("open", told, reads=("assess",)))
    gate.departments = ["客关", "营销", "设计"]
    gate.wants["signed"] = lambda contract, context: [
        Plan("assess", context.city.at(contract.signed_on, time(9))),
        Plan("open", context.city.at(date(2026, 3, 5), time(9))),
    ]
    city = sample_city({"gate": gate})
    city.sign()
    city.settle()
    first, second, third = (row.id for row in rows(city.store, tasks))
    fill(city, second, passed="no", rate="0.5")
    city.run_until(date(2026, 3, 3))
    fill(city, first, passed="yes", rate="0.85")
    city.run_until(date(2026, 3, 4))
    fill(city, third, rate="0.1")  # whether it was passed is not answered: not complete
    city.run_until(date(2026, 3, 5))
    assert told.job.filled["assess"].answers == {"passed": True, "rate": "0.85"}


def test_a_form_of_another_occurrence_or_home_is_not_brought(sample_city: Build) -> None:
    told = Told(lambda _: Skip("seen"))
    gate = Gate(Action("open", told, reads=("assess",)))
    gate.wants["signed"] = lambda contract, context: [
        Plan("assess", context.city.at(contract.signed_on, time(9))),
        Plan("open", context.city.at(date(2026, 3, 5), time(9))),
        Plan("open", context.city.at(date(2026, 3, 5), time(9)), occurrence=2),
    ]
    city = sample_city({"gate": gate})
    sale = city.sign()
    city.sign("1202")
    city.settle()
    mine = rows(city.store, tasks, "id", where=tasks.c.subject_id == sale.contract.id)
    fill(city, only(mine)[0], passed="yes")
    city.run_until(date(2026, 3, 5))
    seen = {(job.record.ref.id, job.occurrence) for job in told.jobs if job.filled}
    assert len(told.jobs) == 4
    assert seen == {(sale.contract.id, 1)}


def test_a_job_brings_the_homes_or_the_contracts_of_its_project(sample_city: Build) -> None:
    homes, contracts = Told(lambda _: Skip("seen")), Told(lambda _: Skip("seen"))
    gate = Gate(Action("visit", homes, needs="homes"), Action("letter", contracts, needs="contracts"))
    gate.wants["signed"] = lambda _, context: [
        Plan(name, context.city.at(date(2026, 3, 5), time(9))) for name in ("visit", "letter")
    ]
    city = sample_city({"gate": gate})
    sales = [city.sign(room) for room in ("1201", "1202", "1203")]
    city.settle()
    city.cancel(sales[1])
    city.run_until(date(2026, 3, 5))
    assert len(homes.jobs) == 2
    for job in homes.jobs:
        assert [home.id for home in job.homes] == sorted(sale.home.id for sale in sales)
        assert [bool(home.owners) for home in job.homes] == [True, False, True]
        assert all(isinstance(home, Home) for home in job.homes)
        assert job.contracts == ()
    for job in contracts.jobs:
        assert [(one.id, one.home and one.home.room) for one in job.contracts] == [
            (sales[0].contract.id, "1201"),
            (sales[2].contract.id, "1203"),
        ]
        assert all(one.owners[0].name == "王小明" for one in job.contracts)
        assert job.homes == ()
    assert homes.jobs[0].homes is homes.jobs[1].homes, "loaded once for a project"


# --- What a form holds from the start ------------------------------------------------------------------------------


def test_a_task_comes_up_with_its_form_filled_in(sample_city: Build) -> None:
    answers = {"passed": True, "rate": Decimal("0.50"), "held_on": date(2026, 3, 1), "who": ["design", "sales"]}
    city = sample_city({"gate": Gate(filled=Filled(answers, [{"home": "1-1201"}, {"home": "1-1202"}]))})
    city.sign()
    city.settle()
    entry = only(rows(city.store, form_entries))
    assert entry.answers == {"passed": True, "rate": "0.50", "held_on": "2026-03-01", "who": ["sales", "design"]}
    assert entry.lines == [{"home": "1-1201"}, {"home": "1-1202"}]
    assert (entry.task_id, entry.form, entry.complete, entry.version, entry.filled_by, entry.filled_at) == (
        open_task(city, "assess"),
        "gate.assessment",
        True,
        1,
        "keguan",
        city.clock.now(),
    )
    close(city, entry.task_id)


def test_what_is_still_missing_keeps_the_form_incomplete_and_homes_stand_in_its_lines(sample_city: Build) -> None:
    city = sample_city({"gate": Gate(filled=Filled({"rate": "0.5", "held_on": None}))})
    city.sign("1201")
    city.settle()
    entry = only(rows(city.store, form_entries))
    assert (entry.answers, entry.lines, entry.complete) == ({"rate": "0.50"}, [{"home": "1201"}], False)


def test_a_plan_that_runs_again_after_a_crash_leaves_what_people_wrote(sample_city: Build) -> None:
    city = sample_city({"gate": Gate(filled=Filled({"rate": "0.5"}))})
    city.sign()
    city.settle()
    fill(city, open_task(city, "assess"), passed="yes", rate="0.75")
    with city.store.write() as connection:
        connection.execute(update(plans).values(status="planned"))
    city.settle()
    entry = only(rows(city.store, form_entries))
    assert (entry.answers, entry.filled_by) == ({"passed": True, "rate": "0.75"}, "李")
    assert len(rows(city.store, tasks)) == 1


@pytest.mark.parametrize(
    ("filled", "problem"),
    [
        (Filled({"rate": "many"}), "at rate:"),
        (Filled({"ratio": 1}), "at ratio:.*rate"),
        (Filled({"minutes": "ab" * 32}), "at minutes:"),
        (Filled({"passed": {"yes": True}}), "at passed: a value of the type dict"),
        (Filled({}, [{"home": str(number)} for number in range(4)]), "at lines: 4 lines are too many"),
        (Filled({}, [{"home": "1"}, {"home": "1"}]), r"at lines\[2\].home:"),
        (Filled({}, [{"room": "1"}]), r"at lines\[1\].room:"),
    ],
)
def test_what_does_not_fit_fails_the_plan_and_names_the_field(sample_city: Build, filled: Filled, problem: str) -> None:
    city = sample_city({"gate": Gate(filled=filled)})
    city.sign()
    city.settle()
    why = only(rows(city.store, plans)).why
    assert re.search(problem, why), why
    assert "action assess" in why
    assert rows(city.store, tasks) == []
    assert rows(city.store, form_entries) == []


@pytest.mark.parametrize("change", [{"form": None}, {"filled": "text"}, {"latest": timedelta(hours=1)}])
def test_a_task_that_contradicts_itself_fails_its_plan(sample_city: Build, change: dict[str, Any]) -> None:
    gate = Gate(filled=Filled({"rate": 1}))
    for name, value in change.items():
        setattr(gate, name, value)
    city = sample_city({"gate": gate})
    city.sign()
    city.settle()
    assert "a Task's filled is a Filled" in only(rows(city.store, plans)).why


# --- The last day ----------------------------------------------------------------------------------------------------


def test_a_task_is_postponed_up_to_its_last_day_and_not_beyond(sample_city: Build) -> None:
    gate = Gate(form=None)
    gate.latest = timedelta(days=10)  # 12 March at 9:00
    city = sample_city({"gate": gate})
    city.sign()
    city.settle()
    task = open_task(city, "assess")
    reader = Reader(city.store, city.installation.settings, city.clock.now(), "en")
    assert only(list_tasks(reader, Filters()))["latest"] == date(2026, 3, 12)

    def move(day: int) -> None:
        now, zone = city.clock.now(), reader.zone
        postpone(city.store, [task], to=date(2026, 3, day), reason="rain", now=now, by="李", zone=zone)

    with pytest.raises(InputError, match="beyond 2026-03-12"):
        move(13)
    move(12)
    assert only(rows(city.store, tasks)).due_at == datetime.fromisoformat("2026-03-12T09:00+08:00")


# --- A large letter --------------------------------------------------------------------------------------------------


def test_a_letter_to_thousands_is_one_plan(sample_city: Build, tmp_path: Path) -> None:
    def letter(job: Job) -> list[Sms]:
        owner = only(only(job.contracts).owners)
        return [Sms(owner, "hello", {"name": number}) for number in range(2500)]

    gate = Gate(Action("letter", letter, needs="contracts"))
    gate.wants["signed"] = lambda contract, context: [
        Plan("letter", context.city.at(contract.signed_on, time(9)), occurrence=number) for number in (1, 2)
    ]
    city = sample_city({"gate": gate}, templates=templates(tmp_path, "gate"))
    city.sign()
    city.engine.plan()
    tally = city.engine.run()
    assert (tally.claimed, tally.done, tally.messages) == (2, 2, 5000)
    found = [row.key for row in rows(city.store, messages, "key")]
    assert len(set(found)) == 5000


def test_of_two_letters_the_first_stays_when_the_process_dies_in_the_second(sample_city: Build, tmp_path: Path) -> None:
    dying = True

    def letter(job: Job) -> list[Sms]:
        if job.occurrence == 2 and dying:
            raise KeyboardInterrupt
        owner = only(job.record.owners)  # type: ignore[attr-defined]  # a contract
        return [Sms(owner, "hello", {"name": number}) for number in range(1200)]

    gate = Gate(Action("letter", letter))
    gate.wants["signed"] = lambda contract, context: [
        Plan("letter", context.city.at(contract.signed_on, time(9)), occurrence=number) for number in (1, 2)
    ]
    city = sample_city({"gate": gate}, templates=templates(tmp_path, "gate"))
    city.sign()
    city.engine.plan()
    with pytest.raises(KeyboardInterrupt):
        city.engine.run()
    assert len(rows(city.store, messages)) == 1200
    dying = False
    city.engine.take_back()
    assert city.engine.run().messages == 1200
    assert len(rows(city.store, messages)) == 2400
