"""What the kept library ``holidays`` knows of a country's year, and whether China has announced that year.

China's State Council announces each year's holidays and make-up working days in a notice, usually in November of
the year before. For a year without a notice the library guesses: it moves holidays that fall on a weekend to
"observed" days, which China does not do, and it has no make-up days. Such a year therefore keeps only its
statutory festivals (their dates follow from the law and the lunar calendar) and is reported as not announced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from types import MappingProxyType

from keguan.errors import ConfigError
from keguan.texts import text

__all__ = ["CHINA", "NationalYear", "national_year"]

CHINA = "CN"
_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class NationalYear:
    """The days of one year on which a country departs from its ordinary week."""

    announced: bool
    """Whether the days are settled. Outside China holidays are fixed by law, so every year is."""
    days: Mapping[date, tuple[bool, str]]
    """Date to (working, name): holidays and days off, and make-up days that are worked."""


_LIBRARY_YEARS = range(1950, 2101)
_NOTHING = NationalYear(announced=True, days=MappingProxyType({}))
_UNKNOWN = NationalYear(announced=False, days=MappingProxyType({}))


def national_year(country: str | None, year: int) -> NationalYear:
    """Return what is known of ``year`` in ``country`` (ISO 3166 code, ``None`` for no holidays at all).

    In an announced year of China the weekend days of a holiday's block belong to the holiday, so that an office
    with a six-day week does not work on the Saturday inside the Spring Festival.

    Raises ``ConfigError`` for a country that the library does not know.
    """
    if country == CHINA:
        return _chinese_year(year) if year in _LIBRARY_YEARS else _UNKNOWN
    return _NOTHING if country is None or year not in _LIBRARY_YEARS else _foreign_year(country, year)


@cache
def _chinese_year(year: int) -> NationalYear:
    """Return China's ``year`` with its holiday blocks filled. Cached: it depends on nothing but the library."""
    plain = _plain_chinese_year(year)
    if not plain.announced:
        return plain
    days = dict(plain.days)
    day, end = date(year, 1, 1), date(year, 12, 31)
    while day <= end:
        if day.weekday() >= _SATURDAY and day not in days and (name := _block_name(day)):
            days[day] = (False, name)
        day += _DAY
    return NationalYear(announced=True, days=MappingProxyType(days))


@cache
def _plain_chinese_year(year: int) -> NationalYear:
    """Return China's ``year`` as the library has it, with guessed days left out."""
    from holidays.countries.china import ChinaStaticHolidays  # noqa: PLC0415 - 0.1 s, not for `--help`

    announced = year in ChinaStaticHolidays.special_public_holidays
    return NationalYear(announced, _listed(CHINA, year, text("zh", "calendar.makeup_day"), observed=announced))


def _block_name(day: date) -> str | None:
    """Return the holiday whose unbroken run of days off contains this weekend ``day``, the one before first."""
    names = [name for step in (-_DAY, _DAY) for name in _names_beside(day, step)]
    return next((name for name in names if not name.startswith(_swapped_prefix())), names[0] if names else None)


def _names_beside(day: date, step: timedelta) -> Iterator[str]:
    """Yield the names of announced days off that follow ``day`` in one direction before the next working day."""
    while True:
        day += step
        national = _plain_chinese_year(day.year)
        working, name = national.days.get(day, (day.weekday() < _SATURDAY, ""))
        if working:
            return
        if name and national.announced:
            yield name


@cache
def _swapped_prefix() -> str:
    """Return how the library's names begin for days that are off in exchange for a make-up day."""
    from holidays.countries.china import ChinaStaticHolidays  # noqa: PLC0415 - 0.1 s, not for `--help`

    return str(ChinaStaticHolidays.substituted_label).partition("%s")[0]


@cache
def _foreign_year(country: str, year: int) -> NationalYear:
    """Return the public holidays of a country other than China, observed days included."""
    return NationalYear(True, _listed(country, year, text("en", "calendar.makeup_day"), observed=True))


def _listed(country: str, year: int, makeup: str, *, observed: bool) -> Mapping[date, tuple[bool, str]]:
    """Return the holidays and make-up days of the library, by date."""
    import holidays  # noqa: PLC0415 - 0.1 s, not for `--help`

    try:
        # Without `language` the names would follow the environment of the process.
        language = holidays.country_holidays(country).default_language
        known = holidays.country_holidays(country, years=year, observed=observed, language=language)
    except NotImplementedError:
        raise ConfigError("calendar.country", country=country) from None
    days = {day: (True, makeup) for day in known.weekend_workdays if day.year == year}
    days |= {day: (False, name) for day, name in known.items() if day.year == year}
    return MappingProxyType(days)
