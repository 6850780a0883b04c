"""Where a recording has the wake phrase: only speech is listened to, afresh for every stretch."""

import numpy as np

from assistant.hear.audio import CHUNK_SAMPLES, RATE, Chunk
from assistant.hear.segmenter import Segmenter
from assistant.hear.spotting import spot
from assistant.settings import Hear

CHUNK = CHUNK_SAMPLES / RATE


class Level:
    def probability(self, samples):
        return float(samples.max())

    def reset(self):
        pass


class EveryHalfSecond:
    """A score after every half second of what it hears: how many seconds that were since the last reset."""

    def __init__(self):
        self.heard = 0
        self.resets = 0

    def accept(self, samples):
        self.heard += len(samples)
        return self.heard / RATE if self.heard % (16 * CHUNK_SAMPLES) == 0 else None

    def reset(self):
        self.heard = 0
        self.resets += 1


def detections(*seconds):
    levels = [length > 0 for length in seconds for _ in range(round(abs(length) / CHUNK))]
    chunks = [Chunk(np.full(CHUNK_SAMPLES, level, np.float32), number * CHUNK) for number, level in enumerate(levels)]
    spotter = EveryHalfSecond()
    return list(spot(chunks, Level(), Segmenter(Hear()), spotter, lead_seconds=4 * CHUNK)), spotter


def test_silence_is_not_listened_to():
    assert detections(-20)[0] == []


def test_every_stretch_of_speech_is_scored_with_its_lead_and_in_the_recordings_time():
    found, spotter = detections(-1, 0.7, -1, 1.2, -1)
    assert spotter.resets == 2
    assert [detection.score for detection in found] == [0.512, 1.024, 0.512, 1.024, 1.536]
    times = [detection.at for detection in found]
    assert times == sorted(times) and 1.0 < times[0] < 1.7 and 2.7 < times[2] < 3.9


def test_speech_at_the_very_end_is_scored():
    assert len(detections(-1, 1.6)[0]) >= 2
