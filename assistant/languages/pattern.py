"""Patterns of phrases as people write them down: ``"(can|could) i (please|) have {items}"``."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

Phrase = tuple[str, ...]
"""Words and slots (``"{items}"``) in sequence."""


def is_slot(token: str) -> bool:
    """Whether a token of a phrase stands for other words."""
    return token.startswith("{") and token.endswith("}")


def expand(pattern: str) -> tuple[Phrase, ...]:
    """All phrases of a pattern, each once, in the order in which they are written.

    ``(a|b)`` chooses, an empty choice leaves out, groups may be nested, ``{name}`` is a slot.

    Raises:
        ValueError: A parenthesis is not closed or not opened.
    """
    choices, end = _choices(pattern, 0)
    if end != len(pattern):
        raise ValueError(f"the pattern {pattern!r} closes a parenthesis that is not open")
    return tuple(dict.fromkeys(tuple(text.split()) for text in choices))


def expand_all(patterns: Iterable[str]) -> tuple[Phrase, ...]:
    """All phrases of several patterns, each once."""
    return tuple(dict.fromkeys(phrase for pattern in patterns for phrase in expand(pattern)))


def _choices(pattern: str, begin: int) -> tuple[list[str], int]:
    """The alternatives from ``begin`` up to a closing parenthesis or the end, and where that is."""
    found: list[str] = []
    parts: list[Sequence[str]] = []
    position = begin
    while position < len(pattern) and pattern[position] != ")":
        match pattern[position]:
            case "(":
                inner, end = _choices(pattern, position + 1)
                if end == len(pattern):
                    raise ValueError(f"the pattern {pattern!r} does not close a parenthesis")
                parts.append(inner)
                position = end + 1
            case "|":
                found += _joined(parts)
                parts = []
                position += 1
            case _:
                end = position
                while end < len(pattern) and pattern[end] not in "(|)":
                    end += 1
                parts.append((pattern[position:end],))
                position = end
    return found + list(_joined(parts)), position


def _joined(parts: Sequence[Sequence[str]]) -> Iterator[str]:
    return ("".join(chosen) for chosen in product(*parts))
