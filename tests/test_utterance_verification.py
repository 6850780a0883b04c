"""What was not said is not taken for heard: words are compared with the sounds that they were found in."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_recogniser import spoken

from assistant.errors import ModelDamaged
from assistant.hear.acceptor import UNKNOWN
from assistant.hear.acoustic_outputs import AcousticOutputs
from assistant.hear.graph import prepare_graphs
from assistant.hear.lexicon import Lexicon
from assistant.hear.nnet3 import Layer, StoredNetwork
from assistant.hear.utterance_verification import LIMIT, open_verifier
from assistant.hear.vosk_recogniser import VoskRecogniser
from assistant.settings import Hear
from assistant.understand.grammar import Alternatives, Grammar, Words
from assistant.understand.understanding import Expecting

MODELS = Path(__file__).parents[1] / "models"
SAID = "order two bottles of milk"
OTHERS = ("the weather is going to change tonight", "nobody knows how he did it", "my uncle plays football")


@pytest.fixture(scope="module")
def verifier():
    return open_verifier(MODELS / "voicecart-en", Lexicon(MODELS / "lexicon-en"))


def test_what_was_said_fits_and_what_was_not_does_not(verifier, tmp_path):
    samples = spoken(SAID, tmp_path)
    assert verifier.fits(samples, SAID)
    for other in OTHERS:
        assert not verifier.fits(samples, other)
        assert verifier.misfit(samples, other) > verifier.misfit(samples, SAID) + 0.5


@pytest.mark.parametrize("text", ["", UNKNOWN, f"{UNKNOWN} {UNKNOWN}"])
def test_nothing_heard_needs_no_sound(verifier, text):
    assert verifier.fits(np.zeros(16_000, np.float32), text)


@pytest.mark.parametrize("samples", [0, 10, 800])
def test_a_sound_too_short_for_its_words_does_not_fit(verifier, samples):
    assert not verifier.fits(np.zeros(samples, np.float32), SAID)


def test_a_grammar_of_one_sentence_takes_no_other_for_it(verifier, tmp_path):
    """Without the comparison whatever is said is that sentence, as there is no other."""
    only = {state: Grammar(state.value, {"start": Words(SAID)}) for state in (Expecting.COMMAND, Expecting.DIGITS)}
    graphs = prepare_graphs(MODELS / "voicecart-en", only, "", Lexicon(MODELS / "lexicon-en"), tmp_path / "graphs")
    careless, careful = VoskRecogniser(graphs, Hear()), VoskRecogniser(graphs, Hear(), verifier)

    def heard(recogniser, state, text):
        hearing = recogniser.listen(state)
        for part in np.array_split(spoken(text, tmp_path), 20):
            hearing.accept(part)
        return hearing.finish()[0].text

    assert heard(careless, Expecting.COMMAND, OTHERS[0]) == SAID
    assert heard(careful, Expecting.COMMAND, OTHERS[0]) == UNKNOWN
    assert heard(careful, Expecting.COMMAND, SAID) == SAID
    # A challenge compares its digits itself.
    assert heard(careful, Expecting.DIGITS, OTHERS[0]) == SAID


def test_an_unheard_utterance_is_understood_as_nothing(verifier, tmp_path):
    grammar = Alternatives(((0.0, Words(SAID)), (0.0, Words("yes"))))
    graphs = prepare_graphs(
        MODELS / "voicecart-en",
        {Expecting.CONFIRMATION: Grammar("confirmation", {"start": grammar})},
        "",
        Lexicon(MODELS / "lexicon-en"),
        tmp_path / "graphs",
    )
    hearing = VoskRecogniser(graphs, Hear(), verifier).listen(Expecting.CONFIRMATION)
    hearing.accept(spoken(OTHERS[1], tmp_path))
    assert [hypothesis.text for hypothesis in hearing.finish()] == [UNKNOWN]


def test_a_model_without_a_limit_is_not_verified(tmp_path):
    assert open_verifier(tmp_path, Lexicon(MODELS / "lexicon-en")) is None


@pytest.mark.parametrize("written", ["", "{}", '{"limit": "high"}', "[2]"])
def test_a_limit_that_cannot_be_read_says_so(tmp_path, written):
    (tmp_path / LIMIT).write_text(written)
    with pytest.raises(ModelDamaged, match=LIMIT):
        open_verifier(tmp_path, Lexicon(MODELS / "lexicon-en"))


@pytest.mark.parametrize("cut", [0, 100, 5000, 1_000_000])
def test_a_truncated_network_says_so(tmp_path, cut):
    shutil.copytree(MODELS / "voicecart-en" / "am", tmp_path / "am")
    (tmp_path / LIMIT).write_text(json.dumps({"limit": 2.0}))
    network = tmp_path / "am" / "final.mdl"
    network.write_bytes(network.read_bytes()[:cut])
    with pytest.raises(ModelDamaged, match=r"final\.mdl"):
        open_verifier(tmp_path, Lexicon(MODELS / "lexicon-en"))


@settings(max_examples=30, deadline=None)
@given(frames=st.integers(1, 40), distances=st.lists(st.integers(1, 3), max_size=3), seed=st.integers(0, 2**16))
def test_outputs_are_those_of_the_layers_one_by_one(frames, distances, seed):
    """Every output frame is computed from its own surroundings, so a clip's begin does not change its end."""
    random = np.random.default_rng(seed)

    def layer(inputs, distance):
        scale, shift = random.uniform(0.5, 1.5, 6), random.uniform(-1, 1, 6)
        numbers = (random.normal(0, 0.3, (6, inputs)), random.normal(0, 1, 6), scale, shift)
        return Layer(*(value.astype(np.float32) for value in numbers), distance)

    layers = (layer(360, 0), *(layer(18, distance) for distance in distances))
    weight, bias = random.normal(0, 1, (4, 6)).astype(np.float32), np.zeros(4, np.float32)
    outputs = AcousticOutputs(StoredNetwork(layers, weight, bias))
    features = random.normal(0, 1, (3 * frames, 40)).astype(np.float32)
    whole = outputs(features)
    assert whole.shape == (frames, 4)
    wide = 2 + sum(distances)
    later = outputs(np.concatenate([random.normal(0, 1, (3, 40)).astype(np.float32), features]))
    assert np.allclose(whole[wide:], later[1 + wide :], atol=1e-4)
