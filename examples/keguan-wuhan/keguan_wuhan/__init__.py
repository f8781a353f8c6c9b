"""How the 6+2 steps are done in Wuhan.

The numbers are made up for this example: they show what a variant looks like, not what any company does.
"""

from __future__ import annotations

from keguan import hookimpl
from keguan_sixplustwo import Playbook


@hookimpl
def sixplustwo_adjust(playbook: Playbook, city: str) -> Playbook:
    """Wuhan calls back within two working days, and pays the housewarming visit together with the property team."""
    if playbook.edition != "guide":
        return playbook
    return playbook.change("signing_callback", due="contract_signed + 2 workdays").change(
        "housewarming_visit",
        due="move_in + 3 days",
        owner=["物业", "客关"],
        evidence=[
            {"zh": "客户问题记录", "en": "record of the customer's problems"},
            {"zh": "上门拜访照片", "en": "photo of the visit"},
        ],
    )
