"""A promise of the 6+2 steps at its due time, by hand: what its action makes of a record and of forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import keguan_sixplustwo as sixplustwo
from keguan import Action, Company, Context, Contract, Effect, Filled, Home, Job, Project, Record, Skip, Task
from keguan.model import Plan

__all__ = ["COMPANY", "a_job", "action", "do", "homes_of", "only_task", "tasks"]

COMPANY = Company("云璟地产", "400-000-0000", "云璟地产")


def action(name: str, context: Context) -> Action:
    """Return the action called ``name``."""
    [found] = [one for one in sixplustwo.register_actions(context.prepared) if one.name == name]
    return found


def a_job(
    name: str,
    record: Record,
    context: Context,
    *,
    plan: Plan | None = None,
    now: datetime = datetime(2026, 3, 2, 1, tzinfo=UTC),
    filled: Mapping[str, Filled] | None = None,
    homes: Sequence[Home] = (),
    contracts: Sequence[Contract] = (),
    occurrence: int = 1,
) -> Job:
    """Return the job of ``name`` for ``record``: by its ``plan``, or due ``now``, as what comes after a task is."""
    return Job(
        key=f"sixplustwo.{name}/{record.ref.type}/{record.ref.id}/{plan.occurrence if plan else occurrence}",
        action=name,
        record=record,
        due=plan.due if plan else now,
        until=plan.until if plan else None,
        occurrence=plan.occurrence if plan else occurrence,
        clause="",
        late=False,
        now=(plan.opens or plan.due) if plan else now,
        company=COMPANY,
        context=context,
        opens=plan.opens if plan else None,
        filled=filled or {},
        homes=homes,
        contracts=contracts,
    )


def do(name: str, record: Record, context: Context, **job: Any) -> list[Effect] | Skip:
    """Return what the action called ``name`` makes of the job that these values describe."""
    outcome = action(name, context).run(a_job(name, record, context, **job))
    return outcome if isinstance(outcome, Skip) else list(outcome)


def tasks(outcome: list[Effect] | Skip) -> list[Task]:
    """Return the tasks among the effects, when there is nothing else."""
    assert not isinstance(outcome, Skip), outcome.reason
    found = [effect for effect in outcome if isinstance(effect, Task)]
    assert len(found) == len(outcome)
    return found


def only_task(outcome: list[Effect] | Skip) -> Task:
    """Return the one task that it came to."""
    [task] = tasks(outcome)
    return task


def homes_of(project: Project, count: int, **fields: Any) -> list[Home]:
    """Return so many homes, all alike but for the number of the room."""
    return [Home(number, project, "3", "1", f"{number:04}", **fields) for number in range(1, count + 1)]
