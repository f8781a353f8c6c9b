"""What a template may not do: each of these took memory, time or secrets from an unprotected Jinja2."""

from collections.abc import Callable
from pathlib import Path

import pytest

from keguan.errors import TemplateError
from keguan.model import Company, Person
from keguan.outbox.templates import RenderedSms, Templates

REFUSED_WHEN_LOADED = {
    "dunder": "{{ ''.__class__ }}",
    "dunder by item": "{{ person['__class__'] }}",
    "dunder by filter": "{{ person | attr('__class__') }}",
    "method": "{{ name.upper() }}",
    "padding by method": "{{ 'a'.ljust(10**9) }}",
    "padding by format method": "{{ '{:>1000000000}'.format(1) }}",
    "big range": "{% for i in range(10**9) %}x{% endfor %}",
    "lipsum": "{{ lipsum(n=100000) }}",
    "cycler": "{{ cycler('a') }}",
    "namespace": "{% set ns = namespace(a='x') %}",
    "power": "{{ 9 ** 9 ** 9 }}",
    "center": "{{ 'x' | center(100000000) }}",
    "format": "{{ '%100000000d' | format(1) }}",
    "indent": "{{ 'x' | indent(100000000) }}",
    "wordwrap": "{{ 'x' | wordwrap(1) }}",
    "tojson": "{{ homes | tojson(indent=100000000) }}",
    "batch": "{{ homes | batch(1000000000, 'x') }}",
    "safe": "{{ name | safe }}",
    "map": "{{ homes | map('upper') }}",
    "random": "{{ homes | random }}",
    "doubling": "{% set a = name ~ name %}",
    "concatenation": "{{ name ~ name }}",
    "block set": "{% set a %}x{% endset %}",
    "macro": "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "include": "{% include 'x' %}",
    "import": "{% import 'x' as x %}",
    "extends": "{% extends 'x' %}",
    "block": "{% block a %}{% endblock %}",
    "recursion": "{% for a in homes recursive %}{{ loop(homes) }}{% endfor %}",
    "three loops": "{% for a in homes %}{% for b in homes %}{% for c in homes %}x{% endfor %}{% endfor %}{% endfor %}",
    "no escaping": "{% autoescape false %}{{ name }}{% endautoescape %}",
    "filter block": "{% filter upper %}x{% endfilter %}",
    "list": "{{ [name, name] | join }}",
    "dict": "{{ {'a': name} }}",
    "slice": "{{ name[:3] }}",
    "key from a value": "{{ homes[name] }}",
    "unpacked arguments": "{{ homes | join(*homes) }}",
    "unknown test": "{{ name is callable }}",
}
REFUSED_WHEN_RENDERED = {
    "text times number": "{{ 'a' * 100000000 }}",
    "text formatted": "{{ '%100000000d' % 1 }}",
    "text plus text": "{{ name + name }}",
    "huge product": "{{ 99999999 * 99999999 }}",
    "huge rounding": "{{ 5 | round(-1000000000) }}",
    "loop over text": "{% for a in name %}x{% endfor %}",
    "loop over very much": "{% for a in many %}x{% endfor %}",
    "join of joins": "{{ many | join(name) }}",
    "replacing everything": "{{ name | replace('', name) }}",
    "method as value": "{{ homes.append }}",
    "output without end": "{% for a in homes %}{% for b in homes %}" + "x" * 1000 + "{% endfor %}{% endfor %}",
    "division by zero": "{{ 1 / 0 }}",
}
VALUES = {
    "name": "张三" * 100,
    "homes": ["3-1-1201"] * 20,
    "many": ["x"] * 1_001,
    "person": Person(1, name="张三", phone="+8613800138000"),
}


def render(folder: Path, source: str) -> Callable[[], RenderedSms]:
    (folder / "zh").mkdir()
    (folder / "zh" / "note.sms.j2").write_text(source, encoding="utf-8")
    templates = Templates({"letters": folder}, None, "zh", Company("云璟地产", "400", "云璟"))
    templates.check("letters", "note")
    return lambda: templates.render_sms("letters", "note", VALUES)


@pytest.mark.parametrize("source", REFUSED_WHEN_LOADED.values(), ids=REFUSED_WHEN_LOADED)
def test_refused_when_loaded(tmp_path: Path, source: str) -> None:
    with pytest.raises(TemplateError):
        render(tmp_path, source)


@pytest.mark.parametrize("source", REFUSED_WHEN_RENDERED.values(), ids=REFUSED_WHEN_RENDERED)
def test_refused_when_rendered(tmp_path: Path, source: str) -> None:
    rendered = render(tmp_path, source)
    with pytest.raises(TemplateError) as caught:
        rendered()
    assert "138" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ 3 * 4 + 10 % 3 }}", "13"),
        ("{{ (7 / 2) | round }}", "4"),
        ("{{ 3.14159 | round(2) }}", "3.14"),
        ("{{ -2 if homes | length > 1 else 0 }}", "-2"),
        ("{{ '甲' if '3-1-1201' in homes }}", "甲"),
        ("{{ homes | first | replace('-', '/') | lower | upper }}", "3/1/1201"),
        ("{{ nothing | default('业主') }}", "业主"),
        ("{% if nothing is defined %}一{% else %}二{% endif %}", "二"),
        ("{{ person.id }}{{ person['id'] }}{{ homes[0] }}", "113-1-1201"),
        ("{% for a, b in pairs | default(()) %}{{ a }}{% endfor %}完", "完"),
    ],
)
def test_what_messages_need_is_allowed(tmp_path: Path, source: str, text: str) -> None:
    assert render(tmp_path, source)().text == f"【云璟】{text}"
