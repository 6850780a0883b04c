"""The payment authority: yes only for fresh digits in an enrolled voice, within the limits, on record."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spectral_encoder import SpectralEncoder, speak, voiced_speech

from assistant.errors import ModelDamaged, ModelMissing, PaymentUnavailable, StoreError
from assistant.hear.audio import RATE
from assistant.pay.audit import AuditTrail
from assistant.pay.authority import VoiceAuthority
from assistant.pay.challenge import Challenge
from assistant.pay.enrolment import Enrolments
from assistant.pay.outcome import AuthorisationRequest, Authorised, Declined, DeclineReason, Unavailable
from assistant.pay.pins import Pins
from assistant.pay.voices import Voices
from assistant.pay.wallet import Account, Wallet
from assistant.settings import Pay
from assistant.shop.database import open_database
from assistant.shop.money import Money

ANNA, BEN, STRANGER = 1, 4, 6
START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PAY = Pay()
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def spelled(digits: str) -> str:
    return " ".join(WORDS[int(digit)] for digit in digits)


def digits_of(text: str) -> str | None:
    words = text.split()
    return "".join(str(WORDS.index(word)) for word in words) if words and set(words) <= set(WORDS) else None


class Shop:
    """An authority over a real database, wallet, audit trail and encoder; only the time of day is the test's."""

    def __init__(self, folder, pay: Pay = PAY, balance: int = 100_000, fixed_digits: str | None = None) -> None:
        self.engine = open_database(folder)
        self.now = START
        self.encoder = SpectralEncoder()
        self.voices = Voices(self.engine, "home", folder)
        self.audit = AuditTrail(self.engine, "home", folder, lambda: self.now)
        self.pins = Pins(self.engine, "home", folder)
        self.wallet = Wallet(self.engine, "home", Money(balance, "USD"))
        self.enrolments = Enrolments(self.voices, self.encoder, voiced_speech(), pay)
        self.authority = VoiceAuthority(
            self.voices,
            self.encoder,
            voiced_speech(),
            self.wallet,
            self.audit,
            self.pins,
            digits_of,
            pay,
            random.Random(5),
            fixed_digits,
            lambda: self.now,
        )
        self.words = 100

    def enrol(self, name: str, person: int) -> None:
        self.enrolments.enrol(name, [speak(person, words) for words in range(5)])

    def ask(self, order: str = "17", minor: int = 1250, at: float = 10.0):
        return self.authority.challenge(AuthorisationRequest(order, Money(minor, "USD")), at)

    def pay(self, person: int = ANNA, order: str = "17", minor: int = 1250, **changes):
        """Asks for a challenge and answers it; ``changes`` go wrong with it."""
        challenge = self.ask(order, minor)
        if not isinstance(challenge, Challenge):
            return challenge
        return self.answer(challenge, person, **changes)

    def answer(
        self, challenge: Challenge, person: int = ANNA, hypotheses=None, clip=None, at: float = 14.0, request=None
    ):
        self.words += 1
        return self.authority.answer(
            request or AuthorisationRequest(challenge.order_id, challenge.amount),
            challenge,
            [spelled(challenge.digits)] if hypotheses is None else hypotheses,
            speak(person, self.words) if clip is None else clip,
            at,
        )

    @property
    def held(self) -> int:
        return self.wallet.account(Account.HELD).minor


@pytest.fixture
def shop(tmp_path) -> Shop:
    shop = Shop(tmp_path)
    shop.enrol("anna", ANNA)
    shop.enrol("ben", BEN)
    return shop


def test_the_owners_voice_with_the_right_digits_pays(shop):
    assert shop.pay() == Authorised("17", Money(1250, "USD"), "anna")
    assert shop.held == 1250


def test_everybody_who_is_enrolled_pays_under_their_own_name(shop):
    assert shop.pay(BEN).speaker == "ben"


def test_another_voice_does_not_pay(shop):
    assert shop.pay(STRANGER) == Declined(DeclineReason.OTHER_VOICE, retry=True)
    assert shop.held == 0


