"""Enrolling a voice by talking: the device says each sentence, listens, and asks again for a take that is no good."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from assistant.errors import EnrolmentError
from assistant.hear.audio import AudioSource, Chunk, Samples
from assistant.hear.segmenter import Segmenter, SegmentEvent
from assistant.hear.voice_activity import VoiceActivity
from assistant.pay.enrolment import BadTakes, Enrolment, Enrolments, TakeFault
from assistant.pay.roles import Role
from assistant.settings import Settings
from assistant.speak.mouth import Mouth
from assistant.talk.actions import Say
from assistant.talk.replies import Replies

_TRIES = 3
"""How often one sentence is asked for before the enrolment is given up."""


@dataclass
class GuidedEnrolment:
    """The device's side of an enrolment; half-duplex, as in every conversation.

    Attributes:
        source: The microphone, or what stands in for it.
        activity: Voice activity of a chunk.
        segmenter: Where speech begins and ends.
        mouth: Says the sentences.
        replies: Words for what is to be said.
        enrolments: Judges and stores.
        settings: Patience and lead.
    """

    source: AudioSource
    activity: VoiceActivity
    segmenter: Segmenter
    mouth: Mouth
    replies: Replies
    enrolments: Enrolments
    settings: Settings

    def enrol(
        self, name: str, sentences: Sequence[str], *, replace: bool = False, role: Role | None = None
    ) -> Enrolment:
        """Leads a person through the enrolment.

        Args:
            name: The person's.
            sentences: What is to be said, one take each.
            replace: Whether a voice of that name may be replaced.
            role: As for ``Enrolments.enrol``.

        Raises:
            EnrolmentError: A take was no good again and again, the takes are of different voices, or the source ended.
            VoicecartError: As ``Enrolments.enrol``; or the source cannot be read.
        """
        self.enrolments.check_name(name, replace=replace)
        chunks = self.source.chunks()
        try:
            self.mouth.say(self._words("begin", count=len(sentences)), 0.0)
            takes = [self._good_take(chunks, sentence) for sentence in sentences]
            try:
                enrolment = self.enrolments.enrol(name, takes, replace=replace, role=role)
            except BadTakes as bad:
                # Once more those that did not fit the others; then all of them must.
                for number, report in enumerate(bad.takes):
                    if report.fault is not None:
                        takes[number] = self._good_take(chunks, sentences[number], report.fault)
                enrolment = self.enrolments.enrol(name, takes, replace=replace, role=role)
            self._say(chunks, "child" if role is Role.CHILD else "done", name=name)
            return enrolment
        except EnrolmentError:
            self._say(chunks, "failed")
            raise
        finally:
            self.mouth.close()
            self.source.close()

    def _good_take(self, chunks: Iterator[Chunk], sentence: str, fault: TakeFault | None = None) -> Samples:
        for _ in range(_TRIES):
            if fault is None:
                self._say(chunks, "say", sentence=sentence)
            else:
                self._say(chunks, f"again.{fault}", sentence=sentence)
            take = self._take(chunks)
            fault = TakeFault.NO_SPEECH if take is None else self.enrolments.examine(take).fault
            if take is not None and fault is None:
                return take
        raise EnrolmentError(
            f"{sentence!r} could not be recorded well enough ({str(fault).replace('_', ' ')}). Nothing was enrolled; "
            "try again in a quieter place or closer to the microphone."
        )

    def _say(self, chunks: Iterator[Chunk], template: str, **values: str | int) -> None:
        """Says a sentence and lets the time pass in which the device hears only itself."""
        chunk = next(chunks, None)
        at = chunk.end if chunk else self.mouth.busy_until
        self.source.hold(self.mouth.say(self._words(template, **values), at))
        while chunk is not None and chunk.end < self.mouth.busy_until:
            chunk = next(chunks, None)

    def _words(self, template: str, **values: str | int) -> str:
        return self.replies.render(Say(f"enrolment.{template}", values))

    def _take(self, chunks: Iterator[Chunk]) -> Samples | None:
        """The next utterance with what came just before it; None when nobody speaks for the time of an answer."""
        self.segmenter.reset()
        self.activity.reset()
        lead: deque[Samples] = deque()
        segment: list[Samples] | None = None
        waited = 0.0
        for chunk in chunks:
            event = self.segmenter.process(self.activity.probability(chunk.samples), chunk.seconds)
            if event is SegmentEvent.STARTED:
                segment = list(lead)
            if segment is not None:
                segment.append(chunk.samples)
            if event is SegmentEvent.ENDED and segment is not None:
                return np.concatenate(segment)
            lead.append(chunk.samples)
            if len(lead) * chunk.seconds > self.settings.hear.lead_seconds:
                lead.popleft()
            waited += chunk.seconds
            if segment is None and waited >= self.settings.talk.answer_seconds:
                return None
        raise EnrolmentError("The recording ended before the enrolment did. Nothing was enrolled.")
