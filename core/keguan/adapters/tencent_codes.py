"""What Tencent Cloud's codes mean for a message (cloud.tencent.com/document/product/382/59177)."""

from __future__ import annotations

from datetime import datetime, timedelta

from keguan.adapters.base import Outcome
from keguan.adapters.vendor import Verdict, until_tomorrow

__all__ = ["tencent_verdict"]

_REFUSED = Verdict(Outcome.PERMANENT, "vendor.refused_message")
_SET_UP = Verdict(Outcome.CONFIGURATION, "vendor.configuration")
_BUSY = Verdict(Outcome.LIMIT, "vendor.limit_all", timedelta(seconds=10), pauses=True)
_FULL = Verdict(Outcome.LIMIT, "vendor.limit_all", timedelta(hours=1), pauses=True)
_LATER = Verdict(Outcome.TEMPORARY, "vendor.later")
_UNKNOWN = Verdict(Outcome.IN_DOUBT, "vendor.nonsense")
_NUMBER = Verdict(Outcome.PERMANENT, "vendor.refused_number", bounces=True)
_CODES: dict[str, Verdict] = {
    "FailedOperation.ContainSensitiveWord": _REFUSED,
    "FailedOperation.PhoneNumberInBlacklist": _REFUSED,
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": _REFUSED,
    "InvalidParameter.DirtyWordFound": _REFUSED,
    "InvalidParameterValue.ContentLengthLimit": _REFUSED,
    "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter": _REFUSED,
    "InvalidParameterValue.TemplateParameterFormatError": _REFUSED,
    "InvalidParameterValue.TemplateParameterLengthLimit": _REFUSED,
    "InvalidParameterValue.UnsupportedTemplateVariable": _REFUSED,
    "FailedOperation.PhoneNumberParseFail": _NUMBER,
    "InvalidParameterValue.IncorrectPhoneNumber": _NUMBER,
    "FailedOperation.InsufficientBalanceInSmsPackage": _SET_UP,
    "FailedOperation.MissingSignature": _SET_UP,
    "FailedOperation.NotEnterpriseCertification": _SET_UP,
    "FailedOperation.ProhibitSubAccountUse": _SET_UP,
    "FailedOperation.SignatureIncorrectOrUnapproved": _SET_UP,
    "FailedOperation.TemplateIdNotExist": _SET_UP,
    "FailedOperation.TemplateIncorrectOrUnapproved": _SET_UP,
    "FailedOperation.TemplateUnapprovedOrNotExist": _SET_UP,
    "InternalError.RequestTimeException": _SET_UP,  # our clock is wrong
    "InternalError.SigFieldMissing": _SET_UP,
    "InternalError.SigVerificationFail": _SET_UP,
    "InvalidParameter.AppidAndBizId": _SET_UP,
    "InvalidParameterValue.SdkAppIdNotExist": _SET_UP,
    # Their own back end did not answer them in time: nobody knows whether it had taken the message.
    "InternalError.SendAndRecvFail": _UNKNOWN,
    "InternalError.Timeout": _UNKNOWN,
    "LimitExceeded.AppDailyLimit": _FULL,
    "LimitExceeded.AppGlobalDailyLimit": _FULL,
    "LimitExceeded.AppMainlandChinaDailyLimit": _FULL,
    "LimitExceeded.GlobalSmsSendingRateLimit": _BUSY,
    "LimitExceeded.DeliveryFrequencyLimit": Verdict(Outcome.LIMIT, "vendor.limit_number", timedelta(hours=1)),
    "LimitExceeded.PhoneNumberOneHourLimit": Verdict(Outcome.LIMIT, "vendor.limit_number", timedelta(hours=1)),
    "LimitExceeded.PhoneNumberThirtySecondLimit": Verdict(Outcome.LIMIT, "vendor.limit_number", timedelta(seconds=31)),
    "FailedOperation.MarketingSendTimeConstraint": Verdict(Outcome.LIMIT, "vendor.limit_number", timedelta(hours=1)),
}
_DAILY = frozenset({"LimitExceeded.PhoneNumberDailyLimit", "LimitExceeded.PhoneNumberSameContentDailyLimit"})
_PREFIXES: tuple[tuple[str, Verdict], ...] = (
    ("RequestLimitExceeded", _BUSY),
    *(
        (prefix, _SET_UP)
        for prefix in ("AuthFailure", "UnauthorizedOperation", "UnsupportedOperation", "MissingParameter")
    ),
)


def tencent_verdict(code: str, now: datetime) -> Verdict:
    """Return what ``code`` means at ``now`` (aware), which decides how long a day's limit still holds."""
    if code in _DAILY:
        return Verdict(Outcome.LIMIT, "vendor.limit_number", until_tomorrow(now))
    # What is not known is certainly refused: tried again, or by the next gateway, and dead in the end.
    return _CODES.get(code) or next((verdict for prefix, verdict in _PREFIXES if code.startswith(prefix)), _LATER)
