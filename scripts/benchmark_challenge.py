"""Replays recordings of earlier challenges into the real payment authority, thousands of times.

    .venv/bin/python scripts/benchmark_challenge.py [--attempts 10000] [--state DIR]

Owners are synthesised voices and, with the shared recordings (VOICECART_SHARED), people whose recorded digits are put
together to strings. Every string is recognised once by the device's recogniser, as it is and as a loudspeaker in a room
would replay it. Each owner is enrolled, so that a replay has the right voice and only its digits are old. Prints tables
for docs/payment.md. The household's clock and the audio seconds are the script's.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).with_name("train_voiceprint")))

from error_rates import interval

from assistant.hear.audio import Samples
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.parts import Parts
from assistant.pay.audit import AuditTrail
from assistant.pay.authority import VoiceAuthority
from assistant.pay.challenge import Challenge, draw_digits
from assistant.pay.enrolment import BadTakes, Enrolments
from assistant.pay.outcome import AuthorisationRequest, Authorised, Declined
from assistant.pay.pins import Pins
from assistant.pay.voiced_speech import VoicedSpeech
from assistant.pay.voices import Voices
from assistant.pay.wallet import Wallet
from assistant.settings import Pay, Settings
from assistant.shop.database import open_database
from assistant.shop.feed import read_feed
from assistant.shop.money import Money
from assistant.storefront import shipped_catalog
from scripts.challenge_benchmark.earlier_challenges import Recording, recognised, recorded, synthesised

DigitsOf = Callable[[str], str | None]

DRAWS = 100_000
PRICE = Money(100, "USD")


class Dictated(random.Random):
    """Randomness whose next choices can be dictated: for the digits of a recording that exists already."""

    script = ""

    def choice(self, seq):
        """The next character of the script, or a random one when it is used up."""
        if not self.script:
            return super().choice(seq)
        chosen, self.script = self.script[0], self.script[1:]
        return chosen


class Till:
    """The real authority over a database of its own, with the clock and the dice in the script's hand."""

    def __init__(self, folder: Path, parts: Parts, takes: dict[str, list[Samples]]) -> None:
        folder.mkdir(parents=True)
        engine = open_database(folder)
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)
        voices, voiced = Voices(engine, "home", folder), VoicedSpeech(SileroVoiceActivity)
        settings = parts.settings.pay
        enrolments = Enrolments(voices, parts.encoder, voiced, settings)
        self.dice = Dictated(17)
        self.enrolled = set()
        for name, of_one in takes.items():
            try:
                enrolments.enrol(name, of_one)
                self.enrolled.add(name)
            except BadTakes as error:
                print(f"{name} is not enrolled: {error}", file=sys.stderr)
        self.authority = VoiceAuthority(
            voices,
            parts.encoder,
            voiced,
            Wallet(engine, "home", Money(10_000_000, "USD")),
            AuditTrail(engine, "home", folder, lambda: self.now),
            Pins(engine, "home", folder),
            parts.language.digits_of,
            settings,
            self.dice,
            clock=lambda: self.now,
        )
        self._orders = 0

    def next_order(self) -> AuthorisationRequest:
        """Another order, after any pause that failures have earned."""
        self.now += timedelta(hours=25)
        self._orders += 1
        return AuthorisationRequest(f"{self._orders}", PRICE)

    def challenge(self, request: AuthorisationRequest, digits: str = "") -> Challenge:
        """Fresh digits at audio second 10, or the dictated ones."""
        self.dice.script = digits
        issued = self.authority.challenge(request, 10.0)
        if not isinstance(issued, Challenge):
            raise RuntimeError(f"no challenge: {issued}")
        return issued

    def answer(self, request: AuthorisationRequest, challenge: Challenge, replay: Recording, at: float) -> str:
        """The outcome's name: "authorised", or the reason why not."""
        outcome = self.authority.answer(request, challenge, replay.heard, replay.clip, at)
        if isinstance(outcome, Authorised):
            return "authorised"
        return str(outcome.reason) if isinstance(outcome, Declined) else outcome.code


