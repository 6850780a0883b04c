"""Stripe, asked through its official library: the few requests one payment needs, and its errors in our terms."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from babel.numbers import get_currency_precision

from assistant.errors import PaymentUnavailable, SettingsError
from assistant.pay.stripe_key import stripe_key
from assistant.pay.wallet import Answer
from assistant.settings import Pay
from assistant.shop.money import Money

# https://docs.stripe.com/currencies: currencies that Stripe counts in whole units, and in thousandths; all others it
# counts in hundredths, also ISK and UGX.
_DIGITS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"), 0
) | dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 3)
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_RECONFIGURE = "Check pay.stripe_payment_method, pay.stripe_customer and the account's key."


class Standing(StrEnum):
    """Where a payment stands at Stripe."""

    OPEN = "open"  # no money has moved
    HELD = "held"  # set aside
    PAID = "paid"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    BUSY = "busy"  # Stripe does not know yet


_STANDINGS = {
    "requires_capture": Standing.HELD,
    "succeeded": Standing.PAID,
    "canceled": Standing.CANCELLED,
    "processing": Standing.BUSY,
}


class CardDeclined(PaymentUnavailable):
    """The card's bank said no; ``answer`` says how."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.answer = answer


class Misfit(PaymentUnavailable):
    """Stripe refused a request as one that does not fit; what has become of the payment must be looked at."""


