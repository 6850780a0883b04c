"""Measures what tells a splice of two voices from one voice, and writes the limits into an encoder's calibration.

    python scripts/train_voiceprint/splices.py WORK models/voicecart-voiceprint

Needs the shared recordings (VOICECART_SHARED). The calibration speakers choose the limits; the report speakers, whom
neither training nor calibration met, say what the limits are worth, and whom enrolment refuses. Prints tables; run
again, it gives the same.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from augment import Noises, degrade
from held_out import Owner, owners
from pauses import least_coverage
from recordings import SAMPLE_RATE, shared_folder

from assistant.models import write_manifest
from assistant.pay.encoder import SpeakerEncoder
from assistant.pay.one_voice import OneVoiceLimits, Unity, unity, windows
from assistant.pay.onnx_encoder import OnnxEncoder
from assistant.pay.verification import Embedding, agreements, cohesion, mean_embedding
from assistant.settings import Pay

CLIP_SECONDS = (2.0, 3.0)
"""Voiced seconds of a challenge of six to eight digits."""
WINDOW_SECONDS = (1.0, 1.25, 1.5)
WORD_SECONDS = 0.4
# Of clips of the calibration speakers: so few people say little about the rarest clips, and of new people's clips
# several times as many are refused.
WANTED_REFUSALS = 0.0025
_SIMILAR_OTHERS = 3
_TESTS = 4
_CALIBRATION = "calibration.json"


@dataclass(frozen=True, eq=False)
class Clip:
    """A challenge clip that claims to be an owner's.

    Attributes:
        kind: ``"one voice"``, or how it was spliced.
        seconds: Voiced seconds.
        speech: Voiced speech, shape (samples,).
        template: The owner's.
    """

    kind: str
    seconds: float
    speech: np.ndarray
    template: Embedding


@dataclass(frozen=True, eq=False)
class Judged:
    """A clip that the voice alone would have let pass, seen through windows of several lengths."""

    clip: Clip
    unities: dict[float, Unity]


def spliced(own: np.ndarray, other: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The owner's speech with the other's in it, equally loud: kinds of splices, and their sound."""
    length = min(len(own), len(other))
    own, other = own[:length], other[:length]
    other = other * np.float32(np.sqrt((np.mean(own**2) + 1e-9) / (np.mean(other**2) + 1e-9)))
    places = np.arange(length)
    word = (places / (WORD_SECONDS * SAMPLE_RATE)).astype(int)
    masks = {
        "the second half": places >= length // 2,
        "every second word": word % 2 == 1,
        "one word": word == word[-1] // 2,
    }
    for kind, foreign in masks.items():
        yield kind, np.where(foreign, other, own).astype(np.float32)


def clips(people: Sequence[Owner], encoder: SpeakerEncoder) -> Iterator[Clip]:
    """Every owner's own clips, as recorded and in noisy rooms, and with one of the most similar others spliced in."""
    people = [owner for owner in people if owner.evaluation_set != "synthetic"]
    templates = np.stack([mean_embedding(np.stack([encoder.embed(take) for take in o.enrolment])) for o in people])
    noises = Noises(shared_folder() / "noise", held_out=False)
    generator = np.random.default_rng(11)
    likeness = templates @ templates.T
    for row, owner in enumerate(people):
        rivals = [
            other
            for other in np.argsort(-likeness[row])
            if other != row and people[other].evaluation_set == owner.evaluation_set
        ][:_SIMILAR_OTHERS]
        for seconds in CLIP_SECONDS:
            for number, own in enumerate(owner.tests(seconds)[:_TESTS]):
                yield Clip("one voice", seconds, own, templates[row])
                yield Clip("one voice, noisy rooms", seconds, degrade(own, noises, generator), templates[row])
                foreign = people[rivals[number % len(rivals)]].tests(seconds) if rivals else []
                for kind, speech in spliced(own, foreign[number % len(foreign)]) if foreign else ():
                    yield Clip(kind, seconds, speech, templates[row])


def judge(all_clips: Iterator[Clip], encoder: SpeakerEncoder, lengths: Sequence[float]) -> tuple[dict, list[Judged]]:
    """How many clips of each kind there are, and those of them whose voice alone is accepted."""
    scoring = encoder.scoring
    counts: dict[tuple[str, float], int] = {}
    passed = []
    for clip in all_clips:
        counts[clip.kind, clip.seconds] = counts.get((clip.kind, clip.seconds), 0) + 1
        if not scoring.judge(clip.template, encoder.embed(clip.speech), clip.seconds).accepted:
            continue
        unities = {}
        for length in lengths:
            pieces = windows(clip.speech, length)
            embeddings = [encoder.embed(piece) for piece in pieces]
            seconds = len(pieces[0]) / SAMPLE_RATE
            unities[length] = unity(embeddings, [scoring.judge(clip.template, e, seconds).score for e in embeddings])
        passed.append(Judged(clip, unities))
    return counts, passed


def is_splice(judged: Judged) -> bool:
    """Whether two voices are in it."""
    return not judged.clip.kind.startswith("one voice")


