"""A Vosk model from elsewhere, whose words are fixed, hears the shop's words all the same."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from assistant.errors import ModelDamaged
from assistant.hear.acceptor import WAKE_MARK
from assistant.hear.graph import prepare_graphs
from assistant.hear.lexicon import Lexicon
from assistant.hear.sound_alikes import sound_alikes
from assistant.hear.vosk_recogniser import VoskRecogniser
from assistant.hear.wake import VoskWakeSpotter
from assistant.settings import Hear
from assistant.understand.grammar import Alternatives, Grammar, Words
from assistant.understand.understanding import Expecting

MODELS = Path(__file__).parents[1] / "models"
KNOWN = "a box of please order debt all out lee new tell uh lawn come oat milk hey jeans ease law comb genie tea box"


@pytest.fixture(scope="module")
def lexicon():
    return Lexicon(MODELS / "lexicon-en")


@pytest.fixture(scope="module")
def published(tmp_path_factory, lexicon):
    """A folder such as alphacephei.com publishes: a graph over its own words, and no word of ours."""
    folder = tmp_path_factory.mktemp("published")
    words = Alternatives(tuple((0.0, Words(word)) for word in sorted(set(KNOWN.split()))))
    grammars = {Expecting.COMMAND: Grammar("all", {"start": words})}
    made = prepare_graphs(MODELS / "voicecart-en", grammars, "", lexicon, folder / "graphs")
    model = folder / "vosk-model-other"
    shutil.copytree(made.by_expecting[Expecting.COMMAND], model)
    listing = model / "graph" / "words.txt"
    lines = [line for line in listing.read_text().splitlines(True) if not line.startswith(WAKE_MARK)]
    listing.write_text("".join(lines))
    return model


def spoken(text, folder):
    path = folder / "said.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", str(path)], check=True)
    samples, rate = soundfile.read(path, dtype="float32")
    return np.pad(soxr.resample(samples, rate, 16_000), 8000).astype(np.float32)


@pytest.fixture(scope="module")
def graphs(published, lexicon, tmp_path_factory):
    brands = Alternatives(tuple((0.0, Words(f"order a box of {brand}")) for brand in ("nutella", "dettol", "oat milk")))
    grammars = {Expecting.COMMAND: Grammar("shop", {"start": brands})}
    return prepare_graphs(published, grammars, "hey genie", lexicon, tmp_path_factory.mktemp("graphs"))


@pytest.mark.parametrize("brand", ["nutella", "dettol", "oat milk"])
def test_a_brand_that_the_model_lacks_is_heard_by_words_that_sound_like_it(graphs, brand, tmp_path):
    hearing = VoskRecogniser(graphs, Hear()).listen(Expecting.COMMAND)
    hearing.accept(spoken(f"order a box of {brand}", tmp_path))
    assert hearing.finish()[0].text == f"order a box of {brand}"


def test_the_wake_phrase_is_spotted_with_it(graphs, tmp_path):
    spotter = VoskWakeSpotter(graphs.wake, Hear())
    said, other = spoken("hey genie, order oat milk", tmp_path), spoken("a box of tea, please", tmp_path)

    def spots(samples):
        spotter.reset()
        return any(spotter.accept(part) is not None for part in np.array_split(samples, len(samples) // 1600))

    assert spots(said) and not spots(other)


def test_the_model_itself_stays_as_it_is(published, graphs):
    assert "nutella" not in (published / "graph" / "words.txt").read_text()
    assert "nutella" in (graphs.by_expecting[Expecting.COMMAND] / "graph" / "words.txt").read_text()


def test_a_model_without_a_word_for_unknown_sounds_is_refused(published, lexicon, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(published, model)
    listing = model / "graph" / "words.txt"
    listing.write_text(listing.read_text().replace("[unk]", "unknown"))
    with pytest.raises(ModelDamaged, match="no word"):
        prepare_graphs(model, {Expecting.COMMAND: Grammar("g", {"start": Words("tea")})}, "", lexicon, tmp_path / "g")


def test_sound_alikes(lexicon):
    found = sound_alikes(["lancome", "oatley", "xqz"], ["lawn", "comb", "oat", "lee", "law", "come"], lexicon)
    assert found["oatley"] == ("oat", "lee")
    assert found["lancome"][0] in ("lawn", "law") and found["lancome"][-1] in ("comb", "come")
    assert "xqz" not in found
    assert sound_alikes(["oatly"], [], lexicon) == {}
