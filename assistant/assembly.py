"""Puts a device together from its parts and a household."""

from collections.abc import Callable

from assistant.announcements import Announcer
from assistant.conversation import Conversation
from assistant.device import Device
from assistant.events import EventStream
from assistant.hear.audio import AudioSource
from assistant.hear.ears import Ears
from assistant.hear.segmenter import Segmenter
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.household import Household
from assistant.parts import Parts
from assistant.speak.mouth import Mouth
from assistant.speak.synthesiser import Loudspeaker


def open_conversation(
    parts: Parts, household: Household, stream: EventStream, now: Callable[[], float]
) -> Conversation:
    """A household's conversation; orders that a device which died left unpaid are given up first.

    Args:
        parts: Language and catalog.
        household: Whose shop.
        stream: Takes the events.
        now: Audio seconds.

    Raises:
        SettingsError: The payment provider is not set up.
        StoreError: The database cannot be used.
    """
    household.provider.check()
    household.store.recover()
    household.errands.returns.recover()
    return Conversation(
        parts.understand,
        parts.woken_only,
        household.store,
        household.authority,
        parts.replies,
        parts.settings,
        stream,
        now,
        household.randomness,
        household.errands,
        household.identification,
        parts.shortlists,
    )


def open_device(
    parts: Parts,
    household: Household,
    source: AudioSource,
    loudspeaker: Loudspeaker,
    stream: EventStream,
    beat: Callable[[], None] = lambda: None,
) -> Device:
    """A device that hears ``source`` and speaks through ``loudspeaker``, its models loaded.

    Raises:
        ModelMissing: A model is not there.
        ModelDamaged: A model is not whole.
        GraphError: The recognition graphs cannot be compiled.
        StoreError: The database cannot be used.
    """
    settings = parts.settings
    parts.recogniser.load()
    parts.catalog.prepare()  # Now, so that the first wish need not wait.
    household.authority.prepare()
    ears = Ears(
        SileroVoiceActivity(),
        Segmenter(settings.hear),
        parts.spotter,
        parts.recogniser,
        settings.hear,
        stream.publish,
    )
    mouth = Mouth(parts.synthesiser, loudspeaker, settings.speak.tail_seconds, stream.publish)
    # The conversation is made before the device, whose audio seconds it counts in.
    conversation = open_conversation(parts, household, stream, lambda: device.now)
    announcer = Announcer(
        household.store,
        household.errands,
        parts.replies,
        settings.understand.language,
        settings.talk.quiet_hours,
        household.clock,
    )
    device = Device(source, ears, mouth, conversation, settings, stream, beat, announcer.due)
    return device