def replays(till: Till, recordings: Sequence[Recording], attempts: int, digits_of: DigitsOf) -> list[str]:
    """Every attempt replays a random old recording to fresh digits, after the pause that the failures before earned."""
    choice = random.Random(19)
    outcomes: dict[str, Counter[str]] = {}
    hits: Counter[str] = Counter()
    for _ in range(attempts):
        replay = choice.choice(recordings)
        request = till.next_order()
        challenge = till.challenge(request)
        outcomes.setdefault(replay.kind, Counter())[till.answer(request, challenge, replay, 15.0)] += 1
        hits[replay.kind] += digits_of(replay.heard[0]) == challenge.digits
    lines = ["| replayed | attempts | accepted | fresh digits happened to fit | declined because |", "|" + "---|" * 5]
    for kind, counts in [*outcomes.items(), ("all", sum(outcomes.values(), Counter()))]:
        why = ", ".join(f"`{reason}` {count:,}" for reason, count in counts.most_common() if reason != "authorised")
        hit = sum(hits.values()) if kind == "all" else hits[kind]
        lines.append(f"| {kind} | {counts.total():,} | {counts['authorised']} | {hit} | {why} |")
    accepted = sum(counts["authorised"] for counts in outcomes.values())
    low, high = interval(accepted, attempts)
    return [*lines, "", f"Accepted: {accepted} of {attempts:,} (95 % interval {100 * low:.3f}-{100 * high:.3f} %)."]


def controls(till: Till, recordings: Sequence[Recording], digits_of: DigitsOf) -> list[str]:
    """Answers to digits that are those of the recording: in time, the same samples again, too late, too early."""
    cases = ("in time", "in time, the same samples again", "0.1 s late", "10 s late", "0.1 s too early")
    kinds = tuple(dict.fromkeys(f"in time: {recording.kind}" for recording in recordings))
    outcomes = {case: Counter[str]() for case in (*kinds, *cases[1:])}
    for replay in recordings:
        if digits_of(replay.heard[0]) != replay.digits or replay.owner not in till.enrolled:
            continue
        for case in cases:
            # Digits never come twice in a row: another challenge lies between.
            till.challenge(till.next_order())
            request = till.next_order()
            challenge = till.challenge(request, replay.digits)
            late = {
                cases[2]: challenge.expires + 0.1,
                cases[3]: challenge.expires + 10,
                cases[4]: challenge.issued - 0.1,
            }
            outcome = till.answer(request, challenge, replay, late.get(case, 15.0))
            outcomes[f"{case}: {replay.kind}" if case == cases[0] else case][outcome] += 1
    lines = ["| the right digits | answers | accepted | declined because |", "|---|---|---|---|"]
    for case, counts in outcomes.items():
        why = ", ".join(f"`{reason}` {count}" for reason, count in counts.most_common() if reason != "authorised")
        lines.append(f"| {case} | {counts.total()} | {counts['authorised']} | {why} |")
    return lines


def collisions() -> list[str]:
    """How often fresh digits are those of one of the recordings that an attacker owns."""
    lines = ["| digits | possible | draws | old recordings | draws that fit one | expected |", "|" + "---|" * 6]
    for length in (4, 6, 8):
        possible = 10 * 9 ** (length - 1)
        for owned in (1, 100):
            randomness = random.Random(length * 1000 + owned)
            old = {draw_digits(length, randomness) for _ in range(owned)}
            previous, fits = "", 0
            for _ in range(DRAWS):
                previous = draw_digits(length, randomness, previous)
                fits += previous in old
            expected = DRAWS * len(old) / possible
            lines.append(f"| {length} | {possible:,} | {DRAWS:,} | {owned} | {fits} | {expected:.2f} |")
    return lines


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attempts", type=int, default=10_000)
    parser.add_argument("--state", type=Path, help="where compiled graphs are kept between runs")
    arguments = parser.parse_args()
    settings = Settings(pay=Pay(engine="onnx"))
    with tempfile.TemporaryDirectory(prefix="benchmark-challenge-") as name:
        folder = Path(name)
        parts = Parts(settings, read_feed(shipped_catalog()).products, arguments.state or folder / "graphs")
        randomness = random.Random(16)
        takes, said = synthesised(randomness)
        recordings = recognised(parts, said, "synthesised voices")
        try:
            of_people, strings = recorded(randomness)
        except FileNotFoundError as error:
            print(f"Without recorded people: {error}", file=sys.stderr)
        else:
            takes |= of_people
            recordings += recognised(parts, strings, "recorded people")
        right = Counter(r.kind for r in recordings if parts.language.digits_of(r.heard[0]) == r.digits)
        kinds = Counter(r.kind for r in recordings)
        print("Digits heard right:", ", ".join(f"{kind} {right[kind]} of {kinds[kind]}" for kind in kinds), "\n")
        till = Till(folder / "till", parts, takes)
        digits_of = parts.language.digits_of
        # First: what was replayed once is known by its samples.
        print("\n".join(controls(till, recordings, digits_of)), "\n", flush=True)
        print("\n".join(replays(till, recordings, arguments.attempts, digits_of)), "\n", flush=True)
        print("\n".join(collisions()))


if __name__ == "__main__":
    main()