def choose(passed: Sequence[Judged], covered: float) -> OneVoiceLimits:
    """The limits that refuse the most splices and of the clips of one voice no more than the wanted share.

    Args:
        passed: Clips whose voice alone is accepted.
        covered: Least coverage.
    """
    best, most = OneVoiceLimits(WINDOW_SECONDS[0], -np.inf, -np.inf, covered), -1.0
    for length in WINDOW_SECONDS:
        genuine = np.array([[j.unities[length].score, j.unities[length].agreement] for j in passed if not is_splice(j)])
        splices = np.array([[j.unities[length].score, j.unities[length].agreement] for j in passed if is_splice(j)])
        allowed = int(WANTED_REFUSALS * len(genuine))
        for by_agreement in range(allowed + 1):
            agreement = np.sort(genuine[:, 1])[by_agreement]
            left = genuine[genuine[:, 1] >= agreement]
            score = np.sort(left[:, 0])[max(0, allowed - (len(genuine) - len(left)))]
            refused = float(((splices[:, 0] < score) | (splices[:, 1] < agreement)).mean())
            if refused > most:
                # Rounded down: rounding up would refuse the clip that is the limit.
                down = [float(np.floor(value * 1000) / 1000) for value in (score, agreement)]
                best, most = OneVoiceLimits(length, *down, covered), refused
    return best


def rates(counts: dict, passed: Sequence[Judged], limits: OneVoiceLimits) -> list[dict[str, Any]]:
    """For every kind and length: clips, those whose voice alone is accepted, and those of them that are refused."""
    rows = []
    for (kind, seconds), count in sorted(counts.items(), key=lambda item: item[0][1]):
        own = [j for j in passed if (j.clip.kind, j.clip.seconds) == (kind, seconds)]
        refused = sum(not j.unities[limits.window_seconds].enough(limits) for j in own)
        rows.append({"kind": kind, "seconds": seconds, "clips": count, "voice_accepted": len(own), "refused": refused})
    return rows


def write_limits(people: Sequence[Owner], folder: Path) -> OneVoiceLimits:
    """Measures the limits of a folder's encoder on its calibration speakers and writes them, and the checksums."""
    encoder = OnnxEncoder(Pay(voiceprint=str(folder.resolve())))
    counts, passed = judge(clips(people, encoder), encoder, WINDOW_SECONDS)
    limits = choose(passed, least_coverage(shared_folder()))
    calibration = json.loads((folder / _CALIBRATION).read_text("utf-8"))
    calibration["one_voice"] = {**asdict(limits), "measured": rates(counts, passed, limits)}
    (folder / _CALIBRATION).write_text(json.dumps(calibration, indent=1) + "\n", "utf-8")
    write_manifest(folder)
    return limits


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rates as Markdown."""
    lines = ["| clip | voiced seconds | clips | voice alone accepts | of these refused | accepted in the end |"]
    lines.append("|" + "---|" * 6)
    for row in rows:
        count, accepted, refused = row["clips"], row["voice_accepted"], row["refused"]
        share = f"{refused} ({refused / accepted:.1%})" if accepted else "–"
        lines.append(
            f"| {row['kind']} | {row['seconds']:g} | {count:,} | {accepted:,} ({accepted / count:.1%}) | {share} | "
            f"{(accepted - refused) / count:.2%} |"
        )
    return "\n".join(lines)


def enrolments(people: Sequence[Owner], encoder: SpeakerEncoder) -> str:
    """Which enrolments of one person and of two (`assistant/pay/enrolment.py`) are noticed, as Markdown."""
    people = [owner for owner in people if owner.evaluation_set != "synthetic"]
    takes = [np.stack([encoder.embed(take) for take in owner.enrolment]) for owner in people]
    calibration = encoder.scoring.calibration
    least, window_seconds = calibration.enrolment_agreement, calibration.one_voice.window_seconds
    found: dict[str, list[tuple[bool, bool]]] = {}

    def compared(kind: str, embeddings: np.ndarray) -> None:
        apart = bool(agreements(embeddings).min() < least)
        found.setdefault(kind, []).append((apart, apart or cohesion(embeddings) < least))

    def windowed(kind: str, take: np.ndarray) -> None:
        pieces = np.stack([encoder.embed(piece) for piece in windows(take, window_seconds)])
        found.setdefault(kind, []).append((False, cohesion(pieces) < least))

    for row, owner in enumerate(people):
        others = [
            other
            for other in np.argsort([-mean_embedding(takes[row]) @ mean_embedding(of) for of in takes])
            if other != row and people[other].evaluation_set == owner.evaluation_set
        ][:_SIMILAR_OTHERS]
        compared("five takes of one person", takes[row])
        for other in others:
            compared("three takes of one, two of another", np.concatenate([takes[row][:3], takes[other][:2]]))
            own, foreign = owner.enrolment[0], people[other].enrolment[0]
            half = min(len(own), len(foreign)) // 2
            windowed("one take, half by another", np.concatenate([own[:half], foreign[half : 2 * half]]))
        for take in owner.enrolment:
            windowed("one take of one person", take)
    lines = ["| enrolled | how many | takes against the mean of the others | their parts, too |", "|---|---|---|---|"]
    for kind, noticed in found.items():
        by_take, by_parts = np.array(noticed).sum(0)
        of_all = "–" if kind.startswith("one take") else f"{by_take} ({by_take / len(noticed):.1%})"
        lines.append(f"| {kind} | {len(noticed)} | {of_all} | {by_parts} ({by_parts / len(noticed):.1%}) |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    limits = write_limits(owners(arguments.work, "calibration"), arguments.folder)
    print(json.dumps(asdict(limits), indent=1), flush=True)
    encoder = OnnxEncoder(Pay(voiceprint=str(arguments.folder.resolve())))
    people = owners(arguments.work, "report")
    print(enrolments(people, encoder), flush=True)
    print(table(rates(*judge(clips(people, encoder), encoder, [limits.window_seconds]), limits)))


if __name__ == "__main__":
    main()
