"""``voicecart wake``: where in recordings a wake phrase is spotted."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from assistant.commands.main import Subcommands
from assistant.errors import UsageError, VoicecartError
from assistant.hear.audio import CHUNK_SAMPLES, RATE, Chunk, Samples
from assistant.hear.graph import prepare_graphs, unheard_words
from assistant.hear.reading import read_blocks
from assistant.hear.segmenter import Segmenter
from assistant.hear.spotting import spot
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.hear.wake import VoskWakeSpotter
from assistant.hear.wav_source import in_chunks
from assistant.models import find_model
from assistant.parts import Parts
from assistant.settings import Hear

_AROUND_SAMPLES = 32 * CHUNK_SAMPLES
"""Silence before and after a recording, about a second; it does not count in the times that are printed."""
_FLOOR = -100.0


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "wake",
        help="where in recordings a wake phrase is spotted",
        description="Scores recordings as the live loop does. Without a threshold every likeness of the phrase is "
        "printed with its score, so that misses can be drawn against false alarms. A recording that cannot be read is "
        "reported on its line, the others are still done, and the exit code is 1.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="WAV, FLAC or Ogg")
    parser.add_argument("--phrase", metavar="TEXT", help="any words (default: hear.wake_phrase of the settings)")
    parser.add_argument("--threshold", type=float, metavar="X", help="score needed (default: print every likeness)")
    parser.add_argument("--json", action="store_true", help="one JSON object per recording")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints one line per recording, in input order; returns 1 when one was bad."""
    spotter = _spotter(options)
    failed = False
    for path in options.files:
        try:
            line = _spotted(path, spotter, options.settings.hear)
        except VoicecartError as error:
            failed = True
            line = {"input": str(path), "error": {"code": error.code, "message": error.message}}
        print(json.dumps(line, ensure_ascii=False) if options.json else _readable(line), flush=True)
    return int(failed)


def _spotter(options: argparse.Namespace) -> VoskWakeSpotter:
    settings = options.settings.hear
    parts = Parts(options.settings, (), options.state)
    phrase = parts.language.normalise(options.phrase or settings.wake_phrase)
    if not phrase:
        raise UsageError("The wake phrase holds no word. Give one with --phrase.")
    if silent := unheard_words(phrase.split(), parts.lexicon):
        raise UsageError(f"Nobody knows how to say {', '.join(silent)}. Write the phrase as it sounds.")
    graphs = prepare_graphs(
        find_model(settings.model),
        {},
        phrase,
        parts.lexicon,
        options.state / "graphs",
        lambda text: print(text, file=sys.stderr),
    )
    assert graphs.wake is not None
    return VoskWakeSpotter(graphs.wake, settings, _FLOOR if options.threshold is None else options.threshold)


def _spotted(path: Path, spotter: VoskWakeSpotter, settings: Hear) -> dict[str, Any]:
    seconds = 0.0

    def room() -> Iterator[Samples]:
        nonlocal seconds
        yield np.zeros(_AROUND_SAMPLES, np.float32)
        for block in read_blocks(path):
            seconds += len(block) / RATE
            yield block
        yield np.zeros(_AROUND_SAMPLES, np.float32)

    chunks = (Chunk(samples, count * CHUNK_SAMPLES / RATE) for count, samples in enumerate(in_chunks(room())))
    detections = [
        {
            "at": round(min(max(0.0, detection.at - _AROUND_SAMPLES / RATE), seconds), 3),
            "score": round(detection.score, 3),
        }
        for detection in spot(chunks, SileroVoiceActivity(), Segmenter(settings), spotter, settings.lead_seconds)
    ]
    return {"input": str(path), "seconds": round(seconds, 3), "detections": detections}


def _readable(line: dict[str, Any]) -> str:
    if "error" in line:
        return f"{line['input']}: {line['error']['code']}: {line['error']['message']}"
    found = ", ".join(f"{detection['at']:.2f} s ({detection['score']:.1f})" for detection in line["detections"])
    return f"{line['input']}: {found or 'not spotted'}"
