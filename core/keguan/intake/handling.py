"""What a single event changes, by its type."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from keguan.intake.about import About, Occurrence
from keguan.intake.book import Book, Refused
from keguan.intake.contracts import apply_contract, load_for_contracts
from keguan.intake.customers import apply_customer, load_for_customers
from keguan.intake.entries import LIVE, ContractEntry
from keguan.intake.event_fields import kind_of, parse_fields
from keguan.intake.facts import ContractFacts, HandoverFacts, PersonFacts, ProjectFacts
from keguan.intake.foreign import about_foreign
from keguan.intake.handovers import apply_handover, find_home, load_for_handovers, settle_target
from keguan.intake.news import cities_of
from keguan.intake.projects import apply_project, load_for_projects
from keguan.intake.resale import apply_resale
from keguan.intake.staff import apply_leaving
from keguan.intake.subjects import stated_subject
from keguan.model import EventType, Subject
from keguan.settings import Settings

__all__ = ["Handler"]

_DATES = {
    "deposit": "deposit_on",
    "contract_signed": "signed_on",
    "handover": "handed_over_on",
    "move_in": "move_in_on",
}
"""The date that an event of this type is."""
_STATES = {"contract_signed": "signed", "contract_cancelled": "cancelled", "contract_transferred": "transferred"}
_CREATE = ("deposit", "contract_signed")
"""Events that may be the first that is heard of a contract."""


class Handler:
    """Applies one event to the records at hand."""

    def __init__(self, book: Book, kind: EventType, occurrence: Occurrence, settings: Settings) -> None:
        self.book = book
        self.kind = kind
        self.type = kind.name
        self.occurrence = occurrence
        self.settings = settings

    def apply(self) -> About:
        """Change what the event says; return what it is about. Raises ``InputError``."""
        if kind_of(self.type) is None:
            return about_foreign(self.book, self.kind, self.occurrence, self.settings)
        values = parse_fields(self.type, self.occurrence.fields, self.settings)
        if self.occurrence.subject is not None:
            for name, said in stated_subject(
                self.book, self.occurrence.subject, self.kind.subject, self.settings
            ).items():
                if values.setdefault(name, said) != said:
                    raise Refused("apply.subject_differs", "subject", field=name)
        return {
            "contract": self._contract,
            "home": self._resale if self.type == "ownership_transferred" else self._home,
            "customer": self._customer,
            "project": self._project,
            "staff": self._staff,
        }[self.kind.subject](values)

    # --- Contracts -------------------------------------------------------------------------------------------

    def _contract(self, values: dict[str, Any]) -> About:
        contract = self._known_contract(values)
        if contract is None and self.type not in _CREATE:
            raise Refused("apply.contract_unknown", "contract_no")
        if contract is not None and contract.status == "transferred" and self.type in _CREATE:
            raise Refused("apply.contract_is_transferred", "contract_no")
        on = self._date(values, contract if contract is not None and contract.status in LIVE else None)
        if self.type in _STATES:
            values["status"] = _STATES[self.type]
        elif self.type == "deposit" and contract is not None and contract.status == "cancelled":
            values.setdefault("status", "reserved")
        person = PersonFacts.of(values)
        facts = ContractFacts.of(values, [person] if person else [], complete=False)
        load_for_contracts(self.book, [facts])
        entry = apply_contract(self.book, facts).contract
        city = self.book.projects_by_id[entry.project_id].city
        data = {"contract_no": entry.contract_no, **self._plain(values)}
        return About(Subject("contract", entry.id), city, on, data)

    def _known_contract(self, values: dict[str, Any]) -> ContractEntry | None:
        """Return the contract that is meant, and fill in its project."""
        if not values.get("contract_no"):
            raise Refused("apply.contract_missing", "contract_no")
        found = self.book.load_contract_numbers([values["contract_no"]])
        names = {self.book.projects_by_id[one.project_id].name: one for one in found}
        if values.get("project") is None:
            if len(names) > 1:
                raise Refused("apply.contract_ambiguous", "contract_no", projects=", ".join(sorted(names)))
            if not names:
                raise Refused("apply.project_missing", "project")
            values["project"] = next(iter(names))
        return names.get(values["project"])

    def _date(self, values: dict[str, Any], record: object) -> date | None:
        """Return the date that the event is: stated, else recorded, else the day it is told to have happened."""
        name = _DATES.get(self.type)
        if name is None:
            return None
        if values.get(name) is None:
            values[name] = getattr(record, name, None) or self._day(values)
        day: date = values[name]
        return day

    def _day(self, values: Mapping[str, Any]) -> date:
        """Return the business date of the event's time in the city that ``values`` name."""
        at: datetime | None = self.occurrence.time
        if at is not None and at.tzinfo is None:
            return at.date()
        project = values.get("project") or ""
        self.book.load_projects([project])
        return self.book.day_in(project, values.get("city"), at or self.book.now)

    def _plain(self, values: Mapping[str, Any]) -> dict[str, object]:
        name = _DATES.get(self.type)
        return {name: values[name].isoformat()} if name is not None else {}

    # --- Homes -----------------------------------------------------------------------------------------------

    def _home(self, values: dict[str, Any]) -> About:
        facts = HandoverFacts.of(values)
        load_for_handovers(self.book, [facts])
        target = find_home(self.book, facts)
        on = self._date(self._placed(values, target.key), target.home)
        home, _ = apply_handover(self.book, HandoverFacts.of(values), target)
        city = self.book.projects_by_id[home.project_id].city
        return About(Subject("home", home.id), city, on, self._plain(values))

    def _placed(self, values: dict[str, Any], key: str) -> dict[str, Any]:
        """Name the project, which decides the city, where only the contract is named."""
        kind, _, number = key.partition(":")
        entry = (self.book.homes if kind == "home" else self.book.contracts_by_id)[int(number)]
        values.setdefault("project", self.book.projects_by_id[entry.project_id].name)
        return values

    def _resale(self, values: dict[str, Any]) -> About:
        facts = HandoverFacts.of(values)
        load_for_handovers(self.book, [facts])
        target = find_home(self.book, facts)
        on = self._day(self._placed(values, target.key))
        home = settle_target(self.book, facts, target)
        apply_resale(self.book, home, PersonFacts.of(values), on)
        city = self.book.projects_by_id[home.project_id].city
        return About(Subject("home", home.id), city, on)

    # --- People and projects -----------------------------------------------------------------------------------

    def _customer(self, values: dict[str, Any]) -> About:
        facts = PersonFacts.of(values) or PersonFacts()
        number = values.get("number")
        if number is not None:
            self.book.load_people_by_id([number])
            person = self.book.people.get(number)
            if person is None:
                raise Refused("apply.customer_unknown", "subject")
            self.book.change_person(person, **facts.as_values())
        else:
            if not facts.id_no and not (facts.name and facts.phone):
                raise Refused("apply.customer_missing", "customer")
            load_for_customers(self.book, [facts])
            person, _ = apply_customer(self.book, facts)
        return About(Subject("customer", person.id), cities_of(self.book.connection, [person.id]).get(person.id, ""))

    def _project(self, values: dict[str, Any]) -> About:
        if not values.get("project"):
            raise Refused("apply.project_missing", "project")
        facts = ProjectFacts.of(values)
        load_for_projects(self.book, [facts])
        project, _ = apply_project(self.book, facts)
        return About(Subject("project", project.id), project.city)

    def _staff(self, values: dict[str, Any]) -> About:
        on = values.get("left_on") or self._day(values)
        member = apply_leaving(self.book, on, number=values.get("number"), name=values.get("name"))
        return About(Subject("staff", member.id), self.book.default_city, on, {"left_on": on.isoformat()})
