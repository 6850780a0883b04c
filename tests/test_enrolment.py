from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from spectral_encoder import EnergyActivity, SpectralEncoder, speak, voiced_speech

from assistant.commands.main import main
from assistant.errors import EnrolmentError
from assistant.events import EventStream, Reply
from assistant.hear.audio import RATE
from assistant.hear.segmenter import Segmenter
from assistant.languages.language import load_language
from assistant.pay.enrolment import BadTakes, Enrolments, TakeFault
from assistant.pay.guided_enrolment import GuidedEnrolment
from assistant.pay.one_voice import OneVoiceLimits
from assistant.pay.verification import Scoring, agreements, cohesion, mean_embedding
from assistant.pay.voices import Voices
from assistant.rehearse.shopper import ShopperSource, Turn
from assistant.rehearse.voices import ShopperVoice
from assistant.settings import Pay, Settings, Talk
from assistant.shop.database import open_database
from assistant.speak.loudspeakers import SilentLoudspeaker
from assistant.speak.mouth import Mouth
from assistant.speak.synthesiser import Speech
from assistant.talk.replies import Replies

ANNA, BEN = 1, 4


class LenientEncoder(SpectralEncoder):
    """Asks for no more agreement than a mean of two voices has with each of them."""

    scoring = Scoring(
        SpectralEncoder().scoring.cohort, replace(SpectralEncoder().scoring.calibration, enrolment_agreement=0.2)
    )


class WindowedEncoder(SpectralEncoder):
    """With limits for the windows of one clip."""

    scoring = Scoring(
        SpectralEncoder().scoring.cohort,
        replace(SpectralEncoder().scoring.calibration, one_voice=OneVoiceLimits(0.8, 0.5, 0.7, 0.3)),
    )


SENTENCES = ("one red balloon", "two green bottles", "three blue boats", "four white doves", "five black cats")


@pytest.fixture
def voices(tmp_path: Path) -> Voices:
    return Voices(open_database(tmp_path), "home", tmp_path)


@pytest.fixture
def enrolments(voices) -> Enrolments:
    return Enrolments(voices, SpectralEncoder(), voiced_speech(), Pay())


def takes_of(person: int, count: int = 5) -> list[np.ndarray]:
    return [speak(person, words) for words in range(count)]


def clipped(take: np.ndarray) -> np.ndarray:
    return np.clip(take * 20, -1, 1).astype(np.float32)


