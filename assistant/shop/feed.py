"""The native catalog feed: JSON Lines, one product a line.

A bad line becomes a problem with its number and the field at fault; the good lines still load.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from assistant.errors import FeedError
from assistant.shop.feed_product import FeedProduct
from assistant.shop.product import Product

LONGEST_LINE = 1 << 20
"""Bytes of one line; a longer one is a problem and is never held in memory as a whole."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Problem:
    """A line that was left out.

    Attributes:
        line: Its number, from 1.
        reason: What is wrong; begins with the field's name where one is at fault.
        sku: Of the product, where the line got that far.
    """

    line: int
    reason: str
    sku: str | None = None


@dataclass(frozen=True)
class GoodLine:
    """A line that is a product; ``line`` is its number, from 1."""

    line: int
    product: Product


@dataclass(frozen=True)
class FeedResult:
    """What a feed held.

    Attributes:
        products: The good lines, in the feed's order; at least one.
        problems: The bad lines, in the feed's order.
        currency: ISO 4217 code shared by all products.
    """

    products: tuple[Product, ...]
    problems: tuple[Problem, ...]
    currency: str


def read_feed(path: Path) -> FeedResult:
    """Reads a feed file.

    Raises:
        FeedError: The file cannot be read, or none of its lines is a product.
    """
    try:
        with path.open("rb") as file:
            return parse_feed(_lines(file), str(path))
    except OSError as error:
        raise FeedError(f"Cannot read the feed {path}: {error.strerror or error}.") from error


def parse_feed(lines: Iterable[bytes], source: str = "the feed") -> FeedResult:
    """Reads a feed from its lines; ``source`` names it in errors.

    Raises:
        FeedError: None of the lines is a product.
    """
    found = tuple(parse_lines(lines))
    # A slip in one line must not make all the others foreign: what most lines say is the shop's currency.
    currencies = Counter(line.product.price.currency for line in found if isinstance(line, GoodLine))
    currency = max(currencies, key=lambda code: currencies[code], default="")
    products: list[Product] = []
    problems: list[Problem] = []
    for line in found:
        if isinstance(line, Problem):
            problems.append(line)
        elif line.product.price.currency == currency:
            products.append(line.product)
        else:
            reason = f"price.currency: {line.product.price.currency}, but most of the feed is in {currency}"
            problems.append(Problem(line.line, reason, line.product.sku))
    if not products:
        first = f" Line {problems[0].line}: {problems[0].reason}." if problems else " It is empty."
        raise FeedError(f"No line of {source} is a product, so the catalog stays as it was.{first}")
    return FeedResult(tuple(products), tuple(problems), currency)


def parse_lines(lines: Iterable[bytes]) -> Iterator[GoodLine | Problem]:
    """Products and problems as the lines come; blank lines are passed over. A sku counts once, the first time."""
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        raw = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
        if not raw.strip():
            continue
        try:
            product = _product(raw)
        except ValueError as error:
            yield Problem(number, str(error))
            continue
        if product.sku in seen:
            yield Problem(number, f"sku: {product.sku!r} was already on line {seen[product.sku]}", product.sku)
        else:
            seen[product.sku] = number
            yield GoodLine(number, product)


def _product(line: bytes) -> Product:
    if len(line) > LONGEST_LINE:
        raise ValueError(f"longer than {LONGEST_LINE} bytes")
    try:
        line.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start + 1})") from None
    try:
        return FeedProduct.model_validate_json(line).to_product()
    except ValidationError as error:
        raise ValueError("; ".join(_reason(problem) for problem in error.errors(include_url=False)[:3])) from None


def _reason(problem: Any) -> str:
    field = ".".join(str(part) for part in problem["loc"]).replace(".und", "").replace(".[key]", "")
    match problem["type"]:
        case "extra_forbidden":
            text = "unknown key"
        case "missing":
            text = "missing"
        case "json_invalid":
            text = f"not JSON: {problem['ctx']['error']}"
        case "model_type":
            text = "not an object" if field else "not a JSON object"
        case "string_type":
            text = "should be text in quotes"
        case _:
            text = problem["msg"].removeprefix("Value error, ")
    return f"{_printable(field)}: {text}" if field else text


def _printable(text: str) -> str:
    """A key of the feed made safe for a terminal."""
    shown = text if text.isprintable() else ascii(text)
    return shown if len(shown) <= 80 else shown[:79] + "…"


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines of at most ``LONGEST_LINE`` + 1 bytes; the rest of a longer one is skipped."""
    while line := file.readline(LONGEST_LINE + 1):
        yield line
        while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE + 1)
            if not line:
                return
