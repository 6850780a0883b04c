"""A rehearsal: one scenario, played as sound against a fresh device."""

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache, partial
from pathlib import Path

import numpy as np

from assistant.assembly import open_device
from assistant.events import Event, EventStream, Observer, Reply
from assistant.hear.audio import RATE, Samples
from assistant.hear.reading import read_audio
from assistant.hear.segmenter import Segmenter
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.household import Household
from assistant.observe.recording import Recording
from assistant.parts import Parts
from assistant.pay.authority import local_time
from assistant.pay.guided_enrolment import GuidedEnrolment
from assistant.pay.roles import Role
from assistant.pay.verification import Embedding
from assistant.rehearse.judging import Verdict, judge
from assistant.rehearse.room import at_ratio, make_noise, speech_power
from assistant.rehearse.scenario import Noise, Scenario
from assistant.rehearse.script import Said, Script
from assistant.rehearse.shopper import ShopperSource, Turn
from assistant.rehearse.voices import ShopperVoice
from assistant.shop.database import database_file, open_database
from assistant.shop.orders import Order, OrderStatus
from assistant.shop.promotions.rule_entries import RuleDocument
from assistant.shop.shelf import Shelf
from assistant.shop.sqlite import copy_database
from assistant.speak.loudspeakers import SilentLoudspeaker
from assistant.speak.mouth import Mouth

_OWNER = "owner"
_NOISE_SECONDS = 20.0
_TEMPLATES: dict[tuple[str, tuple[str, ...], str], Embedding] = {}


@dataclass(frozen=True)
class Rehearsal:
    """What came out.

    Attributes:
        verdict: What was expected against what happened.
        orders: The paid orders, newest first.
    """

    verdict: Verdict
    orders: tuple[Order, ...]


@cache
def speak(voice: str, text: str) -> Samples:
    """Speech of a simulated shopper; the same words are synthesised once."""
    return ShopperVoice.parse(voice).say(text)


def rehearse(
    scenario: Scenario,
    parts: Parts,
    folder: Path,
    *,
    observers: Sequence[Observer] = (),
    recording: Path | None = None,
    monitor: Callable[[Samples], None] | None = None,
    aloud: bool = False,
    said: Said = lambda at, voice, words: None,
    rules: RuleDocument | None = None,
) -> Rehearsal:
    """Plays one scenario on a device with an empty cart and nobody enrolled but the scenario's owner and people.

    Args:
        scenario: What the shopper does and what is expected.
        parts: Catalog, language and models; a shelf's database is a file, of which the device has a copy.
        folder: Where the scenario's recordings are looked for.
        observers: Take the device's events too.
        recording: Where the WAV of the whole conversation goes.
        monitor: Hears the whole conversation as it happens.
        aloud: Whether the owner enrols by talking with the device, before the first turn, instead of from files.
        said: Takes what the shoppers say.
        rules: Promotions, deposits and taxes; None has none.

    Raises:
        VoicecartError: The device cannot be built, or a voice cannot be enrolled.
    """
    with tempfile.TemporaryDirectory(prefix="voicecart-") as temporary:
        state = Path(temporary)
        if isinstance(parts.products, Shelf):
            parts = parts.over(_copied(parts.products, state))
        stream = EventStream()
        clock = _clock(scenario.time, lambda: device.now)
        household = Household(parts, state, randomness=random.Random(scenario.name), play_money=True, clock=clock)
        if rules is not None:
            household.store.prices.switch(rules)
        for name, text in scenario.addresses.items():
            household.errands.addresses.add(name, text)
        # The device is made after the shopper, whose clock it is.
        carry = partial(_carry, household)
        script = Script(scenario, folder, parts.language.spell_digits, lambda: device.now, speak, said, carry)
        source = ShopperSource(script.next_turn, _background(scenario, folder))
        with Recording(recording or state / "conversation.wav", monitor) as recorder:
            loudspeaker = recorder.loudspeaker(SilentLoudspeaker())
            if scenario.owner is not None and not aloud:
                enrol(household, _OWNER, scenario.owner)
            elif scenario.owner is not None:
                enrol_aloud(household, _OWNER, scenario.owner, recorder, observers, said)
            for name, person in scenario.people.items():
                enrol(household, name, person.voice, person.role)
                if person.pin is not None:
                    household.pins.set(name, person.pin)
            for observer in (script.observe, source.observe, recorder.observe, *observers):
                stream.subscribe(observer)
            device = open_device(parts, household, recorder.source(source), loudspeaker, stream)
            device.run()
        orders = household.store.orders()
        return Rehearsal(judge(scenario, script.records(), orders), orders)