def noisy(take: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(1).standard_normal(len(take)) * 0.008
    return (take * 0.12 + noise).astype(np.float32)


def test_five_good_takes_enrol(enrolments, voices):
    enrolment = enrolments.enrol("anna", takes_of(ANNA))
    assert voices.list() == (enrolment.voice,)
    assert enrolment.voice.takes == 5
    assert all(take.fault is None and take.agreement > 0.9 for take in enrolment.takes)


@pytest.mark.parametrize(
    ("take", "fault"),
    [
        (np.zeros(RATE, np.float32), TakeFault.NO_SPEECH),
        (np.zeros(0, np.float32), TakeFault.NO_SPEECH),
        (speak(ANNA, 9, seconds=0.5), TakeFault.TOO_SHORT),
        (clipped(speak(ANNA, 9)), TakeFault.CLIPPED),
        (noisy(speak(ANNA, 9)), TakeFault.NOISY),
        (speak(ANNA, 0), TakeFault.REPEATED),
        (speak(BEN, 9), TakeFault.DISAGREES),
    ],
    ids=str,
)
def test_a_bad_take_is_named_and_left_out(enrolments, take, fault):
    enrolment = enrolments.enrol("anna", [*takes_of(ANNA, 4), take])
    assert [report.fault for report in enrolment.takes] == [None] * 4 + [fault]
    assert enrolment.voice.takes == 4


def test_a_quiet_take_is_told_from_silence():
    class Sensitive(EnergyActivity):
        def probability(self, samples):
            return float(np.sqrt(np.mean(samples**2)) > 0.001)

    from assistant.pay.voiced_speech import VoicedSpeech

    enrolments = Enrolments(None, SpectralEncoder(), VoicedSpeech(Sensitive), Pay())
    assert enrolments.examine(speak(ANNA, 1, level=0.003)).fault is TakeFault.TOO_QUIET


@pytest.mark.parametrize("of_each", [(3, 2), (2, 2), (2, 3), (4, 4)])
def test_two_voices_enrol_nobody(enrolments, voices, of_each):
    with pytest.raises(BadTakes, match="disagrees") as caught:
        enrolments.enrol("anna", [*takes_of(ANNA, of_each[0]), *takes_of(BEN, of_each[1])])
    assert all(take.fault is TakeFault.DISAGREES for take in caught.value.takes)
    assert voices.list() == ()


def test_takes_that_each_resemble_the_mean_of_the_others_are_not_yet_one_voice(voices):
    """Two people in turn: each take agrees somewhat with a mean that holds their own voice as well."""
    lenient = LenientEncoder()
    mixed = [*takes_of(ANNA, 2), *takes_of(BEN, 2)]
    embeddings = np.stack([lenient.embed(voiced_speech()(take)) for take in mixed])
    assert agreements(embeddings).min() > lenient.scoring.calibration.enrolment_agreement > cohesion(embeddings)
    with pytest.raises(BadTakes, match="disagrees"):
        Enrolments(voices, lenient, voiced_speech(), Pay()).enrol("anna", mixed)
    assert voices.list() == ()


def test_two_voices_in_one_take_are_told_at_once(voices):
    enrolments = Enrolments(voices, WindowedEncoder(), voiced_speech(), Pay())
    both = np.concatenate([speak(ANNA, 9), speak(BEN, 9)])
    assert enrolments.examine(both).fault is TakeFault.TWO_VOICES
    assert enrolments.examine(np.concatenate([speak(ANNA, 9), speak(ANNA, 8)])).fault is None
    enrolment = enrolments.enrol("anna", [*takes_of(ANNA, 4), both])
    assert [report.fault for report in enrolment.takes] == [None] * 4 + [TakeFault.TWO_VOICES]


@given(st.integers(1, 60), st.integers(2, 8))
def test_cohesion_is_the_cosine_of_the_parts_that_differ_most(seed, count):
    rows = np.random.default_rng(seed).standard_normal((count, 16))
    embeddings = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert -1 <= cohesion(embeddings) <= 1
    assert cohesion(np.repeat(embeddings[:1], count, 0)) == pytest.approx(1)
    one_voice = mean_embedding(embeddings)
    assert cohesion(np.stack([one_voice] * 3 + [-one_voice] * 2)) == pytest.approx(-1)


def test_two_takes_are_too_few(enrolments, voices):
    with pytest.raises(BadTakes, match="3 good takes"):
        enrolments.enrol("anna", takes_of(ANNA, 2))
    assert voices.list() == ()


@pytest.mark.parametrize("name", ["", " ", " anna", "a" * 41, "an\nna", "\x1b[31m"])
def test_what_is_no_name_is_refused(enrolments, name):
    with pytest.raises(EnrolmentError, match="not a name"):
        enrolments.enrol(name, takes_of(ANNA))


def test_a_name_that_is_taken_needs_to_be_replaced(enrolments, voices):
    enrolments.enrol("anna", takes_of(ANNA))
    with pytest.raises(EnrolmentError, match="--replace"):
        enrolments.enrol("anna", takes_of(BEN))
    enrolments.enrol("anna", takes_of(BEN), replace=True)
    template = voices.templates("spectral")["anna"]
    assert template @ SpectralEncoder().embed(voiced_speech()(speak(BEN, 50))) > 0.9


class TonelessSynthesiser:
    """Speaks for as long as the text needs, without a sound."""

    def synthesise(self, text: str) -> Speech:
        return Speech(np.zeros(len(text) * RATE // 16, np.float32), RATE)

    def close(self) -> None:
        pass


class Person:
    """Says what the device asks for; ``takes`` gives the sound for a sentence and how often it was asked for."""

    def __init__(self, takes) -> None:
        self.takes = takes
        self.replies: list[str] = []
        self.asked: dict[str, int] = {}
        self.sentence: str | None = None

    def observe(self, event) -> None:
        if isinstance(event, Reply):
            self.replies.append(event.text)
            self.sentence = next((one for one in SENTENCES if one in event.text), None)

    def next_turn(self) -> Turn | None:
        if self.sentence is None:
            return None
        count = self.asked[self.sentence] = self.asked.get(self.sentence, 0) + 1
        return Turn(self.takes(SENTENCES.index(self.sentence), count))


def guide(enrolments: Enrolments, person: Person) -> GuidedEnrolment:
    settings = Settings(talk=Talk(answer_seconds=2.5))
    stream = EventStream()
    source = ShopperSource(person.next_turn)
    stream.subscribe(person.observe)
    stream.subscribe(source.observe)
    mouth = Mouth(TonelessSynthesiser(), SilentLoudspeaker(), 0.3, stream.publish)
    replies = Replies(load_language("en"))
    return GuidedEnrolment(source, EnergyActivity(), Segmenter(settings.hear), mouth, replies, enrolments, settings)


def test_the_device_leads_a_person_through_it(enrolments, voices):
    person = Person(lambda sentence, count: speak(ANNA, sentence))
    enrolment = guide(enrolments, person).enrol("anna", SENTENCES)
    assert voices.list() == (enrolment.voice,) and enrolment.voice.takes == 5
    assert person.asked == dict.fromkeys(SENTENCES, 1)
    assert person.replies[-1] == "Thank you, anna. From now on your voice can pay."


def test_a_bad_take_is_asked_for_again_with_its_reason(enrolments, voices):
    def takes(sentence: int, count: int) -> np.ndarray:
        if count > 1:
            return speak(ANNA, sentence)
        return [
            speak(ANNA, 0),
            speak(ANNA, 1, seconds=0.6),
            np.zeros(0, np.float32),
            clipped(speak(ANNA, 3)),
            speak(BEN, 4),
        ][sentence]

    person = Person(takes)
    enrolment = guide(enrolments, person).enrol("anna", SENTENCES)
    assert person.asked == {SENTENCES[0]: 1} | dict.fromkeys(SENTENCES[1:4], 2) | {SENTENCES[4]: 1}
    said = " ".join(person.replies)
    assert "too short" in said and "didn't hear you" in said and "too loud" in said
    # One take of another voice is left out of the template: it needs no second try.
    assert enrolment.voice.takes == 4


def test_takes_of_two_people_are_asked_for_once_more(enrolments, voices):
    person = Person(lambda sentence, count: speak(ANNA if count > 1 or sentence < 3 else BEN, sentence + 10 * count))
    guide(enrolments, person).enrol("anna", SENTENCES)
    assert any("didn't sound like" in reply for reply in person.replies)
    assert voices.list()[0].takes == 5


@pytest.fixture
def recordings(tmp_path) -> list[str]:
    """Synthetic speech of one voice, as files."""
    paths = []
    for number, sentence in enumerate(load_language("en").enrolment_sentences[:3]):
        path = tmp_path / f"take {number}.wav"
        soundfile.write(path, ShopperVoice.parse("flite:slt").say(sentence), RATE)
        paths.append(str(path))
    return paths


def test_the_command_enrols_from_recordings_with_the_shipped_encoder(recordings, tmp_path, capsys):
    state = ["--state", str(tmp_path / "state")]
    assert main(["enroll", "anna", "--wav", *recordings, *state]) == 0
    assert "anna is enrolled (3 takes)" in capsys.readouterr().out
    assert main(["enroll", "anna", "--wav", *recordings, *state]) == 2
    assert "already enrolled" in capsys.readouterr().err
    assert main(["enroll", "ben", "--wav", recordings[0], recordings[0], recordings[1], *state]) == 2
    assert "take 2: repeated" in capsys.readouterr().err
    assert main(["enroll", "ben", "--wav", str(tmp_path / "none.wav"), *state]) == 2
    assert "none.wav" in capsys.readouterr().err
    assert main(["voices", *state]) == 0
    shown = capsys.readouterr().out
    assert "anna" in shown and "ben" not in shown


def test_somebody_who_never_speaks_is_not_enrolled(enrolments, voices):
    person = Person(lambda sentence, count: np.zeros(0, np.float32))
    with pytest.raises(EnrolmentError, match="Nothing was enrolled"):
        guide(enrolments, person).enrol("anna", SENTENCES)
    assert person.asked == {SENTENCES[0]: 3}
    assert voices.list() == ()
    assert person.replies[-1] == "That didn't work, so your voice is not enrolled."
