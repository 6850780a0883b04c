import numpy as np
import pytest
import soundfile

from assistant.errors import AudioError
from assistant.events import Secrecy
from assistant.hear.audio import CHUNK_SAMPLES, RATE, Chunk
from assistant.observe.recording import Recording
from assistant.speak.synthesiser import Speech


class Room:
    """An audio source with a quiet tone."""

    def __init__(self, count):
        self.count = count
        self.held = []
        self.closed = False

    def chunks(self):
        for number in range(self.count):
            yield Chunk(np.full(CHUNK_SAMPLES, 0.25, np.float32), number * CHUNK_SAMPLES / RATE)

    def hold(self, seconds):
        self.held.append(seconds)

    def close(self):
        self.closed = True


class Quiet:
    def __init__(self):
        self.interrupted = 0

    def play(self, speech):
        return speech.seconds

    def interrupt(self):
        self.interrupted += 1

    def close(self):
        pass


def test_microphone_and_voice_are_mixed_in_audio_time(tmp_path):
    path = tmp_path / "deep" / "talk.wav"
    room, quiet, heard = Room(10), Quiet(), []
    with Recording(path, heard.append) as recording:
        source, loudspeaker = recording.source(room), recording.loudspeaker(quiet)
        for number, _ in enumerate(source.chunks()):
            if number == 1:
                assert loudspeaker.play(Speech(np.full(2 * CHUNK_SAMPLES, 0.5, np.float32), RATE)) == pytest.approx(
                    0.064
                )
                source.hold(0.064)
            if number == 5:
                loudspeaker.play(Speech(np.full(20 * CHUNK_SAMPLES, 0.5, np.float32), RATE))
            if number == 6:
                loudspeaker.interrupt()
        source.close()
    samples, rate = soundfile.read(path)
    assert rate == RATE and len(samples) == 10 * CHUNK_SAMPLES
    levels = samples.reshape(10, CHUNK_SAMPLES).mean(1).round(2)
    assert levels.tolist() == [0.25, 0.25, 0.75, 0.75, 0.25, 0.25, 0.75, 0.25, 0.25, 0.25]
    assert np.concatenate(heard).round(2).tolist() == samples.round(2).tolist()
    assert room.held == [0.064] and room.closed and quiet.interrupted == 1


def test_a_secret_is_neither_written_nor_heard_elsewhere(tmp_path):
    path, heard = tmp_path / "talk.wav", []
    with Recording(path, heard.append) as recording:
        for number, _ in enumerate(recording.source(Room(8)).chunks()):
            if number in (1, 5):
                recording.observe(Secrecy(at=0.0, secret=number == 1))
            if number == 2:
                recording.loudspeaker(Quiet()).play(Speech(np.full(CHUNK_SAMPLES, 0.5, np.float32), RATE))
    samples, _ = soundfile.read(path)
    assert samples.reshape(8, CHUNK_SAMPLES).mean(1).round(2).tolist() == [0.25, 0.25, 0, 0.5, 0, 0, 0.25, 0.25]
    assert np.concatenate(heard).round(2).tolist() == samples.round(2).tolist()


def test_what_is_being_said_at_the_end_is_kept(tmp_path):
    path = tmp_path / "talk.wav"
    with Recording(path) as recording:
        recording.loudspeaker(Quiet()).play(Speech(np.full(11_025, 0.5, np.float32), 22_050))
    assert soundfile.info(path).duration == pytest.approx(0.5, abs=0.01)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AudioError, match=r"talk\.wav"):
        Recording(tmp_path / "file" / "talk.wav")