@pytest.mark.parametrize(
    "hypotheses",
    [
        [],
        [""],
        ["[unk]"],
        ["yes"],
        ["{digits} please"],
        ["{digits} [unk]"],
        ["{wrong}"],
        ["{reversed}"],
        ["{short}"],
        ["{digits} one"],
        # Only the best hypothesis counts: the right digits among the others prove nothing.
        ["{wrong}", "{digits}"],
    ],
)
def test_other_words_than_the_digits_do_not_pay(shop, hypotheses):
    challenge = shop.ask()
    digits = challenge.digits
    words = {
        "digits": spelled(digits),
        "wrong": spelled(digits[:-1] + str((int(digits[-1]) + 1) % 10)),
        "reversed": spelled(digits[::-1]),
        "short": spelled(digits[:-1]),
    }
    embedded = shop.encoder.embedded
    outcome = shop.answer(challenge, hypotheses=[text.format(**words) for text in hypotheses])
    assert outcome == Declined(DeclineReason.WRONG_DIGITS, retry=True)
    assert shop.encoder.embedded == embedded, "no voice is compared before the digits are right"
    assert shop.held == 0


def test_an_answer_after_the_time_does_not_pay(shop):
    assert shop.answer(shop.ask(at=10.0), at=22.1).reason is DeclineReason.EXPIRED


def test_a_challenge_is_used_up_by_its_answer(shop):
    challenge = shop.ask()
    assert shop.answer(challenge, STRANGER).reason is DeclineReason.OTHER_VOICE
    assert shop.answer(challenge).reason is DeclineReason.CHALLENGE_INVALID


def test_a_new_challenge_ends_the_one_before(shop):
    first = shop.ask()
    second = shop.ask()
    assert first.digits != second.digits
    assert shop.answer(first).reason is DeclineReason.CHALLENGE_INVALID


def test_a_challenge_holds_for_its_own_order_and_amount_only(shop):
    challenge = shop.ask("17", 1250)
    dearer = AuthorisationRequest("17", Money(9999, "USD"))
    assert shop.answer(challenge, request=dearer).reason is DeclineReason.CHALLENGE_INVALID
    shop.ask("18", 100)
    assert shop.answer(shop.ask("17"), request=AuthorisationRequest("18", Money(1250, "USD"))).reason is (
        DeclineReason.CHALLENGE_INVALID
    )
    assert shop.held == 0


def test_a_recording_of_an_earlier_answer_does_not_pay(shop):
    clip = speak(ANNA, 200)
    assert isinstance(shop.answer(shop.ask("17"), clip=clip), Authorised)
    later = np.concatenate([np.zeros(RATE, np.float32), clip])
    old_digits = shop.answer(shop.ask("18"), clip=later, hypotheses=[spelled("0000")])
    assert old_digits.reason is DeclineReason.WRONG_DIGITS
    # Even with the same digits again, the same samples are no second answer.
    assert shop.answer(shop.ask("18"), clip=later).reason is DeclineReason.REPLAYED


@pytest.mark.parametrize(
    "clip",
    [
        np.zeros(0, np.float32),
        np.zeros(2 * RATE, np.float32),
        speak(ANNA, 1, seconds=0.5),
        np.full(RATE, np.nan, np.float32),
    ],
    ids=["nothing", "silence", "short", "not numbers"],
)
def test_too_little_speech_is_no_proof(shop, clip):
    assert shop.answer(shop.ask(), clip=clip).reason is DeclineReason.TOO_SHORT


@pytest.mark.parametrize("clip", [np.zeros(0, np.float32), np.zeros(2 * RATE, np.float32)], ids=["nothing", "silence"])
def test_silence_twice_is_no_replay(shop, clip):
    """Whoever types the digits is told what is missing the second time as well, and is not locked out for it."""
    assert [shop.answer(shop.ask(), clip=clip).reason for _ in range(2)] == [DeclineReason.TOO_SHORT] * 2


def test_attempts_are_limited_and_the_last_one_says_so(shop):
    first, second = shop.pay(STRANGER), shop.pay(STRANGER)
    assert (first.retry, second.retry) == (True, False)
    assert shop.ask() == Declined(DeclineReason.TOO_MANY_ATTEMPTS)


def test_nobody_enrolled_means_no_challenge(tmp_path):
    shop = Shop(tmp_path)
    assert shop.authority.ready().obstacle == DeclineReason.NOBODY_ENROLLED
    assert shop.ask() == Declined(DeclineReason.NOBODY_ENROLLED)


