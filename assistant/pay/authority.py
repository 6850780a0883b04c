"""Who may pay: the payment authority, and the one that believes a voice only together with fresh digits."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from assistant.errors import ModelDamaged, ModelMissing, VoicecartError
from assistant.hear.audio import Samples
from assistant.pay.audit import AuditKind, AuditTrail
from assistant.pay.challenge import Challenge, draw_digits
from assistant.pay.encoder import SpeakerEncoder
from assistant.pay.outcome import AuthorisationRequest, Authorised, Declined, DeclineReason, Outcome, Unavailable
from assistant.pay.policy import DAY, objection
from assistant.pay.proof import VoiceProof
from assistant.pay.voices import Voices
from assistant.pay.wallet import Answer, PaymentProvider
from assistant.settings import Pay

__all__ = [
    "AuthorisationRequest",
    "Authorised",
    "DeclineReason",
    "Declined",
    "Outcome",
    "PaymentAuthority",
    "Readiness",
    "Unavailable",
    "VoiceAuthority",
]

_log = logging.getLogger(__name__)
# Decisions older than this no longer lengthen a pause: the longest pause is a day.
_REMEMBERED = 2 * DAY


@dataclass(frozen=True)
class Readiness:
    """Whether payment by voice is possible at all.

    Attributes:
        obstacle: Reason code (a ``DeclineReason``, or the code of an error) why not; None when it is possible.
    """

    obstacle: str | None = None


class PaymentAuthority(Protocol):
    """Decides whether an order may be paid."""

    def ready(self) -> Readiness:
        """Whether payment by voice is possible at all; quick, never raises."""
        ...

    def challenge(self, request: AuthorisationRequest, now: float) -> Challenge | Declined | Unavailable:
        """A fresh challenge, which replaces the order's earlier one; ``now`` in audio seconds. Never raises."""
        ...

    def answer(
        self,
        request: AuthorisationRequest,
        challenge: Challenge,
        hypotheses: Sequence[str],
        clip: Samples,
        now: float,
    ) -> Outcome:
        """Judges the answer to a challenge, which is used up by it. Never raises.

        Args:
            request: What is to be paid.
            challenge: As ``challenge`` gave it.
            hypotheses: What was heard in the clip, best first.
            clip: The utterance's audio: shape (samples,), 16 kHz mono.
            now: Audio seconds at its end.
        """
        ...


