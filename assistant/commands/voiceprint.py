"""``voicecart voiceprint``: compares and embeds recordings with the speaker encoder; no stored voice is touched."""

import argparse
import json
import math
from pathlib import Path

import numpy as np

from assistant.commands.main import Subcommands
from assistant.errors import AudioError
from assistant.hear.audio import RATE, Samples
from assistant.hear.reading import read_audio
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.pay.encoder import open_encoder
from assistant.pay.verification import mean_embedding
from assistant.pay.voiced_speech import VoicedSpeech
from assistant.settings import Pay, Settings, changed

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
        "recording with that owner. Exit code 0 whatever the answers are; 2 when a file cannot be used.",
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
    compare.set_defaults(run=_compare)
    embed.set_defaults(run=_embed)


def _compare(options: argparse.Namespace) -> int:
    encoder = open_encoder(_settings(options))
    voiced = VoicedSpeech(SileroVoiceActivity)
    takes = [_speech(path, voiced) for path in options.enrol]
    template = mean_embedding(np.stack([encoder.embed(take) for take in takes]))
    scoring, threshold = encoder.scoring, options.settings.pay.threshold
    for path in options.test:
        speech = voiced(read_audio(path))[: int(options.seconds * RATE)]
        seconds = len(speech) / RATE
        answer: dict[str, object] = {"input": str(path), "cosine": None, "score": None, "llr": None, "accepted": False}
        if len(speech):
            verdict = scoring.judge(template, encoder.embed(speech), seconds, threshold)
            answer |= {
                "cosine": round(verdict.cosine, 6),
                "score": round(verdict.score, 6),
                "llr": round(verdict.likelihood_ratio, 6),
                "accepted": verdict.accepted,
            }
        answer["voiced_seconds"] = round(seconds, 3)
        print(json.dumps(answer) if options.json else _sentence(answer), flush=True)
    return 0


def _embed(options: argparse.Namespace) -> int:
    encoder = open_encoder(_settings(options))
    voiced = VoicedSpeech(SileroVoiceActivity)
    for path in options.files:
        clip = read_audio(path)
        speech = voiced(clip)
        seconds = len(speech) / RATE
        if options.seconds is not None:
            speech = speech[: int(options.seconds * RATE)]
            seconds = len(speech) / RATE
            if not len(speech):
                raise AudioError(f"There is no speech in {path}. Record it again, or leave --seconds out.")
        embedding = encoder.embed(speech if options.seconds is not None else clip)
        if options.json:
            values = [float(value) for value in np.round(embedding, 8)]
            print(
                json.dumps({"input": str(path), "embedding": values, "voiced_seconds": round(seconds, 3)}), flush=True
            )
        else:
            print(f"{path}: {len(embedding)} numbers, {seconds:.1f} s of speech; --json prints them")
    return 0


def _settings(options: argparse.Namespace) -> Pay:
    settings: Settings = options.settings
    return (changed(settings, {"pay": {"engine": options.engine}}) if options.engine else settings).pay


def _speech(path: Path, voiced: VoicedSpeech) -> Samples:
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


def _sentence(answer: dict[str, object]) -> str:
    if answer["llr"] is None:
        return f"{answer['input']}: no speech"
    verdict = "the same person" if answer["accepted"] else "not accepted"
    return f"{answer['input']}: {verdict} (log-likelihood ratio {answer['llr']:.2f}, {answer['voiced_seconds']:.1f} s)"
