"""Paying by PIN: what a PIN may stand in for, and whose it is."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from assistant.errors import VoicecartError
from assistant.pay.audit import AuditTrail
from assistant.pay.outcome import AuthorisationRequest, Authorised, Declined, DeclineReason, Outcome, Unavailable
from assistant.pay.pins import Pins
from assistant.pay.policy import REMEMBERED, Decision, objection, pin_objection
from assistant.pay.roles import Role
from assistant.pay.voices import Voices
from assistant.pay.wallet import Answer, PaymentProvider
from assistant.settings import Pay

_log = logging.getLogger(__name__)
# The digits were right and only the voice was not known: a cold, a noisy room. Whatever looks like an attack (a replay,
# two voices in one clip) no PIN makes good.
_STANDS_IN_FOR = frozenset({DeclineReason.OTHER_VOICE, DeclineReason.TOO_SHORT})


class PinPayment:
    """Authorises when an adult's PIN was given, within the limits of PINs, on record.

    Args:
        voices: Who is an adult.
        pins: Whose PIN it is.
        provider: Sets the money aside.
        audit: Records decisions, and remembers them for the limits.
        settings: Limits.
        clock: The household's time of day, with its time zone.
    """

    def __init__(
        self,
        voices: Voices,
        pins: Pins,
        provider: PaymentProvider,
        audit: AuditTrail,
        settings: Pay,
        clock: Callable[[], datetime],
    ) -> None:
        self._voices = voices
        self._pins = pins
        self._provider = provider
        self._audit = audit
        self._settings = settings
        self._clock = clock

    def objection(self, request: AuthorisationRequest, refused: DeclineReason | None = None) -> DeclineReason | None:
        """Why no PIN may pay this; None when one may.

        Args:
            request: What is to be paid.
            refused: Why the voice was refused; None when a PIN is typed and nobody spoke.

        Raises:
            StoreError: The audit trail cannot be read.
        """
        if refused is not None and refused not in _STANDS_IN_FOR:
            return refused
        return self._limits(request, None)

    def pay(
        self,
        request: AuthorisationRequest,
        pin: str,
        *,
        name: str | None = None,
        refused: DeclineReason | None = None,
        requested_by: str = "",
    ) -> Outcome:
        """Judges a PIN. Never raises; a wrong one counts towards the lockout like a wrong voice.

        Args:
            request: What is to be paid.
            pin: What was said or typed.
            name: Whose PIN it must be; None allows any adult's.
            refused: Why it does not count, whatever it is: it came too late, or was none. None when it does.
            requested_by: The child whose order needed an adult's approval; empty when none did.
        """
        try:
            reason, speaker = refused or self._limits(request, None), ""
            if reason is None:
                adults = {one for one, role in self._voices.roles().items() if role is Role.ADULT}
                speaker = self._pins.owner(pin, adults if name is None else adults & {name}) or ""
                reason = self._limits(request, speaker) if speaker else DeclineReason.WRONG_PIN
            return self._audit.decided(
                request,
                set_aside(self._provider, request, speaker) if reason is None else Declined(reason),
                {},
                objection=lambda past: self._objection(request, past, speaker or None),
                by_pin=True,
                requested_by=requested_by,
            )
        except VoicecartError as error:
            return Unavailable(error.code)
        except Exception as error:
            # Whatever breaks here must never become a purchase. No traceback: its frames hold the PIN.
            _log.error("a PIN could not be judged: %s", type(error).__name__)
            return Unavailable(VoicecartError.code)

    def _limits(self, request: AuthorisationRequest, speaker: str | None) -> DeclineReason | None:
        return self._objection(request, self._audit.decisions(self._clock() - REMEMBERED), speaker)

    def _objection(
        self, request: AuthorisationRequest, past: Sequence[Decision], speaker: str | None
    ) -> DeclineReason | None:
        now = self._clock()
        # What holds for every payment goes first: a locked device says so.
        return objection(request.amount, past, now, self._settings, speaker) or pin_objection(
            request.amount, request.demands, past, now, self._settings, speaker
        )


def set_aside(provider: PaymentProvider, request: AuthorisationRequest, speaker: str) -> Outcome:
    """Has the provider set the amount aside.

    Raises:
        VoicecartError: As ``PaymentProvider.authorise``.
    """
    match provider.authorise(request.order_id, request.amount):
        case Answer.APPROVED:
            return Authorised(request.order_id, request.amount, speaker)
        case Answer.INSUFFICIENT_FUNDS:
            return Declined(DeclineReason.INSUFFICIENT_FUNDS)
        case _:
            return Declined(DeclineReason.REFUSED)
