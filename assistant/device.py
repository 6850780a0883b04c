"""The device: one loop that hears, thinks and speaks, whatever the audio source is."""

from collections.abc import Callable

from assistant.conversation import Conversation, Response
from assistant.errors import VoicecartError
from assistant.events import EventStream, Failure, Idle, Secrecy, Wake
from assistant.hear.audio import AudioSource, Chunk
from assistant.hear.ears import Ears, EndOfSpeech, Utterance
from assistant.settings import Settings
from assistant.speak.mouth import Mouth
from assistant.understand.understanding import Expecting

_NEWS_SECONDS = 5.0
"""Audio seconds between two looks for something to announce."""


class Device:
    """Runs conversations over one audio source.

    Time is counted in audio seconds. While the device speaks, what it hears is only searched for a person's "stop" or
    "cancel": its own voice never answers it.

    Args:
        source: The microphone, or what stands in for it.
        ears: From chunks to utterances.
        mouth: From replies to sound.
        conversation: What to do and say.
        settings: Patience.
        stream: Takes the events.
        beat: Called for every chunk: the watchdog's heart beat.
        news: What is to be said unasked now; called while nobody speaks and no conversation is open.
    """

    def __init__(
        self,
        source: AudioSource,
        ears: Ears,
        mouth: Mouth,
        conversation: Conversation,
        settings: Settings,
        stream: EventStream,
        beat: Callable[[], None] = lambda: None,
        news: Callable[[], tuple[str, ...]] = lambda: (),
    ) -> None:
        self._source = source
        self._ears = ears
        self._mouth = mouth
        self._conversation = conversation
        self._settings = settings
        self._stream = stream
        self._beat = beat
        self._news = news
        self._next_news = 0.0
        self._now = 0.0
        self._spoken = ""
        self._speaking = False
        self._expecting: Expecting | None = None
        self._secret = False
        self._deadline: float | None = None
        self._leaving = False
        self._retiring = False
        self._pushed = False

    @property
    def now(self) -> float:
        """Audio seconds since the source was opened."""
        return self._now

    @property
    def engaged(self) -> bool:
        """Whether somebody speaks or a conversation is open (may be asked from another thread)."""
        return self._speaking or self._pushed or self._deadline is not None or self._ears.hearing_speech

    def retire(self) -> None:
        """Ends the loop once no conversation is open (may be called from another thread)."""
        self._retiring = True

    def leave(self) -> None:
        """Ends the loop once the sentence being spoken is finished (may be called from a signal handler)."""
        self._leaving = True

    def push_to_talk(self) -> None:
        """Opens the ears as the wake phrase does (may be called from a signal handler)."""
        self._pushed = True

    def run(self, greeting: str = "") -> None:
        """Listens until the source ends or ``leave`` was called; a purchase that is not finished is given up.

        Args:
            greeting: Said first.

        Raises:
            AudioError: The source cannot be read.
            AudioDeviceError: There is no microphone.
        """
        self._ears.sleep()
        if greeting:
            self._respond(Response((greeting,), None), None)
        try:
            for chunk in self._source.chunks():
                self._now = chunk.end
                self._beat()
                if self._speaking and self._now >= self._mouth.busy_until:
                    self._listen()
                if (self._leaving and not self._speaking) or (self._retiring and not self.engaged):
                    break
                if self._pushed and not self._speaking:
                    self._wake()
                self._announce()
                self._process(chunk)
            utterance = self._ears.finish(self._now)
            if utterance is not None and not self._speaking:
                self._answer(utterance)
        finally:
            self._conversation.leave()
            self._mouth.close()
            self._source.close()

    def _announce(self) -> None:
        """Says what there is to say unasked, while nobody speaks and no conversation is open."""
        if self._now < self._next_news or self.engaged:
            return
        self._next_news = self._now + _NEWS_SECONDS
        try:
            texts = self._news()
        except VoicecartError as error:
            self._stream.publish(Failure(at=self._now, code=error.code, message=error.message))
            return
        if texts:
            self._respond(Response(texts, None), None)

    def _process(self, chunk: Chunk) -> None:
        utterance = self._ears.process(chunk)
        if utterance is not None:
            if not self._speaking:
                self._answer(utterance)
            elif self._conversation.interrupts(utterance, self._spoken):
                self._mouth.interrupt(self._now)
                self._speaking = False
                self._answer(utterance)
        elif self._deadline is not None and self._now >= self._deadline and not self._ears.hearing_speech:
            self._deadline = None
            if self._expecting is None:
                self._sleep()
            else:
                self._respond(self._conversation.silence(self._now), None)

    def _answer(self, utterance: Utterance) -> None:
        self._respond(self._conversation.heard(utterance), utterance.end)

    def _respond(self, response: Response, end: EndOfSpeech | None) -> None:
        """Says the replies one after the other, then listens for what the dialogue expects."""
        self._expecting = response.expecting
        if response.secret is not self._secret:
            # Before the device asks: who answers too early says a secret as well.
            self._secret = response.secret
            self._stream.publish(Secrecy(at=self._now, secret=response.secret))
        held = 0.0
        for text in response.replies:
            held = self._mouth.say(text, self._now, end)
            end = None
        if not response.replies:
            self._listen()
            return
        self._source.hold(held)
        self._spoken = " ".join(response.replies)
        self._speaking = True
        self._deadline = None
        self._ears.listen(Expecting.INTERRUPTION)

    def _listen(self) -> None:
        """Opens the ears: for an answer, or for as long as a new wish needs no wake phrase."""
        self._speaking = False
        patience = self._settings.talk.answer_seconds if self._expecting else self._settings.hear.follow_up_seconds
        if self._expecting is None and (not self._conversation.active or patience <= 0):
            self._sleep()
            return
        self._deadline = self._now + patience
        self._ears.listen(self._expecting or Expecting.COMMAND, secret=self._secret)

    def _wake(self) -> None:
        self._pushed = False
        self._stream.publish(Wake(at=self._now, phrase="", score=1.0))
        self._expecting = None
        self._deadline = self._now + self._settings.talk.answer_seconds
        self._ears.listen(Expecting.COMMAND)

    def _sleep(self) -> None:
        """The conversation is over: only the wake phrase is listened for."""
        self._deadline = None
        self._conversation.leave()
        self._ears.sleep()
        self._stream.publish(Idle(at=self._now))
