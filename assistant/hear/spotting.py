"""Where in a recording the wake phrase is said: the live loop's way, with every score reported."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assistant.hear.audio import Chunk, Samples
from assistant.hear.segmenter import Segmenter, SegmentEvent
from assistant.hear.voice_activity import VoiceActivity
from assistant.hear.wake import WakeSpotter


@dataclass(frozen=True)
class Detection:
    """The phrase, or something like it.

    Attributes:
        at: Seconds from the first chunk's start.
        score: As the spotter gives it.
    """

    at: float
    score: float


def spot(
    chunks: Iterable[Chunk],
    activity: VoiceActivity,
    segmenter: Segmenter,
    spotter: WakeSpotter,
    lead_seconds: float,
) -> Iterator[Detection]:
    """Listens to speech only, as ``Ears`` does while asleep.

    Args:
        chunks: The recording.
        activity: Voice activity of a chunk.
        segmenter: Where speech begins and ends.
        spotter: Scores the phrase.
        lead_seconds: Sound before the detected begin that belongs to the speech.
    """
    lead: deque[Samples] = deque()
    speaking = False
    for chunk in chunks:
        event = segmenter.process(activity.probability(chunk.samples), chunk.seconds)
        pieces: Iterable[Samples] = (chunk.samples,)
        if event is SegmentEvent.STARTED:
            spotter.reset()
            speaking, pieces = True, (*lead, chunk.samples)
        if speaking:
            for samples in pieces:
                score = spotter.accept(samples)
                if score is not None:
                    yield Detection(chunk.end, score)
        speaking = speaking and event is not SegmentEvent.ENDED
        lead.append(chunk.samples)
        while len(lead) * chunk.seconds > lead_seconds:
            lead.popleft()
