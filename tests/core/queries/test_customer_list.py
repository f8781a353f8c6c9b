"""The list of customers."""

from __future__ import annotations

from datetime import date

from tests.support.estate import Estate

from keguan.people.consent import opt_out
from keguan.queries.customers import list_customers
from keguan.queries.reader import Filters

ALL = Filters()


def test_a_customer_is_shown_masked_with_homes_contracts_and_consent(estate: Estate) -> None:
    project = estate.project()
    home = estate.home(project)
    person = estate.person("张小满", id_no="440300199003051234", email="xm@example.com", birthday=date(1990, 3, 5))
    estate.contract("HT-001", project, home, [person])
    with estate.store.write() as connection:
        opt_out(connection, person, channel="sms", source="call", now=estate.now)
    assert list(list_customers(estate.reader(), ALL)) == [
        {
            "id": person,
            "name": "张**",
            "phone": "138****8000",
            "email": "x***@example.com",
            "id_no": "440***********1234",
            "birthday": "1990-**-**",
            "lunar": False,
            "contracts": ["HT-001"],
            "homes": ["云璟一期/3-1-1201"],
            "projects": ["云璟一期"],
            "consents": [
                {"channel": "sms", "message_class": "*", "granted": False, "at": estate.now, "source": "call"}
            ],
            "erased_at": None,
        }
    ]
    [clear] = list_customers(estate.reader(), ALL, unmask=True)
    assert (clear["name"], clear["phone"], clear["birthday"]) == ("张小满", "+8613800138000", date(1990, 3, 5))


def test_staff_are_no_customers_and_a_home_sold_on_is_no_home(estate: Estate) -> None:
    project = estate.project()
    estate.employee("李晓燕")
    former = estate.person()
    estate.contract("HT-001", project, estate.home(project), [former], owned_until=date(2026, 1, 1))
    [customer] = list_customers(estate.reader(), ALL)
    assert (customer["id"], customer["homes"], customer["contracts"]) == (former, [], ["HT-001"])


def test_customers_of_a_project_or_a_city(estate: Estate) -> None:
    here, there = estate.project("云璟一期"), estate.project("天山", city="urumqi")
    one, other = estate.person(), estate.person()
    estate.contract("HT-001", here, estate.home(here), [one])
    estate.contract("HT-002", there, None, [other])
    assert [row["id"] for row in list_customers(estate.reader(), Filters(project="天山"))] == [other]
    assert [row["id"] for row in list_customers(estate.reader(), Filters(city="深圳"))] == [one]
    assert [row["id"] for row in list_customers(estate.reader(), Filters(limit=1))] == [one]
