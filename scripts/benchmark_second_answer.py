"""What a second answer to a challenge is worth, judged by itself and together with the first.

    python scripts/benchmark_second_answer.py WORK

Needs the shared recordings (VOICECART_SHARED). Every two clips of a held-out speaker, of so many seconds of speech
each, answer two challenges of one order, in the way the device judges them (`assistant/pay/proof.py`): to be the
speaker themself, and to be every other one of the same set. `WORK` keeps the voiced speech of the held-out speakers
between runs. Prints a table for docs/voiceprint-model.md; impostors' rates are of purchases, two attempts each.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).with_name("train_voiceprint")))

from augment import Noises, degrade
from error_rates import interval
from held_out import Owner, owners
from recordings import shared_folder
from trials import enrol

from assistant.hear.audio import Samples
from assistant.pay.challenge import Challenge
from assistant.pay.encoder import SpeakerEncoder, open_encoder
from assistant.pay.proof import VoiceProof
from assistant.pay.verification import Embedding, mean_embedding
from assistant.settings import Pay
from assistant.shop.money import Money

DIGITS = "471906"
_FIRST, _ALONE, _TOGETHER = "first answer", "first or second", "first, second or both together"


class Remembering:
    """An encoder that embeds no clip twice."""

    def __init__(self, encoder: SpeakerEncoder) -> None:
        self.model, self.scoring, self._encoder = encoder.model, encoder.scoring, encoder
        self._known: dict[bytes, Embedding] = {}

    def embed(self, speech: Samples) -> Embedding:
        """As the encoder does."""
        key = speech.tobytes()
        if key not in self._known:
            self._known[key] = self._encoder.embed(speech)
        return self._known[key]


class OneOwner:
    """The only enrolled voice."""

    def __init__(self, template: Embedding) -> None:
        self._template = template

    def templates(self, model: str) -> dict[str, Embedding]:
        """Whatever the encoder."""
        return {"owner": self._template}


class AllSpeech:
    """Clips whose silence has been cut out already."""

    def mask(self, clip: Samples) -> np.ndarray:
        """Every sample is speech."""
        return np.ones(len(clip), bool)


def outcomes(encoder: Remembering, template: Embedding, clips: tuple[Samples, Samples]) -> set[str]:
    """Which ways of judging two answers let them pay."""
    found = set()
    proof = VoiceProof(OneOwner(template), encoder, AllSpeech(), lambda text: text, Pay())
    for number, (clip, order) in enumerate(zip((*clips, clips[1]), ("both", "both", "second"), strict=True)):
        if number == 2:  # By itself: to a device that has not heard the first.
            proof = VoiceProof(OneOwner(template), encoder, AllSpeech(), lambda text: text, Pay())
        challenge = Challenge(DIGITS, order, Money(100, "USD"), 1, 0.0, 12.0)
        if proof.judge(challenge, [DIGITS], clip, 5.0).reason is None:
            found |= ({_FIRST, _ALONE, _TOGETHER}, {_TOGETHER}, {_ALONE, _TOGETHER})[number]
    return found


def pairs(
    people: list[Owner], seconds: float, change: Callable[[Samples], Samples]
) -> Iterator[tuple[int, Samples, Samples]]:
    """Row of the speaker, and two clips one after the other."""
    for row, person in enumerate(people):
        clips = [change(clip).astype(np.float32) for clip in person.tests(seconds)]
        yield from ((row, first, second) for first, second in pairwise(clips))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    arguments = parser.parse_args()
    people = [one for one in owners(arguments.work, "report") if one.evaluation_set != "synthetic"]
    encoder = Remembering(open_encoder(Pay(engine="onnx")))
    templates = [mean_embedding(takes) for takes in enrol(people, encoder.embed)]
    noises, chance = Noises(shared_folder() / "noise", held_out=True), np.random.default_rng(5)
    noisy = lambda clip: degrade(clip, noises, chance)
    print("| two answers of | pays after | owners (95 %) | impostors (95 %) |\n|---|---|---|---|")
    for name, seconds, change in (
        ("1.5 s", 1.5, lambda clip: clip), ("3 s", 3.0, lambda clip: clip), ("3 s, noisy rooms", 3.0, noisy),
    ):  # fmt: skip
        paid: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        tried: Counter[bool] = Counter()
        for row, first, second in pairs(people, seconds, change):
            for owner, template in enumerate(templates):
                if people[owner].evaluation_set == people[row].evaluation_set:
                    tried[owner == row] += 1
                    paid[owner == row].update(outcomes(encoder, template, (first, second)))
        for way in (_FIRST, _ALONE, _TOGETHER):
            cells = []
            for own in (True, False):
                low, high = interval(paid[own][way], tried[own])
                cells.append(
                    f"{paid[own][way]} of {tried[own]:,}: {paid[own][way] / tried[own]:.2%} ({low:.2%}-{high:.2%})"
                )
            print(f"| {name} | {way} | {cells[0]} | {cells[1]} |", flush=True)


if __name__ == "__main__":
    main()
