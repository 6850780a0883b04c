"""Promotions files (TOML): all of their rules, or everything that is wrong with them.

A feed goes on without a bad line. A promotions file does not: without one of its rules all prices would be other ones.
"""

import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from assistant.errors import FeedError
from assistant.shop.promotions.rule_entries import RuleDocument

MOST_BYTES = 16 << 20
_MOST_TOLD = 10


def read_rule_file(path: Path) -> RuleDocument:
    """Reads and checks a promotions file.

    Raises:
        FeedError: It cannot be read, or an entry is bad; the message names the first ten.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise FeedError(f"Cannot read the promotions {path}: {error.strerror or error}.") from error
    if len(content) > MOST_BYTES:
        raise FeedError(f"The promotions {path} are larger than {MOST_BYTES >> 20} MiB.")
    return parse_rules(content, f"The promotions {path}")


def parse_rules(content: bytes, source: str = "The promotions") -> RuleDocument:
    """Checks the content of a promotions file; ``source`` names it in errors, at their beginning.

    Raises:
        FeedError: It is not TOML, or an entry is bad.
    """
    try:
        # Decimals stay text: a price never is a float, not even on its way.
        values = tomllib.loads(content.decode("utf-8-sig"), parse_float=str)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FeedError(f"{source} are not TOML: {error}.") from error
    try:
        document = RuleDocument.model_validate(values)
    except ValidationError as error:
        found = [f"{_place(values, one['loc'])}{_reason(one)}" for one in error.errors()]
        raise FeedError(_message(source, found)) from error
    problems = [*_problems(document)]
    if problems:
        raise FeedError(_message(source, problems))
    return document


def _message(source: str, problems: Sequence[str]) -> str:
    more = f"; and {len(problems) - _MOST_TOLD} more" if len(problems) > _MOST_TOLD else ""
    return f"{source} cannot be used, and nothing was changed: {'; '.join(problems[:_MOST_TOLD])}{more}."


def _problems(document: RuleDocument) -> Iterator[str]:
    """What is wrong with entries that are right by themselves."""
    ids: set[str] = set()
    coupons: set[str] = set()
    for number, entry in enumerate(document.promotions, 1):
        where = f"promotion {number} ({entry.id})"
        yield from _wrong(where, entry.to_promotion, document.currency)
        if entry.id in ids:
            yield f"{where}: there is another one of that id"
        if entry.coupon is not None and entry.coupon in coupons:
            yield f"{where}: there is another one with the coupon {entry.coupon!r}"
        ids.add(entry.id)
        coupons |= {entry.coupon} if entry.coupon else set()
    for number, entry in enumerate(document.promotions, 1):
        for other in entry.excludes:
            if other not in ids:
                yield f"promotion {number} ({entry.id}): excludes {other!r}, which is not there"
    for number, deposit in enumerate(document.deposits, 1):
        yield from _wrong(f"deposit {number}", deposit.to_deposit, document.currency)


def _wrong(where: str, convert: Callable[[str], Any], currency: str) -> Iterator[str]:
    try:
        convert(currency)
    except ValueError as error:
        yield f"{where}: {error}"


def _place(values: Any, location: tuple[int | str, ...]) -> str:
    """Where a problem is, in words; promotions with their id."""
    match location:
        case ("promotions", int(index), *rest):
            entry = values["promotions"][index]
            name = entry.get("id") if isinstance(entry, dict) else None
            place = f"promotion {index + 1}" + (f" ({name})" if isinstance(name, str) else "")
        case ("deposits", int(index), *rest):
            place = f"deposit {index + 1}"
        case ("taxes", "rates", int(index), *rest):
            place = f"tax rate {index + 1}"
        case _:
            place, rest = "the file", list(location)
    field = ".".join(str(part) for part in rest if part != "[key]")
    return f"{place}: {field}: " if field else f"{place}: "


def _reason(problem: Any) -> str:
    kind, message = problem["type"], str(problem["msg"])
    match kind:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "there is no such key"
        case "timezone_aware" | "datetime_type" | "datetime_parsing" | "datetime_from_date_parsing":
            return "is not a moment with its time zone such as 2026-11-11T00:00:00Z"
    return message.removeprefix("Value error, ")
