"""The hook by which a city's variant adjusts the playbook."""

from __future__ import annotations

from keguan.hookspecs import hookspec
from keguan_sixplustwo.playbook import Playbook

__all__ = ["sixplustwo_adjust"]


@hookspec
def sixplustwo_adjust(playbook: Playbook, city: str, settings: object) -> Playbook:  # type: ignore[empty-body]  # a spec
    """Return ``playbook`` as it is in ``city``: ``playbook.change(…)``, ``.add(…)``, ``.remove(…)``,
    ``.rename_step(…)``.

    Called once at every start for each city in your scope and each edition, always with the playbook as the edition
    has it, so that the order of variants carries no meaning. Two variants that touch the same field of one touchpoint
    are refused, both named. Not every edition has every touchpoint: look at ``playbook.edition``, or ask
    ``"welcome_kit" in playbook``. Of an edition that is not configured any more, but which contracts may still have,
    what you adjust and it does not have is passed over. ``settings`` are your own: an instance of the model
    that your ``register_settings`` returned, ``None`` without one.
    """
