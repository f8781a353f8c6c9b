"""A company in Shenzhen on both databases, and two forms: a call-back, and a campaign with a line for each home."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.estate import Estate, at

from keguan import Form
from keguan.store.engine import Store


def words(text: str) -> dict[str, str]:
    """Return a text in both languages."""
    return {"zh": f"{text}（中）", "en": text}


CALL: dict[str, Any] = {
    "name": "call",
    "title": words("Call-back"),
    "departments": ["客关"],
    "summary": ["mood", "again"],
    "fields": [
        {"name": "called_on", "type": "date", "required": True, "label": words("Day")},
        {"name": "at", "type": "time", "label": words("Time")},
        {
            "name": "mood",
            "type": "choice",
            "required": True,
            "label": words("Mood"),
            "choices": [{"name": "good", "label": words("Good")}, {"name": "bad", "label": words("Bad")}],
        },
        {
            "name": "topics",
            "type": "choices",
            "label": words("Topics"),
            "choices": [{"name": n, "label": words(n.title())} for n in ("noise", "lift", "garden")],
        },
        {
            "name": "why",
            "type": "long_text",
            "required_when": {"field": "mood", "equals": "bad"},
            "label": words("Why"),
        },
        {"name": "again", "type": "yes_no", "label": words("Again")},
        {"name": "phone", "type": "phone", "label": words("New phone")},
        {"name": "mail", "type": "email", "label": words("Mail")},
        {"name": "who", "type": "person", "label": words("Spoke with")},
        {"name": "room", "type": "text", "label": words("Room")},
        {"name": "mark", "type": "rating", "label": words("Mark")},
        {
            "name": "area",
            "type": "number",
            "decimals": 1,
            "least": 1,
            "most": 500,
            "unit": words("m2"),
            "label": words("Area"),
        },
        {"name": "fee", "type": "money", "most": 10000, "label": words("Fee")},
        {
            "name": "photo",
            "type": "photo",
            "count": 2,
            "label": words("Photo"),
            "required_when": {"field": "mood", "equals": "bad"},
        },
    ],
}
CAMPAIGN: dict[str, Any] = {
    "name": "campaign",
    "title": words("Campaign"),
    "fields": [{"name": "held_on", "type": "date", "required": True, "label": words("Held on")}],
    "lines": {
        "label": words("Homes"),
        "key": "home",
        "prefill": "homes",
        "most": 50,
        "fields": [
            {"name": "home", "type": "text", "required": True, "label": words("Home")},
            {"name": "phone", "type": "phone", "label": words("Phone")},
            {"name": "came", "type": "yes_no", "required": True, "label": words("Came")},
        ],
    },
}


@pytest.fixture
def forms() -> Mapping[str, Form]:
    """The forms by full name."""
    return {f"probe.{each['name']}": Form.model_validate(each) for each in (CALL, CAMPAIGN)}


@pytest.fixture
def estate(store: Store) -> Estate:
    """An empty company on the morning of 2 March 2026."""
    return Estate(store, at("2026-03-02T09:00"))
