"""``voicecart understand``: one utterance per file or text; no dialogue, no purchase."""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from assistant.commands.main import Subcommands
from assistant.errors import UsageError, VoicecartError
from assistant.hear.audio import CHUNK_SAMPLES, RATE
from assistant.hear.reading import read_audio
from assistant.hear.recogniser import Hypothesis
from assistant.hear.recording_recogniser import hear_recording
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.parts import Parts
from assistant.settings_file import changed
from assistant.storefront import coupons_for, offer_of
from assistant.understand.understanding import Context, Expecting, Understanding

# Whole output frames of the network (30 ms), so that what is put before a recording does not move it between them.
_ROOM_BEFORE, _ROOM_AFTER = RATE * 21 // 100, RATE * 3 // 10


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "understand",
        help="what recordings or texts mean, one utterance each",
        description="Understands one utterance per recording or text: intent, products, quantities, options. There is "
        "no dialogue and nothing is bought. A recording that cannot be read is reported on its line, the others are "
        "still done, and the exit code is 1.",
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="WAV, FLAC or Ogg")
    parser.add_argument("--text", action="append", default=[], metavar="TEXT", help="words in place of a recording")
    parser.add_argument("--catalog", type=Path, metavar="FEED", help="the shop's products (default: what was imported)")
    parser.add_argument("--lang", metavar="CODE", help="language (default: understand.language of the settings)")
    parser.add_argument("--json", action="store_true", help="one JSON object per input")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints one line per input, in input order; returns 1 when an input was bad."""
    if not options.files and not options.text:
        raise UsageError("Name a recording, or give words with --text.")
    settings = options.settings
    if options.lang:
        settings = changed(settings, {"understand": {"language": options.lang}})
    products = offer_of(options.settings, options.state, options.catalog, _tell)
    parts = Parts(settings, products, options.state, _tell, coupons_for(settings, options.state))
    failed = False
    for line in _lines(parts, options.files, options.text):
        failed |= "error" in line
        print(json.dumps(line, ensure_ascii=False) if options.json else _readable(line), flush=True)
    return int(failed)


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def _lines(parts: Parts, files: Sequence[Path], texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    for path in files:
        try:
            yield _heard(parts, path)
        except VoicecartError as error:
            yield {"input": str(path), "error": {"code": error.code, "message": error.message}}
    for text in texts:
        started = time.perf_counter()
        understanding = parts.understand([parts.language.normalise(text)], Context())
        yield _line(text, understanding, 0.0, time.perf_counter() - started)


def _heard(parts: Parts, path: Path) -> dict[str, Any]:
    samples = read_audio(path)
    seconds = len(samples) / RATE
    settings = parts.settings.hear
    if len(samples) > settings.longest_seconds * RATE:
        listen = partial(parts.recogniser.listen, Expecting.COMMAND)
        hypotheses = hear_recording((samples,), listen, SileroVoiceActivity(), settings)
        return _understood(parts, path, hypotheses, seconds, time.perf_counter())
    hearing = parts.recogniser.listen(Expecting.COMMAND)
    # A recording may begin and end with its words; a microphone hears the room around them, as the model learned it.
    samples = np.pad(samples, (_ROOM_BEFORE, _ROOM_AFTER))
    # Streamed as from a microphone, so that the latency is what is left to do at the end of speech.
    for begin in range(0, len(samples), CHUNK_SAMPLES):
        hearing.accept(samples[begin : begin + CHUNK_SAMPLES])
    ended = time.perf_counter()
    return _understood(parts, path, hearing.finish(), seconds, ended)


def _understood(
    parts: Parts, path: Path, hypotheses: Sequence[Hypothesis], seconds: float, ended: float
) -> dict[str, Any]:
    understanding = parts.understand([hypothesis.text for hypothesis in hypotheses], Context())
    return _line(str(path), understanding, seconds, time.perf_counter() - ended)


def _line(given: str, understanding: Understanding, seconds: float, latency: float) -> dict[str, Any]:
    return {
        "input": given,
        "text": understanding.text,
        "intent": str(understanding.intent),
        "items": [item.to_json() for item in understanding.items],
        "seconds": round(seconds, 3),
        "latency_seconds": round(latency, 4),
    }


def _readable(line: dict[str, Any]) -> str:
    if "error" in line:
        return f"{line['input']}: {line['error']['code']}: {line['error']['message']}"
    items = ", ".join(
        f"{item['quantity']} x {item['name']}" + "".join(f" [{group}: {v}]" for group, v in item["options"].items())
        for item in line["items"]
    )
    return f"{line['input']}: “{line['text']}” → {line['intent']}" + (f": {items}" if items else "")
