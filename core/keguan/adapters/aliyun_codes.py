"""What Alibaba Cloud's codes mean for a message (help.aliyun.com/document_detail/101346)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from keguan.adapters.base import Outcome
from keguan.adapters.vendor import Verdict, until_tomorrow

__all__ = ["aliyun_verdict"]

_PERMANENT = "vendor.refused_message"
_CONFIGURATION = "vendor.configuration"
_CODES: dict[str, Verdict] = {
    "isv.MOBILE_NUMBER_ILLEGAL": Verdict(Outcome.PERMANENT, "vendor.refused_number", bounces=True),
    **dict.fromkeys(
        (
            "isv.BLACK_KEY_CONTROL_LIMIT",
            "isv.INVALID_JSON_PARAM",
            "isv.INVALID_PARAMETERS",
            "isv.PARAM_LENGTH_LIMIT",
            "isv.PARAM_NOT_SUPPORT_URL",
            "isv.SMS_CONTENT_ILLEGAL",
            "isv.TEMPLATE_MISSING_PARAMETERS",
            "isv.TEMPLATE_PARAMS_ILLEGAL",
        ),
        Verdict(Outcome.PERMANENT, _PERMANENT),
    ),
    **dict.fromkeys(
        (
            "isp.RAM_PERMISSION_DENY",
            "isv.ACCOUNT_ABNORMAL",
            "isv.ACCOUNT_NOT_EXISTS",
            "isv.AMOUNT_NOT_ENOUGH",
            "isv.DENY_IP_RANGE",
            "isv.DOMESTIC_NUMBER_NOT_SUPPORTED",
            "isv.EXTEND_CODE_ERROR",
            "isv.OUT_OF_SERVICE",
            "isv.PRODUCT_UNSUBSCRIBE",
            "isv.PRODUCT_UN_SUBSCRIPT",
            "isv.SMS_SIGNATURE_ILLEGAL",
            "isv.SMS_SIGNATURE_SCENE_ILLEGAL",
            "isv.SMS_SIGN_ILLEGAL",
            "isv.SMS_TEMPLATE_ILLEGAL",
        ),
        Verdict(Outcome.CONFIGURATION, _CONFIGURATION),
    ),
    # What the account's owner set in the console: asked again hourly, so that a raised limit is noticed.
    **dict.fromkeys(
        ("isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL"),
        Verdict(Outcome.LIMIT, "vendor.limit_all", timedelta(hours=1), pauses=True),
    ),
}
_PREFIXES: tuple[tuple[str, Verdict], ...] = (
    ("Throttling", Verdict(Outcome.LIMIT, "vendor.limit_all", timedelta(seconds=10), pauses=True)),
    *(
        (prefix, Verdict(Outcome.CONFIGURATION, _CONFIGURATION))
        for prefix in (
            *("SignatureDoesNotMatch", "IncompleteSignature", "InvalidAccessKeyId", "InactiveAccessKey"),
            *("InvalidSecurityToken", "InvalidTimeStamp", "Forbidden", "NoPermission", "MissingAccessKeyId"),
        )
    ),
)


def aliyun_verdict(code: str, words: str = "", now: datetime | None = None) -> Verdict | None:
    """Return what ``code`` means, ``None`` when it is not known.

    Args:
        code: the gateway's code.
        words: its sentence beside it, which says how long a number is closed.
        now: aware; decides how long a day's limit still holds.
    """
    if code == "isv.BUSINESS_LIMIT_CONTROL":
        return Verdict(Outcome.LIMIT, "vendor.limit_number", _wait(words, now or datetime.now(UTC)))
    return _CODES.get(code) or next((verdict for prefix, verdict in _PREFIXES if code.startswith(prefix)), None)


def _wait(words: str, now: datetime) -> timedelta:
    """Return how long a number is closed, from words such as 触发小时级流控Permits:5 (document_detail/91975)."""
    if "天" in words:
        return until_tomorrow(now)
    return timedelta(minutes=1) if "分钟" in words else timedelta(hours=1)
