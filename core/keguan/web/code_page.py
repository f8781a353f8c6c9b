"""The constant address at which a customer enters a code: to see what was promised, or to answer a survey."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from keguan.people.codes import Code, find_code, note_use, still_theirs
from keguan.queries.customer_view import promises_to_customer
from keguan.texts import text
from keguan.web.pages import page
from keguan.web.site import Site, site_of
from keguan.web.survey import questions_of, save_survey, survey_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from keguan.model.forms import Form

__all__ = ["enter", "opened"]

_LONGEST = 2000
Given = Mapping[str, list[str]]


def enter(request: Request) -> Response:
    """Show the field for the code."""
    return page(site_of(request), "code", "code_title", wrong=None)


async def opened(request: Request) -> Response:
    """Show what the code opens, or take the answers of its survey; who guesses too often has to wait."""
    site = site_of(request)
    given = await _given(request)
    address = request.client.host if request.client else "?"
    if not site.guesses.allowed(address):
        return page(site, "message", "wait_title", 429, body=text(site.language, "web.wait_body"))
    return await run_in_threadpool(_open, site, given, address)


async def _given(request: Request) -> dict[str, list[str]]:
    async with request.form(max_files=0, max_fields=200) as form:
        found: dict[str, list[str]] = {}
        for name, value in form.multi_items():
            found.setdefault(name, []).append(str(value)[:_LONGEST])
    return found


def _open(site: Site, given: Given, address: str) -> Response:
    typed = (given.get("code") or [""])[0]
    with site.store.read() as connection:
        code = find_code(connection, typed, site.now())
        opens = code is not None and still_theirs(connection, code, _today(site))
    if code is None or not opens:
        site.guesses.wrong(address)
        return page(site, "code", "code_title", 404, wrong=text(site.language, "web.code_unknown"))
    if code.purpose == "status":
        return _status(site, code)
    form = survey_of(site.forms, code)
    if form is None:
        hotline = site.company.hotline or "–"
        return page(site, "message", "survey_absent", 404, body=text(site.language, "web.survey_call", hotline=hotline))
    return _survey(site, code, form, given)


def _today(site: Site) -> date:
    return site.now().astimezone(site.reader().zone(None)).date()


def _status(site: Site, code: Code) -> Response:
    with site.store.write() as connection:
        note_use(connection, code, site.now())
    with site.store.read() as connection:
        rows = promises_to_customer(site.reader(), connection, code.subject, site.actions)
    return page(site, "status", "status_title", rows=rows)


def _survey(site: Site, code: Code, form: Form, given: Given) -> Response:
    mistakes: dict[str, str] = {}
    if "answer" in given:
        mistakes = save_survey(site, code, form, given)
        if not mistakes:
            return page(site, "message", "thanks_title", body=text(site.language, "web.thanks_body"))
    return page(
        site,
        "survey",
        "survey_title",
        422 if mistakes else 200,
        help=form.title.in_(site.language),
        wrong=bool(mistakes),
        code=code.code,
        questions=questions_of(form, site.language, given, mistakes),
    )
