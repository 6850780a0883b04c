"""What belongs to one household of the device: shop, wallet, voices, and who may pay."""

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from assistant.errors import UsageError
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.parts import Parts
from assistant.pay.audit import AuditTrail
from assistant.pay.authority import VoiceAuthority, local_time
from assistant.pay.enrolment import Enrolments
from assistant.pay.identification import Identification
from assistant.pay.pins import Pins
from assistant.pay.voiced_speech import VoicedSpeech
from assistant.pay.voices import Voices
from assistant.settings import REHEARSAL
from assistant.settings_file import changed
from assistant.storefront import open_storefront


class Household:
    """What belongs to one household: shop, wallet, voices, and who may pay.

    Args:
        parts: The device's parts.
        state: Folder of the database and the key.
        fixed_digits: Digits of every challenge, for recorded answers: only with the built-in wallet's play money.
        randomness: Where order numbers and digits come from; None takes the system's.
        play_money: Whether the built-in wallet pays, whatever the settings say: for rehearsals.
        clock: The household's time of day; None takes this machine's.

    Raises:
        UsageError: Fixed digits, and money that is no play money.
        SettingsError: The payment provider cannot be used as it is set up.
        StoreError: The database cannot be used.
    """

    def __init__(
        self,
        parts: Parts,
        state: Path,
        *,
        fixed_digits: str | None = None,
        randomness: random.Random | None = None,
        play_money: bool = False,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        settings = changed(parts.settings, REHEARSAL) if play_money else parts.settings
        if fixed_digits is not None and settings.pay.provider != "wallet":
            raise UsageError(
                'Fixed digits (--challenge) are for trials with play money. Set pay.provider to "wallet", in place of'
                f' "{settings.pay.provider}".'
            )
        self.parts = parts
        self.randomness = randomness or random.SystemRandom()
        self.clock = clock or local_time
        shop = open_storefront(settings, state, parts.products, self.randomness, self.clock)
        self.store, self.provider = shop.store, shop.provider
        self.errands = shop.errands
        self.voices = Voices(shop.engine, settings.shop.household, state)
        self.audit = AuditTrail(shop.engine, settings.shop.household, state, self.clock)
        self.pins = Pins(shop.engine, settings.shop.household, state)
        voiced = VoicedSpeech(SileroVoiceActivity)
        self.enrolments = Enrolments(self.voices, parts.encoder, voiced, settings.pay)
        self.identification = Identification(self.voices, parts.encoder, voiced)
        self.authority = VoiceAuthority(
            self.voices,
            parts.encoder,
            voiced,
            self.provider,
            self.audit,
            self.pins,
            parts.language.digits_of,
            settings.pay,
            self.randomness,
            fixed_digits,
            self.clock,
        )
