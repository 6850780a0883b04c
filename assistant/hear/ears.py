"""The ears: from chunks of audio to utterances, with voice activity, wake phrase and recogniser in their places."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from assistant import events
from assistant.hear.audio import Chunk, Samples
from assistant.hear.recogniser import Hearing, Hypothesis, Recogniser
from assistant.hear.segmenter import Segmenter, SegmentEvent
from assistant.hear.voice_activity import VoiceActivity
from assistant.hear.wake import WakeSpotter
from assistant.settings import Hear
from assistant.understand.understanding import Expecting

# People pause between digits that they repeat; elsewhere such pauses end an utterance. "Stop" must act at once.
_MORE_PATIENCE_SECONDS = {Expecting.DIGITS: 0.3, Expecting.INTERRUPTION: -0.4}


@dataclass(frozen=True)
class EndOfSpeech:
    """When the person fell silent: where latencies are counted from.

    Attributes:
        waited_seconds: Audio that passed between the last voiced chunk and the decision that speech had ended.
        decided: The injected clock's reading at that decision.
    """

    waited_seconds: float
    decided: float


@dataclass(frozen=True)
class Utterance:
    """One utterance, heard and recognised.

    Attributes:
        hypotheses: Best first, at least one.
        clip: The same audio, lead and trailing silence included: shape (samples,), 16 kHz.
        at: Audio seconds at its end.
        end: When speech ended, for latencies.
    """

    hypotheses: tuple[Hypothesis, ...]
    clip: Samples
    at: float
    end: EndOfSpeech


class Ears:
    """Turns the microphone's chunks into utterances.

    Asleep, speech goes to the wake spotter only; nothing is decoded before the wake phrase was spotted. Awake, it goes
    to the recogniser while the person is still speaking.

    Args:
        activity: Voice activity of a chunk.
        segmenter: Where speech begins and ends.
        spotter: Spots the wake phrase; None when something else opens the ears.
        recogniser: Turns speech into hypotheses.
        settings: Lead and patience.
        publish: Takes the events.
        clock: Seconds of a monotonic clock, for latencies only.
    """

    def __init__(
        self,
        activity: VoiceActivity,
        segmenter: Segmenter,
        spotter: WakeSpotter | None,
        recogniser: Recogniser,
        settings: Hear,
        publish: Callable[[events.Event], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._activity = activity
        self._segmenter = segmenter
        self._spotter = spotter
        self._recogniser = recogniser
        self._settings = settings
        self._stream = publish
        self._clock = clock
        self._awake = settings.wake == "open"
        self._expecting = Expecting.COMMAND
        self._secret = False
        self._hearing: Hearing | None = None
        self._segment: list[Samples] | None = None
        self._lead: deque[Samples] = deque()
        self._last_voice = 0.0

    @property
    def hearing_speech(self) -> bool:
        """Whether an utterance for the dialogue is under way."""
        return self._awake and self._segment is not None

    def listen(self, expecting: Expecting, *, secret: bool = False) -> None:
        """Opens the ears for an answer: no wake phrase is needed until ``sleep``.

        Args:
            expecting: What was asked for.
            secret: Whether its words must not be published: it may be a PIN.
        """
        self._awake = True
        self._expecting = expecting
        self._secret = secret
        self._forget()
        patience = self._settings.end_seconds + _MORE_PATIENCE_SECONDS.get(expecting, 0.0)
        self._segmenter.end_seconds = max(0.2, patience)

    def sleep(self) -> None:
        """Closes the ears until the wake phrase is spotted or ``listen`` is called (not when they are always open)."""
        self.listen(Expecting.COMMAND)
        self._awake = self._settings.wake == "open"

    def process(self, chunk: Chunk) -> Utterance | None:
        """Takes one chunk; returns the utterance that ended with it."""
        probability = self._activity.probability(chunk.samples)
        if probability >= self._settings.silence_threshold:
            self._last_voice = chunk.end
        match self._segmenter.process(probability, chunk.seconds):
            case SegmentEvent.STARTED:
                self._begin(chunk)
            case SegmentEvent.ENDED:
                self._extend(chunk)
                return self._end(chunk)
            case None if self._segment is not None:
                self._extend(chunk)
        self._remember(chunk)
        return None

    def finish(self, at: float) -> Utterance | None:
        """The source has ended: an utterance that was under way ends too."""
        if self._segment is None:
            return None
        return self._end(Chunk(np.zeros(0, np.float32), at))

    def _publish(self, event: events.Event) -> None:
        # What comes in while the device speaks is mostly its own voice: nobody's utterance.
        if self._expecting is not Expecting.INTERRUPTION:
            self._stream(event)

    def _begin(self, chunk: Chunk) -> None:
        self._segment = [*self._lead, chunk.samples]
        if self._awake:
            self._hear(chunk.at, self._segment)
        elif self._spotter is not None:
            self._spotter.reset()
            for samples in self._segment:
                self._spot(samples, chunk)

    def _extend(self, chunk: Chunk) -> None:
        if self._segment is None:
            return
        self._segment.append(chunk.samples)
        if self._hearing is not None:
            self._decode(chunk.end, (chunk.samples,))
        elif self._spotter is not None:
            self._spot(chunk.samples, chunk)

    def _spot(self, samples: Samples, chunk: Chunk) -> None:
        assert self._spotter is not None and self._segment is not None
        score = None if self._awake else self._spotter.accept(samples)
        if score is not None:
            self._awake = True
            self._publish(events.Wake(at=chunk.end, phrase=self._settings.wake_phrase, score=score))
            self._hear(chunk.end, self._segment)

    def _hear(self, at: float, segment: Iterable[Samples]) -> None:
        self._publish(events.SpeechStarted(at=at))
        self._hearing = self._recogniser.listen(self._expecting)
        self._decode(at, segment)

    def _decode(self, at: float, segment: Iterable[Samples]) -> None:
        assert self._hearing is not None
        for samples in segment:
            partial = self._hearing.accept(samples)
            if partial and not self._secret:
                self._publish(events.Partial(at=at, text=partial))

    def _end(self, chunk: Chunk) -> Utterance | None:
        hearing, segment = self._hearing, self._segment
        self._forget()
        if hearing is None or segment is None:
            return None
        end = EndOfSpeech(max(0.0, chunk.end - self._last_voice), self._clock())
        clip = np.concatenate(segment)
        self._publish(events.SpeechEnded(at=chunk.end, seconds=round(len(clip) / 16_000, 3)))
        hypotheses = hearing.finish()
        shown = () if self._secret else tuple(hypothesis.text for hypothesis in hypotheses)
        self._publish(
            events.Transcript(
                at=chunk.end,
                text=shown[0] if shown else "",
                alternatives=shown[1:],
                latency_seconds=round(end.waited_seconds + self._clock() - end.decided, 3),
            )
        )
        return Utterance(hypotheses, clip, chunk.end, end)

    def _remember(self, chunk: Chunk) -> None:
        self._lead.append(chunk.samples)
        while len(self._lead) * chunk.seconds > self._settings.lead_seconds:
            self._lead.popleft()

    def _forget(self) -> None:
        self._hearing, self._segment = None, None
        self._lead.clear()
        self._segmenter.reset()
