from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import SettingsError
from assistant.languages.language import load_language
from assistant.pay.outcome import DeclineReason
from assistant.pay.policy import Decision, is_quiet, locked_until, objection
from assistant.settings import Pay, Settings
from assistant.settings_file import changed
from assistant.shop.money import Money
from assistant.talk.actions import Say
from assistant.talk.replies import Replies

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PAY = Pay(order_limit=10_000, day_limit=15_000, lockout_failures=3, lockout_seconds=60)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def failed(minutes_ago: float, reason: DeclineReason = DeclineReason.OTHER_VOICE) -> Decision:
    return Decision(NOON - timedelta(minutes=minutes_ago), usd(500), reason=reason)


def paid(hours_ago: float, minor: int, speaker: str = "anna") -> Decision:
    return Decision(NOON - timedelta(hours=hours_ago), usd(minor), speaker)


@pytest.mark.parametrize(
    ("minor", "reason"),
    [
        (1, None),
        (10_000, None),
        (10_001, DeclineReason.OVER_LIMIT),
        (0, DeclineReason.AMOUNT_INVALID),
        (-5, DeclineReason.AMOUNT_INVALID),
    ],
)
def test_an_order_has_a_limit(minor, reason):
    assert objection(usd(minor), (), NOON, PAY) is reason


def test_the_day_limit_counts_what_this_person_paid_in_the_last_day():
    past = [paid(30, 9_000), paid(23, 8_000), paid(1, 4_000, "ben")]
    assert objection(usd(7_000), past, NOON, PAY, "anna") is None
    assert objection(usd(7_001), past, NOON, PAY, "anna") is DeclineReason.OVER_DAY_LIMIT
    assert objection(usd(7_001), past, NOON, PAY, "ben") is None


def test_what_was_declined_costs_nothing():
    assert objection(usd(10_000), [failed(90), failed(80)], NOON, PAY, "anna") is None


@pytest.mark.parametrize(
    ("now", "hours", "quiet"),
    [
        ("12:00", "", False),
        ("23:30", "23:00-06:00", True),
        ("05:59", "23:00-06:00", True),
        ("06:00", "23:00-06:00", False),
        ("22:59", "23:00-06:00", False),
        ("13:00", "12:30-14:00", True),
        ("14:00", "12:30-14:00", False),
        ("12:00", "00:00-00:00", True),
    ],
)
def test_quiet_hours_may_go_over_midnight(now, hours, quiet):
    assert is_quiet(time.fromisoformat(now), hours) is quiet


def test_quiet_hours_decline():
    settings = Pay(quiet_hours="11:00-13:00")
    assert objection(usd(100), (), NOON, settings) is DeclineReason.QUIET_HOURS


@pytest.mark.parametrize("hours", ["23-6", "24:00-06:00", "night", "23:00-06:00-"])
def test_quiet_hours_that_are_none_are_refused_by_name(hours):
    with pytest.raises(SettingsError, match=r"pay\.quiet_hours"):
        changed(Settings(), {"pay": {"quiet_hours": hours}})


def test_failures_in_a_row_lock_for_longer_and_longer():
    pauses = []
    for count in range(1, 30):
        past = [failed(0)] * count
        end = locked_until(past, PAY)
        pauses.append(0 if end is None else (end - NOON).total_seconds())
    assert pauses[:6] == [0, 0, 60, 120, 240, 480]
    assert pauses[-1] == 24 * 3600


def test_a_lock_ends_by_itself_and_a_payment_ends_the_row():
    past = [failed(3), failed(2), failed(0.5)]
    assert objection(usd(100), past, NOON, PAY) is DeclineReason.LOCKED_OUT
    assert objection(usd(100), past, NOON + timedelta(seconds=31), PAY) is None
    assert objection(usd(100), [*past, paid(0.001, 100), failed(0)], NOON, PAY) is None


def test_a_clock_that_is_set_back_ends_no_pause_and_gives_no_day_limit_anew():
    earlier = NOON - timedelta(days=2)
    assert objection(usd(100), [failed(0)] * 3, earlier, PAY) is DeclineReason.LOCKED_OUT
    assert objection(usd(7_001), [paid(1, 8_000)], earlier, PAY, "anna") is DeclineReason.OVER_DAY_LIMIT


@pytest.mark.parametrize("reason", [DeclineReason.TOO_SHORT, DeclineReason.EXPIRED, DeclineReason.INSUFFICIENT_FUNDS])
def test_mishaps_lock_nobody_out(reason):
    assert locked_until([failed(0, reason)] * 20, PAY) is None


@settings(deadline=None)
@given(st.lists(st.sampled_from([None, *DeclineReason]), max_size=40), st.integers(0, 3))
def test_another_failure_never_shortens_the_pause(reasons, more):
    past = [Decision(NOON, usd(1), "anna" if reason is None else "", reason) for reason in reasons]
    before = locked_until(past, PAY) or NOON
    after = locked_until(past + [failed(0)] * more, PAY) or NOON
    assert after >= before


def test_what_is_said_does_not_tell_how_far_an_attack_came():
    replies = Replies(load_language("en"))
    attacks = (DeclineReason.OTHER_VOICE, DeclineReason.SPLICED, DeclineReason.REPLAYED)
    assert len({replies.render(Say(f"declined.{reason}")) for reason in attacks}) == 1
    assert all(replies.knows(f"declined.{reason}") for reason in DeclineReason)
