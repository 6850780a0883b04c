"""The ears: voice activity, wake phrase and recogniser, each in its place."""

import tracemalloc

import numpy as np
import pytest

from assistant.hear.audio import CHUNK_SAMPLES, RATE, Chunk
from assistant.hear.ears import Ears
from assistant.hear.recogniser import Hypothesis
from assistant.hear.segmenter import Segmenter
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.rehearse.voices import ShopperVoice
from assistant.settings import Hear
from assistant.understand.understanding import Expecting

CHUNK = CHUNK_SAMPLES / RATE


class Level:
    """Voice activity by loudness: a chunk of ones is speech."""

    def probability(self, samples):
        return float(np.abs(samples).max())

    def reset(self):
        pass


class Recogniser:
    """Hears how many samples it was given, and keeps for which state."""

    def __init__(self):
        self.listened = []
        self.samples = 0

    def listen(self, expecting):
        self.listened.append(expecting)
        self.samples = 0
        return self

    def accept(self, samples):
        self.samples += len(samples)
        return str(self.samples)

    def finish(self):
        return Hypothesis(f"{self.samples} samples", 1.0), Hypothesis("less", 0.5)


class Spotter:
    """Spots the phrase after so many samples of speech."""

    def __init__(self, after):
        self.after = after
        self.samples = 0
        self.resets = 0

    def accept(self, samples):
        self.samples += len(samples)
        return 7.5 if self.samples >= self.after else None

    def reset(self):
        self.resets += 1
        self.samples = 0


class Room:
    """Ears with everything around them; ``hear`` takes seconds of speech (positive) and of silence (negative)."""

    def __init__(self, spotter=None, activity=None, **changes):
        self.settings = Hear(**changes)
        self.events = []
        self.recogniser = Recogniser()
        self.clock = [50.0]
        self.ears = Ears(
            activity or Level(),
            Segmenter(self.settings),
            spotter,
            self.recogniser,
            self.settings,
            self.events.append,
            lambda: self.clock[0],
        )
        self.ears.sleep()
        self.at = 0.0

    def hear(self, *seconds):
        utterances = []
        for length in seconds:
            for _ in range(round(abs(length) / CHUNK)):
                utterances.append(self.ears.process(Chunk(np.full(CHUNK_SAMPLES, length > 0, np.float32), self.at)))
                self.at += CHUNK
        return [utterance for utterance in utterances if utterance is not None]

    def names(self):
        return [event.name for event in self.events if event.name != "partial"]


def test_asleep_nothing_is_decoded_before_the_wake_phrase():
    room = Room(Spotter(after=10**9))
    assert room.hear(-1, 3, -1, 3, -1) == []
    assert room.recogniser.listened == [] and room.events == []


