"""Builds the device from the settings: the only place that knows every default."""

import copy
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path

from assistant.announcements import Announcer
from assistant.conversation import Conversation
from assistant.device import Device
from assistant.errors import UsageError
from assistant.events import EventStream
from assistant.hear.audio import AudioSource
from assistant.hear.ears import Ears
from assistant.hear.graph import Graphs, prepare_graphs
from assistant.hear.lexicon import Lexicon
from assistant.hear.segmenter import Segmenter
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.hear.vosk_recogniser import VoskRecogniser
from assistant.hear.wake import VoskWakeSpotter, WakeSpotter
from assistant.languages.language import Language, load_language
from assistant.models import find_model
from assistant.pay.audit import AuditTrail
from assistant.pay.authority import VoiceAuthority, local_time
from assistant.pay.encoder import SpeakerEncoder, open_encoder
from assistant.pay.enrolment import Enrolments
from assistant.pay.pins import Pins
from assistant.pay.voiced_speech import VoicedSpeech
from assistant.pay.voices import Voices
from assistant.settings import REHEARSAL, Settings, changed
from assistant.shop.product import Product
from assistant.shop.search.product_search import candidates_in
from assistant.speak.mouth import Mouth
from assistant.speak.pyttsx3_synthesiser import Pyttsx3Synthesiser
from assistant.speak.synthesiser import Loudspeaker, Synthesiser
from assistant.storefront import open_storefront
from assistant.talk.replies import Replies
from assistant.understand.catalog_index import SearchableCatalog
from assistant.understand.grammar_building import build_grammars
from assistant.understand.parser import understand
from assistant.understand.understanding import Context, Understanding


class Parts:
    """What belongs to no household: language, catalog, ears, voice, speaker encoder.

    Each is made when it is first asked for and then kept, so that a command pays only for what it uses.

    Args:
        settings: All settings.
        products: The catalog.
        folder: Where compiled graphs and pronunciations are kept.
        progress: Takes a line for a person when something takes a while.
        coupons: Words of coupons that may be named.
        places: Names of the household's addresses.
    """

    def __init__(
        self,
        settings: Settings,
        products: Iterable[Product],
        folder: Path,
        progress: Callable[[str], None] = lambda line: None,
        coupons: Iterable[str] = (),
        places: Iterable[str] = (),
    ) -> None:
        self.settings = settings
        self.products = tuple(products)
        self.coupons, self.places = tuple(coupons), tuple(places)
        self._folder = folder
        self._progress = progress

    @cached_property
    def language(self) -> Language:
        """The language of the conversation."""
        return load_language(self.settings.understand.language)

    @cached_property
    def lexicon(self) -> Lexicon:
        """Pronunciations."""
        return Lexicon(find_model(self.language.lexicon), self._folder / "pronunciations")

    @cached_property
    def catalog(self) -> SearchableCatalog:
        """The products, searchable by spelling and sound."""
        folder = self._folder / "search" / "device"
        candidates = candidates_in(folder, self.products, self.language, self.lexicon, self._progress)
        return SearchableCatalog(self.products, self.language, self.lexicon.pronounce, candidates)

    @cached_property
    def _graphs(self) -> Graphs:
        return prepare_graphs(
            find_model(self.settings.hear.model),
            build_grammars(self.products, self.language, self.wake_phrase, self.coupons, self.places),
            self.wake_phrase,
            self.lexicon,
            self._folder / "graphs",
            self._progress,
        )

    @property
    def wake_phrase(self) -> str:
        """The wake phrase; also where it need not be said, so that the same graphs serve whatever opens the ears."""
        return self.settings.hear.wake_phrase

    @cached_property
    def recogniser(self) -> VoskRecogniser:
        """The recogniser with a grammar for every state of the dialogue."""
        return VoskRecogniser(self._graphs, self.settings.hear)

    @cached_property
    def spotter(self) -> WakeSpotter | None:
        """The wake spotter, or None when something else opens the ears."""
        graph = self._graphs.wake if self.settings.hear.wake == "phrase" else None
        return VoskWakeSpotter(graph, self.settings.hear) if graph else None

    @cached_property
    def synthesiser(self) -> Synthesiser:
        """The device's voice."""
        return Pyttsx3Synthesiser(self.settings.speak, self.language.voice)

    @cached_property
    def encoder(self) -> SpeakerEncoder:
        """The speaker encoder; loaded when it is first used."""
        return open_encoder(self.settings.pay)

    @cached_property
    def replies(self) -> Replies:
        """The words of the replies."""
        return Replies(self.language)

    def understand(self, hypotheses: Sequence[str], context: Context) -> Understanding:
        """Understands an utterance; a wake phrase at its beginning is no part of it."""
        words = [self._without_wake_phrase(text) for text in hypotheses]
        return understand(words, self.catalog, self.language, context, self.settings.understand)

    def woken_only(self, text: str) -> bool:
        """Whether the wake phrase was said and nothing else."""
        return bool(text) and not self._without_wake_phrase(text)

    def _without_wake_phrase(self, text: str) -> str:
        phrase = self.wake_phrase
        return text.removeprefix(phrase).strip() if phrase and f"{text} ".startswith(f"{phrase} ") else text

    def with_settings(self, changes: Mapping[str, Mapping[str, object]]) -> "Parts":
        """The same parts under settings that differ; what does not depend on them is shared.

        Args:
            changes: As in the settings file: ``{"talk": {"answer_seconds": 5}}``.

        Raises:
            SettingsError: An unknown key or a wrong type.
        """
        if not changes:
            return self
        other = copy.copy(self)
        other.settings = changed(self.settings, changes)
        for section in changes:
            for name in _MADE_FROM.get(section, ()):
                other.__dict__.pop(name, None)
        return other

    def close(self) -> None:
        """Ends the device's voice."""
        if "synthesiser" in self.__dict__:
            self.synthesiser.close()


_MADE_FROM = {
    "hear": ("_graphs", "recogniser", "spotter"),
    "understand": ("language", "lexicon", "catalog", "_graphs", "recogniser", "spotter", "synthesiser", "replies"),
    "speak": ("synthesiser",),
    "pay": ("encoder",),
}


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
        shop = open_storefront(settings, state, parts.products, self.randomness)
        self.store, self.provider = shop.store, shop.provider
        self.errands = shop.errands
        self.clock = clock or local_time
        self.voices = Voices(shop.engine, settings.shop.household, state)
        self.audit = AuditTrail(shop.engine, settings.shop.household, state, self.clock)
        self.pins = Pins(shop.engine, settings.shop.household, state)
        voiced = VoicedSpeech(SileroVoiceActivity)
        self.enrolments = Enrolments(self.voices, parts.encoder, voiced, settings.pay)
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
    _ = parts.catalog  # Indexed now, so that the first wish need not wait.
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