class StripeApi:
    """Payments of one saved card. Nothing is loaded, read or asked before it is needed.

    Every request but ``look`` carries an idempotency key, under which Stripe does it once however often it is asked.

    Args:
        settings: Address, card, patience, and where the key is.
        environment: Where the key may be.
    """

    def __init__(self, settings: Pay, environment: Mapping[str, str] = os.environ) -> None:
        self._settings = settings
        self._environment = environment

    def check(self, currency: str) -> None:
        """Whether it is set up; asks nobody.

        Raises:
            SettingsError: It is not, or Stripe counts the currency in other units than Voicecart.
        """
        if get_currency_precision(currency) != _DIGITS.get(currency, 2):
            raise SettingsError(
                f"Stripe counts {currency} in other units than Voicecart, so amounts would be wrong. Choose another"
                " shop.currency."
            )
        if not self._settings.stripe_payment_method:
            raise SettingsError(
                "Payment by Stripe needs a saved card: set pay.stripe_payment_method, such as pm_card_visa for trials."
            )
        _ = self._intents

    def reach(self) -> None:
        """Asks whether Stripe answers and takes the key; nothing is changed there.

        Raises:
            PaymentUnavailable: It does not.
            SettingsError: It is not set up.
        """
        with self._explained():
            self._intents.list({"limit": 1})

    def create(self, order: str, amount: Money, key: str) -> str:
        """A new payment, for which no money has moved yet; its id.

        Args:
            order: What it is for, as Stripe's dashboard shows it.
            amount: The whole of it.
            key: Idempotency key.

        Raises:
            PaymentUnavailable: Stripe could not be asked, or refused.
            SettingsError: It is not set up.
        """
        wanted: dict[str, Any] = {
            "amount": amount.minor,
            "currency": amount.currency.lower(),
            "capture_method": "manual",
            "payment_method": self._settings.stripe_payment_method,
            # Cards only: other ways to pay would send the person to a web page.
            "payment_method_types": ["card"],
            "metadata": {"voicecart_order": order},
        }
        if self._settings.stripe_customer:
            wanted["customer"] = self._settings.stripe_customer
        with self._explained():
            return str(self._intents.create(wanted, {"idempotency_key": key})["id"])

    def confirm(self, intent: str, key: str) -> Answer:
        """Sets the money aside.

        Raises:
            PaymentUnavailable: Stripe could not be asked, or does not know yet; the money may be set aside.
            SettingsError: It is not set up.
        """
        # A saved card's owner is not at a screen, and a bank that wants to ask there must say no instead.
        how = {"off_session": True} if self._settings.stripe_customer else {}
        try:
            with self._explained():
                standing = _standing(self._intents.confirm(intent, how, {"idempotency_key": key}))
        except CardDeclined as declined:
            return declined.answer
        except Misfit:
            standing = self.look(intent)
        if standing is Standing.BUSY:
            raise PaymentUnavailable("Stripe is still asking the card's bank. Nothing was bought yet.")
        return Answer.APPROVED if standing is Standing.HELD else Answer.REFUSED

    def capture(self, intent: str, key: str) -> None:
        """Takes the whole of what is set aside; nothing to do when that was done before.

        Raises:
            PaymentUnavailable: Stripe could not be asked, and the money may be taken; or nothing is set aside.
            SettingsError: It is not set up.
        """
        try:
            with self._explained():
                standing = _standing(self._intents.capture(intent, {}, {"idempotency_key": key}))
        except Misfit:
            standing = self.look(intent)
        if standing is not Standing.PAID:
            raise PaymentUnavailable(f"Stripe cannot take the payment {intent}: it is {standing}.")

    def cancel(self, intent: str, key: str) -> None:
        """Gives back what is set aside.

        Raises:
            Misfit: It cannot be cancelled, because it was captured or cancelled before.
            PaymentUnavailable: Stripe could not be asked.
            SettingsError: It is not set up.
        """
        with self._explained():
            self._intents.cancel(intent, {}, {"idempotency_key": key})

    def refund(self, intent: str, captured: Money, key: str) -> None:
        """Gives back what is left of what was captured, beside the parts that were given back before.

        Args:
            intent: The payment.
            captured: The whole of it.
            key: Idempotency key. The amount becomes a part of it: Stripe takes no other amount under the same key.

        Raises:
            Misfit: So much is not there any more, because another part was given back meanwhile.
            PaymentUnavailable: Stripe could not be asked, or failed.
            SettingsError: It is not set up.
        """
        with self._explained():
            charge = self._intents.retrieve(intent, {"expand": ["latest_charge"]}).latest_charge
            left = captured.minor - charge["amount_refunded"]
            wanted = {"payment_intent": intent, "amount": left}
            refund = self._client.v1.refunds.create(wanted, {"idempotency_key": f"{key}-{left}"})
        if _fell_through(refund):
            raise PaymentUnavailable(f"Stripe could not give back the payment {intent}.")

    def refund_part(self, intent: str, part: str, amount: Money, key: str) -> None:
        """Gives back a part of what was captured; nothing to do when that part was given back before.

        Stripe forgets an idempotency key after a day, so that the parts themselves carry what they are for.

        Args:
            intent: The payment.
            part: What the part is for; unique for the payment.
            amount: How much.
            key: Idempotency key.

        Raises:
            Misfit: So much is not there to be given back.
            PaymentUnavailable: Stripe could not be asked, or failed.
            SettingsError: It is not set up.
        """
        with self._explained():
            made = self._client.v1.refunds.list({"payment_intent": intent, "limit": 100})
            if any(
                getattr(one["metadata"], "voicecart_return", None) == part and not _fell_through(one)
                for one in made.data
            ):
                return
            wanted = {"payment_intent": intent, "amount": amount.minor, "metadata": {"voicecart_return": part}}
            refund = self._client.v1.refunds.create(wanted, {"idempotency_key": key})
        if _fell_through(refund):
            raise PaymentUnavailable(f"Stripe could not give back a part of the payment {intent}.")

    def look(self, intent: str) -> Standing:
        """What has become of a payment.

        Raises:
            PaymentUnavailable: Stripe could not be asked, or does not know the payment.
            SettingsError: It is not set up.
        """
        with self._explained():
            return _standing(self._intents.retrieve(intent, {"expand": ["latest_charge"]}))

    @property
    def _intents(self) -> Any:
        return self._client.v1.payment_intents

    @cached_property
    def _client(self) -> Any:
        address = urlsplit(self._settings.stripe_address)
        if address.scheme != "https" and (address.scheme != "http" or address.hostname not in _THIS_MACHINE):
            raise SettingsError("pay.stripe_address must begin with https:// (or http:// and be this machine).")
        key = stripe_key(self._settings.stripe_key_file, self._environment)
        try:
            import stripe
        except ImportError as error:
            raise SettingsError("Payment by Stripe needs its library. Run: pip install 'voicecart[stripe]'") from error
        stripe.enable_telemetry = False
        return stripe.StripeClient(
            key,
            base_addresses={"api": self._settings.stripe_address.rstrip("/")},
            # The shop asks again itself, knowing what it has asked for.
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=self._settings.stripe_seconds),
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        import stripe

        try:
            yield
        except stripe.CardError as error:
            raise CardDeclined(f"The card was declined ({error.code}).", _answer(error)) from error
        except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
            raise Misfit(f"Stripe refused: {error.user_message} {_RECONFIGURE}") from error
        except (stripe.AuthenticationError, stripe.PermissionError):
            # Its own message holds a part of the key.
            raise PaymentUnavailable("Stripe refuses the account's key. Check it.") from None
        except stripe.APIConnectionError as error:
            raise PaymentUnavailable("Stripe cannot be reached. Try again later.") from error
        except stripe.StripeError as error:
            raise PaymentUnavailable(f"Stripe failed ({type(error).__name__}). Try again later.") from error


def _answer(error: Any) -> Answer:
    reason = getattr(error.error, "decline_code", None)
    return Answer.INSUFFICIENT_FUNDS if reason == "insufficient_funds" else Answer.REFUSED


def _fell_through(refund: Any) -> bool:
    return refund["status"] in ("failed", "canceled")


def _standing(intent: Any) -> Standing:
    standing = _STANDINGS.get(intent["status"], Standing.OPEN)
    charge = getattr(intent, "latest_charge", None)  # the charge itself when it was asked for, else its id
    if standing is Standing.PAID and not isinstance(charge, str | None) and charge["refunded"]:
        return Standing.REFUNDED
    return standing
