"""When a payment is out of the question, and how long a challenge must be. Pure: the past and the time are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from assistant.pay.demands import Demands
from assistant.pay.outcome import DeclineReason
from assistant.settings import Pay
from assistant.shop.money import Money

DAY = timedelta(hours=24)
"""Span of the day limit. It rolls, so that midnight does not double it."""

REMEMBERED = 30 * DAY
"""How long failures count towards a pause. Far more than the longest pause, so that waiting one out forgets nothing."""

_LONGEST_PAUSE = DAY
# What one digit takes: said by the device with a pause after it, and repeated.
_SECONDS_PER_DIGIT = 1.5
# Reasons that an attacker's attempts have; a recording that is too short or an answer that is late proves nothing.
_SUSPICIOUS = frozenset(
    {
        DeclineReason.WRONG_DIGITS,
        DeclineReason.OTHER_VOICE,
        DeclineReason.REPLAYED,
        DeclineReason.SPLICED,
        DeclineReason.WRONG_PIN,
    }
)


@dataclass(frozen=True)
class Decision:
    """An answer to a challenge that was judged before.

    Attributes:
        at: When, with its time zone.
        amount: What was to be paid.
        speaker: Who paid; empty when nobody did.
        reason: Why it was declined; None when it was authorised.
        by_pin: Whether a PIN was given, and not a voice.
    """

    at: datetime
    amount: Money
    speaker: str = ""
    reason: DeclineReason | None = None
    by_pin: bool = False


def objection(
    amount: Money, past: Sequence[Decision], now: datetime, settings: Pay, speaker: str | None = None
) -> DeclineReason | None:
    """Why ``amount`` may not be paid by voice now; None when it may.

    Args:
        amount: What is to be paid.
        past: Decisions of the last day or longer, oldest first.
        now: The household's time of day, with its time zone.
        settings: Limits.
        speaker: Who would pay; None while that is unknown, when only what holds for everybody is looked at.
    """
    if amount.minor <= 0:
        return DeclineReason.AMOUNT_INVALID
    if amount.minor > settings.order_limit:
        return DeclineReason.OVER_LIMIT
    if is_quiet(now.timetz().replace(tzinfo=None), settings.quiet_hours):
        return DeclineReason.QUIET_HOURS
    end = locked_until(past, settings)
    if end is not None and now < end:
        return DeclineReason.LOCKED_OUT
    if speaker is not None and _spent(past, speaker, now) + amount.minor > settings.day_limit:
        return DeclineReason.OVER_DAY_LIMIT
    return None


def pin_objection(
    amount: Money,
    demands: Demands,
    past: Sequence[Decision],
    now: datetime,
    settings: Pay,
    speaker: str | None = None,
) -> DeclineReason | None:
    """Why ``amount`` may not be paid by PIN now; None when it may. All limits of a voice hold for a PIN as well.

    Args:
        amount: What is to be paid.
        demands: What the order's products demand; a PIN pays nothing that needs a voice.
        past: As for ``objection``.
        now: As for ``objection``.
        settings: Limits.
        speaker: Whose PIN it is; None while that is unknown.
    """
    if demands.voice:
        return DeclineReason.PIN_NOT_ENOUGH
    by_pin = 0 if speaker is None else _spent([one for one in past if one.by_pin], speaker, now)
    if by_pin + amount.minor > settings.pin_limit:
        return DeclineReason.PIN_NOT_ENOUGH
    return objection(amount, past, now, settings, speaker)


def challenge_digits(amount: Money, demands: Demands, settings: Pay) -> int:
    """How many digits a challenge for ``amount`` has: never fewer for more money; guarded products get the most."""
    longer = [digits for above, digits in settings.digits_above if demands.guarded or amount.minor > above]
    return max(settings.digits, *longer) if longer else settings.digits


def challenge_seconds(digits: int, settings: Pay, *, approving: bool) -> float:
    """How long a challenge holds: longer with more digits than usual, and while an adult is fetched."""
    usual = settings.approval_seconds if approving else settings.challenge_seconds
    return usual + max(0, digits - settings.digits) * _SECONDS_PER_DIGIT


def is_quiet(now: time, hours: str) -> bool:
    """Whether ``now`` lies in ``hours``, such as ``"23:00-06:00"`` (the end excluded); empty hours hold nothing.

    Hours that begin when they end are the whole day: what was meant to stop payments must not let all through.
    """
    if not hours:
        return False
    begin, end = (time.fromisoformat(text) for text in hours.split("-"))
    return begin <= now < end if begin < end else now >= begin or now < end


def locked_until(past: Sequence[Decision], settings: Pay) -> datetime | None:
    """The end of the pause that failures in a row have earned; None when there are too few of them.

    The pause doubles with every further failure, up to a day. Only a payment ends the row.
    """
    failures = 0
    latest: datetime | None = None
    for decision in past:
        if decision.reason is None:
            failures, latest = 0, None
        elif decision.reason in _SUSPICIOUS:
            failures, latest = failures + 1, decision.at
    beyond = failures - settings.lockout_failures
    if latest is None or beyond < 0:
        return None
    # 2**17 seconds are more than a day: a larger power could only overflow.
    pause = timedelta(seconds=settings.lockout_seconds * 2 ** min(beyond, 17))
    return latest + min(pause, _LONGEST_PAUSE)


def _spent(past: Sequence[Decision], speaker: str, now: datetime) -> int:
    paid = (d for d in past if d.reason is None and d.speaker == speaker and now - d.at < DAY)
    return sum(decision.amount.minor for decision in paid)
