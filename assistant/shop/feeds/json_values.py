"""JSON values one after the other, as in JSON Lines too; of a list the items one by one: one may be broken off.

Numbers are read as decimals, never as floats. Only one value is in memory at a time.
"""

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from assistant.shop.feed import printable

LARGEST = 64 << 20
"""Characters of one value; a longer one is not read."""

_BLANK = re.compile(r"[\s,;]*")
_SIGN = re.compile(r'["{}\[\]]')
_REST_OF_STRING = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_AFTER_WORD = re.compile(r"[\s,;\[\]{}]")
_KEPT = 1 << 20
"""Characters that were passed over and are kept until they are let go together."""


def json_values(portions: Iterable[str], line: int = 1) -> Iterator[tuple[int, Any]]:
    """The values, or what is wrong as text, each with its line.

    Args:
        portions: Of the text.
        line: Where the text begins.
    """
    text = _Text(portions, line)
    decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)
    within = text.pass_blanks() == "["
    text.place += within
    while True:
        sign = text.pass_blanks()
        if not sign:
            if within:
                yield text.counted_line, "the list is never closed; what there is of it was read"
            return
        if within and sign == "]":
            within = False
            text.place += 1
            continue
        text.read_value()
        line = text.count_lines()
        try:
            value, text.place = decoder.raw_decode(text.known, text.place)
        except RecursionError:
            yield line, "nested too deep; nothing after this was read"
            return
        except ValueError as error:
            reason, at = str(error), line
            if isinstance(error, json.JSONDecodeError):
                reason, at = error.msg, line + text.known.count("\n", text.place, error.pos)
            beyond = f", or longer than {LARGEST >> 20} MiB" if text.too_long else ""
            yield at, f"not JSON: {printable(reason)}{beyond}; nothing after this was read"
            return
        yield line, value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


class _Text:
    """A text that is read as far as it is needed.

    Attributes:
        known: What is in memory of it.
        place: Where in ``known`` it is looked at.
        counted_line: Of the place up to which lines were counted.
        too_long: Whether the value at the place goes on beyond ``LARGEST``.
    """

    def __init__(self, portions: Iterable[str], line: int) -> None:
        self.known = ""
        self.place = 0
        self.counted_line = line
        self.too_long = False
        self._counted = 0
        self._portions = iter(portions)

    def count_lines(self) -> int:
        """The line of the place."""
        self.counted_line += self.known.count("\n", self._counted, self.place)
        self._counted = self.place
        return self.counted_line

    def pass_blanks(self) -> str:
        """Passes what stands between values; the character after it, none at the end."""
        while True:
            found = _BLANK.match(self.known, self.place)
            assert found is not None
            self.place = found.end()
            if self.place < len(self.known):
                return self.known[self.place]
            if not self._more():
                return ""

    def read_value(self) -> None:
        """Reads on until the value at the place ends, or its text does."""
        if self.place > _KEPT:
            self.count_lines()
            self.known, self.place, self._counted = self.known[self.place :], 0, 0
        if self.known[self.place] not in '{["':
            while not _AFTER_WORD.search(self.known, self.place) and self._more():
                pass
            return
        at, depth = self.place, 0
        while True:
            sign = _SIGN.search(self.known, at)
            end = sign and (_REST_OF_STRING.match(self.known, sign.end()) if sign[0] == '"' else sign)
            if sign is None or end is None:
                # What was looked through need not be looked through again, but a string that goes on.
                at = len(self.known) if sign is None else sign.start()
                if not self._more():
                    return
                continue
            at = end.end()
            depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(sign[0], 0)
            if depth <= 0:
                return

    def _more(self) -> bool:
        self.too_long = len(self.known) - self.place > LARGEST
        portion = None if self.too_long else next(self._portions, None)
        self.known += portion or ""
        return portion is not None
