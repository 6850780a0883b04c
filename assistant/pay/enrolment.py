"""Enrolling a voice: every take is checked, and only takes that agree with each other become the template."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from assistant.errors import EnrolmentError
from assistant.hear.audio import Samples
from assistant.pay.encoder import SpeakerEncoder
from assistant.pay.one_voice import windows
from assistant.pay.roles import Role
from assistant.pay.take_quality import TakeQuality, measure
from assistant.pay.verification import Embedding, agreements, cohesion, mean_embedding
from assistant.pay.voiced_speech import VoicedSpeech
from assistant.pay.voices import Voice, Voices
from assistant.settings import Pay

LEAST_TAKES = 3
"""Takes below which there is no enrolment."""

_LONGEST_NAME = 40
_QUIETEST_DECIBELS = -45.0
_LEAST_SIGNAL_TO_NOISE_DECIBELS = 10.0
_MOST_CLIPPED_SHARE = 0.002


class TakeFault(StrEnum):
    """Why a take cannot be used."""

    NO_SPEECH = "no_speech"
    TOO_SHORT = "too_short"
    TOO_QUIET = "too_quiet"
    CLIPPED = "clipped"
    NOISY = "noisy"
    TWO_VOICES = "two_voices"
    REPEATED = "repeated"
    DISAGREES = "disagrees"


@dataclass(frozen=True)
class TakeReport:
    """What was found in one take.

    Attributes:
        quality: Its measures.
        fault: Why it cannot be used; None when it can.
        agreement: Cosine to the mean of the other usable takes; None when it was not compared.
    """

    quality: TakeQuality
    fault: TakeFault | None = None
    agreement: float | None = None

    def agreement_below(self, least: float) -> bool:
        """Whether the take was compared and agrees less than ``least``."""
        return self.agreement is not None and self.agreement < least


@dataclass(frozen=True)
class Enrolment:
    """A voice that is enrolled now; ``takes`` has a report for each take, in their order."""

    voice: Voice
    takes: tuple[TakeReport, ...]


class BadTakes(EnrolmentError):
    """Too few takes can be used; ``takes`` has a report for each, in their order."""

    def __init__(self, message: str, takes: tuple[TakeReport, ...]) -> None:
        super().__init__(message)
        self.takes = takes


class Enrolments:
    """Makes templates of takes and stores them; no audio is kept.

    Args:
        voices: Where templates are stored.
        encoder: Makes embeddings.
        voiced: Finds speech in a take.
        settings: Least amount of speech.
    """

    def __init__(self, voices: Voices, encoder: SpeakerEncoder, voiced: VoicedSpeech, settings: Pay) -> None:
        self._voices = voices
        self._encoder = encoder
        self._voiced = voiced
        self._settings = settings

    @property
    def utterances(self) -> int:
        """Takes recommended for the encoder."""
        return self._encoder.scoring.calibration.enrolment_utterances

    def examine(self, take: Samples) -> TakeReport:
        """Checks one take by itself, so that it can be asked for again at once.

        Raises:
            ModelMissing: There is no encoder.
            ModelDamaged: The encoder is not whole.
        """
        return self._examine(take, self._voiced.mask(take))

    def check_name(self, name: str, *, replace: bool = False) -> None:
        """Whether ``name`` can be enrolled.

        Raises:
            EnrolmentError: Not a name, or taken and ``replace`` is not set.
        """
        check_written_name(name)
        if not replace and any(voice.name == name for voice in self._voices.list()):
            raise EnrolmentError(f"{name!r} is already enrolled. Use --replace to enrol that voice again.")

    def enrol(
        self, name: str, takes: Sequence[Samples], *, replace: bool = False, role: Role | None = None
    ) -> Enrolment:
        """Enrols a voice.

        Faulty takes are left out. Of the others at most one may disagree with the rest: with more it is not certain
        whose voice it is.

        Args:
            name: The person's.
            takes: Shape (samples,) each, 16 kHz mono, three or more; five are recommended.
            replace: Whether a voice of that name may be replaced.
            role: Adult or child; None keeps that of the voice that is replaced, and is an adult's for a new one.

        Raises:
            BadTakes: Fewer than three takes can be used, or they are of different voices.
            EnrolmentError: Not a name, or taken and ``replace`` is not set.
            ModelMissing: There is no encoder.
            ModelDamaged: The encoder is not whole.
            StoreError: The voice could not be stored; nothing changed.
        """
        self.check_name(name, replace=replace)
        reports = [self.examine(take) for take in takes]
        for number, take in enumerate(takes):
            if any(np.array_equal(take, earlier) for earlier in takes[:number]):
                reports[number] = dataclasses.replace(reports[number], fault=TakeFault.REPEATED)
        usable = [number for number, report in enumerate(reports) if report.fault is None]
        embeddings = {}
        if len(usable) >= LEAST_TAKES:
            embeddings = {number: self._encoder.embed(self._voiced(takes[number])) for number in usable}
            self._compare(embeddings, reports)
            usable = [number for number in usable if reports[number].fault is None]
        if len(usable) < LEAST_TAKES:
            raise BadTakes(_explanation(reports, len(usable)), tuple(reports))
        template = mean_embedding(np.stack([embeddings[number] for number in usable]))
        voice = self._voices.save(name, template, self._encoder.model, len(usable), replace=replace, role=role)
        return Enrolment(voice, tuple(reports))

    def _compare(self, embeddings: Mapping[int, Embedding], reports: list[TakeReport]) -> None:
        """Notes in ``reports`` how well takes agree.

        The take that agrees least is set aside when that is too little. When another still disagrees then, or the
        takes fall into two parts of different voices, all do.
        """
        least = self._encoder.scoring.calibration.enrolment_agreement
        rest = _note_agreements(embeddings, reports)
        if reports[rest[0]].agreement_below(least):
            worst, *rest = rest
            reports[worst] = dataclasses.replace(reports[worst], fault=TakeFault.DISAGREES)
            if len(rest) >= LEAST_TAKES:
                rest = _note_agreements({number: embeddings[number] for number in rest}, reports)
        together = np.stack([embeddings[number] for number in rest])
        if reports[rest[0]].agreement_below(least) or cohesion(together) < least:
            for number in rest:
                reports[number] = dataclasses.replace(reports[number], fault=TakeFault.DISAGREES)

    def _examine(self, take: Samples, voiced: npt.NDArray[np.bool_]) -> TakeReport:
        quality = measure(take, voiced)
        least_seconds = max(self._settings.voiced_seconds, self._encoder.scoring.calibration.enrolment_voiced_seconds)
        if quality.voiced_seconds == 0:
            fault: TakeFault | None = TakeFault.NO_SPEECH
        elif quality.voiced_seconds < least_seconds:
            fault = TakeFault.TOO_SHORT
        elif quality.level < _QUIETEST_DECIBELS:
            fault = TakeFault.TOO_QUIET
        elif quality.clipped_share > _MOST_CLIPPED_SHARE:
            fault = TakeFault.CLIPPED
        elif quality.signal_to_noise < _LEAST_SIGNAL_TO_NOISE_DECIBELS:
            fault = TakeFault.NOISY
        elif not self._one_voice(take[voiced]):
            fault = TakeFault.TWO_VOICES
        else:
            fault = None
        return TakeReport(quality, fault)

    def _one_voice(self, speech: Samples) -> bool:
        """Whether the windows of a take are of one voice, as far as anybody has measured that for the encoder."""
        calibration = self._encoder.scoring.calibration
        if calibration.one_voice is None:
            return True
        pieces = windows(speech, calibration.one_voice.window_seconds)
        return cohesion(np.stack([self._encoder.embed(piece) for piece in pieces])) >= calibration.enrolment_agreement


def check_written_name(name: str) -> None:
    """Whether ``name`` can be a person's name here.

    Raises:
        EnrolmentError: It is empty, too long, or holds what cannot be printed.
    """
    if not name.strip() or name != name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise EnrolmentError(f"{name!r} is not a name: write 1 to {_LONGEST_NAME} visible characters.")


def _note_agreements(embeddings: Mapping[int, Embedding], reports: list[TakeReport]) -> list[int]:
    """Notes how well each take agrees with the others; the takes, the one that agrees least first."""
    numbers = list(embeddings)
    for number, cosine in zip(numbers, agreements(np.stack([embeddings[number] for number in numbers])), strict=True):
        reports[number] = dataclasses.replace(reports[number], agreement=float(cosine))
    return sorted(numbers, key=lambda number: reports[number].agreement or 0.0)


def _explanation(reports: Sequence[TakeReport], usable: int) -> str:
    faults = ", ".join(
        f"take {number}: {report.fault.replace('_', ' ')}" for number, report in enumerate(reports, 1) if report.fault
    )
    return f"{LEAST_TAKES} good takes of one voice are needed, {usable} could be used" + (
        f" ({faults})." if faults else "."
    )
