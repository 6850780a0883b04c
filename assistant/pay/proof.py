"""The proof of who speaks: the very clip in which the fresh digits were heard is an enrolled person's voice."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from assistant.hear.audio import RATE, Samples
from assistant.pay.challenge import Challenge
from assistant.pay.encoder import SpeakerEncoder
from assistant.pay.one_voice import Unity, coverage, unity, windows
from assistant.pay.outcome import DeclineReason
from assistant.pay.replay import fingerprint
from assistant.pay.verification import Embedding
from assistant.pay.voiced_speech import VoicedSpeech
from assistant.pay.voices import Voices
from assistant.settings import Pay

_REMEMBERED_CLIPS = 1000


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
        replayed = mark in self._heard
        self._heard.append(mark)
        if challenge.expired(now):
            return Proof(reason=DeclineReason.EXPIRED)
        if not hypotheses or self._digits_of(hypotheses[0]) != challenge.digits:
            return Proof(reason=DeclineReason.WRONG_DIGITS)
        if replayed:
            return Proof(reason=DeclineReason.REPLAYED)
        return self._recognise(clip)

    def _recognise(self, clip: Samples) -> Proof:
        mask = self._voiced.mask(clip)
        speech = clip[mask]
        seconds = len(speech) / RATE
        scoring = self._encoder.scoring
        if seconds < max(self._settings.voiced_seconds, scoring.calibration.minimum_voiced_seconds):
            return Proof(reason=DeclineReason.TOO_SHORT)
        templates = self._voices.templates(self._encoder.model)
        if not templates:
            return Proof(reason=DeclineReason.NOBODY_ENROLLED)
        embedding = self._encoder.embed(speech)
        verdicts = {
            name: scoring.judge(template, embedding, seconds, self._settings.threshold)
            for name, template in templates.items()
        }
        best = max(verdicts, key=lambda name: verdicts[name].likelihood_ratio)
        evidence = {
            "cosine": round(verdicts[best].cosine, 4),
            "llr": round(verdicts[best].likelihood_ratio, 3),
            "voiced_seconds": round(seconds, 2),
        }
        if not verdicts[best].accepted:
            return Proof(reason=DeclineReason.OTHER_VOICE, evidence=evidence)
        fitting = {name: verdict.likelihood_ratio for name, verdict in verdicts.items() if verdict.accepted}
        limits = scoring.calibration.one_voice
        if limits is not None:
            unities = self._unities(speech, limits.window_seconds, coverage(mask), {n: templates[n] for n in fitting})
            evidence |= {
                "coverage": round(unities[best].coverage, 3),
                "window_score": round(unities[best].score, 3),
                "window_agreement": round(unities[best].agreement, 3),
            }
            if not unities[best].enough(limits):
                return Proof(reason=DeclineReason.SPLICED, evidence=evidence)
            fitting = {name: ratio for name, ratio in fitting.items() if unities[name].enough(limits)}
        return Proof(best, evidence=evidence, fitting=fitting)

    def _unities(
        self, speech: Samples, window_seconds: float, covered: float, templates: Mapping[str, Embedding]
    ) -> Mapping[str, Unity]:
        """How much the speech is of one voice, that of each template."""
        pieces = windows(speech, window_seconds)
        embeddings = [self._encoder.embed(piece) for piece in pieces]
        seconds = len(pieces[0]) / RATE
        scoring = self._encoder.scoring
        return {
            name: unity(embeddings, [scoring.judge(template, one, seconds).score for one in embeddings], covered)
            for name, template in templates.items()
        }