class VoiceAuthority:
    """Authorises when the very clip in which the fresh digits were heard is an enrolled person's voice.

    Whatever is uncertain, late, used before, or fails is not authorised; nor is what the audit trail cannot record.

    Args:
        voices: The enrolled voices.
        encoder: Compares voices.
        voiced: Cuts silence out of a clip.
        provider: Sets the money aside.
        audit: Records challenges and decisions, and remembers them for the limits.
        digits_of: Digits that words mean, e.g. ``"four seven"`` → ``"47"``; None when they are anything else.
        settings: Limits.
        randomness: Where digits come from.
        fixed_digits: Digits of every challenge, for recorded answers in tests.
        clock: The household's time of day, with its time zone.
    """

    def __init__(
        self,
        voices: Voices,
        encoder: SpeakerEncoder,
        voiced: Callable[[Samples], Samples],
        provider: PaymentProvider,
        audit: AuditTrail,
        digits_of: Callable[[str], str | None],
        settings: Pay,
        randomness: random.Random | None = None,
        fixed_digits: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC).astimezone(),
    ) -> None:
        self._voices = voices
        self._encoder = encoder
        self._proof = VoiceProof(voices, encoder, voiced, digits_of, settings)
        self._provider = provider
        self._audit = audit
        self._settings = settings
        self._randomness = randomness or random.SystemRandom()
        self._fixed_digits = fixed_digits
        self._clock = clock
        self._issued: dict[str, int] = {}
        self._open: dict[str, Challenge] = {}
        self._last_digits = ""

    def prepare(self) -> None:
        """Begins to load the encoder in the background, so that the first answer need not wait for it."""
        self._encoder.prepare()

    def ready(self) -> Readiness:
        """Whether somebody is enrolled for the encoder that is there."""
        try:
            model = self._encoder.model
            enrolled = self._voices.list()
        except ModelMissing:
            return Readiness(DeclineReason.ENCODER_MISSING)
        except ModelDamaged:
            return Readiness(DeclineReason.ENCODER_DAMAGED)
        except VoicecartError as error:
            return Readiness(error.code)
        except Exception:
            _log.exception("payment by voice is not possible")
            return Readiness(VoicecartError.code)
        if not enrolled:
            return Readiness(DeclineReason.NOBODY_ENROLLED)
        if all(voice.model != model for voice in enrolled):
            return Readiness(DeclineReason.VOICES_OUTDATED)
        return Readiness()

    def challenge(self, request: AuthorisationRequest, now: float) -> Challenge | Declined | Unavailable:
        """Fresh digits for the order, unless it is known already that it cannot be paid."""
        self._open.pop(request.order_id, None)
        obstacle = self.ready().obstacle
        if obstacle is not None:
            known = obstacle in set(DeclineReason)
            return Declined(DeclineReason(obstacle)) if known else Unavailable(obstacle)
        number = self._issued.get(request.order_id, 0) + 1
        try:
            reason = self._objection(request)
            if reason is None and number > self._settings.attempts:
                reason = DeclineReason.TOO_MANY_ATTEMPTS
            if reason is not None:
                self._audit.append(AuditKind.CHALLENGE, order=request.order_id, refused=str(reason))
                return Declined(reason)
            self._audit.append(AuditKind.CHALLENGE, order=request.order_id, number=number)
        except VoicecartError as error:
            return Unavailable(error.code)
        except Exception:
            _log.exception("no challenge could be made")
            return Unavailable(VoicecartError.code)
        self._encoder.prepare()
        digits = self._fixed_digits or draw_digits(self._settings.digits, self._randomness, self._last_digits)
        expires = now + self._settings.challenge_seconds
        issued = Challenge(digits, request.order_id, request.amount, number, now, expires)
        self._last_digits = digits
        self._issued[request.order_id] = number
        self._open[request.order_id] = issued
        return issued

    def answer(
        self,
        request: AuthorisationRequest,
        challenge: Challenge,
        hypotheses: Sequence[str],
        clip: Samples,
        now: float,
    ) -> Outcome:
        """Digits, then voice, then limits, then money: the first that is missing declines."""
        open_challenge = self._open.pop(request.order_id, None)
        try:
            if (
                open_challenge is None
                or open_challenge != challenge
                or (challenge.order_id, challenge.amount) != (request.order_id, request.amount)
            ):
                return self._decided(request, Declined(DeclineReason.CHALLENGE_INVALID))
            proof = self._proof.judge(challenge, hypotheses, clip, now)
            reason = proof.reason or self._objection(request, proof.speaker)
            if reason is not None:
                again = reason.retry and challenge.number < self._settings.attempts
                return self._decided(request, Declined(reason, again), proof.evidence)
            return self._decided(request, self._set_aside(request, proof.speaker), proof.evidence)
        except VoicecartError as error:
            return Unavailable(error.code)
        except Exception:
            # Whatever breaks here must never become a purchase.
            _log.exception("the answer to a challenge could not be judged")
            return Unavailable(VoicecartError.code)

    def _objection(self, request: AuthorisationRequest, speaker: str | None = None) -> DeclineReason | None:
        now = self._clock()
        return objection(request.amount, self._audit.decisions(now - _REMEMBERED), now, self._settings, speaker)

    def _set_aside(self, request: AuthorisationRequest, speaker: str) -> Outcome:
        match self._provider.authorise(request.order_id, request.amount):
            case Answer.APPROVED:
                return Authorised(request.order_id, request.amount, speaker)
            case Answer.INSUFFICIENT_FUNDS:
                return Declined(DeclineReason.INSUFFICIENT_FUNDS)
            case _:
                return Declined(DeclineReason.REFUSED)

    def _decided(
        self, request: AuthorisationRequest, outcome: Outcome, evidence: Mapping[str, float] | None = None
    ) -> Outcome:
        self._audit.decided(request, outcome, evidence or {})
        return outcome
