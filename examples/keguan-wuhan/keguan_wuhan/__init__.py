"""How the 6+2 steps are done in Wuhan: site openings and group purchases follow guides of its own.

The guides themselves are not among the sources of the standard, only that they exist. So nothing is changed but the
clause that staff are sent to, and the contents, once a company has them, go where the comments say.
"""

from __future__ import annotations

from keguan import hookimpl
from keguan_sixplustwo import Playbook

SITE_OPENING = "武汉《工地开放工作指引》"
GROUP_PURCHASE = "武汉《客户团购指引》"
GUIDES = {
    "site_opening": (SITE_OPENING, "S003 L373"),
    "site_opening_assessment": (SITE_OPENING, "S003 L373"),
    "group_purchase": (GROUP_PURCHASE, "S003 L425"),
}
NOTES = {
    "zh": "除6+2指引外，按武汉自己的指引执行；其正文不在资料内，时间与要求未作改动。",
    "en": "Wuhan's own guide holds beside the general one; its text is not among the sources, so nothing else is changed.",
}


@hookimpl
def sixplustwo_adjust(playbook: Playbook) -> Playbook:
    """Name Wuhan's guides as the clauses of what they rule; the newest and most local document is the one to read."""
    for touchpoint, (guide, source) in GUIDES.items():
        if touchpoint in playbook:
            # Whatever the guide says beside this (another date, other evidence) is one more field here.
            clause = {"standard": guide, "section": "全文", "source": [source]}
            playbook = playbook.change(touchpoint, clause=clause, notes=NOTES)
    return playbook
