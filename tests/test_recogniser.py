"""The recogniser keeps few of its models in memory, and hears every state of the dialogue all the same."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from assistant.hear import vosk_recogniser
from assistant.hear.graph import prepare_graphs
from assistant.hear.lexicon import Lexicon
from assistant.hear.vosk_recogniser import VoskRecogniser
from assistant.settings import Hear
from assistant.understand.grammar import Alternatives, Grammar, Words
from assistant.understand.understanding import Expecting

MODELS = Path(__file__).parents[1] / "models"
TURNS = (
    (Expecting.COMMAND, "order oat milk"),
    (Expecting.CONFIRMATION, "no thanks"),
    (Expecting.DIGITS, "four seven one"),
    (Expecting.CONFIRMATION, "yes please"),
    (Expecting.COMMAND, "where is my parcel"),
)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    said = {state: [text for of, text in TURNS if of is state] for state, _ in TURNS}
    grammars = {
        state: Grammar(state.value, {"start": Alternatives(tuple((0.0, Words(text)) for text in texts))})
        for state, texts in said.items()
    }
    folder = tmp_path_factory.mktemp("graphs")
    return prepare_graphs(MODELS / "voicecart-en", grammars, "", Lexicon(MODELS / "lexicon-en"), folder)


@pytest.mark.parametrize(("kept", "loads"), [(1, 5), (2, 4), (3, 3)])
def test_models_are_loaded_again_only_when_others_took_their_place(graphs, kept, loads, monkeypatch, tmp_path):
    loaded = []
    real = vosk_recogniser.load_vosk_model
    monkeypatch.setattr(vosk_recogniser, "load_vosk_model", lambda *asked: loaded.append(asked) or real(*asked))
    recogniser = VoskRecogniser(graphs, Hear(models_kept=kept))
    for state, text in TURNS:
        hearing = recogniser.listen(state)
        hearing.accept(spoken(text, tmp_path))
        assert hearing.finish()[0].text == text
    assert len(loaded) == loads


def test_an_utterance_under_way_outlives_its_model(graphs, tmp_path):
    recogniser = VoskRecogniser(graphs, Hear(models_kept=1))
    hearing, samples = recogniser.listen(Expecting.COMMAND), spoken("order oat milk", tmp_path)
    hearing.accept(samples[:12_000])
    recogniser.load(Expecting.DIGITS)
    hearing.accept(samples[12_000:])
    assert hearing.finish()[0].text == "order oat milk"


def spoken(text, folder):
    path = folder / "said.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", str(path)], check=True)
    samples, rate = soundfile.read(path, dtype="float32")
    return np.pad(soxr.resample(samples, rate, 16_000), 8000).astype(np.float32)
