"""The half of the recognition graph that all grammars share: phones to words, pauses between words."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from assistant.hear.lexicon_transducer import lexicon_transducer
from assistant.hear.topology import Topology

PHONES = ("SIL", "AH", "B", "K", "L", "T")
SILENCE = 1
pronunciations = st.lists(st.sampled_from(PHONES[1:]), min_size=1, max_size=4).map(tuple)
lexicons = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.lists(pronunciations, min_size=1, max_size=2))


@given(lexicons)
def test_pauses_stand_between_words_and_never_within_them(lexicon):
    numbers = {word: number for number, word in enumerate([*sorted(lexicon), "[unk]"], 1)}
    made = lexicon_transducer(lexicon, numbers, PHONES, "[unk]").automaton
    pauses = [(source, target, word) for source, target, phone, word, _ in made.arcs if phone == SILENCE]
    assert pauses == [(made.start, made.start, 0)]
    assert made.start in made.finals


@given(lexicons, st.data())
def test_every_pronunciation_of_every_word_is_taken_whole(lexicon, data):
    numbers = {word: number for number, word in enumerate([*sorted(lexicon), "[unk]"], 1)}
    transducer = lexicon_transducer(lexicon, numbers, PHONES, "[unk]")
    said = data.draw(st.lists(st.sampled_from(sorted(lexicon)), max_size=3)) if lexicon else []
    variants = [data.draw(st.sampled_from(lexicon[word])) for word in said]
    phones = [phone for variant in variants for phone in (*variant, "SIL")]
    wanted = tuple(numbers[word] for word in said)
    assert wanted in words_of(transducer.automaton, [PHONES.index(phone) + 1 for phone in phones])


def words_of(automaton, phones):
    """What an automaton may put out for these phones; disambiguation symbols are passed over."""
    following = defaultdict(list)
    for source, target, label, word, _ in automaton.arcs:
        following[source].append((label, target, word))
    found, agenda = set(), [(automaton.start, 0, ())]
    seen = set(agenda)
    while agenda:
        state, place, words = agenda.pop()
        if place == len(phones) and state in automaton.finals:
            found.add(words)
        for label, target, word in following[state]:
            silent = label == 0 or label > len(PHONES)
            if not silent and (place == len(phones) or phones[place] != label):
                continue
            after = (target, place + (not silent), (*words, word) if word else words)
            if after not in seen and len(after[2]) <= 4:
                seen.add(after)
                agenda.append(after)
    return found


def test_a_phone_is_entered_by_one_output_and_stayed_in_by_another():
    made = Topology(PHONES).transducer(2)
    entering = {(label, phone) for source, target, label, phone, _ in made.arcs if 0 < phone <= len(PHONES)}
    assert entering == {(2 * index + 2, index + 1) for index in range(len(PHONES))}
    staying = {(source, label) for source, target, label, phone, _ in made.arcs if not phone}
    assert staying == {(index, 2 * index + 1) for index in range(len(PHONES))}
    # A pause cannot follow a pause: it would be the same one, longer.
    assert not [arc for arc in made.arcs if arc[0] == 0 and arc[2] == 2]
