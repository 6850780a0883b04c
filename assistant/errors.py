"""The errors of Voicecart: one small hierarchy, each class with a stable ``code``.

A command prints ``message`` and exits with a non-zero code; the device speaks a sentence chosen by ``code``; JSON
output carries both.
"""

from typing import ClassVar


class VoicecartError(Exception):
    """Base of every error that a person may see.

    Attributes:
        code: Stable, lower-case, underscored; scripts may rely on it.
        message: What is wrong and what to do, in one or two sentences.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SettingsError(VoicecartError):
    """A settings file that cannot be used; the message names the key."""

    code = "settings_invalid"


class AudioError(VoicecartError):
    """Audio that cannot be read: empty, truncated, not audio, 0 Hz."""

    code = "audio_unreadable"


class AudioDeviceError(VoicecartError):
    """No usable microphone or loudspeaker."""

    code = "audio_device_missing"


class ModelMissing(VoicecartError):
    """A model folder that is not there."""

    code = "model_missing"


class ModelDamaged(VoicecartError):
    """A model whose files do not match their checksums."""

    code = "model_damaged"


class GraphError(VoicecartError):
    """The recognition graph could not be compiled."""

    code = "graph_failed"


class SynthesisError(VoicecartError):
    """Text that could not be turned into speech."""

    code = "synthesis_failed"


class FeedError(VoicecartError):
    """A catalog feed with no good line, or that cannot be read."""

    code = "feed_invalid"


class CatalogMissing(VoicecartError):
    """No catalog has been imported."""

    code = "catalog_missing"


class StoreError(VoicecartError):
    """The database refused a write: full disk, damaged file, lock."""

    code = "store_failed"


class OutcomeUnknown(StoreError):
    """The connection to the database broke while a change was being committed: it was saved or not."""


class OrderError(VoicecartError):
    """An order that does not exist or cannot change as asked."""

    code = "order_invalid"


class OrderConflict(OrderError):
    """An idempotency key that was used before, for another order."""

    code = "order_conflict"


class PriceChanged(OrderError):
    """An order whose total is not what the shop asks for it now."""

    code = "price_changed"


class SoldOut(OrderError):
    """An order of something that is not sold any more, or of which too little is left."""

    code = "sold_out"


class AccessDenied(VoicecartError):
    """A request without a token that is valid here."""

    code = "access_denied"


class ServiceUnavailable(VoicecartError):
    """The shop's service cannot be reached, or does not answer as it should."""

    code = "service_unavailable"


class EnrolmentError(VoicecartError):
    """A voice that could not be enrolled; the message says which take is bad and why."""

    code = "enrolment_failed"


class PaymentUnavailable(VoicecartError):
    """The payment provider could not be asked; nothing was paid."""

    code = "payment_unavailable"


class ScenarioError(VoicecartError):
    """A scenario file that cannot be used; the message names scenario and field."""

    code = "scenario_invalid"


class UsageError(VoicecartError):
    """Options that do not fit together."""

    code = "usage"
