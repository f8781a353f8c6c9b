"""Effects as rows: rendered messages for the outbox, tasks for the task list."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from keguan.model import Effect, Email, Sms, Task
from keguan.store.types import dump_json, to_stored

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["MESSAGE_COLUMNS", "TASK_COLUMNS", "plan_key", "render_effects"]


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
    "created_at",
)


def render_effects(
    installation: Installation,
    row: Any,
    effects: Sequence[Effect],
    now: datetime,
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return the rows of ``messages`` and ``tasks`` for one plan's effects, numbered in their order.

    Raises ``TemplateError`` when a template is missing or lacks a value.
    """
    key = plan_key(row)
    stamp = to_stored(now)
    rendered: list[tuple[Any, ...]] = []
    work: list[tuple[Any, ...]] = []
    for number, effect in enumerate(effects, start=1):
        own_key = key if len(effects) == 1 else f"{key}#{number}"
        if isinstance(effect, Task):
            work.append(
                (
                    own_key,
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
                    dump_json(list(effect.evidence)),
                    stamp,
                )
            )
        else:
            rendered.append(_message_row(installation, row, own_key, effect, stamp))
    return rendered, work


def _message_row(
    installation: Installation,
    row: Any,
    key: str,
    effect: Sms | Email,
    stamp: int,
) -> tuple[Any, ...]:
    html = attachments = segments = None
    if isinstance(effect, Sms):
        channel, title = "sms", ""
        sms = installation.templates.render_sms(row.plugin, effect.template, effect.values)
        body, segments = sms.text, sms.segments
    else:
        channel = "email"
        mail = installation.templates.render_email(row.plugin, effect.template, effect.values)
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
