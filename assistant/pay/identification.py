"""Who speaks, among those who are enrolled, or nobody: for greetings, lists and history. Never a proof of payment."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from assistant.errors import VoicecartError
from assistant.hear.audio import RATE, Samples
from assistant.pay.encoder import SpeakerEncoder
from assistant.pay.voiced_speech import VoicedSpeech
from assistant.pay.voices import Voices


@dataclass(frozen=True)
class Identity:
    """Somebody who is enrolled seems to speak.

    Attributes:
        name: Who.
        odds: Natural logarithm of the odds for that person against all others and nobody.
    """

    name: str
    odds: float


def identify(ratios: Mapping[str, float], needed: float) -> Identity | None:
    """The person whose voice it is when that is sure, else None: the set is open.

    Everybody enrolled, and nobody of them, are taken for equally likely beforehand; so two people who sound alike make
    each other unsure.

    Args:
        ratios: Log-likelihood ratio of the speech against each person's template.
        needed: Log-odds that are needed.
    """
    if not ratios:
        return None
    name = max(ratios, key=lambda one: ratios[one])
    others = [ratio for one, ratio in ratios.items() if one != name]
    # log(1 + sum(exp(others))), where the 1 is nobody's likelihood ratio.
    highest = max(0.0, *others) if others else 0.0
    against = highest + math.log(math.exp(-highest) + sum(math.exp(ratio - highest) for ratio in others))
    odds = ratios[name] - against
    return Identity(name, odds) if odds >= needed else None


class Identification:
    """Tells whose voice an utterance is.

    Args:
        voices: The enrolled voices.
        encoder: Compares voices.
        voiced: Finds speech in a clip.
    """

    def __init__(self, voices: Voices, encoder: SpeakerEncoder, voiced: VoicedSpeech) -> None:
        self._voices = voices
        self._encoder = encoder
        self._voiced = voiced

    def who(self, clip: Samples) -> Identity | None:
        """Whose voice it is; None when that is not sure, nothing is enrolled or the encoder cannot tell.

        Args:
            clip: Shape (samples,), 16 kHz mono.
        """
        try:
            scoring = self._encoder.scoring
            needed = scoring.calibration.identification_odds
            templates = self._voices.templates(self._encoder.model) if needed is not None else {}
            if not templates or needed is None:
                return None
            speech = self._voiced(clip)
            seconds = len(speech) / RATE
            if seconds < scoring.calibration.minimum_voiced_seconds:
                return None
            embedding = self._encoder.embed(speech)
        except VoicecartError:
            # A greeting is never worth an apology.
            return None
        verdicts = {name: scoring.judge(template, embedding, seconds) for name, template in templates.items()}
        return identify({name: verdict.likelihood_ratio for name, verdict in verdicts.items()}, needed)
