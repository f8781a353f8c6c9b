"""Which adapters serve a channel, in which order, and who stands in for whom. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

__all__ = ["Routes", "Source"]


class Source(NamedTuple):
    """Messages that one adapter takes: those of ``channel`` that wait for ``via``."""

    channel: str
    via: str | None
    """``None``: for nobody in particular, so for the first of the channel."""
    standing_in: bool = False
    """They wait for another adapter, which is paused; what may have left through that one is not touched."""


class Routes:
    """The adapters of each channel in order of preference.

    A message goes through the list once a round: it begins at the first and is handed on forwards only, so its
    place in the list says who had it already.
    """

    def __init__(self, by_channel: Mapping[str, Sequence[str]]) -> None:
        self.by_channel = {channel: tuple(names) for channel, names in by_channel.items() if names}

    def of(self, channel: str) -> tuple[str, ...]:
        """Return the adapters of ``channel``, the preferred one first."""
        return self.by_channel.get(channel, ())

    def after(self, channel: str, name: str, paused: Collection[str] = ()) -> str | None:
        """Return to whom ``name`` hands a message on; ``None`` when the round is over."""
        names = self.of(channel)
        behind = names[names.index(name) + 1 :] if name in names else ()
        return next((each for each in behind if each not in paused), None)

    def sources(self, name: str, paused: Collection[str] = ()) -> list[Source]:
        """Return what ``name`` takes while those in ``paused`` take nothing."""
        found = []
        for channel, names in self.by_channel.items():
            if name not in names:
                continue
            for place, each in enumerate(names):
                standing_in = each != name
                if standing_in and (each not in paused or _stand_in(names, place, paused) != name):
                    continue
                if place == 0:
                    found.append(Source(channel, None, standing_in))
                found.append(Source(channel, each, standing_in))
        return found


def _stand_in(names: Sequence[str], place: int, paused: Collection[str]) -> str | None:
    """Return who takes what waits for a paused adapter: the next in the list, begun anew at its end."""
    around = (*names[place + 1 :], *names[:place])
    return next((each for each in around if each not in paused), None)
