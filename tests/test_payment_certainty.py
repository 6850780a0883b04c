"""Nothing uncertain ever pays: whatever comes together of voice, digits, role, limits, hours, PIN and pauses.

A household lives through days of orders, answers, PINs, waits and restarts. Beside the device, which is real but for
the embeddings of the voices, stands an oracle that knows the rules and nothing of the code. Both must agree each time.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from spectral_encoder import voiced_speech
from test_authority import digits_of, spelled

from assistant.hear.audio import RATE
from assistant.pay.audit import AuditTrail
from assistant.pay.authority import VoiceAuthority
from assistant.pay.challenge import Challenge
from assistant.pay.demands import Demands
from assistant.pay.outcome import AuthorisationRequest, Authorised, Declined, Unavailable
from assistant.pay.pins import Pins
from assistant.pay.roles import Role
from assistant.pay.verification import Calibration, Scoring
from assistant.pay.voices import Voices
from assistant.pay.wallet import Account, Wallet
from assistant.settings import Pay
from assistant.shop.database import open_database
from assistant.shop.money import Money

NEEDED, LEAD = 2.0, 2.3
PAY = Pay(
    order_limit=3_000,
    day_limit=5_000,
    pin_limit=1_500,
    quiet_hours="23:00-06:00",
    lockout_failures=3,
    lockout_seconds=60,
    spoken_pin=True,
    digits_above=(),
)
PEOPLE = {"anna": Role.ADULT, "ben": Role.ADULT, "tim": Role.CHILD}
PINS = {"402915": "anna", "730164": "ben"}
BEGIN = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# Likelihood ratios: of somebody else, just too little, just enough, close to each other, certain, and no number.
VOICES = st.sampled_from(
    [(9.0, -6.0, -6.0), (-6.0, NEEDED, -6.0), (-6.0, -6.0, 9.0), (6.5, -6.0, 4.2), (6.6, 1.0, 4.2), (1.9, 1.9, 1.9)]
)
FLAWS = st.sampled_from([{}, {}, {}, {"words": "wrong"}, {"words": "more"}, {"clip": "again"}, {"clip": "short"}])
RATIOS = st.sampled_from([-6.0, 1.99, NEEDED, 4.2, 4.31, 9.0, float("nan"), float("inf")])


class DrawnEncoder:
    """Implements ``SpeakerEncoder``: the next embedding has just these likelihood ratios to the people."""

    model = "drawn"
    scoring = Scoring(np.zeros((0, len(PEOPLE))), Calibration(1, 1.0, 0.0, 0.0, NEEDED, 0.8, 0.8, 1.0, 3))
    ratios: tuple[float, ...] = ()

    def prepare(self) -> None:
        pass

    def embed(self, speech: np.ndarray) -> np.ndarray:
        return np.array(self.ratios)


@dataclass
class Sale:
    """What the oracle knows of one order."""

    request: AuthorisationRequest
    challenge: Challenge | None = None
    tries: int = 0
    approving: bool = False
    pin_until: float | None = None
    paid: bool = False
    digits: list[str] = field(default_factory=list)


class Payments(RuleBasedStateMachine):
    engine, folder, households = None, None, count()

    def __init__(self) -> None:
        super().__init__()
        self.household = f"home {next(self.households)}"
        self.at, self.now = 0.0, BEGIN
        self.row: list[datetime] = []
        self.paid: list[tuple[datetime, str, int, bool]] = []
        self.roles = dict(PEOPLE)
        self.without_pin: set[str] = set()
        self.sale: Sale | None = None
        self.noise = np.random.default_rng(3)
        self.clip = np.zeros(0, np.float32)
        self.clips: set[bytes] = set()
        self.numbers = count(1)

    @initialize()
    def enrol(self) -> None:
        voices = Voices(self.engine, self.household, self.folder)
        for number, (name, role) in enumerate(PEOPLE.items()):
            voices.save(name, np.eye(len(PEOPLE))[number], DrawnEncoder.model, 5, role=role)
        pins = Pins(self.engine, self.household, self.folder)
        for pin, name in PINS.items():
            pins.set(name, pin)
        self.voices, self.pins, self.encoder = voices, pins, DrawnEncoder()
        self.wallet = Wallet(self.engine, self.household, Money(10**9, "USD"))
        self.audit = AuditTrail(self.engine, self.household, self.folder, lambda: self.now)
        self.restart()

    @rule()
    def restart(self) -> None:
        """The device dies and starts again; the order under way is given up."""
        self.sale, self.clips = None, set()
        self.authority = VoiceAuthority(
            self.voices, self.encoder, voiced_speech(), self.wallet, self.audit, self.pins, digits_of, PAY,
            random.Random(len(self.paid)), None, lambda: self.now,
        )  # fmt: skip

    @rule(pause=st.sampled_from([1 * MINUTE, 3 * MINUTE, 30 * MINUTE, 7 * 60 * MINUTE, DAY, 31 * DAY]))
    def wait(self, pause: timedelta) -> None:
        self.pass_time(pause.total_seconds())

    @rule(name=st.sampled_from(list(PEOPLE)), role=st.sampled_from(Role))
    def change_role(self, name: str, role: Role) -> None:
        if self.roles[name] is role or (role is Role.CHILD and list(self.roles.values()).count(Role.ADULT) == 1):
            return
        self.voices.change_role(name, role)
        if role is Role.CHILD:
            self.without_pin.add(name)  # for good: one who becomes an adult again gets a new one
        self.roles[name] = role

    @rule(
        minor=st.sampled_from([400, 900, 1_500, 1_501, 2_500, 3_000, 3_001]),
        adult=st.sampled_from([False, False, True]),
        guarded=st.sampled_from([False, False, True]),
    )
    def order(self, minor: int, adult: bool, guarded: bool) -> None:
        number = f"{self.household} {next(self.numbers)}"
        self.sale = Sale(AuthorisationRequest(number, Money(minor, "USD"), Demands(adult, guarded)))
        self.ask()

    @precondition(lambda self: self.sale and not self.sale.paid)
    @rule()
    def ask(self) -> None:
        sale = self.sale
        sale.challenge, sale.pin_until = None, None
        answer = self.authority.challenge(sale.request, self.at)
        known = self.forbidden(sale.request, None) or sale.tries >= PAY.attempts
        assert isinstance(answer, Declined if known else Challenge)
        if isinstance(answer, Challenge):
            assert not sale.digits or answer.digits != sale.digits[-1]
            sale.digits.append(answer.digits)
            sale.challenge, sale.tries = answer, sale.tries + 1

    @precondition(lambda self: self.sale and self.sale.digits and not self.sale.paid)
    @rule(
        ratios=st.tuples(RATIOS, RATIOS, RATIOS),
        words=st.sampled_from(["right", "right", "right", "wrong", "first", "more", "nothing"]),
        clip=st.sampled_from(["new", "new", "new", "again", "short"]),
        seconds=st.sampled_from([3.0, 3.0, 11.9, 13.0, 21.0]),
        old=st.sampled_from([False, False, False, True]),
    )
    def answer(self, ratios: tuple[float, ...], words: str, clip: str, seconds: float, old: bool) -> None:
        sale = self.sale
        self.pass_time(seconds)
        given = sale.challenge or Challenge(
            sale.digits[-1], sale.request.order_id, sale.request.amount, 1, self.at - 3, self.at + 9
        )
        if old and len(sale.digits) > 1:
            given = Challenge(sale.digits[0], sale.request.order_id, sale.request.amount, 1, self.at - 3, self.at + 9)
        if clip != "again" or not len(self.clip):
            length = 0.3 if clip == "short" else 1.2
            self.clip = self.noise.uniform(-0.4, 0.4, round(length * RATE)).astype(np.float32)
        heard = {
            "right": given.digits,
            "wrong": f"{given.digits[:-1]}{(int(given.digits[-1]) + 1) % 10}",
            "first": sale.digits[0],
            "more": f"{given.digits}1",
            "nothing": "",
        }[words]
        self.encoder.ratios = ratios
        outcome = self.authority.answer(sale.request, given, [spelled(heard)], self.clip, self.at)

        valid = sale.challenge is not None and given == sale.challenge
        in_time = valid and self.at <= given.issued + (20.0 if sale.approving else 12.0)
        right = heard == given.digits
        fresh = self.clip.tobytes() not in self.clips
        enough = len(self.clip) >= 0.8 * RATE
        known = {name: ratio for name, ratio in zip(PEOPLE, ratios, strict=True) if np.isfinite(ratios).all()}
        fitting = {name: ratio for name, ratio in known.items() if ratio >= NEEDED}
        speaker = self.certain_adult(fitting)
        if valid:
            self.clips.add(self.clip.tobytes())
        proved = in_time and right and fresh and enough and bool(fitting)
        failed = in_time and (not right or not fresh or (enough and not fitting))
        self.agree(outcome, proved and speaker and not self.forbidden(sale.request, speaker), speaker, by_pin=False)
        self.remember(failed)
        if proved and not speaker and not sale.approving and not sale.request.demands.adult:
            # A child has asked: from now on an adult answers.
            assert isinstance(outcome, Declined) and outcome.retry
            sale.approving, sale.tries = True, 0
        unsure = in_time and right and fresh and not (enough and fitting)
        may_pin = unsure and given.number >= PAY.attempts and not self.pin_forbidden(sale.request, None)
        assert isinstance(outcome, Authorised) or (isinstance(outcome, Declined) and outcome.pin == may_pin)
        sale.pin_until = self.at + 12.0 if may_pin else None
        sale.challenge = None

    @rule(
        minor=st.sampled_from([400, 1_500, 3_000]),
        rest=st.sampled_from([MINUTE, 9 * 60 * MINUTE, DAY, 31 * DAY]),
        voice=VOICES,
        flaw=FLAWS,
        again=VOICES,
    )
    def buy(
        self,
        minor: int,
        rest: timedelta,
        voice: tuple[float, ...],
        flaw: dict[str, str],
        again: tuple[float, ...],
    ) -> None:
        """An order with at most one thing wrong; when an adult is asked for, somebody answers."""
        self.wait(rest)
        self.order(minor, adult=False, guarded=False)
        if self.sale.challenge is not None:
            self.answer(voice, flaw.get("words", "right"), flaw.get("clip", "new"), 3.0, old=False)
        if self.sale.approving:
            self.ask()
            self.answer(again, "right", "new", 13.0, old=False)

    @rule(pin=st.sampled_from([*PINS, "402916"]))
    def speak_hoarsely(self, pin: str) -> None:
        """A small order with the right digits in a voice that is not known, and then a PIN."""
        self.order(400, adult=False, guarded=False)
        while self.sale.challenge is not None:
            self.answer((-6.0, 1.99, -6.0), "right", "new", 3.0, old=False)
            if self.sale.tries < PAY.attempts:
                self.ask()
        self.say_pin(pin, 3.0)

    @precondition(lambda self: self.sale and not self.sale.paid)
    @rule(
        pin=st.sampled_from([*PINS, *PINS, "402916", "4029150", "40291", ""]), seconds=st.sampled_from([3.0, 3.0, 13.0])
    )
    def say_pin(self, pin: str, seconds: float) -> None:
        sale = self.sale
        self.pass_time(seconds)
        outcome = self.authority.pin(sale.request, [spelled(pin)], self.at)
        in_time = sale.pin_until is not None and self.at <= sale.pin_until
        owner = PINS.get(pin, "")
        speaker = owner if owner and self.roles[owner] is Role.ADULT and owner not in self.without_pin else ""
        judged = in_time and pin and not self.pin_forbidden(sale.request, None)
        self.agree(outcome, judged and speaker and not self.pin_forbidden(sale.request, speaker), speaker, by_pin=True)
        self.remember(bool(judged and not speaker))
        sale.pin_until = None

    @invariant()
    def the_money_is_what_was_authorised(self) -> None:
        if hasattr(self, "wallet"):
            assert self.wallet.account(Account.HELD).minor == sum(minor for _, _, minor, _ in self.paid)

    def teardown(self) -> None:
        if hasattr(self, "audit"):
            assert self.audit.verify().broken is None
            for entry in self.audit.entries():
                assert not any(pin in str(entry.details) for pin in PINS)

    # --- The oracle ---------------------------------------------------------------------------------------------------

    def agree(self, outcome: object, certain: object, speaker: str, *, by_pin: bool) -> None:
        """Yes when everything is certain, no in every other case, and never an excuse."""
        assert not isinstance(outcome, Unavailable)
        assert isinstance(outcome, Authorised) == bool(certain), (outcome, certain)
        if isinstance(outcome, Authorised):
            assert outcome.speaker == speaker and self.roles[speaker] is Role.ADULT
            assert (outcome.order_id, outcome.amount) == (self.sale.request.order_id, self.sale.request.amount)
            self.paid.append((self.now, speaker, outcome.amount.minor, by_pin))
            self.row, self.sale.paid = [], True

    def certain_adult(self, fitting: dict[str, float]) -> str:
        if not fitting:
            return ""
        best = max(fitting, key=lambda name: fitting[name])
        children = [ratio for name, ratio in fitting.items() if self.roles[name] is Role.CHILD]
        sure = self.roles[best] is Role.ADULT and all(fitting[best] - ratio >= LEAD for ratio in children)
        return best if sure else ""

    def forbidden(self, request: AuthorisationRequest, speaker: str | None) -> bool:
        minor, hour = request.amount.minor, self.now.hour
        today = sum(amount for at, who, amount, _ in self.paid if who == speaker and self.now - at < DAY)
        return minor > 3_000 or hour >= 23 or hour < 6 or self.locked() or (bool(speaker) and today + minor > 5_000)

    def pin_forbidden(self, request: AuthorisationRequest, speaker: str | None) -> bool:
        by_pin = sum(minor for at, who, minor, pin in self.paid if pin and who == speaker and self.now - at < DAY)
        needs_voice = request.demands.adult or request.demands.guarded
        return needs_voice or by_pin + request.amount.minor > 1_500 or self.forbidden(request, speaker)

    def locked(self) -> bool:
        """Three failures in a row are a minute, each further one doubles it, up to a day; a month forgets them."""
        row = [at for at in self.row if at >= self.now - 30 * DAY]
        return len(row) >= 3 and self.now < row[-1] + min(2.0 ** (len(row) - 3) * MINUTE, DAY)

    def remember(self, failed: bool) -> None:
        if failed:
            self.row.append(self.now)

    def pass_time(self, seconds: float) -> None:
        self.at += seconds
        self.now += timedelta(seconds=seconds)


@pytest.mark.filterwarnings("ignore:invalid value encountered in matmul")
def test_nothing_uncertain_pays_and_everything_certain_does(tmp_path):
    Payments.engine, Payments.folder = open_database(tmp_path), tmp_path
    run_state_machine_as_test(
        Payments,
        settings=settings(
            max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
