"""Phrases in any order: what is spelled or counted comes in runs."""

import itertools
import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.hear.graph import prepare_graphs
from assistant.hear.lexicon import Lexicon
from assistant.hear.vosk_recogniser import VoskRecogniser
from assistant.languages.language import load_language
from assistant.models import find_model
from assistant.rehearse.voices import ShopperVoice
from assistant.settings import Hear
from assistant.understand.any_order import any_order
from assistant.understand.grammar import Alternatives, Grammar, Repeat, Sequence, Words
from assistant.understand.understanding import Expecting

ENGLISH = load_language("en")
DIGITS = ["oh", "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TENS = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
]
SPELLED = [*string.ascii_lowercase, *DIGITS, *TENS, "yes", "stop"]


def costs_of(expression, words):
    """How much the words may cost at least, from every place where the expression may begin: place → cost after it."""

    def after(expression, begins):
        match expression:
            case Words(text):
                count = len(text.split())
                return {
                    place + count: cost
                    for place, cost in begins.items()
                    if words[place : place + count] == text.split()
                }
            case Sequence(parts):
                for part in parts:
                    begins = after(part, begins)
                return begins
            case Alternatives(branches):
                found = {}
                for own, branch in branches:
                    for place, cost in after(branch, begins).items():
                        found[place] = min(cost + own, found.get(place, math.inf))
                return found
            case Repeat(body, own):
                found, ends = dict(begins), begins
                while ends:
                    ends = {
                        place: cost + own
                        for place, cost in after(body, ends).items()
                        if cost + own < found.get(place, math.inf)
                    }
                    found |= ends
                return found

    return after(expression, {0: 0.0})


def cost_of(text, phrases=SPELLED):
    words = text.split()
    return costs_of(any_order(phrases, ENGLISH), words).get(len(words), math.inf)


@given(st.lists(st.sampled_from(SPELLED), max_size=6))
def test_any_order_is_any_order(said):
    assert math.isfinite(cost_of(" ".join(said)))


@given(st.lists(st.sampled_from(["oh", "zero", "one", "two", "stop", "twenty one", "[unk]"]), min_size=1, unique=True))
def test_every_phrase_of_any_list_can_be_said_after_every_other(phrases):
    for first, second in itertools.product(phrases, repeat=2):
        assert math.isfinite(cost_of(f"{first} {second}", phrases))


def test_words_that_sound_alike_are_told_apart_by_their_neighbours():
    assert cost_of("p a t s") < cost_of("p eighty s")
    assert cost_of("two eighty four") < cost_of("two a t four")
    assert cost_of("b o x") < cost_of("b oh x")
    assert cost_of("six oh two") < cost_of("six o two")


def test_a_list_of_one_kind_is_a_plain_loop():
    for phrases in (["yes", "no"], ["oh", "o", "one", "two"], ["a", "b", "o"], ["thirty", "forty"]):
        (cost, _), *others = any_order(phrases, ENGLISH).body.branches
        assert all(other == pytest.approx(cost) for other, _ in others)


def test_digits_are_commoner_than_other_numbers_where_there_are_both():
    assert cost_of("four") < cost_of("forty")
    assert cost_of("four", ["four", "six"]) == pytest.approx(cost_of("forty", ["forty", "sixty"]))


@pytest.fixture(scope="module")
def hear(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spelling")
    grammar = Grammar("spelled", {"start": any_order(SPELLED, ENGLISH)})
    lexicon = Lexicon(find_model(ENGLISH.lexicon), folder)
    graphs = prepare_graphs(find_model(Hear().model), {Expecting.COMMAND: grammar}, "", lexicon, folder)
    recogniser = VoskRecogniser(graphs, Hear())

    def hear(voice, text):
        hearing = recogniser.listen(Expecting.COMMAND)
        hearing.accept(ShopperVoice.parse(voice).say(text))
        return hearing.finish()[0].text

    return hear


@pytest.mark.parametrize("voice", ["flite:rms", "espeak:en-us"])
@pytest.mark.parametrize("text", ["b, o, x", "six oh two", "four oh nine", "eighty two"])
def test_spelled_letters_and_digits_are_heard_as_such(hear, voice, text):
    assert hear(voice, text) == text.replace(",", "")
