"""Invented people whose numbers and addresses can belong to nobody.

- Phone numbers begin with 17400: a valid mobile prefix, so that imports take them, in the range that China's
  numbering plan keeps for satellite services and no city subscriber gets.
- E-mail addresses are under ``example.com``, which RFC 2606 reserves.
- ID numbers have a right check digit (GB 11643-1999) and the area code 999999, which no area has.
- Names are put together at random from common characters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

__all__ = ["Person", "invent_person"]

_PHONE_PREFIX = "17400"
_NO_AREA = "999999"
_ELDEST = date(1958, 1, 1)
_AGES = 16_000  # days between the eldest and the youngest buyer
_ELDER = date(1985, 1, 1)
_OLD_CUSTOM = 3  # every third of the elder keeps the lunar calendar
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁任卢"
    "姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵覃武钱戴严莫孔向常"
)
_GIVEN = (
    "文明华建国志伟海波晓东春雷家豪子轩雨桐思远佳怡欣然梓涵浩宇嘉宁若曦清风雅静安然景行书墨云舒一诺知远向"
    "阳晨曦若兰玉洁秋水宛如立新德胜永康福全瑞雪慧敏丽娟淑芬桂香秀英振华少平启明"
)


@dataclass(frozen=True, slots=True)
class Person:
    """An invented buyer or member of staff."""

    name: str = field(repr=False)
    phone: str | None = field(repr=False)
    """Eleven digits, as files have them; ``None`` for somebody whose number nobody noted."""
    email: str | None = field(repr=False)
    id_no: str = field(repr=False)
    birthday: date = field(repr=False)
    lunar: bool = False
    """Whether they celebrate by the lunar calendar, as some of the elder do."""


def invent_person(random: Random, number: int, *, phone: bool = True) -> Person:
    """Return the ``number``-th person (0 to 999,999), who shares no number or address with any other."""
    given = random.choice(_GIVEN) + (random.choice(_GIVEN) if random.random() < 0.7 else "")
    birthday = _ELDEST + timedelta(days=random.randrange(_AGES))
    return Person(
        name=random.choice(_SURNAMES) + given,
        phone=f"{_PHONE_PREFIX}{number:06d}" if phone else None,
        email=f"owner{number:06d}@example.com" if random.random() < 0.4 else None,
        id_no=_id_no(birthday, number % 1000),
        birthday=birthday,
        lunar=birthday < _ELDER and number % _OLD_CUSTOM == 1,
    )


def _id_no(birthday: date, sequence: int) -> str:
    body = f"{_NO_AREA}{birthday:%Y%m%d}{sequence:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + _CHECK[total % 11]
