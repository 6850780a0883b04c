"""Compiles grammars into the recognition graphs that Vosk loads: one complete model folder for every grammar.

A graph has two halves that Vosk composes while it decodes (``HCLr.fst``: sounds to words, ``Gr.fst``: words to
sentences; K. Vesely and others, "Lookahead composition", as in Kaldi's ``mkgraph_lookahead.sh``). The first half is
built once from the words of all grammars and shared by hard links, as is the acoustic model.
"""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import GraphError, ModelDamaged
from assistant.hear.acceptor import UNKNOWN, UNKNOWN_COST, WAKE_MARK, Labels, acceptor_of
from assistant.hear.lexicon import Lexicon
from assistant.hear.lexicon_transducer import PAUSE_COST, UNKNOWN_PHONE_COST, lexicon_transducer
from assistant.hear.openfst import Automaton, compile_automaton, optimise_acceptor, replace_label, run_tool
from assistant.hear.published_words import with_missing_words
from assistant.hear.topology import read_topology
from assistant.hear.word_chain import chain_acceptor
from assistant.understand.grammar import Alternatives, Filler, Grammar, Words
from assistant.understand.grammar import Sequence as InSequence
from assistant.understand.understanding import Expecting

_FORMAT = 6  # Raised whenever the same input compiles to something else.
_KEPT = 4  # Compiled sets kept beside the present one: several shops may take turns on one machine.
_WAKE = "wake"
WAKE_COST = -4.0
"""What the wake phrase costs while it is spotted: less than nothing, so that every likeness of it gets a score."""
_DECODING = ("--frames-per-chunk=60",)
"""Frames (10 ms) that the network computes at once. Its weights are packed anew every time: with Vosk's own 20 that is
a quarter of all the work. What is left at an utterance's end is computed then."""
_WAKE_DECODING = (
    "--beam=10",
    "--max-active=600",
    "--lattice-beam=8",  # The score is how far behind the best reading the best one without the phrase lies.
    # Determinising such a wide lattice by its phones first takes minutes for twenty seconds of running speech.
    "--phone-determinize=false",
)


@dataclass(frozen=True)
class Graphs:
    """Complete Vosk model folders.

    Attributes:
        by_expecting: One for every grammar that was given.
        wake: The wake phrase between general words; None when there is no wake phrase.
        wake_phrase: The phrase that ``wake`` spots.
    """

    by_expecting: Mapping[Expecting, Path]
    wake: Path | None
    wake_phrase: str


def prepare_graphs(
    model: Path,
    grammars: Mapping[Expecting, Grammar],
    wake_phrase: str,
    lexicon: Lexicon,
    folder: Path,
    progress: Callable[[str], None] = lambda line: None,
) -> Graphs:
    """Compiles the grammars, or finds them compiled already (same model, grammars, wake phrase and lexicon).

    Args:
        model: A model folder of ours (``am/``, ``conf/``, ``topology.json``), or a published Vosk model with a
            lookahead graph; words that it lacks are heard as words that sound alike. A published model with a
            fixed graph (``HCLG.fst``) takes no grammar: its own folder serves for everything.
        grammars: One for every state of the dialogue.
        wake_phrase: As text, lower case; empty for none.
        lexicon: Pronunciations and general words.
        folder: ``<state>/graphs``; graphs that no longer fit are removed from it.
        progress: Takes a line for a person when compiling takes a while; not called when nothing is to be done.

    Raises:
        GraphError: OpenFst's tools are missing or failed, or the disk is full.
        ModelDamaged: The model folder is incomplete.
    """
    named = {expecting.value: grammar for expecting, grammar in grammars.items()}
    if wake_phrase:
        named[_WAKE] = _wake_grammar(wake_phrase)
    if (model / "graph" / "HCLG.fst").exists() or (model / "HCLG.fst").exists():
        return Graphs(dict.fromkeys(grammars, model), model if wake_phrase else None, wake_phrase)
    ready = folder / _digest(model, named, lexicon)
    if not ready.is_dir():
        _build(model, named, lexicon, ready, progress)
    os.utime(ready)
    _remove_old(folder, ready)
    wake = ready / _WAKE if wake_phrase else None
    return Graphs({expecting: ready / expecting.value for expecting in grammars}, wake, wake_phrase)