def test_voices_of_another_encoder_are_no_voices(shop):
    shop.encoder.model = "newer"
    assert shop.authority.ready().obstacle == DeclineReason.VOICES_OUTDATED
    assert shop.ask() == Declined(DeclineReason.VOICES_OUTDATED)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModelMissing("gone"), Declined(DeclineReason.ENCODER_MISSING)),
        (ModelDamaged("broken"), Declined(DeclineReason.ENCODER_DAMAGED)),
        (StoreError("full"), Unavailable("store_failed")),
        (RuntimeError("surprise"), Unavailable("error")),
    ],
)
def test_an_encoder_that_fails_pays_nothing(shop, monkeypatch, error, reason):
    challenge = shop.ask()

    class Broken(SpectralEncoder):
        @property
        def model(self):
            raise error

        @model.setter
        def model(self, value):
            pass

        def embed(self, speech):
            raise error

    broken = Broken()
    monkeypatch.setattr(shop.authority, "_encoder", broken)
    monkeypatch.setattr(shop.authority._proof, "_encoder", broken)
    assert isinstance(shop.answer(challenge), Unavailable)
    assert shop.ask("18") == reason
    assert shop.held == 0


def test_a_provider_that_cannot_be_asked_is_not_a_no(shop, monkeypatch):
    def away(order_id, amount):
        raise PaymentUnavailable("no line")

    monkeypatch.setattr(shop.wallet, "authorise", away)
    assert shop.pay() == Unavailable("payment_unavailable")


def test_an_empty_wallet_declines_and_asks_for_no_second_try(tmp_path):
    shop = Shop(tmp_path, balance=1000)
    shop.enrol("anna", ANNA)
    assert shop.pay() == Declined(DeclineReason.INSUFFICIENT_FUNDS)


def test_an_order_is_paid_once_however_often_it_is_asked_for(shop):
    assert isinstance(shop.pay(), Authorised) and isinstance(shop.pay(), Authorised)
    assert shop.held == 1250


def test_what_cannot_be_recorded_is_not_paid(shop, monkeypatch):
    challenge = shop.ask()

    def full(*given, **named):
        raise StoreError("The disk is full.")

    monkeypatch.setattr(shop.audit, "add", full)
    assert shop.answer(challenge) == Unavailable("store_failed")
    assert shop.ask("18") == Unavailable("store_failed")


def test_limits_of_order_and_day(tmp_path):
    shop = Shop(tmp_path, Pay(order_limit=5000, day_limit=8000))
    shop.enrol("anna", ANNA)
    shop.enrol("ben", BEN)
    assert shop.ask(minor=5001) == Declined(DeclineReason.OVER_LIMIT)
    assert shop.ask(minor=0) == Declined(DeclineReason.AMOUNT_INVALID)
    assert isinstance(shop.pay(ANNA, "1", 5000), Authorised)
    assert shop.pay(ANNA, "2", 5000) == Declined(DeclineReason.OVER_DAY_LIMIT)
    assert isinstance(shop.pay(BEN, "3", 5000), Authorised)
    shop.now += timedelta(hours=25)
    assert isinstance(shop.pay(ANNA, "4", 5000), Authorised)


def test_another_name_does_not_give_the_day_limit_anew(tmp_path):
    shop = Shop(tmp_path, Pay(day_limit=2000))
    shop.enrol("anna", ANNA)
    assert isinstance(shop.pay(ANNA, "1"), Authorised)
    shop.voices.rename("anna", "ann")
    shop.enrol("anna", BEN)
    assert shop.pay(ANNA, "2") == Declined(DeclineReason.OVER_DAY_LIMIT)
    assert isinstance(shop.pay(BEN, "3"), Authorised)


@pytest.mark.parametrize(
    ("limits", "person", "told"),
    [
        (Pay(day_limit=2000), ANNA, DeclineReason.OVER_DAY_LIMIT),
        (Pay(lockout_failures=1), ANNA, DeclineReason.LOCKED_OUT),
        (Pay(lockout_failures=1), STRANGER, DeclineReason.LOCKED_OUT),
    ],
)
def test_limits_hold_for_two_devices_that_are_paid_at_the_same_moment(tmp_path, monkeypatch, limits, person, told):
    first, second = Shop(tmp_path, limits), Shop(tmp_path, limits)
    first.enrol("anna", ANNA)
    open_challenges = first.ask("1"), second.ask("2")
    decided = first.audit.decided

    def after_another(*given, **named):
        """The first has looked at the limits, and the other is on record before it."""
        second.answer(open_challenges[1], ANNA if told is DeclineReason.OVER_DAY_LIMIT else STRANGER)
        return decided(*given, **named)

    monkeypatch.setattr(first.audit, "decided", after_another)
    assert first.answer(open_challenges[0], person) == Declined(told)
    assert first.audit.entries()[-1].details["reason"] == told


