"""Who may pay: the payment authority, and the one that believes a voice only together with fresh digits."""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from assistant.errors import ModelDamaged, ModelMissing, VoicecartError
from assistant.hear.audio import RATE, Samples
from assistant.pay.challenge import Challenge, draw_digits
from assistant.pay.encoder import SpeakerEncoder
from assistant.pay.replay import fingerprint
from assistant.pay.voices import Voices
from assistant.pay.wallet import Answer, PaymentProvider
from assistant.settings import Pay
from assistant.shop.money import Money

_log = logging.getLogger(__name__)


class DeclineReason(StrEnum):
    """Why a payment was declined; the replies have a sentence for each under ``declined``."""

    NOBODY_ENROLLED = "nobody_enrolled"
    VOICES_OUTDATED = "voices_outdated"
    ENCODER_MISSING = "encoder_missing"
    ENCODER_DAMAGED = "encoder_damaged"
    AMOUNT_INVALID = "amount_invalid"
    OVER_LIMIT = "over_limit"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    CHALLENGE_INVALID = "challenge_invalid"
    EXPIRED = "expired"
    WRONG_DIGITS = "wrong_digits"
    REPLAYED = "replayed"
    TOO_SHORT = "too_short"
    OTHER_VOICE = "other_voice"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    REFUSED = "refused"

    @property
    def retry(self) -> bool:
        """Whether another challenge may mend it."""
        return self in _MENDABLE


_MENDABLE = frozenset(
    {
        DeclineReason.EXPIRED,
        DeclineReason.WRONG_DIGITS,
        DeclineReason.REPLAYED,
        DeclineReason.TOO_SHORT,
        DeclineReason.OTHER_VOICE,
    }
)


@dataclass(frozen=True)
class AuthorisationRequest:
    """What is to be paid.

    Attributes:
        order_id: The order; also the idempotency key of its payment.
        amount: The order's total.
    """

    order_id: str
    amount: Money


@dataclass(frozen=True)
class Authorised:
    """The amount is set aside for the order; ``speaker`` is the enrolled person who said the digits."""

    order_id: str
    amount: Money
    speaker: str


@dataclass(frozen=True)
class Declined:
    """No; ``retry`` tells whether another challenge of this order may be asked for."""

    reason: DeclineReason
    retry: bool = False


@dataclass(frozen=True)
class Unavailable:
    """The authority could not decide; nothing was set aside. ``code`` is that of the error behind it."""

    code: str


Outcome = Authorised | Declined | Unavailable


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

    Whatever is uncertain, late, used before, or fails is not authorised.

    Args:
        voices: The enrolled voices.
        encoder: Compares voices.
        voiced: Cuts silence out of a clip.
        provider: Sets the money aside.
        digits_of: Digits that words mean, e.g. ``"four seven"`` → ``"47"``; None when they are anything else.
        settings: Limits.
        randomness: Where digits come from.
        fixed_digits: Digits of every challenge, for recorded answers in tests.
    """

    def __init__(
        self,
        voices: Voices,
        encoder: SpeakerEncoder,
        voiced: Callable[[Samples], Samples],
        provider: PaymentProvider,
        digits_of: Callable[[str], str | None],
        settings: Pay,
        randomness: random.Random | None = None,
        fixed_digits: str | None = None,
    ) -> None:
        self._voices = voices
        self._encoder = encoder
        self._voiced = voiced
        self._provider = provider
        self._digits_of = digits_of
        self._settings = settings
        self._randomness = randomness or random.SystemRandom()
        self._fixed_digits = fixed_digits
        self._issued: dict[str, int] = {}
        self._open: dict[str, Challenge] = {}
        self._last_digits = ""
        self._heard: set[bytes] = set()

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
        reason = self._policy(request)
        number = self._issued.get(request.order_id, 0) + 1
        if reason is None and number > self._settings.attempts:
            reason = DeclineReason.TOO_MANY_ATTEMPTS
        if reason is not None:
            return Declined(reason)
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
        """Digits, then voice, then money: the first that is missing declines."""
        open_challenge = self._open.pop(request.order_id, None)
        try:
            if (
                open_challenge is None
                or open_challenge != challenge
                or (challenge.order_id, challenge.amount) != (request.order_id, request.amount)
            ):
                return Declined(DeclineReason.CHALLENGE_INVALID)
            speaker = self._prove(request, challenge, hypotheses, clip, now)
            if isinstance(speaker, DeclineReason):
                return Declined(speaker, speaker.retry and challenge.number < self._settings.attempts)
            match self._provider.authorise(request.order_id, request.amount):
                case Answer.APPROVED:
                    return Authorised(request.order_id, request.amount, speaker)
                case Answer.INSUFFICIENT_FUNDS:
                    return Declined(DeclineReason.INSUFFICIENT_FUNDS)
                case _:
                    return Declined(DeclineReason.REFUSED)
        except VoicecartError as error:
            return Unavailable(error.code)
        except Exception:
            # Whatever breaks here must never become a purchase.
            _log.exception("the answer to a challenge could not be judged")
            return Unavailable(VoicecartError.code)

    def _policy(self, request: AuthorisationRequest) -> DeclineReason | None:
        if request.amount.minor <= 0:
            return DeclineReason.AMOUNT_INVALID
        return DeclineReason.OVER_LIMIT if request.amount.minor > self._settings.order_limit else None

    def _prove(
        self,
        request: AuthorisationRequest,
        challenge: Challenge,
        hypotheses: Sequence[str],
        clip: Samples,
        now: float,
    ) -> str | DeclineReason:
        """The name of the enrolled person who said the digits, else the reason why it is not proved."""
        mark = fingerprint(clip)
        replayed = mark in self._heard
        self._heard.add(mark)
        reason = self._policy(request)
        if reason is not None:
            return reason
        if challenge.expired(now):
            return DeclineReason.EXPIRED
        if not hypotheses or self._digits_of(hypotheses[0]) != challenge.digits:
            return DeclineReason.WRONG_DIGITS
        if replayed:
            return DeclineReason.REPLAYED
        return self._recognise(clip)

    def _recognise(self, clip: Samples) -> str | DeclineReason:
        speech = self._voiced(clip)
        seconds = len(speech) / RATE
        scoring = self._encoder.scoring
        if seconds < max(self._settings.voiced_seconds, scoring.calibration.minimum_voiced_seconds):
            return DeclineReason.TOO_SHORT
        templates = self._voices.templates(self._encoder.model)
        if not templates:
            return DeclineReason.NOBODY_ENROLLED
        embedding = self._encoder.embed(speech)
        verdicts = {
            name: scoring.judge(template, embedding, seconds, self._settings.threshold)
            for name, template in templates.items()
        }
        best = max(verdicts, key=lambda name: verdicts[name].likelihood_ratio)
        return best if verdicts[best].accepted else DeclineReason.OTHER_VOICE
