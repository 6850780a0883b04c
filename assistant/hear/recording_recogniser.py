"""A whole recording through the recogniser: a short one is one utterance, a long one is cut where nobody speaks."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from assistant.hear.audio import CHUNK_SAMPLES, RATE, Samples
from assistant.hear.recogniser import Hearing, Hypothesis
from assistant.hear.segmenter import Segmenter, SegmentEvent
from assistant.hear.voice_activity import VoiceActivity
from assistant.hear.wav_source import in_chunks
from assistant.settings import Hear


def hear_recording(
    blocks: Iterable[Samples],
    listen: Callable[[], Hearing],
    activity: VoiceActivity,
    settings: Hear,
) -> tuple[Hypothesis, ...]:
    """What is said in a recording.

    Args:
        blocks: The recording, 16 kHz mono, in blocks of any length.
        listen: Begins an utterance.
        activity: Voice activity, for recordings longer than ``settings.longest_seconds``.
        settings: Where utterances begin and end in those.

    Returns:
        Best first, at least one; of a long recording one only: the best of each utterance, one after the other.
    """
    chunks = in_chunks(blocks)
    first = list(itertools.islice(chunks, round(settings.longest_seconds * RATE / CHUNK_SAMPLES)))
    following = next(chunks, None)
    if following is None:
        return _heard(first, listen())
    everything = itertools.chain(first, (following,), chunks)
    parts = [
        _later(_heard(utterance, listen())[0], begin)
        for begin, utterance in _utterances(everything, activity, Segmenter(settings), settings.lead_seconds)
    ]
    spoken = [part for part in parts if part.text]
    return (
        Hypothesis(
            " ".join(part.text for part in spoken),
            sum(part.confidence for part in spoken),
            tuple(word for part in spoken for word in part.words),
        ),
    )


def _heard(chunks: list[Samples], hearing: Hearing) -> tuple[Hypothesis, ...]:
    if chunks:
        hearing.accept(np.concatenate(chunks))
    return hearing.finish()


def _utterances(
    chunks: Iterable[Samples], activity: VoiceActivity, segmenter: Segmenter, lead_seconds: float
) -> Iterator[tuple[float, list[Samples]]]:
    """Stretches of speech with the seconds at which they begin."""
    lead = round(lead_seconds * RATE / CHUNK_SAMPLES)
    kept: list[Samples] = []
    speaking = False
    for number, chunk in enumerate(chunks, 1):
        event = segmenter.process(activity.probability(chunk), CHUNK_SAMPLES / RATE)
        kept.append(chunk)
        speaking = speaking or event is SegmentEvent.STARTED
        if event is SegmentEvent.ENDED:
            yield (number - len(kept)) * CHUNK_SAMPLES / RATE, kept
            kept, speaking = [], False
        elif not speaking:
            kept = kept[-lead:] if lead else []
    if speaking:
        yield (number - len(kept)) * CHUNK_SAMPLES / RATE, kept


def _later(hypothesis: Hypothesis, seconds: float) -> Hypothesis:
    words = tuple(
        dataclasses.replace(word, start=word.start + seconds, end=word.end + seconds) for word in hypothesis.words
    )
    return dataclasses.replace(hypothesis, words=words)
