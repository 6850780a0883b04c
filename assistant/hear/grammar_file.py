"""Grammars from a JSON file: for transcribing with words that one knows beforehand.

A list holds phrases that may come in any order and number, as Vosk's own grammars do::

    ["zero", "one", "two", "[unk]"]

An object holds the rules of a regular grammar. A rule is text, in which ``<name>`` stands for another rule; a list of
alternatives, where "" is nothing at all; or ``{"repeat": RULE}``, which is zero or more times. ``[unk]`` is any sound,
``[any]`` any general words::

    {"start": "order", "rules": {"order": "<please> a <size> tea", "please": ["", "please"], "size": ["big", "small"]}}

Alternatives are equally likely. In a list, letters are likelier beside letters and numbers beside numbers: "a t" sounds
like "eighty", and "o" like "oh".
"""

import json
import math
import re
from pathlib import Path
from typing import Any

from assistant.errors import UsageError
from assistant.hear.acceptor import UNKNOWN, UNKNOWN_COST
from assistant.languages.language import Language
from assistant.understand.any_order import any_order
from assistant.understand.grammar import Alternatives, Expression, Filler, Grammar, Reference, Repeat, Sequence, Words

_ANY = "[any]"
_PARTS = re.compile(r"(<[^<>]+>|\[any\])")


def read_grammar(path: Path, language: Language) -> Grammar:
    """Reads a grammar.

    Args:
        path: The file.
        language: Whose numbers the phrases of a list may be.

    Raises:
        UsageError: It cannot be read, is no grammar, or its rules refer to themselves or to none that exist.
    """
    try:
        values = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"Cannot read the grammar {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The grammar {path} is not JSON: {error}.") from error
    try:
        grammar = _phrases(path.stem, values, language) if isinstance(values, list) else _rules(path.stem, values)
        _check_references(grammar)
    except ValueError as error:
        raise UsageError(f"The grammar {path} cannot be used: {error}. See 'voicecart transcribe --help'.") from error
    return grammar


def _phrases(name: str, phrases: list[Any], language: Language) -> Grammar:
    if not phrases:
        raise ValueError("it holds no phrase")
    written = {_plain(phrase): _text(phrase) for phrase in phrases}
    if UNKNOWN in written:
        written[UNKNOWN] = Alternatives(((UNKNOWN_COST, written[UNKNOWN]),))
    return Grammar(name, {"start": any_order(written, language, written.__getitem__)})


def _rules(name: str, values: Any) -> Grammar:
    if not isinstance(values, dict) or not isinstance(values.get("rules"), dict) or not values["rules"]:
        raise ValueError('it must be a list of phrases or {"start": NAME, "rules": {NAME: RULE}}')
    rules = {str(title): _expression(rule) for title, rule in values["rules"].items()}
    start = str(values.get("start", "start"))
    if start not in rules:
        raise ValueError(f"there is no rule {start!r} to start with")
    return Grammar(name, rules, start)


def _expression(value: Any) -> Expression:
    match value:
        case str():
            return _text(value)
        case [_, *_]:
            cost = math.log(len(value))
            return Alternatives(tuple((cost, _expression(branch)) for branch in value))
        case {"repeat": body} if len(value) == 1:
            return Repeat(_expression(body))
    raise ValueError(f"{json.dumps(value)[:80]} is no rule")


def _plain(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{json.dumps(value)[:80]} is no text")
    return " ".join(value.lower().split())


def _text(value: Any) -> Expression:
    parts: list[Expression] = []
    for part in _PARTS.split(_plain(value)):
        if part == _ANY:
            parts.append(Filler(0.0))
        elif part.startswith("<"):
            parts.append(Reference(part[1:-1]))
        elif part.strip():
            parts.append(Words(" ".join(part.split())))
    return parts[0] if len(parts) == 1 else Sequence(tuple(parts))


def _check_references(grammar: Grammar) -> None:
    # Rules in the order in which they are left: one that is met again before that refers to itself.
    done: set[str] = set()
    within: list[str] = []

    def visit(rule: str) -> None:
        if rule in within:
            raise ValueError(f"the rule {rule!r} refers to itself")
        if rule not in grammar.rules:
            raise ValueError(f"there is no rule {rule!r}")
        if rule not in done:
            within.append(rule)
            for name in _references(grammar.rules[rule]):
                visit(name)
            within.pop()
            done.add(rule)

    visit(grammar.start)


def _references(expression: Expression) -> set[str]:
    match expression:
        case Reference(rule):
            return {rule}
        case Sequence(parts):
            return set().union(*map(_references, parts))
        case Alternatives(branches):
            return set().union(*(_references(branch) for _, branch in branches))
        case Repeat(body):
            return _references(body)
    return set()
