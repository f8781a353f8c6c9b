"""The constant address for codes: what was promised, a survey, and nobody who guesses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import insert, select, update
from tests.support.facts import Facts
from tests.support.web import Browser, Page, served

from keguan.forms.entries import entries_of_subject
from keguan.model import Action, Company, Subject
from keguan.model.forms import Form
from keguan.people.codes import WantedCode, ensure_codes
from keguan.queries.reader import Reader
from keguan.settings import Settings
from keguan.store.engine import Store
from keguan.store.schema import codes, contracts, owners, plans
from keguan.web.site import Site

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
SURVEY = Form.model_validate(
    {
        "name": "survey",
        "title": {"zh": "交付满意度", "en": "The handover"},
        "customers": True,
        "fields": [
            {"name": "mark", "type": "rating", "required": True, "label": {"zh": "评分", "en": "Mark"}},
            {"name": "again", "type": "yes_no", "label": {"zh": "愿意推荐", "en": "Would recommend"}},
            {"name": "why", "type": "long_text", "label": {"zh": "意见", "en": "Opinion"}},
        ],
    }
)
ACTION = Action("welcome", lambda job: (), label={"zh": "签约祝贺", "en": "Congratulation"})


@pytest.fixture
def contract(store: Store) -> int:
    (number,) = Facts(store).sign(1)
    with store.read() as connection:
        return int(connection.execute(select(contracts.c.id).order_by(contracts.c.id)).scalars().first() or number)


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Site:
    return Site(
        store=store,
        now=lambda: NOW,
        company=Company("Cloud Estates", "400-000-0000", "Cloud Estates"),
        language="en",
        health_file=tmp_path / "health.json",
        reader=lambda: Reader(store, Settings(), NOW, "en"),
        forms={"probe.survey": SURVEY},
        actions={("probe", "welcome"): ACTION},
    )


@pytest.fixture
def browser(site: Site) -> Iterator[Browser]:
    with served(site) as asked:
        yield asked


def code_for(store: Store, purpose: str, contract: int, days: int = 90, year: int = 1) -> str:
    with store.write() as connection:
        person = connection.execute(select(owners.c.person_id)).scalars().first()
        assert person is not None
        key = f"probe.welcome/contract/{contract}/{year}/{purpose}/{person}"
        return ensure_codes(
            store, connection, [WantedCode(key, purpose, person, Subject("contract", contract))], NOW, days
        )[key]


def post(browser: Browser, **fields: str) -> Page:
    head = {"Content-Type": "application/x-www-form-urlencoded"}
    return browser.post("/s", urlencode(fields).encode(), head)


def guess(browser: Browser, code: str, visitor: str) -> Page:
    head = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": visitor}
    return browser.post("/s", urlencode({"code": code}).encode(), head)


def answers(store: Store, contract: int) -> list[dict[str, object]]:
    with store.read() as connection:
        found = entries_of_subject(connection, Subject("contract", contract), "probe.survey")
        return [entry.answers for entry in found]


def test_the_page_asks_for_a_code(browser: Browser) -> None:
    page = browser.get("/s")
    assert page.status == 200
    assert 'name="code"' in page.text


def test_a_status_code_shows_what_was_promised_and_nothing_personal(
    store: Store, browser: Browser, contract: int
) -> None:
    with store.write() as connection:
        connection.execute(
            insert(plans).values(
                plugin="probe", action="welcome", subject_type="contract", subject_id=contract, occurrence=1, round=0,
                kind="contract_signed", event_seq=1, clause="secret clause", city="shenzhen",
                due_at=NOW + timedelta(days=1), run_at=NOW + timedelta(days=1), status="planned",
                by_calendar=False, provisional=False,
                late_at_creation=False, stale=False, created_at=NOW, changed_at=NOW,
            )
        )  # fmt: skip
    page = post(browser, code=code_for(store, "status", contract))
    assert page.status == 200
    assert "Congratulation" in page.text
    assert "2026-03-03" in page.text
    assert "secret clause" not in page.text
    with store.read() as connection:
        assert connection.execute(select(codes.c.used_at)).scalar() == NOW


def test_a_code_is_understood_as_people_type_it(store: Store, browser: Browser, contract: int) -> None:
    code = code_for(store, "status", contract)
    assert post(browser, code=f" {code[:3].lower()}-{code[3:]} ").status == 200


def test_a_code_that_has_ended_or_never_was_opens_nothing(store: Store, browser: Browser, contract: int) -> None:
    assert post(browser, code=code_for(store, "status", contract, days=0)).status == 404
    assert post(browser, code="AAAAAA").status == 404
    assert browser.post("/s").status == 404


def test_who_guesses_too_often_has_to_wait_even_with_a_right_code(
    store: Store, browser: Browser, contract: int
) -> None:
    code = code_for(store, "status", contract)
    for _ in range(10):
        assert post(browser, code="AAAAAA").status == 404
    assert post(browser, code=code).status == 429


def test_after_a_sale_the_seller_s_code_opens_nothing(store: Store, browser: Browser, contract: int) -> None:
    code = code_for(store, "status", contract)
    with store.write() as connection:
        connection.execute(update(owners).values(until=NOW.date() - timedelta(days=1)))
    assert post(browser, code=code).status == 404


def test_each_visitor_behind_the_proxy_has_guesses_of_their_own(store: Store, site: Site, contract: int) -> None:
    code = code_for(store, "status", contract)
    with served(site, proxies=("127.0.0.1",)) as browser:
        for number in range(10):  # one subscriber, whichever of the addresses they take
            assert guess(browser, "AAAAAA", f"2001:db8:0:1::{number}").status == 404
        assert guess(browser, code, "2001:db8:0:1::ffff").status == 429
        assert guess(browser, code, "2001:db8:0:2::1").status == 200
        assert guess(browser, code, "::ffff:198.51.100.7").status == 200
        assert guess(browser, code, "198.51.100.7, 2001:db8:0:1::1").status == 429  # what the visitor wrote is no proof


def test_nobody_else_says_who_is_asking(store: Store, site: Site, contract: int) -> None:
    code = code_for(store, "status", contract)
    with served(site) as browser:
        for number in range(10):
            assert guess(browser, "AAAAAA", f"198.51.100.{number}").status == 404
        assert guess(browser, code, "198.51.100.77").status == 429


def test_a_survey_is_asked_answered_and_kept_with_its_subject(store: Store, browser: Browser, contract: int) -> None:
    code = code_for(store, "survey", contract)
    page = post(browser, code=code)
    assert page.status == 200
    assert all(label in page.text for label in ("The handover", "Mark", "Would recommend", "Opinion"))
    thanks = post(browser, code=code, answer="1", mark="5", again="yes", why="<b>kind</b>")
    assert "Thank you" in thanks.text
    assert answers(store, contract) == [{"mark": 5, "again": True, "why": "<b>kind</b>"}]


def test_answering_again_replaces_the_answer(store: Store, browser: Browser, contract: int) -> None:
    code = code_for(store, "survey", contract)
    post(browser, code=code, answer="1", mark="5")
    post(browser, code=code, answer="1", mark="2")
    assert answers(store, contract) == [{"mark": 2}]


def test_the_answers_of_another_promise_stay_beside_the_first(store: Store, browser: Browser, contract: int) -> None:
    post(browser, code=code_for(store, "survey", contract, year=2026), answer="1", mark="5")
    post(browser, code=code_for(store, "survey", contract, year=2027), answer="1", mark="3")
    assert answers(store, contract) == [{"mark": 5}, {"mark": 3}]


def test_what_is_missing_or_wrong_is_said_and_nothing_is_kept(store: Store, browser: Browser, contract: int) -> None:
    code = code_for(store, "survey", contract)
    page = post(browser, code=code, answer="1", mark="9", why='"><script>alert(1)</script>')
    assert page.status == 422
    assert 'role="alert"' in page.text
    assert "<script>" not in page.text
    assert answers(store, contract) == []


def test_a_survey_without_a_form_for_customers_says_whom_to_call(site: Site, store: Store, contract: int) -> None:
    internal = SURVEY.model_copy(update={"customers": False})
    with served(replace(site, forms={"probe.survey": internal})) as browser:
        page = post(browser, code=code_for(store, "survey", contract))
    assert page.status == 404
    assert "400-000-0000" in page.text


def test_the_form_of_the_actions_own_name_comes_first(site: Site, store: Store, contract: int) -> None:
    own = SURVEY.model_copy(update={"title": SURVEY.title.model_copy(update={"en": "Only this one"})})
    with served(replace(site, forms={"probe.survey": SURVEY, "probe.welcome": own})) as browser:
        assert "Only this one" in post(browser, code=code_for(store, "survey", contract)).text


def test_a_form_for_customers_holds_no_files() -> None:
    with pytest.raises(ValueError, match="no lines and no files"):
        Form.model_validate(
            {
                "name": "survey",
                "title": {"zh": "问", "en": "Q"},
                "customers": True,
                "fields": [{"name": "photo", "type": "photo", "label": {"zh": "照片", "en": "Photo"}}],
            }
        )