def test_the_wake_phrase_and_what_follows_it_are_one_utterance():
    room = Room(Spotter(after=RATE // 2))
    utterances = room.hear(-1, 2, -1)
    assert room.names() == ["wake", "speech_started", "speech_ended", "transcript"]
    wake = room.events[0]
    assert wake.score == 7.5 and wake.phrase == "hey genie"
    (utterance,) = utterances
    # The whole stretch of speech is decoded, the phrase and the lead before it included.
    assert utterance.hypotheses[0].text == f"{len(utterance.clip)} samples"
    assert len(utterance.clip) / RATE == pytest.approx(
        2 + room.settings.lead_seconds - room.settings.begin_seconds + room.settings.end_seconds, abs=0.1
    )


def test_every_stretch_of_speech_begins_afresh_for_the_spotter():
    spotter = Spotter(after=2 * RATE)
    room = Room(spotter)
    assert room.hear(*[-1, 0.5] * 6, -1) == []
    assert spotter.resets == 6 and room.events == []


def test_awake_no_wake_phrase_is_needed_until_sleep():
    room = Room(Spotter(after=10**9))
    room.ears.listen(Expecting.CONFIRMATION)
    assert len(room.hear(-1, 1, -1, 1, -1)) == 2
    room.ears.sleep()
    assert room.hear(1, -1) == []
    assert room.recogniser.listened == [Expecting.CONFIRMATION] * 2


def test_always_open_ears_never_sleep():
    room = Room(wake="open")
    assert len(room.hear(-1, 1, -1, 1, -1)) == 2
    room.ears.sleep()
    assert len(room.hear(1, -1)) == 1


def test_push_to_talk_hears_nothing_by_itself():
    room = Room(wake="push_to_talk")
    assert room.hear(-1, 2, -1) == []
    room.ears.listen(Expecting.COMMAND)
    assert len(room.hear(2, -1)) == 1


def test_partial_results_come_while_the_person_speaks():
    room = Room(wake="open")
    room.hear(-1, 1)
    assert [event.name for event in room.events[:2]] == ["speech_started", "partial"]
    assert room.ears.hearing_speech
    room.hear(-1)
    assert not room.ears.hearing_speech


def test_latency_counts_the_wait_for_the_endpoint_and_the_computing():
    room = Room(wake="open")
    finish = room.recogniser.finish

    def slow():
        room.clock[0] += 0.25
        return finish()

    room.recogniser.finish = slow
    (utterance,) = room.hear(-1, 1, -1)
    transcript = room.events[-1]
    assert transcript.latency_seconds == pytest.approx(room.settings.end_seconds + 0.25, abs=CHUNK)
    assert transcript.alternatives == ("less",)
    assert utterance.end.waited_seconds == pytest.approx(room.settings.end_seconds, abs=CHUNK)
    assert utterance.at == pytest.approx(1 + 1 + room.settings.end_seconds, abs=2 * CHUNK)


@pytest.mark.parametrize(
    ("expecting", "pause", "utterances"),
    [
        (Expecting.COMMAND, 0.85, 2),
        (Expecting.DIGITS, 0.85, 1),  # people pause between digits
        (Expecting.INTERRUPTION, 0.4, 2),  # "stop" acts at once
        (Expecting.COMMAND, 0.4, 1),
    ],
)
def test_patience_depends_on_what_is_expected(expecting, pause, utterances):
    room = Room()
    room.ears.listen(expecting)
    assert len(room.hear(1, -pause, 1, -2)) == utterances


def test_what_is_heard_while_the_device_speaks_is_nobodys_utterance():
    room = Room()
    room.ears.listen(Expecting.INTERRUPTION)
    assert len(room.hear(1, -1)) == 1
    assert room.events == []


def test_a_source_that_ends_in_the_middle_of_a_word_ends_the_utterance():
    room = Room(wake="open")
    assert room.hear(-1, 1) == []
    utterance = room.ears.finish(room.at)
    assert utterance is not None and utterance.at == room.at
    assert room.ears.finish(room.at) is None


def test_listening_anew_forgets_what_was_under_way():
    room = Room(wake="open")
    room.hear(-1, 1)
    room.ears.listen(Expecting.COMMAND)
    assert not room.ears.hearing_speech
    assert room.hear(-1) == []


def test_speech_without_end_is_cut():
    room = Room(wake="open", longest_seconds=5.0)
    lengths = [len(utterance.clip) / RATE for utterance in room.hear(16)]
    assert len(lengths) == 3 and max(lengths) < 5.0 + room.settings.lead_seconds + 0.1


def test_real_speech_between_real_silences_is_one_utterance_each():
    activity = SileroVoiceActivity()
    room = Room(wake="open", activity=activity)
    noise = np.random.default_rng(5).normal(0, 0.001, 2 * RATE).astype(np.float32)
    speech = ShopperVoice.parse("espeak:en-us").say("I would like two cartons of oat milk, please.")
    sound = np.concatenate([noise, speech, noise, speech, noise])
    utterances = []
    for begin in range(0, len(sound) - CHUNK_SAMPLES, CHUNK_SAMPLES):
        utterance = room.ears.process(Chunk(sound[begin : begin + CHUNK_SAMPLES], begin / RATE))
        if utterance is not None:
            utterances.append(utterance)
    assert len(utterances) == 2
    for utterance in utterances:
        assert len(utterance.clip) / RATE == pytest.approx(len(speech) / RATE + 1.0, abs=0.8)


def test_an_hour_of_silence_is_no_utterance_and_needs_no_memory():
    room = Room(wake="open", activity=SileroVoiceActivity())
    silence = np.zeros(CHUNK_SAMPLES, np.float32)
    tracemalloc.start()
    for number in range(round(3600 / CHUNK)):
        assert room.ears.process(Chunk(silence, number * CHUNK)) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert room.events == [] and room.recogniser.listened == []
    assert peak < 1e6


def test_faint_noise_is_no_speech():
    room = Room(wake="open", activity=SileroVoiceActivity())
    random = np.random.default_rng(3)
    for number in range(1000):
        noise = random.normal(0, 0.002, CHUNK_SAMPLES).astype(np.float32)
        assert room.ears.process(Chunk(noise, number * CHUNK)) is None
    assert room.events == []
