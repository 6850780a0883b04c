"""The mouth: replies one after the other, and until when the device is deaf."""

import numpy as np
import pytest

from assistant.errors import AudioDeviceError, SynthesisError
from assistant.hear.ears import EndOfSpeech
from assistant.speak.mouth import Mouth
from assistant.speak.synthesiser import Speech


class Voice:
    """A second for every word."""

    def __init__(self):
        self.broken = False
        self.closed = False

    def synthesise(self, text):
        if self.broken:
            raise SynthesisError("the engine is gone")
        return Speech(np.zeros(100 * len(text.split()), np.float32), 100)

    def close(self):
        self.closed = True


class Radio:
    def __init__(self):
        self.played = []
        self.broken = False
        self.done = []

    def play(self, speech):
        if self.broken:
            raise AudioDeviceError("no loudspeaker")
        self.played.append(speech.seconds)
        return speech.seconds

    def interrupt(self):
        self.done.append("interrupt")

    def close(self):
        self.done.append("close")


@pytest.fixture
def mouth():
    now = [10.0]
    published = []
    voice, radio = Voice(), Radio()
    made = Mouth(voice, radio, 0.3, published.append, lambda: now[0])
    made.test = (voice, radio, published, now)
    return made


def test_it_is_deaf_while_it_speaks_and_for_the_tail(mouth):
    assert mouth.say("two words", at=5.0) == pytest.approx(2.3)
    assert mouth.busy_until == pytest.approx(7.3)


def test_a_second_reply_follows_the_first_without_a_second_tail(mouth):
    mouth.say("one two three", at=5.0)
    assert mouth.say("four", at=5.0) == pytest.approx(4.3)
    assert mouth.busy_until == pytest.approx(9.3)
    assert mouth.test[1].played == [3.0, 1.0]


def test_the_first_replys_latency_counts_from_the_end_of_speech(mouth):
    _, _, published, now = mouth.test
    end = EndOfSpeech(waited_seconds=0.7, decided=now[0])
    now[0] += 0.2
    mouth.say("hello", at=5.0, end=end)
    mouth.say("again", at=5.0)
    assert [event.latency_seconds for event in published] == [pytest.approx(0.9), 0.0]


def test_an_interruption_is_silence_at_once(mouth):
    _, radio, _, _ = mouth.test
    mouth.say("a long story", at=5.0)
    mouth.interrupt(at=6.0)
    assert mouth.busy_until == 6.0 and radio.done == ["interrupt"]
    assert mouth.say("sorry", at=6.0) == pytest.approx(1.3)


@pytest.mark.parametrize("part", [0, 1])
def test_a_broken_voice_or_loudspeaker_is_reported_and_the_reply_is_still_published(mouth, part):
    mouth.test[part].broken = True
    assert mouth.say("hello", at=5.0) == 0.0
    names = [event.name for event in mouth.test[2]]
    assert names == ["error", "reply"]
    assert mouth.test[2][0].code == ("synthesis_failed", "audio_device_missing")[part]
    mouth.test[part].broken = False
    assert mouth.say("hello", at=5.0) == pytest.approx(1.3)


def test_closing_finishes_the_sentence_before_it_ends_the_engine(mouth):
    voice, radio, _, _ = mouth.test
    mouth.close()
    assert radio.done == ["close"] and voice.closed
