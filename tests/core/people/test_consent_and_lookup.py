"""Who is meant, and what they allow."""

from __future__ import annotations

import pytest
from tests.support.estate import Estate, at

from keguan.errors import InputError
from keguan.model import City
from keguan.outbox.facts import load_permissions
from keguan.outbox.gate import Candidate, Pass, Refuse, judge
from keguan.people.consent import opt_in, opt_out
from keguan.people.lookup import GivenAs, find_customer
from keguan.settings import Settings

CITY: City = Settings().city("shenzhen")
NOON = at("2026-03-02T12:00")


def answers(estate: Estate, person: int, channel: str, message_class: str) -> str:
    """Return ``yes`` or the rule by which the gate keeps such a message back."""
    with estate.store.read() as connection:
        known = load_permissions(connection, [person]).get(person, {})
    candidate = Candidate(
        channel=channel,
        message_class=message_class,
        urgent=False,
        late=False,
        has_address=True,
        expires_at=None,
        permissions=known,
    )
    verdict = judge(candidate, CITY, NOON)
    assert isinstance(verdict, Pass | Refuse)
    return "yes" if isinstance(verdict, Pass) else verdict.why


def out(estate: Estate, person: int, **more: str) -> None:
    with estate.store.write() as connection:
        opt_out(connection, person, source="call", now=NOON, **more)


def into(estate: Estate, person: int, **more: str) -> None:
    with estate.store.write() as connection:
        opt_in(connection, person, source="call", now=NOON, **more)


def test_an_opt_out_counts_for_everything_even_for_what_was_allowed_before(estate: Estate) -> None:
    person = estate.person()
    into(estate, person, channel="sms", message_class="promotion")
    assert answers(estate, person, "sms", "promotion") == "yes"
    out(estate, person)
    assert answers(estate, person, "sms", "promotion") == "gate.no_consent"
    assert answers(estate, person, "email", "service") == "gate.opted_out"


def test_an_opt_out_of_one_channel_leaves_the_others(estate: Estate) -> None:
    person = estate.person()
    out(estate, person, channel="sms")
    assert answers(estate, person, "sms", "service") == "gate.opted_out"
    assert answers(estate, person, "email", "service") == "yes"


def test_taking_back_an_opt_out_does_not_agree_to_promotion(estate: Estate) -> None:
    person = estate.person()
    out(estate, person)
    into(estate, person)
    assert answers(estate, person, "sms", "service") == "yes"
    assert answers(estate, person, "sms", "code") == "yes"
    assert answers(estate, person, "sms", "promotion") == "gate.no_consent"


def test_opting_in_on_one_channel_leaves_the_opt_out_of_the_others(estate: Estate) -> None:
    person = estate.person()
    out(estate, person)
    into(estate, person, channel="email")
    assert answers(estate, person, "email", "service") == "yes"
    assert answers(estate, person, "sms", "service") == "gate.opted_out"


def test_saying_the_same_twice_changes_nothing(estate: Estate) -> None:
    person = estate.person()
    out(estate, person, channel="sms")
    out(estate, person, channel="sms")
    assert answers(estate, person, "sms", "service") == "gate.opted_out"


# --- Who is meant ------------------------------------------------------------------------------------------------


def found(estate: Estate, given: str, given_as: GivenAs | None = None) -> int:
    with estate.store.read() as connection:
        return find_customer(connection, given, given_as)


@pytest.mark.parametrize("given", ["13800138000", "+86 138 0013 8000", "138-0013-8000"])
def test_a_person_is_found_by_phone_number_in_any_writing(estate: Estate, given: str) -> None:
    person = estate.person(phone="+8613800138000")
    estate.person(phone="+8613900139000")
    assert found(estate, given) == person


def test_a_person_is_found_by_number_and_by_contract(estate: Estate) -> None:
    project = estate.project()
    person = estate.person()
    estate.contract("HT-001", project, estate.home(project), [person])
    assert found(estate, str(person)) == person
    assert found(estate, "HT-001") == person


def test_several_owners_are_listed_by_number_and_never_by_name(estate: Estate) -> None:
    project = estate.project()
    owners = [estate.person("张小满"), estate.person("李晓燕")]
    estate.contract("HT-001", project, estate.home(project), owners)
    with pytest.raises(InputError) as failed:
        found(estate, "HT-001")
    assert failed.value.values == {"numbers": f"{owners[0]}, {owners[1]}"}


def test_a_contract_number_that_is_also_a_persons_number_must_be_told_apart(estate: Estate) -> None:
    first = estate.person()
    buyer = estate.person()
    estate.contract(str(first), estate.project(), None, [buyer])
    with pytest.raises(InputError, match="several customers"):
        found(estate, str(first))
    assert found(estate, str(first), "number") == first
    assert found(estate, str(first), "contract") == buyer


def test_after_a_resale_the_contract_in_force_names_the_owner_of_today(estate: Estate) -> None:
    project = estate.project()
    home = estate.home(project)
    seller, buyer = estate.person(), estate.person()
    estate.contract("HT-OLD", project, home, [seller], status="transferred", owned_until=NOON.date())
    estate.contract("HT-NEW", project, home, [buyer])
    assert found(estate, "HT-NEW") == buyer
    assert found(estate, "HT-OLD") == seller


def test_what_was_given_is_not_repeated_when_nobody_is_found(estate: Estate) -> None:
    with pytest.raises(InputError) as failed:
        found(estate, "13912345678")
    assert "13912345678" not in str(failed.value)
