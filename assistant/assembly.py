"""Builds the device from the settings: the only place that knows every default."""

import random
import secrets
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path

from assistant.conversation import Conversation
from assistant.device import Device
from assistant.events import EventStream
from assistant.hear.audio import AudioSource
from assistant.hear.ears import Ears
from assistant.hear.graph import prepare_graphs
from assistant.hear.lexicon import Lexicon
from assistant.hear.segmenter import Segmenter
from assistant.hear.voice_activity import VoiceActivity
from assistant.hear.vosk_recogniser import VoskRecogniser
from assistant.hear.wake import VoskWakeSpotter, WakeSpotter
from assistant.languages.language import Language, load_language
from assistant.models import find_model
from assistant.pay.authority import VoiceAuthority
from assistant.pay.encoder import SpeakerEncoder, SpeechBrainEncoder
from assistant.pay.enrolment import Enrolments
from assistant.pay.voices import Voices
from assistant.pay.wallet import Wallet
from assistant.settings import Settings
from assistant.shop.database import open_database
from assistant.shop.product import Product
from assistant.shop.store import Store
from assistant.speak.mouth import Mouth
from assistant.speak.pyttsx3_synthesiser import Pyttsx3Synthesiser
from assistant.speak.synthesiser import Loudspeaker, Synthesiser
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
    """

    def __init__(
        self,
        settings: Settings,
        products: Iterable[Product],
        folder: Path,
        progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.settings = settings
        self.products = tuple(products)
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
        return SearchableCatalog(self.products, self.language, self.lexicon.pronounce)

    @cached_property
    def _graphs(self) -> Graphs:
        return prepare_graphs(
            find_model(self.settings.hear.model),
            build_grammars(self.products, self.language, self.wake_phrase),
            self.wake_phrase,
            self.lexicon,
            self._folder / "graphs",
            self._progress,
        )

    @property
    def wake_phrase(self) -> str:
        """The wake phrase; empty when nothing has to be said to be heard."""
        return self.settings.hear.wake_phrase if self.settings.hear.wake == "phrase" else ""

    @cached_property
    def recogniser(self) -> VoskRecogniser:
        """The recogniser with a grammar for every state of the dialogue."""
        return VoskRecogniser(self._graphs, self.settings.hear)

    @cached_property
    def spotter(self) -> WakeSpotter | None:
        """The wake spotter, or None when the device is always open."""
        return VoskWakeSpotter(self._graphs.wake, self.settings.hear) if self._graphs.wake else None

    @cached_property
    def synthesiser(self) -> Synthesiser:
        """The device's voice."""
        return Pyttsx3Synthesiser(self.settings.speak, self.language.voice)

    @cached_property
    def encoder(self) -> SpeakerEncoder:
        """The speaker encoder; loaded when it is first used."""
        return SpeechBrainEncoder(self.settings.pay)

    @cached_property
    def replies(self) -> Replies:
        """The words of the replies."""
        return Replies(self.language)

    def understand(self, hypotheses: Sequence[str], context: Context) -> Understanding:
        """Understands an utterance."""
        return understand(hypotheses, self.catalog, self.language, context, self.settings.understand)
