"""What ``voicecart doctor`` says of the payment provider: whether its settings can be used, and in which mode it is."""

import importlib.util
import os
from collections.abc import Mapping

from assistant.errors import PaymentUnavailable, SettingsError
from assistant.pay.stripe_api import StripeApi
from assistant.pay.stripe_key import stripe_key
from assistant.service.finding import Finding, Health
from assistant.settings import Settings

_WHAT = "payment"
# https://docs.stripe.com/keys: the second part of a key names the mode.
_MODES = {"test": "test mode, no real money", "live": "live mode, real money"}


def examine_provider(settings: Settings, *, ask: bool, environment: Mapping[str, str] = os.environ) -> Finding:
    """Looks at the provider that the settings name.

    Args:
        settings: All settings.
        ask: Whether Stripe may be asked over the network; otherwise only what lies on this machine is looked at.
        environment: Where the key may be.
    """
    if settings.pay.provider != "stripe":
        return Finding(_WHAT, Health.GOOD, "the built-in test wallet, play money")
    try:
        mode = _mode(stripe_key(settings.pay.stripe_key_file, environment))
        if importlib.util.find_spec("stripe") is None:
            return Finding(_WHAT, Health.BAD, "Stripe's library is missing", "pip install 'voicecart[stripe]'")
        api = StripeApi(settings.pay, environment)
        api.check(settings.shop.currency)
    except SettingsError as error:
        return Finding(_WHAT, Health.BAD, "Stripe is not set up", error.message)
    found = f"Stripe, {_MODES.get(mode, 'a key of an unknown mode')}, at {settings.pay.stripe_address}"
    if not settings.pay.stripe_customer and mode == "live":
        return Finding(_WHAT, Health.BAD, found, "A live card belongs to a customer: set pay.stripe_customer.")
    if not ask:
        return Finding(_WHAT, Health.GOOD, f"{found}; not asked (--ask-provider does)")
    try:
        api.reach()
    except PaymentUnavailable as error:
        return Finding(_WHAT, Health.BAD, found, error.message)
    return Finding(_WHAT, Health.GOOD, f"{found}; it answers and takes the key")


def _mode(key: str) -> str:
    parts = key.split("_")
    return parts[1] if len(parts) > 2 else ""