def test_a_restarted_device_is_still_locked(tmp_path):
    pay = Pay(attempts=2, lockout_failures=4, lockout_seconds=60)
    shop = Shop(tmp_path, pay)
    shop.enrol("anna", ANNA)
    for order in ("1", "2"):
        shop.pay(STRANGER, order)
        shop.pay(STRANGER, order)
    assert shop.ask("3") == Declined(DeclineReason.LOCKED_OUT)
    restarted = Shop(tmp_path, pay)
    assert restarted.ask("3") == Declined(DeclineReason.LOCKED_OUT)
    restarted.now += timedelta(seconds=61)
    assert isinstance(restarted.pay(ANNA, "3"), Authorised)


def test_the_record_tells_who_why_and_how_sure_but_no_digits(shop):
    shop.pay(STRANGER)
    shop.pay(ANNA)
    entries = [entry for entry in shop.audit.entries() if entry.kind in ("challenge", "decision")]
    assert [str(entry.kind) for entry in entries] == ["challenge", "decision"] * 2
    assert entries[1].details["reason"] == "other_voice" and entries[1].details["evidence"]["llr"] < 2
    assert entries[3].details["speaker"] == "anna" and entries[3].details["evidence"]["llr"] > 2
    assert all("digits" not in entry.details for entry in entries)
    assert shop.audit.verify().broken is None


@pytest.mark.parametrize(
    ("said", "at", "reason"),
    [("good morning", 15.0, DeclineReason.NO_PIN), ("four zero two nine one five", 99.0, DeclineReason.EXPIRED)],
)
def test_a_pin_that_does_not_count_is_on_record_and_does_not_come_again(tmp_path, said, at, reason):
    shop = Shop(tmp_path, Pay(attempts=1, spoken_pin=True))
    shop.enrol("anna", ANNA)
    shop.pins.set("anna", "402915")
    request = AuthorisationRequest("17", Money(1250, "USD"))
    assert shop.pay(STRANGER).pin
    assert shop.authority.pin(request, [said], at) == Declined(reason)
    again = shop.authority.pin(request, ["four zero two nine one five"], 15.0)
    assert again == Declined(DeclineReason.CHALLENGE_INVALID)
    recorded = [entry.details for entry in shop.audit.entries() if entry.details.get("by_pin")]
    assert [one["reason"] for one in recorded] == [reason, "challenge_invalid"] and shop.held == 0


def test_fixed_digits_are_for_recorded_answers(tmp_path):
    shop = Shop(tmp_path, fixed_digits="4719")
    shop.enrol("anna", ANNA)
    assert [shop.ask(order).digits for order in "12"] == ["4719", "4719"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "answer"]),
        st.sampled_from(["1", "2"]),
        st.sampled_from([ANNA, STRANGER]),
        st.sampled_from(["right", "wrong", "old"]),
        st.integers(0, 30),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_no_sequence_of_steps_pays_without_fresh_right_digits_in_the_owners_voice(tmp_path_factory, steps):
    shop = Shop(tmp_path_factory.mktemp("shop"), Pay(attempts=20, lockout_failures=100))
    shop.enrol("anna", ANNA)
    asked: dict[str, list[tuple[Challenge, float]]] = {"1": [], "2": []}
    answered: set[Challenge] = set()
    clock = 0.0
    for what, order, person, which, seconds in steps:
        clock += seconds
        if what == "ask":
            challenge = shop.ask(order, at=clock)
            assert isinstance(challenge, Challenge)
            asked[order].append((challenge, clock))
            continue
        if not asked[order]:
            continue
        challenge, at = asked[order][0 if which == "old" else -1]
        fresh = challenge is asked[order][-1][0] and challenge not in answered and clock - at <= 12.0
        hypotheses = [spelled("9" * len(challenge.digits))] if which == "wrong" else None
        outcome = shop.answer(challenge, person, hypotheses, at=clock)
        answered.add(asked[order][-1][0])
        assert isinstance(outcome, Authorised) == (fresh and which != "wrong" and person == ANNA)
