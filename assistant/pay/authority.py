"""Who may pay: the payment authority, and the one that believes a voice only together with fresh digits."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from assistant.errors import ModelDamaged, ModelMissing, VoicecartError
from assistant.hear.audio import Samples
from assistant.pay.audit import AuditKind, AuditTrail
from assistant.pay.challenge import Challenge, draw_digits
from assistant.pay.encoder import SpeakerEncoder
from assistant.pay.outcome import AuthorisationRequest, Authorised, Declined, DeclineReason, Outcome, Unavailable
from assistant.pay.pin_payment import PinPayment, set_aside
from assistant.pay.pins import Pins
from assistant.pay.policy import REMEMBERED, challenge_digits, challenge_seconds, objection
from assistant.pay.proof import VoiceProof
from assistant.pay.roles import Role, role_objection, speaker_of
from assistant.pay.voiced_speech import VoicedSpeech
from assistant.pay.voices import Voices
from assistant.pay.wallet import PaymentProvider
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


def local_time() -> datetime:
    """The time of day where this machine is, with its time zone."""
    return datetime.now(UTC).astimezone()


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

    def pin(self, request: AuthorisationRequest, hypotheses: Sequence[str], now: float) -> Outcome:
        """Judges a PIN that was said after ``answer`` allowed one, once. Never raises.

        Args:
            request: What is to be paid.
            hypotheses: What was heard, best first.
            now: Audio seconds at its end.
        """
        ...


class VoiceAuthority:
    """Authorises when the very clip in which the fresh digits were heard is an enrolled person's voice.

    Whatever is uncertain, late, used before, or fails is not authorised; nor is what the audit trail cannot record.

    Args:
        voices: The enrolled voices.
        encoder: Compares voices.
        voiced: Finds speech in a clip.
        provider: Sets the money aside.
        audit: Records challenges and decisions, and remembers them for the limits.
        pins: PINs that may stand in for a voice that was refused.
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
        voiced: VoicedSpeech,
        provider: PaymentProvider,
        audit: AuditTrail,
        pins: Pins,
        digits_of: Callable[[str], str | None],
        settings: Pay,
        randomness: random.Random | None = None,
        fixed_digits: str | None = None,
        clock: Callable[[], datetime] = local_time,
    ) -> None:
        self._voices = voices
        self._encoder = encoder
        self._proof = VoiceProof(voices, encoder, voiced, digits_of, settings)
        self._pin_payment = PinPayment(voices, pins, provider, audit, settings, clock)
        self._digits_of = digits_of
        self._provider = provider
        self._audit = audit
        self._settings = settings
        self._randomness = randomness or random.SystemRandom()
        self._fixed_digits = fixed_digits
        self._clock = clock
        self._issued: dict[str, int] = {}
        self._open: dict[str, Challenge] = {}
        self._last_digits = ""
        self._children: dict[str, str] = {}
        self._pin_until: dict[str, float] = {}

    def prepare(self) -> None:
        """Begins to load the encoder in the background, so that the first answer need not wait for it.

        Where nobody is enrolled there is nothing to compare, and none is loaded.

        Raises:
            StoreError: The voices cannot be read.
        """
        if self._voices.list():
            self._encoder.prepare()

    def ready(self) -> Readiness:
        """Whether somebody is enrolled for the encoder that is there."""
        try:
            model = self._encoder.model
            enrolled = self._voices.list()
            adults = {name for name, role in self._voices.roles().items() if role is Role.ADULT}
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
        if not adults & {voice.name for voice in enrolled if voice.model == model}:
            return Readiness(DeclineReason.NO_ADULT_ENROLLED)
        return Readiness()

    def challenge(self, request: AuthorisationRequest, now: float) -> Challenge | Declined | Unavailable:
        """Fresh digits for the order, unless it is known already that it cannot be paid."""
        self._open.pop(request.order_id, None)
        self._pin_until.pop(request.order_id, None)
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
        count = challenge_digits(request.amount, request.demands, self._settings)
        digits = self._fixed_digits or draw_digits(count, self._randomness, self._last_digits)
        approving = request.order_id in self._children
        expires = now + challenge_seconds(len(digits), self._settings, approving=approving)
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
        """Digits, then voice, then who it is, then limits, then money: the first that is missing declines."""
        open_challenge = self._open.pop(request.order_id, None)
        try:
            if (
                open_challenge is None
                or open_challenge != challenge
                or (challenge.order_id, challenge.amount) != (request.order_id, request.amount)
            ):
                return self._decided(request, Declined(DeclineReason.CHALLENGE_INVALID))
            proof = self._proof.judge(challenge, hypotheses, clip, now)
            roles = self._voices.roles()
            speaker = speaker_of(proof.fitting, roles)
            reason = proof.reason or self._role_objection(request, speaker, roles) or self._objection(request, speaker)
            if reason is DeclineReason.APPROVAL_NEEDED:
                # A child may ask once: from now on only an adult answers, with attempts of their own.
                self._children[request.order_id] = speaker
                self._issued[request.order_id] = 0
                return self._decided(request, Declined(reason, retry=True), proof.evidence)
            if reason is not None:
                again = reason.retry and challenge.number < self._settings.attempts
                decided = self._decided(request, Declined(reason, again), proof.evidence)
                # Asked after it was recorded: whoever is locked out by this very failure says no PIN for nothing.
                if isinstance(decided, Declined) and not decided.retry and self._offers_pin(request, reason, now):
                    return replace(decided, pin=True)
                return decided
            return self._decided(request, set_aside(self._provider, request, speaker), proof.evidence)
        except VoicecartError as error:
            return Unavailable(error.code)
        except Exception:
            # Whatever breaks here must never become a purchase.
            _log.exception("the answer to a challenge could not be judged")
            return Unavailable(VoicecartError.code)

    def pin(self, request: AuthorisationRequest, hypotheses: Sequence[str], now: float) -> Outcome:
        """A PIN that was asked for, said within the time of a challenge: no second try."""
        until = self._pin_until.pop(request.order_id, None)
        said = self._digits_of(hypotheses[0]) if hypotheses else None
        refused = None
        if until is None:
            refused = DeclineReason.CHALLENGE_INVALID
        elif now > until:
            refused = DeclineReason.EXPIRED
        elif said is None:
            refused = DeclineReason.NO_PIN
        child = self._children.get(request.order_id, "")
        return self._pin_payment.pay(request, said or "", refused=refused, requested_by=child)

    def _offers_pin(self, request: AuthorisationRequest, reason: DeclineReason, now: float) -> bool:
        """Whether a PIN may stand in for the voice that was refused; whether anybody has one is not told."""
        offered = self._settings.spoken_pin and self._pin_payment.objection(request, reason) is None
        if offered:
            self._pin_until[request.order_id] = now + self._settings.challenge_seconds
        return offered

    def _role_objection(
        self, request: AuthorisationRequest, speaker: str, roles: Mapping[str, Role]
    ) -> DeclineReason | None:
        return role_objection(roles.get(speaker), request.demands, approving=request.order_id in self._children)

    def _objection(self, request: AuthorisationRequest, speaker: str | None = None) -> DeclineReason | None:
        now = self._clock()
        return objection(request.amount, self._audit.decisions(now - REMEMBERED), now, self._settings, speaker)

    def _decided(
        self, request: AuthorisationRequest, outcome: Outcome, evidence: Mapping[str, float] | None = None
    ) -> Outcome:
        speaker = outcome.speaker if isinstance(outcome, Authorised) else None
        return self._audit.decided(
            request,
            outcome,
            evidence or {},
            objection=lambda past: objection(request.amount, past, self._clock(), self._settings, speaker),
            requested_by=self._children.get(request.order_id, ""),
        )
