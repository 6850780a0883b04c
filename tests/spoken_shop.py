"""A conversation in words with a shop: what is said is understood for real, and one enrolled person pays."""

import random
from pathlib import Path

from household_shop import PRODUCTS
from spectral_encoder import SpectralEncoder, speak, voiced_speech

from assistant.conversation import Conversation
from assistant.events import EventStream
from assistant.parts import Parts
from assistant.pay.audit import AuditTrail
from assistant.pay.authority import VoiceAuthority
from assistant.pay.enrolment import Enrolments
from assistant.pay.identification import Identification
from assistant.pay.pins import Pins
from assistant.pay.voices import Voices
from assistant.settings import Pay, Settings, Talk
from assistant.storefront import Storefront

DIGITS = "471902"
_WORDS = "four seven one nine zero two"
_PERSON = 1


class SpokenShop:
    """Says things to a shop, and repeats its digits."""

    def __init__(self, folder: Path, shop: Storefront, household: str, parts: Parts | None = None) -> None:
        settings = Settings(talk=Talk(recommendations=False))
        self._takes = 0
        parts = parts or Parts(settings, PRODUCTS, folder, lambda line: None, ("spring ten",))
        voices, encoder = Voices(shop.engine, household, folder), SpectralEncoder()
        Enrolments(voices, encoder, voiced_speech(), Pay()).enrol("anna", [speak(_PERSON, take) for take in range(5)])
        authority = VoiceAuthority(
            voices,
            encoder,
            voiced_speech(),
            shop.provider,
            AuditTrail(shop.engine, household, folder),
            Pins(shop.engine, household, folder),
            parts.language.digits_of,
            Pay(),
            random.Random(1),
            fixed_digits=DIGITS,
        )
        self.conversation = Conversation(
            parts.understand,
            parts.woken_only,
            shop.store,
            authority,
            parts.replies,
            settings,
            EventStream(),
            lambda: 0.0,
            random.Random(1),
            shop.errands,
            Identification(voices, encoder, voiced_speech()),
            parts.shortlists,
        )

    def say(self, text: str) -> str:
        """What the shop answers."""
        self._takes += 1  # nobody says anything twice in the same way
        return " ".join(self.conversation.heard_text([text], speak(_PERSON, 70 + self._takes)).replies)

    def repeat_digits(self) -> str:
        """Proves who speaks."""
        return self.say(_WORDS)
