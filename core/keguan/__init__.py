"""keguan: the customer-care promises of property companies, planned, kept and proven.

Plugin authors import from here; names load when first used, so that ``keguan --help`` stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keguan.hookspecs import hookimpl, hookspec
    from keguan.model import (
        Action,
        Attachment,
        Branch,
        Check,
        City,
        Company,
        Context,
        Contract,
        Customer,
        Effect,
        Email,
        Event,
        EventType,
        Filled,
        FilledForm,
        Finding,
        Form,
        FormChoice,
        FormField,
        FormLines,
        FormWhen,
        Home,
        Job,
        Person,
        Plan,
        Project,
        Promised,
        Record,
        Remarks,
        Skip,
        Sms,
        Subject,
        Task,
        View,
        Words,
    )

__version__ = "0.1.0"

__all__ = [
    "Action",
    "Attachment",
    "Branch",
    "Check",
    "City",
    "Company",
    "Context",
    "Contract",
    "Customer",
    "Effect",
    "Email",
    "Event",
    "EventType",
    "Filled",
    "FilledForm",
    "Finding",
    "Form",
    "FormChoice",
    "FormField",
    "FormLines",
    "FormWhen",
    "Home",
    "Job",
    "Person",
    "Plan",
    "Project",
    "Promised",
    "Record",
    "Remarks",
    "Skip",
    "Sms",
    "Subject",
    "Task",
    "View",
    "Words",
    "__version__",
    "hookimpl",
    "hookspec",
]


def __getattr__(name: str) -> object:
    if name in ("hookimpl", "hookspec"):
        from keguan import hookspecs  # noqa: PLC0415 - lazily, see above

        return getattr(hookspecs, name)
    if name in __all__:
        from keguan import model  # noqa: PLC0415 - lazily, see above

        return getattr(model, name)
    raise AttributeError(f"module 'keguan' has no attribute {name!r}")
