"""The mouth: says replies, one after the other, and knows until when it speaks."""

import time
from collections.abc import Callable

from assistant import events
from assistant.errors import AudioDeviceError, SynthesisError
from assistant.hear.ears import EndOfSpeech
from assistant.speak.synthesiser import Loudspeaker, Synthesiser


class Mouth:
    """Says text and reports it as ``reply`` events.

    Args:
        synthesiser: Text to speech.
        loudspeaker: Plays it.
        tail_seconds: Room echo after the last sample; the device stays deaf for it.
        publish: Takes the events.
        clock: Seconds of a monotonic clock, for latencies only.
    """

    def __init__(
        self,
        synthesiser: Synthesiser,
        loudspeaker: Loudspeaker,
        tail_seconds: float,
        publish: Callable[[events.Event], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._synthesiser = synthesiser
        self._loudspeaker = loudspeaker
        self._tail_seconds = tail_seconds
        self._publish = publish
        self._clock = clock
        self.busy_until = 0.0

    def say(self, text: str, at: float, end: EndOfSpeech | None = None) -> float:
        """Says ``text`` after what is being said.

        A voice that fails is reported as an ``error`` event; the reply is published all the same, so that the
        conversation can be read and goes on.

        Args:
            text: What to say.
            at: Audio seconds now.
            end: When the person fell silent, for the first reply to an utterance.

        Returns:
            Seconds from ``at`` until the device hears again.
        """
        begin = max(at, self.busy_until - self._tail_seconds)
        try:
            seconds = self._loudspeaker.play(self._synthesiser.synthesise(text))
            self.busy_until = begin + seconds + self._tail_seconds
        except (SynthesisError, AudioDeviceError) as error:
            self._publish(events.Failure(at=at, code=error.code, message=error.message))
        latency = end.waited_seconds + self._clock() - end.decided + begin - at if end else 0.0
        self._publish(events.Reply(at=at, text=text, latency_seconds=round(latency, 3)))
        return max(0.0, self.busy_until - at)

    def interrupt(self, at: float) -> None:
        """Falls silent now and hears again at once."""
        self._loudspeaker.interrupt()
        self.busy_until = at

    def close(self) -> None:
        """Finishes the sentence and ends engine and loudspeaker."""
        self._loudspeaker.close()
        self._synthesiser.close()
