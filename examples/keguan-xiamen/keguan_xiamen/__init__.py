"""How the 6+2 steps are done in Xiamen, and its promise that an engineer calls within 24 hours of a repair report."""

from datetime import timedelta
from importlib import resources

import yaml
from keguan import Action, Effect, Event, EventType, Home, Job, Plan, Sms, Task, hookimpl
from keguan_sixplustwo import Playbook
from pydantic import BaseModel

VARIANT = yaml.safe_load((resources.files(__name__) / "variant.yaml").read_text(encoding="utf-8"))


class Settings(BaseModel, extra="forbid", frozen=True):
    """``[plugins.xiamen]``: customers here call a line of their own."""

    hotline: str


@hookimpl
def register_settings() -> type[Settings]:
    return Settings


@hookimpl
def sixplustwo_adjust(playbook: Playbook) -> Playbook:
    if playbook.edition != "guide":
        return playbook
    for name in VARIANT["remove"]:
        playbook = playbook.remove(name)
    for name, fields in VARIANT["change"].items():
        playbook = playbook.change(name, **fields)
    for name, fields in VARIANT["add"].items():
        playbook = playbook.add(name, **fields)
    return playbook


@hookimpl
def register_event_types() -> list[EventType]:
    return [EventType("repair_reported", subject="home")]


@hookimpl
def on_event(event: Event) -> list[Plan]:
    due = event.time + timedelta(hours=24)
    plan = Plan("call", due, clause=VARIANT["clause"], occurrence=event.seq, opens=event.time)
    return [plan] if event.type == "repair_reported" else []


@hookimpl
def register_actions() -> list[Action]:
    return [Action("call", _call, label=VARIANT["call"], kind="task")]


def _call(job: Job) -> list[Effect]:
    assert isinstance(job.record, Home) and isinstance(job.context.settings, Settings)
    values = {"home": job.record.label, "hotline": job.context.settings.hotline}
    task = Task(VARIANT["call"][job.context.language], "维修", due=job.due)
    return [task, *(Sms(owner, "repair_reported", values) for owner in job.record.owners[:1])]
