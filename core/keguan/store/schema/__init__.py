"""The tables of the flow, in its order: every arrow is one of them, so a crash loses and repeats nothing."""

from keguan.store.schema.base import metadata
from keguan.store.schema.effects import MESSAGE_STATUSES, TASK_STATUSES, evidence, messages, tasks
from keguan.store.schema.flow import PLAN_STATUSES, deliveries, events, plans
from keguan.store.schema.installation import accesses, calendar_days, calendar_years, daemons, imports, plugins, scopes
from keguan.store.schema.records import contracts, departments, homes, owners, people, permissions, projects, staff

__all__ = [
    "MESSAGE_STATUSES",
    "PLAN_STATUSES",
    "TASK_STATUSES",
    "accesses",
    "calendar_days",
    "calendar_years",
    "contracts",
    "daemons",
    "deliveries",
    "departments",
    "events",
    "evidence",
    "homes",
    "imports",
    "messages",
    "metadata",
    "owners",
    "people",
    "permissions",
    "plans",
    "plugins",
    "projects",
    "scopes",
    "staff",
    "tasks",
]
