"""``voicecart voiceprint``: compares and embeds recordings with the speaker encoder; no stored voice is touched."""

import argparse
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assistant.commands.main import Subcommands
from assistant.errors import AudioError
from assistant.hear.audio import RATE, Samples
from assistant.hear.reading import read_audio
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.pay.encoder import open_encoder
from assistant.pay.verification import mean_embedding
from assistant.pay.voiced_speech import VoicedSpeech
from assistant.settings import Pay, Settings
from assistant.settings_file import changed

_LONGEST_SECONDS = 3600.0


def register(subcommands: Subcommands) -> None:
    """Adds the command with its two actions."""
    parser = subcommands.add_parser(
        "voiceprint",
        help="compare or embed recordings of voices",
        description="Works on recordings alone: no enrolled voice is used or changed.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    compare = actions.add_parser(
        "compare",
        help="is it the same person?",
        description="Makes an owner of the --enrol recordings (five are recommended) and compares every --test "
        "recording with that owner. Exit code 0 whatever the answers are; 1 when a test cannot be used, 2 for --enrol.",
    )
    compare.add_argument("--enrol", nargs="+", type=Path, required=True, metavar="FILE", help="the owner's recordings")
    compare.add_argument("--test", nargs="+", type=Path, required=True, metavar="FILE", help="recordings to judge")
    embed = actions.add_parser("embed", help="the embeddings of recordings, of unit length")
    embed.add_argument("files", nargs="+", type=Path, metavar="FILE")
    for action, seconds, text in (
        (compare, 3.0, "judge the first so many seconds of voiced speech (default: %(default)s)"),
        (embed, None, "embed the first so many seconds of voiced speech (default: the whole recording, as it is)"),
    ):
        action.add_argument("--seconds", type=_seconds, default=seconds, metavar="S", help=text)
        action.add_argument("--engine", choices=("speechbrain", "onnx"), help="what runs the encoder")
        action.add_argument("--json", action="store_true", help="one line of JSON per recording")
        for shared in ("--config", "--state"):
            # As before the action; suppressed, so that leaving it out here does not undo what was given there.
            action.add_argument(shared, type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    compare.set_defaults(run=_compare)
    embed.set_defaults(run=_embed)


def _compare(options: argparse.Namespace) -> int:
    encoder = open_encoder(_settings(options))
    voiced = VoicedSpeech(SileroVoiceActivity)
    template = mean_embedding(np.stack([encoder.embed(_owners_speech(path, voiced)) for path in options.enrol]))
    scoring, threshold = encoder.scoring, options.settings.pay.threshold

    def judge(clip: Samples) -> dict[str, object]:
        speech = voiced(clip)[: int(options.seconds * RATE)]
        seconds = len(speech) / RATE
        if not len(speech):
            return {"cosine": None, "score": None, "llr": None, "accepted": False, "voiced_seconds": 0.0}
        verdict = scoring.judge(template, encoder.embed(speech), seconds, threshold)
        return {
            "cosine": round(verdict.cosine, 6),
            "score": round(verdict.score, 6),
            "llr": round(verdict.likelihood_ratio, 6),
            "accepted": verdict.accepted,
            "voiced_seconds": round(seconds, 3),
        }

    return _each(options.test, judge, _judgement, options.json)


def _embed(options: argparse.Namespace) -> int:
    encoder = open_encoder(_settings(options))
    voiced = VoicedSpeech(SileroVoiceActivity)

    def embed(clip: Samples) -> dict[str, object]:
        speech = voiced(clip)
        if options.seconds is not None:
            clip = speech = speech[: int(options.seconds * RATE)]
            if not len(speech):
                raise AudioError("There is no speech in it. Record it again, or leave --seconds out.")
        embedding = [float(value) for value in np.round(encoder.embed(clip), 8)]
        return {"embedding": embedding, "voiced_seconds": round(len(speech) / RATE, 3)}

    return _each(options.files, embed, _size, options.json)


def _each(
    paths: Sequence[Path],
    answer: Callable[[Samples], Mapping[str, Any]],
    sentence: Callable[[Mapping[str, Any]], str],
    as_json: bool,
) -> int:
    """Prints the answer to every recording in their order; a bad one has its error there, and the exit code is 1."""
    failed = False
    for path in paths:
        try:
            found = answer(read_audio(path))
            line = json.dumps({"input": str(path), **found}) if as_json else f"{path}: {sentence(found)}"
        except AudioError as error:
            failed = True
            reason = {"code": error.code, "message": error.message}
            line = json.dumps({"input": str(path), "error": reason}) if as_json else f"{path}: {error.message}"
        print(line, flush=True)
    return int(failed)


def _settings(options: argparse.Namespace) -> Pay:
    settings: Settings = options.settings
    return (changed(settings, {"pay": {"engine": options.engine}}) if options.engine else settings).pay


def _owners_speech(path: Path, voiced: VoicedSpeech) -> Samples:
    speech = voiced(read_audio(path))
    if not len(speech):
        raise AudioError(f"There is no speech in {path}. An owner is made of recordings of speech.")
    return speech


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds


def _judgement(found: Mapping[str, Any]) -> str:
    if found["llr"] is None:
        return "no speech"
    verdict = "accepted" if found["accepted"] else "not accepted"
    return f"{verdict} (log-likelihood ratio {found['llr']:.2f}, {found['voiced_seconds']:.1f} s of speech)"


def _size(found: Mapping[str, Any]) -> str:
    return f"{len(found['embedding'])} numbers of {found['voiced_seconds']:.1f} s of speech; --json prints them"
