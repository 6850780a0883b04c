"""A chain of words as an acceptor: a bigram that backs off to single words."""

from assistant.hear.acceptor import UNKNOWN, Labels
from assistant.hear.openfst import Arc, Automaton
from assistant.understand.grammar import WordChain

_END, _ANY = 0, 1


def chain_acceptor(chain: WordChain, labels: Labels) -> Automaton:
    """The chain as an acceptor: one state for each word that was just said, one for any word to come, and the end.

    Args:
        chain: Words without a label are taken as unknown sounds.
        labels: Words that are heard as others make it a transducer.
    """
    places = {word: place for place, word in enumerate(("", *chain.words), _ANY + 1)}
    said_as = {labels.numbers[word]: heard for word, heard in labels.said_as.items()}
    arcs: list[Arc] = []
    states = len(places) + _ANY + 1

    def add(source: int, word: str, cost: float) -> None:
        nonlocal states
        label = labels.numbers.get(word, labels.numbers[UNKNOWN])
        *heard, last = said_as.get(label, (label,)) or (0,)
        for number in heard:
            arcs.append((source, states, number, 0, cost))
            source, states, cost = states, states + 1, 0.0
        arcs.append((source, places[word], last, label, cost))

    for word, cost in chain.words.items():
        add(_ANY, word, cost)
    for before, costs in chain.following.items():
        for word, cost in costs.items():
            add(places[before], word, cost)
    arcs += [(places[before], _ANY, 0, 0, cost) for before, cost in chain.backing_off.items()]
    arcs += [(places[word], _END, 0, 0, cost) for word, cost in chain.ends.items()]
    return Automaton(arcs, {_END: 0.0}, places[""])
