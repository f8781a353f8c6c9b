"""Effects as rows: rendered messages for the outbox, tasks for the task list."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy.exc import IntegrityError

from keguan.model import Effect, Email, Sms, Subject, Task
from keguan.people.codes import SAMPLE_CODE, WantedCode, ensure_codes
from keguan.plans.filling import FirstEntry, first_entry
from keguan.store.types import dump_json, to_stored

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = [
    "MESSAGE_COLUMNS",
    "TASK_COLUMNS",
    "CodeOf",
    "Rendered",
    "make_codes",
    "plan_key",
    "render_effects",
    "sample_code",
]

CodeOf = Callable[[str], str]
"""Gives the short code for a key; asked only for effects that want one."""


def plan_key(plan: Any) -> str:
    """Return the plan's unique key as people and logs see it: ``sixplustwo.sms_congratulation/contract/7/1``."""
    key = f"{plan.plugin}.{plan.action}/{plan.subject_type}/{plan.subject_id}/{plan.occurrence}"
    return f"{key}.{plan.round}" if plan.round else key


MESSAGE_COLUMNS = (
    "key",
    "plan_id",
    "plugin",
    "action",
    "clause",
    "project_id",
    "city",
    "channel",
    "message_class",
    "urgent",
    "late",
    "person_id",
    "template",
    "variables",
    "title",
    "body",
    "html",
    "attachments",
    "segments",
    "status",
    "due_at",
    "next_at",
    "expires_at",
    "created_at",
)
TASK_COLUMNS = (
    "key",
    "plan_id",
    "plugin",
    "action",
    "clause",
    "title",
    "project_id",
    "city",
    "subject_type",
    "subject_id",
    "department",
    "assignee_id",
    "due_at",
    "status",
    "evidence_required",
    "form",
    "latest_at",
    "created_at",
)


class Rendered(NamedTuple):
    """A plan's effects as rows."""

    messages: list[tuple[Any, ...]]
    """Values of ``MESSAGE_COLUMNS``."""
    tasks: list[tuple[Any, ...]]
    """Values of ``TASK_COLUMNS``."""
    entries: list[FirstEntry]
    """What the forms of these tasks hold from the start."""


def make_codes(
    installation: Installation, worked: Iterable[tuple[Any, Sequence[Effect]]], now: datetime
) -> Mapping[str, str]:
    """Store a short code for every effect that wants one and return all of them by key.

    ``worked`` are plans with their effects. What had a code keeps it, so running a plan again after a crash changes
    nothing; without such effects nothing is written.
    """
    wanted = [
        WantedCode(_code_key(row, effect), effect.code_for, effect.to.id, Subject(row.subject_type, row.subject_id))
        for row, effects in worked
        for effect in effects
        if isinstance(effect, Sms | Email) and effect.code_for is not None
    ]
    if not wanted:
        return {}
    store, days = installation.store, installation.settings.codes.days
    try:
        with store.write() as connection:
            return ensure_codes(store, connection, wanted, now, days)
    except IntegrityError:  # for a person whom nobody knows; whose plan it was is found out now
        found: dict[str, str] = {}
        for each in wanted:
            with suppress(IntegrityError), store.write() as connection:
                found |= ensure_codes(store, connection, [each], now, days)
        return found


def sample_code(_key: str) -> str:
    """Return what stands for a code where nothing is written: in previews."""
    return SAMPLE_CODE


def _code_key(row: Any, effect: Sms | Email) -> str:
    """One code for each person and purpose of a plan: its text message and its e-mail open the same."""
    return f"{plan_key(row)}/{effect.code_for}/{effect.to.id}"


def render_effects(
    installation: Installation,
    row: Any,
    effects: Sequence[Effect],
    now: datetime,
    code_of: CodeOf,
) -> Rendered:
    """Return the rows for one plan's effects, numbered in their order.

    ``code_of`` gives the codes that ``make_codes`` made, or is ``sample_code`` where nothing is written. Raises
    ``TemplateError`` when a template is missing or lacks a value, and ``PluginError`` for a form that is filled in
    as it cannot be.
    """
    key = plan_key(row)
    stamp = to_stored(now)
    rendered: list[tuple[Any, ...]] = []
    work: list[tuple[Any, ...]] = []
    entries: list[FirstEntry] = []
    for number, effect in enumerate(effects, start=1):
        own_key = key if len(effects) == 1 else f"{key}#{number}"
        if isinstance(effect, Task):
            work.append(_task_row(installation, row, own_key, effect, stamp))
            if effect.form is not None and effect.filled is not None:
                form = installation.plugins.forms[f"{row.plugin}.{effect.form}"]
                owner = installation.plugins.installed[row.plugin]
                entries.append(first_entry(owner, row.action, own_key, form, effect.filled))
        else:
            rendered.append(_message_row(installation, row, own_key, effect, stamp, code_of))
    return Rendered(rendered, work, entries)


def _task_row(installation: Installation, row: Any, key: str, effect: Task, stamp: int) -> tuple[Any, ...]:
    form = None if effect.form is None else f"{row.plugin}.{effect.form}"
    return (
        key,
        row.id,
        row.plugin,
        row.action,
        row.clause,
        effect.title,
        row.project_id,
        row.city,
        row.subject_type,
        row.subject_id,
        effect.department,
        effect.assignee_id,
        to_stored(effect.due),
        "open",
        dump_json(_files_required(installation, effect, form)),
        form,
        None if effect.latest is None else to_stored(effect.latest),
        stamp,
    )


def _files_required(installation: Installation, task: Task, form: str | None) -> list[object]:
    """Return the evidence that needs a file: what the form itself records needs none."""
    if form is None:
        return list(task.evidence)
    recorded = {words for each in installation.plugins.forms[form].proves for words in (each.zh, each.en)}
    return [each for each in task.evidence if each not in recorded]


def _message_row(
    installation: Installation,
    row: Any,
    key: str,
    effect: Sms | Email,
    stamp: int,
    code_of: CodeOf,
) -> tuple[Any, ...]:
    html = attachments = segments = variables = None
    values = effect.values
    if effect.code_for is not None:
        values = {**values, "code": code_of(_code_key(row, effect))}
    if isinstance(effect, Sms):
        channel, title = "sms", ""
        sms = installation.templates.render_sms(row.plugin, effect.template, values)
        body, segments = sms.text, sms.segments
        if sms.variables is not None:
            variables = dump_json([list(each) for each in sms.variables])
    else:
        channel = "email"
        mail = installation.templates.render_email(row.plugin, effect.template, values)
        title, body, html = mail.subject, mail.text, mail.html
        if effect.attachments:
            attachments = dump_json(
                [
                    {
                        "filename": item.filename,
                        "media_type": item.media_type,
                        "content": base64.b64encode(item.content).decode(),
                    }
                    for item in effect.attachments
                ]
            )
    return (
        key,
        row.id,
        row.plugin,
        row.action,
        row.clause,
        row.project_id,
        row.city,
        channel,
        effect.message_class,
        effect.urgent,
        row.late_at_creation,
        effect.to.id,
        effect.template,
        variables,
        title,
        body,
        html,
        attachments,
        segments,
        "queued",
        to_stored(row.due_at),
        stamp,
        None if row.until_at is None or row.stale else to_stored(row.until_at),  # stale: it leaves after its window
        stamp,
    )
