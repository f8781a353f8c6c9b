"""What the doctor says about staff."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.office import Office

from keguan.staff.examination import examine_staff


def found(office: Office) -> list[tuple[bool, str, dict[str, object]]]:
    """Return what is said today."""
    with office.store.read() as connection:
        return list(examine_staff(office.city.installation.settings, connection, office.city.today))


def test_all_is_well_when_heads_are_known_and_everybody_can_be_reached(office: Office) -> None:
    office.task("2026-03-02 11:00", office.zhang)
    assert found(office) == [(True, "staff.fine", {"count": 1})]


def test_heads_whom_nobody_knows_are_named_by_their_department(open_office: Callable[..., Office]) -> None:
    office = open_office(department='[departments."客关"]\nhead = "nobody"\nmanager = "孙同"\n')
    office.hire("孙同")
    office.hire("孙同")
    assert found(office) == [
        (False, "staff.head_unknown", {"department": "客关", "role": "head"}),
        (False, "staff.head_unknown", {"department": "客关", "role": "manager"}),
    ]
    office.task("2026-03-02 11:00", office.zhang)
    office.until("2026-03-03 18:00")
    assert [to for to, _ in office.told("escalation")] == ["张三"], "it is a warning, work goes on"


def test_staff_with_work_and_no_address_are_counted(office: Office) -> None:
    silent = office.hire("吴邮", mail=False)
    assert found(office) == [(True, "staff.fine", {"count": 1})]
    office.task("2026-03-02 11:00", silent)
    assert found(office)[1:] == [(False, "staff.no_address", {"count": 1, "numbers": str(silent)})]


def test_without_departments_and_work_there_is_nothing_to_say(open_office: Callable[..., Office]) -> None:
    assert found(open_office(department="", people=False)) == []
