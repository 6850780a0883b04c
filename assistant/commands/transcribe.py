"""``voicecart transcribe``: what the recogniser hears in recordings."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from assistant.commands.main import Subcommands
from assistant.errors import VoicecartError
from assistant.hear.audio import RATE, Samples
from assistant.hear.grammar_file import read_grammar
from assistant.hear.graph import prepare_graphs
from assistant.hear.lexicon import Lexicon
from assistant.hear.reading import read_blocks
from assistant.hear.recogniser import Hearing, Hypothesis
from assistant.hear.recording_recogniser import hear_recording
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.hear.vosk_recogniser import VoskHearing, VoskRecogniser, load_vosk_model
from assistant.hear.word_confidence import word_confidences
from assistant.models import find_model
from assistant.parts import Parts
from assistant.settings import Hear
from assistant.understand.grammar import Alternatives, Grammar, Repeat, Words
from assistant.understand.understanding import Expecting


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "transcribe",
        help="what the recogniser hears in recordings, one utterance each",
        description="Writes down recordings. A grammar file is JSON: a list of phrases that may come in any order and "
        'number, such as ["yes", "no", "[unk]"], or {"start": "order", "rules": {"order": "a <size> tea", "size": '
        '["small", "large"]}}, where text may name rules, a list holds alternatives, {"repeat": RULE} is zero or more '
        "times, [unk] is any sound and [any] any general words. Without one, general words are heard. A recording that "
        "cannot be read is reported on its line, the others are still done, and the exit code is 1.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="WAV, FLAC or Ogg")
    parser.add_argument("--grammar", type=Path, metavar="FILE.json", help="what can be said")
    parser.add_argument("--model", metavar="NAME|DIR", help="acoustic model (default: hear.model of the settings)")
    parser.add_argument("--json", action="store_true", help="one JSON object per recording")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints one line per recording, in input order; returns 1 when one was bad."""
    listen = _listener(options)
    failed = False
    for path in options.files:
        try:
            line = _transcribed(path, listen, options.settings.hear)
        except VoicecartError as error:
            failed = True
            line = {"input": str(path), "error": {"code": error.code, "message": error.message}}
        print(json.dumps(line, ensure_ascii=False) if options.json else _readable(line), flush=True)
    return int(failed)


def _listener(options: argparse.Namespace) -> Callable[[], Hearing]:
    """What begins an utterance: with the grammar, or with the model's own language model, or with general words."""
    settings = options.settings.hear
    model = find_model(options.model or settings.model)
    parts = Parts(options.settings, (), options.state)
    grammar = read_grammar(options.grammar, parts.language) if options.grammar else None
    if grammar is None and ((model / "graph" / "Gr.fst").is_file() or (model / "graph" / "HCLG.fst").is_file()):
        own = load_vosk_model(model, settings.log)
        return lambda: VoskHearing(own, settings.alternatives, settings.log)
    graphs = prepare_graphs(
        model,
        {Expecting.COMMAND: grammar or general_grammar(parts.lexicon)},
        "",
        parts.lexicon,
        options.state / "graphs",
        lambda text: print(text, file=sys.stderr),
    )
    recogniser = VoskRecogniser(graphs, settings)
    recogniser.load()
    return lambda: recogniser.listen(Expecting.COMMAND)


def general_grammar(lexicon: Lexicon) -> Grammar:
    """Any general words, as likely as in the language; no unknown sounds, which would take whole sentences."""
    branches = tuple((cost, Words(word)) for word, cost in lexicon.general_words.items())
    return Grammar("general", {"start": Repeat(Alternatives(branches))})


def _transcribed(path: Path, listen: Callable[[], Hearing], settings: Hear) -> dict[str, Any]:
    seconds = reading = 0.0

    def blocks() -> Iterator[Samples]:
        nonlocal seconds, reading
        began = time.process_time()
        for block in read_blocks(path):
            seconds += len(block) / RATE
            reading += time.process_time() - began
            yield block
            began = time.process_time()

    began = time.process_time()
    hypotheses = hear_recording(blocks(), listen, SileroVoiceActivity(), settings)
    return {
        "input": str(path),
        "text": hypotheses[0].text,
        "words": _words(hypotheses),
        "alternatives": [hypothesis.text for hypothesis in hypotheses[1:]],
        "seconds": round(seconds, 3),
        "cpu_seconds": round(time.process_time() - began - reading, 4),
    }


def _words(hypotheses: tuple[Hypothesis, ...]) -> list[dict[str, Any]]:
    return [
        {"word": word.word, "start": round(word.start, 3), "end": round(word.end, 3), "confidence": round(sure, 3)}
        for word, sure in zip(hypotheses[0].words, word_confidences(hypotheses), strict=True)
    ]


def _readable(line: dict[str, Any]) -> str:
    if "error" in line:
        return f"{line['input']}: {line['error']['code']}: {line['error']['message']}"
    return f"{line['input']}: {line['text']}"
