"""Where a plugin is on, as laws."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from keguan.plugins.scope import CityScope, with_requirements

cities = st.frozensets(st.sampled_from("abcd"))
scopes = st.builds(CityScope, cities | st.none(), cities)
names = st.sampled_from("xyz")


@given(one=scopes, other=scopes, city=st.sampled_from("abcde"))
def test_both_is_where_each_is(one: CityScope, other: CityScope, city: str) -> None:
    assert (city in one & other) == (city in one and city in other)


@given(scope=scopes)
def test_an_empty_scope_has_no_city(scope: CityScope) -> None:
    assert scope.empty == all(city not in scope for city in "abcde")


@given(
    own=st.dictionaries(names, scopes),
    requires=st.dictionaries(names, st.lists(names, max_size=3)),
    city=st.sampled_from("abcde"),
)
def test_what_is_on_in_a_city_is_the_most_that_has_all_it_requires_there(
    own: dict[str, CityScope], requires: dict[str, list[str]], city: str
) -> None:
    found = with_requirements(own, requires)
    on = {name for name in own if city in own[name]}
    while lacking := {name for name in on if not set(requires.get(name, ())) <= on}:
        on -= lacking
    assert {name for name in found if city in found[name]} == on