def _copied(shelf: Shelf, state: Path) -> Shelf:
    """The imported catalog in the device's own folder, so that what is bought there is bought nowhere else."""
    copy_database(Path(shelf.engine.url.database or ""), database_file(state))
    return shelf.over(open_database(state))


def _carry(household: Household, status: str) -> None:
    """The newest order is there now."""
    household.store.move_order(household.store.orders(1)[0].id, OrderStatus(status))


def _clock(begin: str | None, now: Callable[[], float]) -> Callable[[], datetime] | None:
    """A time of day that goes on with the sound; None is this machine's."""
    if begin is None:
        return None
    at = datetime.combine(local_time().date(), time.fromisoformat(begin), local_time().tzinfo)
    return lambda: at + timedelta(seconds=now())


def enrol(household: Household, name: str, voice: str, role: Role = Role.ADULT) -> None:
    """Enrols a simulated voice from the language's enrolment sentences.

    The same voice says the same sentences every time, so that its template is made once for each encoder.

    Raises:
        EnrolmentError: The voice is not good enough.
    """
    sentences = tuple(household.parts.language.enrolment_sentences)
    model = household.parts.encoder.model
    known = _TEMPLATES.get((voice, sentences, model))
    if known is not None:
        household.voices.save(name, known, model, len(sentences), role=role)
        return
    household.enrolments.enrol(name, [speak(voice, sentence) for sentence in sentences], role=role)
    _TEMPLATES[voice, sentences, model] = household.voices.templates(model)[name]


def enrol_aloud(
    household: Household,
    name: str,
    voice: str,
    recorder: Recording,
    observers: Sequence[Observer] = (),
    said: Said = lambda at, voice, words: None,
) -> None:
    """Enrols a simulated voice that says each sentence after the device.

    Raises:
        EnrolmentError: The voice is not good enough.
    """
    parts, settings = household.parts, household.parts.settings
    sentences = parts.language.enrolment_sentences[: household.enrolments.utterances]
    repeater = _Repeater(voice, sentences, said)
    source = ShopperSource(repeater.next_turn)
    stream = EventStream()
    for observer in (repeater.observe, source.observe, *observers):
        stream.subscribe(observer)
    guide = GuidedEnrolment(
        recorder.source(source),
        SileroVoiceActivity(),
        Segmenter(settings.hear),
        Mouth(
            parts.synthesiser, recorder.loudspeaker(SilentLoudspeaker()), settings.speak.tail_seconds, stream.publish
        ),
        parts.replies,
        household.enrolments,
        settings,
    )
    guide.enrol(name, sentences)


class _Repeater:
    """A shopper who says the sentence that the device asked for last, and leaves when it asks for none."""

    def __init__(self, voice: str, sentences: Sequence[str], said: Said) -> None:
        self._voice = voice
        self._said = said
        self._at = 0.0
        self._sentences = sentences
        self._asked: str | None = None

    def observe(self, event: Event) -> None:
        if isinstance(event, Reply):
            self._at = event.at
            self._asked = next((sentence for sentence in self._sentences if sentence in event.text), None)

    def next_turn(self) -> Turn | None:
        if self._asked is None:
            return None
        self._said(self._at, self._voice, self._asked)
        return Turn(speak(self._voice, self._asked))


def _background(scenario: Scenario, folder: Path) -> Samples | None:
    if scenario.noise is None:
        return None
    reference = speak(scenario.sound(), "order two cartons of oat milk")
    power = speech_power(reference) * 10 ** (scenario.gain_decibels / 10)
    return at_ratio(_noise(scenario.noise, folder), power, scenario.noise.decibels)


def _noise(noise: Noise, folder: Path) -> Samples:
    if noise.kind == "wav":
        samples = read_audio(folder / (noise.wav or ""))
        return np.asarray(samples / max(1e-9, float(np.sqrt(np.mean(samples**2)))), np.float32)
    return make_noise(noise.kind, _NOISE_SECONDS, np.random.default_rng(round(noise.decibels * 10) + RATE))
