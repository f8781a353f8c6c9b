"""Run checks beside each other, none of them longer than it may: what hangs is told, and holds up nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from time import monotonic

from keguan.doctor.found import Found, ill, wrong
from keguan.errors import KeguanError

__all__ = ["Check", "answers"]

Check = tuple[str, str, Callable[[], Iterable[Found]]]
"""The name of the check, what exactly is looked at (empty: nothing in particular), and what does it."""


def answers(checks: Iterable[Check], seconds: float) -> Iterator[Found]:
    """Begin all ``checks`` at once and yield what each found, in their order.

    One that has not ended after ``seconds`` is left behind with what it had found until then; one that raises is
    an illness of its own, named by the kind of its error only, because an error may quote values.
    """
    begun = [_Run(check, monotonic() + seconds) for check in checks]
    for run in begun:
        yield from run.found(seconds)


class _Run:
    def __init__(self, check: Check, until: float) -> None:
        self._name, what, self._look = check
        self._what = what or self._name
        self._until = until
        self._answers: list[Found] = []
        # A thread of the system ends with the process, whatever it waits for.
        self._thread = threading.Thread(target=self._work, name=f"doctor-{self._name}", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            for found in self._look():
                self._answers.append(found)
        except KeguanError as error:
            self._answers.extend(wrong(self._name, error))
        except Exception as error:  # noqa: BLE001 - a check looks at what others wrote: plugins, adapters, files
            self._answers.append(ill(self._name, "doctor.raised", what=self._what, kind=type(error).__name__))

    def found(self, seconds: float) -> list[Found]:
        """Return the answers, and that the rest did not come."""
        self._thread.join(max(0.0, self._until - monotonic()))
        if not self._thread.is_alive():
            return self._answers
        return [*self._answers, ill(self._name, "doctor.hangs", what=self._what, seconds=f"{seconds:g}")]
