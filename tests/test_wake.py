"""The wake phrase in speech that nobody pauses in."""

import numpy as np
import pytest

from assistant.hear.audio import CHUNK_SAMPLES, RATE
from assistant.hear.graph import prepare_graphs
from assistant.hear.lexicon import Lexicon
from assistant.hear.wake import VoskWakeSpotter
from assistant.models import find_model
from assistant.rehearse.voices import ShopperVoice
from assistant.settings import Hear

STORY = "The weather turned colder in the evening, so we lit the fire and played cards until everybody was tired."
VOICE = ShopperVoice.parse("flite:kal16")


@pytest.fixture(scope="module")
def spotter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wake")
    lexicon = Lexicon(find_model("lexicon-en"), folder)
    graphs = prepare_graphs(find_model(Hear().model), {}, "hey genie", lexicon, folder)
    return VoskWakeSpotter(graphs.wake, Hear())


def found(spotter, samples):
    """Seconds at which the phrase is spotted."""
    spotter.reset()
    chunks = (samples[begin : begin + CHUNK_SAMPLES] for begin in range(0, len(samples), CHUNK_SAMPLES))
    return [n * CHUNK_SAMPLES / RATE for n, chunk in enumerate(chunks, 1) if spotter.accept(chunk) is not None]


@pytest.mark.parametrize("before", [1.0, 5.4, 5.8, 6.0, 6.2, 11.4, 11.8, 12.1, 17.3])
def test_the_phrase_is_spotted_wherever_a_stretch_of_unbroken_speech_is_cut(spotter, before):
    story, phrase = VOICE.say(STORY), VOICE.say("hey genie")
    talk = np.resize(story, round(before * RATE))
    (at,) = found(spotter, np.concatenate([talk, phrase, np.zeros(RATE, np.float32)]))
    assert before < at < before + len(phrase) / RATE + 1.0


def test_unbroken_speech_without_it_wakes_nobody(spotter):
    assert found(spotter, np.resize(VOICE.say(STORY), 30 * RATE)) == []
