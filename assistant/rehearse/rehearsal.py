"""A rehearsal: one scenario, played as sound against a fresh device."""

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from assistant.assembly import Household, Parts, open_device
from assistant.events import EventStream, Observer
from assistant.hear.audio import RATE, Samples
from assistant.hear.reading import read_audio
from assistant.observe.recording import Recording
from assistant.rehearse.judging import Verdict, judge
from assistant.rehearse.room import at_ratio, make_noise, speech_power
from assistant.rehearse.scenario import Noise, Scenario
from assistant.rehearse.script import Script
from assistant.rehearse.shopper import ShopperSource
from assistant.rehearse.voices import ShopperVoice
from assistant.shop.orders import Order
from assistant.speak.loudspeakers import SilentLoudspeaker

_NOISE_SECONDS = 20.0


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
) -> Rehearsal:
    """Plays one scenario on a device with an empty cart and nobody enrolled but the scenario's owner.

    Args:
        scenario: What the shopper does and what is expected.
        parts: Catalog, language and models.
        folder: Where the scenario's recordings are looked for.
        observers: Take the device's events too.
        recording: Where the WAV of the whole conversation goes.
        monitor: Hears the whole conversation as it happens.

    Raises:
        VoicecartError: The device cannot be built, or the owner's voice cannot be enrolled.
    """
    with tempfile.TemporaryDirectory(prefix="voicecart-") as temporary:
        state = Path(temporary)
        household = Household(parts, state, randomness=random.Random(scenario.name))
        if scenario.owner is not None:
            enrol(household, "owner", scenario.owner)
        stream = EventStream()
        # The device is made after the shopper, whose clock it is.
        script = Script(scenario, folder, parts.language.spell_digits, lambda: device.now, speak)
        source = ShopperSource(script.next_turn, _background(scenario, folder))
        for observer in (script.observe, source.observe, *observers):
            stream.subscribe(observer)
        with Recording(recording or state / "conversation.wav", monitor) as recorder:
            device = open_device(
                parts,
                household,
                recorder.source(source),
                recorder.loudspeaker(SilentLoudspeaker()),
                stream,
            )
            device.run()
        orders = household.store.orders()
        bought = [line for order in orders for line in order.lines]
        return Rehearsal(judge(scenario, script.records(), bought), orders)


def enrol(household: Household, name: str, voice: str) -> None:
    """Enrols a simulated voice from the language's enrolment sentences.

    Raises:
        EnrolmentError: The voice is not good enough.
    """
    takes = [speak(voice, sentence) for sentence in household.parts.language.enrolment_sentences]
    household.enrolments.enrol(name, takes)


def _background(scenario: Scenario, folder: Path) -> Samples | None:
    if scenario.noise is None:
        return None
    reference = speak(scenario.voice, "order two cartons of oat milk")
    power = speech_power(reference) * 10 ** (scenario.gain_decibels / 10)
    return at_ratio(_noise(scenario.noise, folder), power, scenario.noise.decibels)


def _noise(noise: Noise, folder: Path) -> Samples:
    if noise.kind == "wav":
        samples = read_audio(folder / (noise.wav or ""))
        return np.asarray(samples / max(1e-9, float(np.sqrt(np.mean(samples**2)))), np.float32)
    return make_noise(noise.kind, _NOISE_SECONDS, np.random.default_rng(round(noise.decibels * 10) + RATE))
