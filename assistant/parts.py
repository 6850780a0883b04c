"""The parts of a device that belong to no household, made from the settings with every default."""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from assistant.hear.graph import Graphs, prepare_graphs
from assistant.hear.lexicon import Lexicon
from assistant.hear.utterance_verification import open_verifier
from assistant.hear.vosk_recogniser import VoskRecogniser
from assistant.hear.wake import VoskWakeSpotter, WakeSpotter
from assistant.languages.language import Language, load_language
from assistant.models import find_model
from assistant.pay.encoder import SpeakerEncoder, open_encoder
from assistant.settings import Settings
from assistant.settings_file import changed
from assistant.shop.product import Product
from assistant.shop.search.imported import ImportedProducts
from assistant.shop.search.product_search import ProductSearch, open_search, source_of
from assistant.shop.shelf import Shelf, with_full_name
from assistant.shop.shortlists import Shortlists
from assistant.speak.pyttsx3_synthesiser import Pyttsx3Synthesiser
from assistant.speak.synthesiser import Synthesiser
from assistant.talk.replies import Replies
from assistant.understand.catalog_index import SearchableCatalog
from assistant.understand.grammar_building import build_grammars
from assistant.understand.indexed_catalog import IndexedCatalog
from assistant.understand.parser import understand
from assistant.understand.understanding import Context, Understanding


class Parts:
    """What belongs to no household: language, catalog, ears, voice, speaker encoder.

    Each is made when it is first asked for and then kept, so that a command pays only for what it uses.

    Args:
        settings: All settings.
        products: The catalog, or the shelf of a large one.
        folder: Where compiled graphs and pronunciations are kept.
        progress: Takes a line for a person when something takes a while.
        coupons: Words of coupons that may be named.
        places: Names of the household's addresses.
    """

    def __init__(
        self,
        settings: Settings,
        products: Iterable[Product] | Shelf,
        folder: Path,
        progress: Callable[[str], None] = lambda line: None,
        coupons: Iterable[str] = (),
        places: Iterable[str] = (),
    ) -> None:
        self.settings = settings
        self.products = products if isinstance(products, Shelf) else tuple(products)
        if not isinstance(self.products, Shelf) and len(self.products) >= settings.understand.many_products:
            self.products = tuple(map(with_full_name, self.products))
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
    def search(self) -> ProductSearch | None:
        """The index of a large catalog; None for any other."""
        products, folder = self.products, self._folder / "search"
        if isinstance(products, Shelf):
            source = ImportedProducts(products.engine).source()
            return open_search(folder / "imported", source, self.language, self.lexicon, self._progress)
        if len(products) >= self.settings.understand.many_products:
            source = source_of(products, self.language.code)
            return open_search(folder / "feed", source, self.language, self.lexicon, self._progress)
        return None

    @cached_property
    def catalog(self) -> SearchableCatalog:
        """The products, searchable by spelling and sound."""
        if self.search is None:
            return SearchableCatalog(self._listed, self.language, self.lexicon.pronounce)
        products = self.products if isinstance(self.products, Shelf) else {one.sku: one for one in self.products}
        return IndexedCatalog(products, self.language, self.lexicon.pronounce, self.search)

    @property
    def _listed(self) -> tuple[Product, ...]:
        """The products, or those of a shelf that the household knows."""
        if not isinstance(self.products, Shelf):
            return self.products
        # In an order that stays when something is bought again, so that the graphs stay, too.
        return tuple(self.products[sku] for sku in sorted(self.products))

    @cached_property
    def _graphs(self) -> Graphs:
        words = self.search.words if self.search is not None else None
        likely = self._listed if words is None or isinstance(self.products, Shelf) else ()
        return prepare_graphs(
            find_model(self.settings.hear.model),
            build_grammars(likely, self.language, self.wake_phrase, self.coupons, self.places, words),
            self.wake_phrase,
            self.lexicon,
            self._folder / "graphs",
            self._progress,
        )

    def prepare(self) -> None:
        """Compiles the graphs unless they are there, so that other parts over the same folder need not wait for it.

        Raises:
            GraphError: OpenFst's tools are missing or failed, or the disk is full.
            ModelDamaged: The model folder is incomplete.
        """
        _ = self._graphs

    @property
    def wake_phrase(self) -> str:
        """The wake phrase; also where it need not be said, so that the same graphs serve whatever opens the ears."""
        return self.settings.hear.wake_phrase

    @cached_property
    def recogniser(self) -> VoskRecogniser:
        """The recogniser with a grammar for every state of the dialogue."""
        hear = self.settings.hear
        verifier = open_verifier(find_model(hear.model), self.lexicon) if hear.verify else None
        return VoskRecogniser(self._graphs, hear, verifier)

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

    def shortlists(self, products: Mapping[str, Product]) -> Shortlists | None:
        """What is looked through in place of a large imported catalog; None where all products are."""
        if not isinstance(products, Shelf) or self.search is None:
            return None
        return Shortlists(products, self.search.like)

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

    def over(self, products: Shelf) -> "Parts":
        """The same parts over a copy of the catalog: its words and its index are those of the original."""
        other = copy.copy(self)
        other.products = products
        other.__dict__.pop("catalog", None)
        return other

    def close(self) -> None:
        """Ends the device's voice."""
        if "synthesiser" in self.__dict__:
            self.synthesiser.close()


_MADE_FROM: Mapping[str, tuple[str, ...]] = {
    "hear": ("_graphs", "recogniser", "spotter"),
    "understand": (
        "language", "lexicon", "search", "catalog", "_graphs", "recogniser", "spotter", "synthesiser", "replies",
    ),
    "speak": ("synthesiser",),
    "pay": ("encoder",),
}  # fmt: skip
