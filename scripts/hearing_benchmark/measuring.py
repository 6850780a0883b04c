"""Measurements: what a recogniser gets right of a set, and what it costs."""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Levenshtein

from assistant.commands.transcribe import general_grammar
from assistant.hear.lexicon import Lexicon
from assistant.languages.language import load_language
from assistant.understand.any_order import any_order
from assistant.understand.grammar import Grammar
from scripts.hearing_benchmark.engines import Engine, PocketsphinxEngine, VoskEngine
from scripts.hearing_benchmark.grammars import DIGITS, menu_grammar, orders_of, slots_of
from scripts.hearing_benchmark.recordings import (
    LEVELS,
    VOICES,
    Order,
    an4_test,
    digit_strings,
    english_of_mandarin_speakers,
    held_out_noises,
    noisy,
    slot_values,
    synthesised,
)
from scripts.train_asr.recordings import RATE
from scripts.train_asr.synthesise import sentences

MakeEngine = Callable[[Grammar], Engine]
Wrong = list[tuple[str, str]]


@dataclass
class Tally:
    """How one recogniser did on one set.

    Attributes:
        utterances: How many there were.
        right: How many were right as a whole.
        words: Words spoken, where words are compared.
        word_errors: Words substituted, inserted or left out.
        cpu_seconds: Processor time.
        seconds: Duration of the audio.
        wrong: What was said and what was heard instead.
    """

    utterances: int = 0
    right: int = 0
    words: int = 0
    word_errors: int = 0
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    wrong: Wrong = field(default_factory=list)

    @property
    def share(self) -> float:
        """Share of utterances that were right."""
        return self.right / max(1, self.utterances)

    def add(
        self, engine: Engine, samples: np.ndarray, judge: Callable[[str], bool], said: str, words: bool = True
    ) -> None:
        """Lets the engine hear one utterance and judges its answer."""
        heard = engine.hear(samples)
        good = judge(heard.text)
        self.utterances += 1
        self.right += good
        self.cpu_seconds += heard.cpu_seconds
        self.seconds += len(samples) / RATE
        if words:
            self.words += len(said.split())
            self.word_errors += Levenshtein.distance(said.split(), heard.text.split())
        if not good:
            self.wrong.append((said, heard.text))

    def as_json(self) -> dict[str, object]:
        """Figures for the report."""
        figures: dict[str, object] = {"utterances": self.utterances, "right": self.right, "share": round(self.share, 4)}
        if self.words:
            figures["word_error_rate"] = round(self.word_errors / self.words, 4)
        figures["cpu_per_second"] = round(self.cpu_seconds / max(self.seconds, 1e-9), 4)
        return figures | {"wrong": self.wrong[:30]}


def vosk_maker(model: Path, lexicon: Lexicon) -> MakeEngine:
    """Engines of a model of ours, graphs in a folder that goes with the process."""
    folder = tempfile.mkdtemp(prefix="benchmark-graphs-")
    return lambda grammar: VoskEngine(model, grammar, lexicon, Path(folder))


def pocketsphinx_maker(lexicon: Lexicon, smallest: bool = True) -> MakeEngine:
    """Engines of PocketSphinx; see ``PocketsphinxEngine``."""
    return lambda grammar: PocketsphinxEngine(grammar, lexicon, smallest)


def list_of(name: str, words: Iterable[str]) -> Grammar:
    """Words in any order, as ``voicecart transcribe`` takes them from a list."""
    return Grammar(name, {"start": any_order(sorted(words), load_language("en"))})


def menu_orders(
    make: MakeEngine, orders: Sequence[Order], levels: Iterable[float] = LEVELS, every: int = 1
) -> dict[str, Tally]:
    """Recorded orders with the menu's regular grammar, clean and in noise; right means every slot."""
    values = slot_values(orders)
    engine, noises, results = make(menu_grammar(values)), held_out_noises(), {}
    for level in (None, *levels):
        tally = results["clean" if level is None else f"{level} dB"] = Tally()
        for number, order in enumerate(orders[::every]):
            samples = order.samples if level is None else noisy(order.samples, noises, level, number)
            said = " ".join(f"{slot}={value}" for slot, value in sorted(order.slots.items()))
            tally.add(
                engine, samples, lambda text, order=order: slots_of(text, values) == order.slots, said, words=False
            )
    return results


def words_in_any_order(make: MakeEngine, levels: Iterable[float] = LEVELS) -> dict[str, Tally]:
    """AN4's test part with its own vocabulary in any order, in quiet and in noise, and its sentences of digits only."""
    clips, noises, results = an4_test(), held_out_noises(), {}
    engine = make(list_of("an4", {word for clip in clips for word in clip.text.split()}))
    for level in (None, *levels):
        tally = results["AN4 test" if level is None else f"AN4 test, {level} dB"] = Tally()
        for number, clip in enumerate(clips):
            samples = clip.samples if level is None else noisy(clip.samples, noises, level, number)
            tally.add(engine, samples, lambda text, clip=clip: text == clip.text, clip.text)
    digits, engine = Tally(), make(list_of("digits", DIGITS))
    for clip in clips:
        if set(clip.text.split()) <= set(DIGITS):
            digits.add(engine, clip.samples, lambda text, clip=clip: text == clip.text, clip.text)
    return results | {"AN4 test, digit strings": digits}


def without_grammar(make: MakeEngine, lexicon: Lexicon, every: int = 4) -> Tally:
    """Sentences about anything by learners of English, with general words only."""
    engine, tally = make(general_grammar(lexicon)), Tally()
    for clip in english_of_mandarin_speakers()[::every]:
        tally.add(engine, clip.samples, lambda text, clip=clip: text == clip.text, clip.text)
    return tally


def spoken_digits(make: MakeEngine, folder: Path, each: int = 4) -> dict[str, Tally]:
    """Digit strings of synthetic voices in quiet and in noise."""
    engine, noises = make(list_of("digits", DIGITS)), held_out_noises()
    results = {"quiet": Tally(), "10 dB": Tally()}
    for number, text in enumerate(digit_strings(each * len(VOICES))):
        samples = synthesised(VOICES[number % len(VOICES)], text, folder)
        for name, tally in results.items():
            heard = samples if name == "quiet" else noisy(samples, noises, 10, number)
            tally.add(engine, heard, lambda said, text=text: said == text, text)
    return results


def unknown_brands(make: MakeEngine, folder: Path, lexicon: Lexicon, count: int = 200) -> Tally:
    """Words that no dictionary has, each the brand of one of 2,000 products."""
    source, names = sentences(11), {}
    while len(names) < 2000:
        brand = source.brand()
        if not lexicon.knows(brand):
            names[brand] = f"{brand} {source.goods()}"
    products = list(names.values())
    engine, tally = make(orders_of(products)), Tally()
    for number, name in enumerate(products[:count]):
        samples = synthesised(VOICES[number % len(VOICES)], f"i want {name}", folder)
        tally.add(engine, samples, lambda text, name=name: text.endswith(name), f"i want {name}")
    return tally
