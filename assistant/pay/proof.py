"""The proof of who speaks: the very clip in which the fresh digits were heard is an enrolled person's voice."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from assistant.hear.audio import RATE, Samples
from assistant.pay.challenge import Challenge
from assistant.pay.encoder import SpeakerEncoder
from assistant.pay.one_voice import Unity, coverage, unity, windows
from assistant.pay.outcome import DeclineReason
from assistant.pay.replay import fingerprint
from assistant.pay.verification import Embedding, mean_embedding
from assistant.pay.voiced_speech import VoicedSpeech
from assistant.pay.voices import Voices
from assistant.settings import Pay

_REMEMBERED_CLIPS = 1000
_TOGETHER = 0.5
"""Log-likelihood ratio above the threshold that two answers together need: as a second way in, they would let more
impostors in without it. ``scripts/benchmark_second_answer.py`` measures what it is worth."""


@dataclass(frozen=True)
class Proof:
    """What an answer proves.

    Attributes:
        speaker: The enrolled person who said the digits; empty when that is not proved.
        reason: Why it is not proved; None when it is.
        evidence: Scores of the voice, for the audit trail; empty when the voice was not judged.
        fitting: Everybody whose voice was accepted, with the log-likelihood ratio; ``speaker`` has the highest.
    """

    speaker: str = ""
    reason: DeclineReason | None = None
    evidence: Mapping[str, float] = field(default_factory=dict)
    fitting: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Voice:
    """The voice of an answer, or of two together.

    Attributes:
        embedding: Of all its speech.
        seconds: Of speech.
        windows: Embeddings of its windows, in their order; none where nobody has measured what one voice has.
        covered: Share of speech from the first to the last of it.
    """

    embedding: Embedding
    seconds: float
    windows: tuple[Embedding, ...]
    covered: float

    def and_then(self, later: "_Voice") -> "_Voice":
        """Both answers as one."""
        return _Voice(
            mean_embedding(np.stack([self.embedding, later.embedding])),
            self.seconds + later.seconds,
            (*self.windows, *later.windows),
            min(self.covered, later.covered),
        )


class VoiceProof:
    """Digits first, then the voice, then that it is one voice all the way: the first that is missing is the reason.

    Args:
        voices: The enrolled voices.
        encoder: Compares voices.
        voiced: Finds speech in a clip.
        digits_of: Digits that words mean, e.g. ``"four seven"`` → ``"47"``; None when they are anything else.
        settings: Least amount of speech, threshold.
    """

    def __init__(
        self,
        voices: Voices,
        encoder: SpeakerEncoder,
        voiced: VoicedSpeech,
        digits_of: Callable[[str], str | None],
        settings: Pay,
    ) -> None:
        self._voices = voices
        self._encoder = encoder
        self._voiced = voiced
        self._digits_of = digits_of
        self._settings = settings
        self._heard: deque[bytes] = deque(maxlen=_REMEMBERED_CLIPS)
        self._refused: dict[str, _Voice] = {}
        """The last answer, by its order, if its voice was all that it lacked."""

    def judge(self, challenge: Challenge, hypotheses: Sequence[str], clip: Samples, now: float) -> Proof:
        """Judges the answer to a challenge.

        Args:
            challenge: What had to be said.
            hypotheses: What was heard in the clip, best first; only the best one counts.
            clip: Shape (samples,), 16 kHz mono.
            now: Audio seconds at its end.

        Raises:
            ModelMissing: There is no encoder.
            ModelDamaged: The encoder is not whole.
            StoreError: The enrolled voices cannot be read.
        """
        mark = fingerprint(clip)
        replayed = mark is not None and mark in self._heard
        if mark is not None:
            self._heard.append(mark)
        earlier = self._refused.pop(challenge.order_id, None)
        if challenge.expired(now):
            return Proof(reason=DeclineReason.EXPIRED)
        if not hypotheses or self._digits_of(hypotheses[0]) != challenge.digits:
            return Proof(reason=DeclineReason.WRONG_DIGITS)
        if replayed:
            return Proof(reason=DeclineReason.REPLAYED)
        return self._recognise(clip, challenge.order_id, earlier)

    def _recognise(self, clip: Samples, order_id: str, earlier: _Voice | None) -> Proof:
        """The voice of this answer; one that is too little like the owner's is judged together with the one before.

        Two answers hold more of a voice than one: whoever is refused twice by a little is known by both at once.
        """
        voice = self._voice_of(clip)
        if voice is None:
            return Proof(reason=DeclineReason.TOO_SHORT)
        proof = self._compare(voice)
        if proof.reason is DeclineReason.OTHER_VOICE:
            if earlier is not None and (together := self._compare(earlier.and_then(voice), _TOGETHER)).reason is None:
                return replace(together, evidence={**together.evidence, "answers": 2})
            self._refused = {order_id: voice}
        return proof

    def _voice_of(self, clip: Samples) -> _Voice | None:
        """The voice of a clip; None when there is too little of it."""
        mask = self._voiced.mask(clip)
        speech = clip[mask]
        calibration = self._encoder.scoring.calibration
        if len(speech) / RATE < max(self._settings.voiced_seconds, calibration.minimum_voiced_seconds):
            return None
        limits = calibration.one_voice
        pieces = windows(speech, limits.window_seconds) if limits is not None else ()
        return _Voice(
            self._encoder.embed(speech),
            len(speech) / RATE,
            tuple(self._encoder.embed(piece) for piece in pieces),
            coverage(mask),
        )

    def _compare(self, voice: _Voice, more: float = 0.0) -> Proof:
        """Whose voice it is, if it is one voice all the way; it needs so much more than the threshold.

        Whom else it might be is everybody who reaches the threshold: a child who does must not be left out.
        """
        templates = self._voices.templates(self._encoder.model)
        if not templates:
            return Proof(reason=DeclineReason.NOBODY_ENROLLED)
        scoring, threshold = self._encoder.scoring, self._settings.threshold
        needed = more + (scoring.calibration.threshold if threshold is None else threshold)
        verdicts = {
            name: scoring.judge(template, voice.embedding, voice.seconds, threshold)
            for name, template in templates.items()
        }
        best = max(verdicts, key=lambda name: verdicts[name].likelihood_ratio)
        evidence = {
            "cosine": round(verdicts[best].cosine, 4),
            "llr": round(verdicts[best].likelihood_ratio, 3),
            "voiced_seconds": round(voice.seconds, 2),
        }
        if not (verdicts[best].accepted and verdicts[best].likelihood_ratio >= needed):
            return Proof(reason=DeclineReason.OTHER_VOICE, evidence=evidence)
        fitting = {name: verdict.likelihood_ratio for name, verdict in verdicts.items() if verdict.accepted}
        limits = scoring.calibration.one_voice
        if limits is not None:
            unities = {name: self._unity(voice, templates[name]) for name in fitting}
            evidence |= {
                "coverage": round(unities[best].coverage, 3),
                "window_score": round(unities[best].score, 3),
                "window_agreement": round(unities[best].agreement, 3),
            }
            if not unities[best].enough(limits):
                return Proof(reason=DeclineReason.SPLICED, evidence=evidence)
            fitting = {name: ratio for name, ratio in fitting.items() if unities[name].enough(limits)}
        return Proof(best, evidence=evidence, fitting=fitting)

    def _unity(self, voice: _Voice, template: Embedding) -> Unity:
        """How much the windows are of one voice, that of the template."""
        scores = [self._encoder.scoring.judge(template, one, voice.seconds).score for one in voice.windows]
        return unity(voice.windows, scores, voice.covered)
