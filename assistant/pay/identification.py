"""Who speaks, among those who are enrolled, or nobody: for greetings, lists and history. Never a proof of payment."""

import math
from collections.abc import Mapping

from assistant.hear.audio import RATE, Samples
from assistant.pay.encoder import SpeakerEncoder
from assistant.pay.voiced_speech import VoicedSpeech
from assistant.pay.voices import Voices


def identify(ratios: Mapping[str, float], needed: float) -> str | None:
    """The person whose voice it is when that is sure, else None: the set is open.

    Everybody enrolled, and nobody of them, are taken for equally likely beforehand. So the best ratio has to be at
    least ``needed``, and as far ahead of the second: two people who sound alike make each other unsure.

    Args:
        ratios: Natural log-likelihood ratio of the speech against each person's template, by name.
        needed: Natural log-odds that are needed for one person against all others and nobody.
    """
    if not ratios or not all(map(math.isfinite, ratios.values())):
        return None
    best = max(ratios, key=lambda name: ratios[name])
    # Nobody's likelihood ratio is one.
    others = [0.0, *(ratio for name, ratio in ratios.items() if name != best)]
    highest = max(others)
    against = highest + math.log(math.fsum(math.exp(ratio - highest) for ratio in others))
    return best if ratios[best] - against >= needed else None


class Identification:
    """Tells whose voice an utterance is.

    Args:
        voices: The enrolled voices.
        encoder: Compares voices; asked only when somebody is enrolled and the clip has enough speech.
        voiced: Finds speech in a clip.
    """

    def __init__(self, voices: Voices, encoder: SpeakerEncoder, voiced: VoicedSpeech) -> None:
        self._voices = voices
        self._encoder = encoder
        self._voiced = voiced

    def people(self) -> tuple[str, ...]:
        """Everybody who can be told from somebody else: nobody where fewer than two are enrolled.

        Raises:
            StoreError: The voices cannot be read.
        """
        names = tuple(voice.name for voice in self._voices.list())
        return names if len(names) > 1 else ()

    def who(self, clip: Samples) -> str | None:
        """The name of the person whose voice it is; None when that is not sure or nobody is enrolled.

        Args:
            clip: Shape (samples,), 16 kHz mono.

        Raises:
            ModelMissing: There is no encoder.
            ModelDamaged: It is not whole, or gives no usable embedding.
            StoreError: The voices cannot be read.
        """
        if not self._voices.list():
            return None
        templates = self._voices.templates(self._encoder.model)
        speech = self._voiced(clip)
        seconds, scoring = len(speech) / RATE, self._encoder.scoring
        if not templates or seconds < scoring.calibration.minimum_voiced_seconds:
            return None
        embedding = self._encoder.embed(speech)
        ratios = {
            name: scoring.judge(template, embedding, seconds).likelihood_ratio for name, template in templates.items()
        }
        return identify(ratios, scoring.calibration.threshold)
