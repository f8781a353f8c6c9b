"""What one value of the configuration says about another: names that must exist, keys that exclude each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from keguan.errors import ConfigError
from keguan.nearest import nearest
from keguan.settings.mistakes import Location
from keguan.settings.models import FILE_ADAPTER, Settings

__all__ = ["cross_check"]

_Where = Callable[[Location], str]
_UNKNOWN = {
    "adapter": ("config.adapter_unknown", "config.adapter_unknown_near"),
    "city": ("config.city_unknown", "config.city_unknown_near"),
    "type": ("config.type_unknown", "config.type_unknown_near"),
}


def cross_check(settings: Settings, where: _Where) -> list[ConfigError]:
    """Return every contradiction; ``where`` tells for a path of keys which file or variable set it."""
    return [
        *_city_names(settings, where),
        *_promotion_hours(settings, where),
        *_plugin_cities(settings, where),
        *_channels(settings, where),
        *_adapters(settings, where),
    ]


def _city_names(settings: Settings, where: _Where) -> Iterator[ConfigError]:
    owners: dict[str, str] = {}
    for key, city in settings.cities.items():
        for name in {key, city.name or key, *city.aliases}:
            owner = owners.setdefault(name, key)
            if owner != key:
                yield ConfigError("config.city_twice", where=where(("cities", key)), value=name, other=owner)


def _promotion_hours(settings: Settings, where: _Where) -> Iterator[ConfigError]:
    """Some minute of the day must be open to promotion: one at which either span begins is, if any is."""
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    for key in settings.cities:
        city = settings.city(key)
        day = city.today(noon)
        starts = (city.at(day, city.promotion_from), city.at(day, city.quiet_until))
        if all(city.opening(start, promotion=True) != start for start in starts):
            yield ConfigError("config.promotion_hours", where=where(("cities", key, "promotion_hours")))


def _plugin_cities(settings: Settings, where: _Where) -> Iterator[ConfigError]:
    for name, table in settings.plugins.items():
        if table.cities is not None and table.except_cities is not None:
            yield ConfigError("config.cities_and_except", where=where(("plugins", name)))
        for key in ("cities", "except_cities"):
            for city in getattr(table, key) or ():
                if city not in settings.cities:
                    place = where(("plugins", name, key))
                    yield unknown(place, "city", city, [*settings.cities], meant=settings.city_key(city))


def _channels(settings: Settings, where: _Where) -> Iterator[ConfigError]:
    for channel, names in settings.channels.items():
        for name in names:
            if name != FILE_ADAPTER and name not in settings.adapters:
                place = where(("channels", channel))
                yield unknown(place, "adapter", name, [*settings.adapters, FILE_ADAPTER])
        if len(set(names)) < len(names):
            yield ConfigError("config.adapter_twice", where=where(("channels", channel)))


def _adapters(settings: Settings, where: _Where) -> Iterator[ConfigError]:
    kinds = {name: table.type for name, table in settings.adapters.items()}
    if kinds.get(FILE_ADAPTER, FILE_ADAPTER) != FILE_ADAPTER:
        yield ConfigError("config.file_adapter", where=where(("adapters", FILE_ADAPTER, "type")))
    used = {name for names in settings.channels.values() for name in names}
    leaves = sorted(name for name in used & set(kinds) if kinds[name] != FILE_ADAPTER)
    if leaves and not settings.company.name:
        # Nobody signs with an empty name; as long as messages only become files it harms nobody.
        yield ConfigError("config.company_name", where=where(("company", "name")), adapter=leaves[0])


def unknown(place: str, kind: str, value: str, known: list[str], *, meant: str | None = None) -> ConfigError:
    """Return the error for a name that does not exist (``kind``: ``city``, ``adapter``, ``type``)."""
    plain, with_near = _UNKNOWN[kind]
    near = meant or nearest(value, known)
    if near:
        return ConfigError(with_near, where=place, value=value, near=near)
    return ConfigError(plain, where=place, value=value, known=", ".join(sorted(known)) or "–")
