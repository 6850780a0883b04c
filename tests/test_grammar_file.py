"""Grammars from JSON files."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.errors import UsageError
from assistant.hear.acceptor import UNKNOWN_COST, Labels, acceptor_of
from assistant.hear.grammar_file import read_grammar as read_grammar_in
from assistant.languages.language import load_language
from assistant.understand.grammar import Alternatives, Filler, Reference, Repeat, Sequence, Words


def read_grammar(path):
    return read_grammar_in(path, load_language("en"))


@pytest.fixture
def file(tmp_path):
    def write(value):
        path = tmp_path / "grammar.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    return write


def sentences(grammar, expression=None, repeats=2):
    """All sentences, loops taken at most so often."""
    match expression if expression is not None else grammar.rules[grammar.start]:
        case Words(text):
            return {text}
        case Sequence(parts):
            found = {""}
            for part in parts:
                ends = sentences(grammar, part, repeats)
                found = {f"{begin} {end}".strip() for begin in found for end in ends}
            return found
        case Alternatives(branches):
            return set().union(*(sentences(grammar, branch, repeats) for _, branch in branches))
        case Repeat(body):
            one, found = sentences(grammar, body, repeats), {""}
            for _ in range(repeats):
                found |= {f"{begin} {end}".strip() for begin in found for end in one}
            return found
        case Reference(rule):
            return sentences(grammar, grammar.rules[rule], repeats)
        case Filler():
            return {"*"}


def test_a_list_is_any_phrases_in_any_order(file):
    grammar = read_grammar(file(["Yes", "no thank you"]))
    assert sentences(grammar) == {
        "",
        "yes",
        "no thank you",
        "yes yes",
        "yes no thank you",
        "no thank you yes",
        "no thank you no thank you",
    }
    assert grammar.vocabulary() == {"yes", "no", "thank", "you"}


def test_unknown_sounds_cost_more_than_words(file):
    loop = read_grammar(file(["yes", "[unk]"])).rules["start"]
    (yes_cost, yes), (unknown_cost, unknown) = loop.body.branches
    assert yes == Words("yes") and unknown == Alternatives(((UNKNOWN_COST, Words("[unk]")),))
    assert yes_cost == unknown_cost


def test_rules_may_name_rules_and_hold_alternatives_and_loops(file):
    grammar = read_grammar(
        file(
            {
                "start": "order",
                "rules": {
                    "order": "<please> a <size> tea <topping>",
                    "please": ["", "please"],
                    "size": ["small", "very large"],
                    "topping": {"repeat": "with sugar"},
                },
            }
        )
    )
    found = sentences(grammar)
    assert {"a small tea", "please a very large tea with sugar", "a small tea with sugar with sugar"} <= found
    assert len(found) == 2 * 2 * 3


def test_any_stands_for_general_words(file):
    grammar = read_grammar(file({"rules": {"start": "play [any] now"}}))
    assert grammar.rules["start"] == Sequence((Words("play"), Filler(0.0), Words("now")))


def test_it_compiles(file):
    grammar = read_grammar(file({"rules": {"start": ["a <b>", "[unk]"], "b": {"repeat": ["c", "d"]}}}))
    automaton = acceptor_of(grammar, Labels({"a": 1, "c": 2, "d": 3, "[unk]": 4}), {})
    assert {arc[2] for arc in automaton.arcs} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "not JSON"),
        ("[", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ([], "no phrase"),
        ([1], "1 is no text"),
        (7, "list of phrases"),
        ({}, "list of phrases"),
        ({"rules": []}, "list of phrases"),
        ({"rules": {"order": "tea"}}, "no rule 'start'"),
        ({"rules": {"start": []}}, "is no rule"),
        ({"rules": {"start": {"loop": "tea"}}}, "is no rule"),
        ({"rules": {"start": "a <size> tea"}}, "no rule 'size'"),
        ({"rules": {"start": "<a>", "a": "<b> x", "b": ["y", "<a>"]}}, "refers to itself"),
    ],
)
def test_what_is_no_grammar_is_refused_with_the_reason(file, value, reason):
    with pytest.raises(UsageError, match=reason) as refused:
        read_grammar(file(value))
    assert refused.value.code == "usage" and "grammar.json" in refused.value.message


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        read_grammar(tmp_path / "missing.json")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["start", "rules", "a", "repeat"]), inner)
    ),
    max_leaves=12,
)


@given(values)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_is_a_grammar_or_refused(file, value):
    try:
        grammar = read_grammar(file(json.dumps(value)))
    except UsageError:
        return
    assert grammar.start in grammar.rules
