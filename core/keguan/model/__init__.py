"""The values that flow through keguan: records, plans, effects, events. No behaviour beyond their own laws."""

from keguan.model.checks import Check, FilledForm, Finding, Promised, PromiseStatus, View
from keguan.model.effects import Attachment, Effect, Email, Filled, Skip, Sms, Task
from keguan.model.events import Event, EventType
from keguan.model.forms import Form, FormChoice, FormField, FormLines, FormWhen, Words
from keguan.model.pins import Pin, Pins, Tenure
from keguan.model.plans import Action, Context, Job, Plan, Remarks
from keguan.model.records import Branch, City, Company, Contract, Customer, Home, Person, Project, Record, Subject

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
    "Pin",
    "Pins",
    "Plan",
    "Project",
    "PromiseStatus",
    "Promised",
    "Record",
    "Remarks",
    "Skip",
    "Sms",
    "Subject",
    "Task",
    "Tenure",
    "View",
    "Words",
]