def unheard_words(words: Iterable[str], lexicon: Lexicon) -> tuple[str, ...]:
    """Words that have no pronunciation and are therefore only heard as unknown sounds."""
    return tuple(sorted(word for word, variants in lexicon.pronounce_all(words).items() if not variants))


def _wake_grammar(phrase: str) -> Grammar:
    anything = Filler(0.0)
    complete = Alternatives(((WAKE_COST, Words(WAKE_MARK)),))  # At the end: at the beginning it would narrow the beam.
    spotted = InSequence((Words(phrase), complete, anything))
    return Grammar(_WAKE, {"start": InSequence((anything, Alternatives(((0.0, Words("")), (0.0, spotted)))))})


def _digest(model: Path, grammars: Mapping[str, Grammar], lexicon: Lexicon) -> str:
    costs = f"{_FORMAT} {UNKNOWN_COST} {PAUSE_COST} {UNKNOWN_PHONE_COST}"
    text = [costs, lexicon.digest, repr(sorted(grammars.items(), key=lambda item: item[0]))]
    digest = hashlib.sha256("\n".join(text).encode())
    for name in ("am/final.mdl", "final.mdl", "topology.json", "conf/model.conf", "graph/words.txt"):
        path = model / name
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


def _build(
    model: Path, grammars: Mapping[str, Grammar], lexicon: Lexicon, ready: Path, progress: Callable[[str], None]
) -> None:
    began = time.monotonic()
    try:
        ready.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".building-", dir=ready.parent) as name:
            work, done = Path(name), Path(name) / "done"
            words = frozenset(word for grammar in grammars.values() for word in grammar.vocabulary())
            progress(f"Compiling the recognition graph for {len(words)} words …")
            shared = work / "shared"
            shared.mkdir()
            if (model / "graph" / "HCLr.fst").is_file():
                for path in (model / "graph").iterdir():
                    _link(path, shared / path.name)
                (shared / "Gr.fst").unlink(missing_ok=True)  # Every grammar has its own.
                labels = with_missing_words(shared, words, lexicon)
            else:
                labels = Labels(_compile_words(model, words, lexicon, shared))
            for title, grammar in grammars.items():
                target = done / title
                _link_model(model, target, _WAKE_DECODING if title == _WAKE else _DECODING)
                for path in shared.iterdir():
                    _link(path, target / "graph" / path.name)
                acceptor = acceptor_of(grammar, labels, lexicon.general_words)
                chain = chain_acceptor(grammar.chain, labels) if grammar.chain else None
                _compile_grammar(
                    _only_marks(acceptor, labels.numbers[WAKE_MARK]) if title == _WAKE else acceptor,
                    target / "graph" / "Gr.fst",
                    work / "Gr.fst",
                    (chain, labels.chain) if chain else None,
                )
            if not ready.is_dir():
                done.replace(ready)
    except OSError as error:
        if not ready.is_dir():  # Another process may have put it there first.
            raise GraphError(f"The recognition graph cannot be written to {ready.parent}: {error}.") from error
    progress(f"Compiled in {time.monotonic() - began:.1f} s.")


