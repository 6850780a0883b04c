"""What ``voicecart doctor`` says of who may pay, and of the record of what was paid."""

from pathlib import Path

from assistant.pay.audit import AuditTrail
from assistant.pay.encoder import open_encoder
from assistant.pay.voices import Voices
from assistant.service.finding import Finding, Health
from assistant.settings import Settings
from assistant.storefront import open_shop_database

_VOICES, _RECORD = "voices", "record of payments"


def examine_voices(settings: Settings, state: Path) -> Finding:
    """Looks at whether everybody who is enrolled can pay: the key opens their voices, and the encoder made them.

    Raises:
        StoreError: The database or the key cannot be used, or a voice was not enrolled with that key.
        ModelMissing: There is no encoder.
        ModelDamaged: The encoder is not whole.
    """
    voices = Voices(open_shop_database(settings, state), settings.shop.household, state)
    roles = voices.roles()
    if not roles:
        return Finding(_VOICES, Health.WARNING, "nobody is enrolled", "'voicecart enroll NAME' lets NAME pay by voice.")
    model = open_encoder(settings.pay).model
    outdated = [voice.name for voice in voices.list() if voice.model != model]
    if outdated:
        found = f"enrolled with another speaker encoder: {', '.join(outdated)}"
        return Finding(_VOICES, Health.BAD, found, "Enrol them again: 'voicecart enroll NAME --replace'.")
    return Finding(_VOICES, Health.GOOD, ", ".join(f"{name} ({role})" for name, role in sorted(roles.items())))


def examine_record(settings: Settings, state: Path) -> Finding:
    """Looks at whether every entry of the audit trail is as it was written.

    Raises:
        StoreError: The database or the key cannot be used.
    """
    found = AuditTrail(open_shop_database(settings, state), settings.shop.household, state).verify()
    if found.broken is not None:
        return Finding(
            _RECORD,
            Health.BAD,
            f"entry {found.broken} of {found.entries} is not as it was written, or one before it is missing",
            "Somebody changed the database, or audit.key is not the one it was written with. A backup has it whole.",
        )
    return Finding(_RECORD, Health.GOOD, f"{found.entries} entries, all as they were written")
