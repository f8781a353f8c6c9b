"""Personal values as they may be shown: enough to recognise a person one knows, too little to reach one.

Used wherever something is shown, logged or reported. Masking never fails: what does not look like the kind of
value expected is hidden more, not less.
"""

from __future__ import annotations

import re

__all__ = ["mask_email", "mask_id_no", "mask_name", "mask_phone", "mask_text"]

STAR = "*"

# Family names of two characters; the rest of a name is masked behind them.
_COMPOUND_SURNAME = re.compile(
    r"欧阳|太史|端木|上官|司马|东方|独孤|南宫|万俟|闻人|夏侯|诸葛|尉迟|公羊|赫连|澹台|皇甫|宗政|濮阳|公冶|"
    r"太叔|申屠|公孙|慕容|仲孙|钟离|长孙|宇文|司徒|鲜于|司空|闾丘|令狐|百里|呼延|东郭|南门|公西|西门|第五|"
    r"轩辕|拓跋|夹谷|宰父|谷梁|段干|歐陽|東方|獨孤|南宮|諸葛|尉遲|公孫|鍾離|長孫|鮮于|司馬|軒轅"
)

# `\d` takes full-width digits too, which is how phone numbers are sometimes hidden from filters.
_EMAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_ID_NO = re.compile(r"(?<!\d)\d{17}[\dXx](?![\dXx])")
_MOBILE = re.compile(r"(?<!\d)(?:(?:\+|00)?86[-\s]?)?1[3-9]\d[-\s]?\d{4}[-\s]?\d{4}(?!\d)")
_INTERNATIONAL = re.compile(r"\+\d{1,3}[-\s]?\d(?:[-\s]?\d){6,12}(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)\(?0\d{2,3}\)?[-\s]?\d{3,4}[-\s]?\d{4}(?!\d)")
_LONG_DIGITS = re.compile(r"\d{9,}")
_SCIENTIFIC = re.compile(r"[+-]?\d(?:\.\d+)?[eE]\+?\d{1,3}")


def mask_name(name: str) -> str:
    """Return ``张*``, ``欧阳**`` or ``J*** S****`` for a person's or a company's name."""
    words = name.split()
    if len(words) > 1:
        return " ".join(mask_name(word) for word in words)
    word = name.strip()
    if len(word) > 2 and _COMPOUND_SURNAME.match(word):
        return word[:2] + STAR * (len(word) - 2)
    return word[:1] + STAR * max(len(word) - 1, 1 if word else 0)


def mask_phone(phone: str) -> str:
    """Return ``138****8000`` for any way of writing a phone number, the country code +86 left out.

    What is no phone number (it stands in a phone column by mistake) is masked like a name; the number that a
    spreadsheet destroyed (``1.38E+10``) holds nothing personal and stays.
    """
    if len(phone) == 14 and phone.startswith("+86") and phone[1:].isdecimal():  # as most are stored
        return f"{phone[3:6]}{STAR * 4}{phone[10:]}"
    text = phone.strip()
    if _SCIENTIFIC.fullmatch(text):
        return text
    digits = "".join(char for char in text if char.isdigit())
    if len(digits) > 15:
        return (
            " ".join(mask_phone(part) for part in re.findall(r"\d+", text))
            if re.search(r"\D", text)
            else (digits[:3] + STAR * (len(digits) - 5) + digits[-2:])
        )
    national = digits.removeprefix("00")
    if len(national) == 13 and national.startswith("86"):
        national = national[2:]
    if len(national) >= 11:
        return national[:3] + STAR * (len(national) - 7) + national[-4:]
    if len(national) >= 5:
        return national[:2] + STAR * (len(national) - 4) + national[-2:]
    return mask_name(text)


def mask_email(email: str) -> str:
    """Return ``z***@example.com``; the domain stays, because that is where mistakes are."""
    local, at, domain = email.strip().rpartition("@")
    return f"{local[:1]}{STAR * 3}@{domain}" if at and local else mask_name(email)


def mask_id_no(id_no: str) -> str:
    """Return ``440***********123X``: the first three and the last four characters of a longer number."""
    text = id_no.strip()
    if len(text) >= 12:
        return text[:3] + STAR * (len(text) - 7) + text[-4:]
    return text[:1] + STAR * max(len(text) - 2, 0) + text[-1:] if len(text) > 2 else STAR * len(text)


def mask_text(text: str) -> str:
    """Return free text with every phone number, ID number and e-mail address in it masked.

    Names cannot be found in free text; who shows free text to others must know that.
    """
    if not any(char.isdigit() or char == "@" for char in text):
        return text
    text = _EMAIL.sub(lambda found: mask_email(found[0]), text)
    text = _ID_NO.sub(lambda found: mask_id_no(found[0]), text)
    for pattern in (_MOBILE, _INTERNATIONAL, _LANDLINE):
        text = pattern.sub(lambda found: mask_phone(found[0]), text)
    return _LONG_DIGITS.sub(lambda found: mask_id_no(found[0]), text)