def _compile_words(model: Path, words: Iterable[str], lexicon: Lexicon, folder: Path) -> dict[str, int]:
    """Writes ``HCLr.fst``, ``words.txt`` and ``disambig_tid.int``; returns the labels for the grammars."""
    topology = read_topology(model)
    pronunciations = lexicon.pronounce_all({*words, *lexicon.general_words} - {UNKNOWN, WAKE_MARK})
    heard = sorted(word for word, variants in pronunciations.items() if variants)
    numbers = {word: number for number, word in enumerate([*heard, UNKNOWN, WAKE_MARK], 1)}
    transducer = lexicon_transducer(
        {word: pronunciations[word] for word in heard},
        numbers,
        topology.phones,
        UNKNOWN,
        (WAKE_MARK,),
    )
    lexicon_path, topology_path, graph = folder / "L.fst", folder / "T.fst", folder / "HCL.fst"
    compile_automaton(transducer.automaton, lexicon_path)
    run_tool("fstdeterminize", lexicon_path, lexicon_path)
    run_tool("fstarcsort", "--sort_type=ilabel", lexicon_path, lexicon_path)
    compile_automaton(topology.transducer(transducer.disambiguations), topology_path)
    run_tool("fstarcsort", "--sort_type=olabel", topology_path, topology_path)
    run_tool("fstcompose", topology_path, lexicon_path, graph)
    run_tool("fstconnect", graph, graph)
    run_tool("fstarcsort", "--sort_type=olabel", graph, graph)
    pairs = folder / "relabel"
    run_tool(
        "fstconvert",
        "--fst_type=olabel_lookahead",
        f"--save_relabel_opairs={pairs}",
        graph,
        folder / "HCLr.fst",
    )
    lines = (line.split() for line in pairs.read_text("ascii").splitlines())
    renumbered = {int(old): int(new) for old, new in lines}
    numbers = {word: renumbered.get(number, number) for word, number in numbers.items()}
    lines_of_words = [f"{word} {number}\n" for word, number in numbers.items()]
    (folder / "words.txt").write_text("<eps> 0\n" + "".join(lines_of_words), "utf-8")
    labels = range(topology.first_disambiguation, topology.first_disambiguation + transducer.disambiguations)
    (folder / "disambig_tid.int").write_text("".join(f"{label}\n" for label in labels), "ascii")
    for path in (lexicon_path, topology_path, graph, pairs):
        path.unlink()
    return numbers


def _only_marks(acceptor: Automaton, mark: int) -> Automaton:
    """Takes all words but marks and puts out marks only.

    All readings without the phrase become one, and all with it another: two alternatives are the best of each.
    """
    arcs = [
        (source, target, label, output if output == mark else 0, cost)
        for source, target, label, output, cost in acceptor.arcs
    ]
    return Automaton(arcs, acceptor.finals, acceptor.start)


def _compile_grammar(automaton: Automaton, path: Path, work: Path, chain: tuple[Automaton, int] | None = None) -> None:
    compile_automaton(automaton, work)
    optimise_acceptor(work)
    if chain is not None:
        # After the rest was made small: a chain without epsilons would lead from every word to every other.
        compile_automaton(chain[0], work.with_suffix(".chain"))
        replace_label(work, chain[1], work.with_suffix(".chain"))
    run_tool("fstconvert", "--fst_type=const", work, path)


def _link_model(model: Path, target: Path, decoding: Sequence[str]) -> None:
    """Everything of the model but its graph, with other options of decoding; Vosk's own endpoints are off."""
    (target / "graph").mkdir(parents=True)
    for path in model.rglob("*"):
        place = path.relative_to(model)
        if path.is_file() and place.parts[0] in ("am", "conf", "ivector", "rescore", "rnnlm"):
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            _link(path, target / place)
    settings = target / "conf" / "model.conf"
    if not (target / "am" / "final.mdl").is_file() or not settings.is_file():
        raise ModelDamaged(f"{model} is no Vosk model: am/final.mdl or conf/model.conf is missing.")
    lines = settings.read_text("utf-8").splitlines()
    replaced = ("--endpoint.rule", *(option.partition("=")[0] + "=" for option in decoding))
    kept = [line for line in lines if not line.startswith(replaced)]
    # Utterances end where the segmenter says, never inside the decoder: a regular grammar cannot be resumed halfway.
    never = [f"--endpoint.rule{rule}.min-trailing-silence=100000" for rule in range(1, 5)]
    never.append("--endpoint.rule5.min-utterance-length=100000")
    settings.unlink()
    settings.write_text("\n".join([*kept, *never, *decoding]) + "\n", "utf-8")


def _link(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_link_file)
    else:
        _link_file(source, target)


def _link_file(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # Another file system, or one without hard links.
        shutil.copyfile(source, target)


def _remove_old(folder: Path, ready: Path) -> None:
    others = [path for path in folder.iterdir() if path.is_dir() and path != ready and not path.name.startswith(".")]
    others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in others[_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
