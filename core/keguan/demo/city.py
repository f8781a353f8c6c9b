"""A city that sells, hands over and resells homes, made from a seed. Pure: the same arguments, the same city."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count
from random import Random

from keguan.demo.people import Person, invent_person

__all__ = ["Place", "Project", "Purchase", "Staff", "SyntheticCity", "make_city"]

_NAMES = ("听澜", "望山", "栖云", "拾光", "临溪", "观棠", "揽月", "松涧", "禾里", "序园", "知春", "归岸")
_PHASES = "一二三四五六七八九十"
_DEPARTMENTS = ("客关", "呼叫中心", "营销", "物业", "工程")
_HOMES_PER_PROJECT = 250
_SELLING = 0.55  # share of the time in which homes are sold; the rest is for living in them


@dataclass(frozen=True, slots=True)
class Project:
    """An invented project."""

    code: str
    """Stands in the numbers of its contracts."""
    name: str
    city: str
    """As files write it."""
    first_show_on: date
    launch_on: date
    area: int
    """Square metres."""


@dataclass(frozen=True, slots=True)
class Place:
    """A home: where it stands and whether it is sold fitted."""

    project: Project
    building: str
    unit: str
    room: str
    fitted: bool


@dataclass(frozen=True, slots=True)
class Purchase:
    """The life of one contract: every day on which something happened, and on which the sales system knew.

    Days lie in the city's time zone; ``None``: it never happened. ``…_entered_on`` is when somebody typed it in.
    """

    contract_no: str
    place: Place
    buyers: tuple[Person, ...]
    price: int
    """Yuan."""
    deposit_on: date
    signed_on: date | None
    signed_entered_on: date | None
    planned_handover_on: date
    postponed_to: date | None
    """A later planned handover; announced on ``postponed_on``."""
    postponed_on: date | None
    cancelled_on: date | None
    handed_over_on: date | None
    handover_entered_on: date | None
    move_in_on: date | None
    move_in_entered_on: date | None
    resold_on: date | None
    opted_out_on: date | None
    """When the main contact no longer wanted messages."""


@dataclass(frozen=True, slots=True)
class Staff:
    """An invented member of staff."""

    person: Person
    department: str


@dataclass(frozen=True, slots=True)
class SyntheticCity:
    """Everything that happens between two days."""

    start: date
    end: date
    projects: tuple[Project, ...]
    purchases: tuple[Purchase, ...]
    staff: tuple[Staff, ...]


def make_city(homes: int, start: date, end: date, cities: Sequence[str], seed: int = 1) -> SyntheticCity:
    """Return ``homes`` homes sold between ``start`` and ``end``, with what became of them.

    ``cities`` are the names that projects are spread over. What is rare in life (a late entry, a cancellation, a
    resale, an owner without phone) comes at regular places, so that a small city shows it too.
    """
    random = Random(seed)  # noqa: S311 - an invented city wants the same dice every time
    numbers = count()
    people = (invent_person(random, number) for number in numbers)
    amount = max(1, min(len(_NAMES) * len(_PHASES), max(len(cities), round(homes / _HOMES_PER_PROJECT))))
    projects = [_project(random, index, amount, start, end, cities) for index in range(amount)]
    purchases: list[Purchase] = []
    for index, project in enumerate(projects):
        share = homes // amount + (index < homes % amount)
        sales_end = start + (end - start) * _SELLING
        for number, place in enumerate(_places(random, project, share)):
            life = _Life(random, people, index * 7 + number, start, sales_end)
            first = life.purchase(place, share, number)
            purchases.append(first)
            if first.resold_on is not None:
                purchases.append(life.resale(first))
    staff = [Staff(next(people), _DEPARTMENTS[n % len(_DEPARTMENTS)]) for n in range(10)]
    return SyntheticCity(start, end, tuple(projects), tuple(purchases), tuple(staff))


def _project(random: Random, index: int, amount: int, start: date, end: date, cities: Sequence[str]) -> Project:
    name = "云璟·" + _NAMES[index % len(_NAMES)]
    if index >= len(_NAMES):
        name += _PHASES[index // len(_NAMES)] + "期"
    # Projects are launched one after the other, the first after a month.
    span = (end - start).days * _SELLING * 0.6
    launch = start + timedelta(days=30 + int(span * index / amount))
    return Project(
        code=f"{index + 1:02d}",
        name=name,
        city=cities[index % len(cities)],
        first_show_on=launch - timedelta(days=28),
        launch_on=launch,
        area=random.randrange(40_000, 260_000, 500),
    )


def _places(random: Random, project: Project, amount: int) -> Iterator[Place]:
    """Yield homes as towers have them: two units, four homes a floor."""
    fitted = random.random() < 0.6
    for number in range(amount):
        floor, door = 2 + number // 4 % 30, number % 4 + 1
        unit, building = number // 120 % 2 + 1, number // 240 + 1
        yield Place(project, str(building), str(unit), f"{floor}{door:02d}", fitted)


class _Life:
    """Works out what happens to one home. ``index`` places the rare things."""

    def __init__(self, random: Random, people: Iterator[Person], index: int, start: date, sales_end: date) -> None:
        self._random, self._people, self._index = random, people, index
        self._start, self._sales_end = start, sales_end

    def _every(self, distance: int, offset: int) -> bool:
        return self._index % distance == offset

    def _day(self, after: date, least: int, most: int) -> date:
        return after + timedelta(days=self._random.randint(least, most))

    def purchase(self, place: Place, of: int, number: int) -> Purchase:
        """Return the first sale of ``place``, the ``number``-th of ``of`` in its project."""
        deposit_on = self._sales_day(place.project, of, number)
        signed_on = None if self._every(29, 11) else self._day(deposit_on, 5, 7)
        entered_on = signed_on
        if signed_on is not None and self._every(13, 4):
            entered_on = self._day(signed_on, 2, 6)
        if signed_on is not None and self._every(41, 20):
            entered_on = self._day(signed_on, 40, 60)
        planned = _first_of_month(deposit_on + timedelta(days=430 + 60 * (number * 3 // max(of, 1))))
        postponed = self._every(9, 5) and signed_on is not None
        cancelled_on = None
        if signed_on is None:
            cancelled_on = self._day(deposit_on, 10, 20)
        elif self._every(23, 9):
            cancelled_on = self._day(signed_on, 70, 160)
        life = Purchase(
            contract_no=f"YJ{deposit_on:%Y}-{place.project.code}-{place.building}{place.unit}{place.room.zfill(4)}",
            place=place,
            buyers=self._buyers(),
            price=self._random.randrange(1_200_000, 6_800_000, 1_000),
            deposit_on=deposit_on,
            signed_on=signed_on,
            signed_entered_on=entered_on,
            planned_handover_on=planned,
            postponed_to=planned + timedelta(days=31) if postponed else None,
            postponed_on=planned - timedelta(days=75) if postponed else None,
            cancelled_on=cancelled_on,
            handed_over_on=None,
            handover_entered_on=None,
            move_in_on=None,
            move_in_entered_on=None,
            resold_on=None,
            opted_out_on=signed_on + timedelta(days=4)
            if signed_on and signed_on == entered_on and self._every(19, 6)
            else None,
        )
        return life if cancelled_on else self._handed_over(life)

    def _sales_day(self, project: Project, of: int, number: int) -> date:
        """Return the day of the deposit: homes are offered in lots, and a lot sells on its first weekend."""
        lots = max(2, of // 40)
        distance = max(14, (self._sales_end - project.launch_on).days // lots)
        day = project.launch_on + timedelta(days=distance * (number * lots // max(of, 1)))
        return day + timedelta(days=(5 - day.weekday()) % 7 + number % 2)

    def _handed_over(self, life: Purchase) -> Purchase:
        planned = life.postponed_to or life.planned_handover_on
        handed_over_on = self._day(planned, 0, 2) + timedelta(days=30 if self._every(17, 12) else 0)
        entered_on = handed_over_on
        if self._every(8, 3):
            entered_on = self._day(handed_over_on, 8, 25)
        if self._every(37, 15):
            entered_on = self._day(handed_over_on, 200, 365)
        move_in_on = None if self._every(5, 2) else _month_end(self._day(handed_over_on, 25, 110))
        resold_on = self._day(handed_over_on, 60, 200) if self._every(21, 10) else None
        if move_in_on and resold_on and move_in_on >= resold_on:
            move_in_on = None
        return replace(
            life,
            handed_over_on=handed_over_on,
            handover_entered_on=entered_on,
            move_in_on=move_in_on,
            move_in_entered_on=max(move_in_on, entered_on) if move_in_on else None,
            resold_on=resold_on,
        )

    def resale(self, first: Purchase) -> Purchase:
        """Return the contract by which the home of ``first`` got its second owner."""
        assert first.resold_on is not None
        return Purchase(
            contract_no=first.contract_no + "-2",
            place=first.place,
            buyers=self._buyers(),
            price=int(first.price * 1.04) // 1_000 * 1_000,
            deposit_on=first.resold_on,
            signed_on=first.resold_on,
            signed_entered_on=first.resold_on,
            planned_handover_on=first.planned_handover_on,
            postponed_to=None,
            postponed_on=None,
            cancelled_on=None,
            handed_over_on=None,
            handover_entered_on=None,
            move_in_on=None,
            move_in_entered_on=None,
            resold_on=None,
            opted_out_on=None,
        )

    def _buyers(self) -> tuple[Person, ...]:
        buyers = [next(self._people) for _ in range(3 if self._every(31, 8) else 2 if self._every(4, 1) else 1)]
        silent = 0 if self._every(25, 14) else len(buyers) - 1 if self._every(12, 5) and len(buyers) > 1 else None
        if silent is not None:
            buyers[silent] = replace(buyers[silent], phone=None)
        return tuple(buyers)


def _first_of_month(day: date) -> date:
    return day.replace(day=1)


def _month_end(day: date) -> date:
    """Return the last day of the month: moves into homes are read off the meters once a month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
