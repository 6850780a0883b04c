"""The native catalog feed: JSON Lines, one product a line; and what every feed becomes, whatever its format.

A bad line becomes a problem with its number and the field at fault; the good lines still load.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import FeedError
from assistant.shop.feed_product import FeedProduct
from assistant.shop.feed_values import FilledText
from assistant.shop.product import Product

LONGEST_LINE = 1 << 20
"""Bytes of one line; a longer one is a problem and is never held in memory as a whole."""
MOST_LINES = 10_000_000
"""Lines, items or rows of one feed; a feed that goes on after that, or never ends, is refused."""
MOST_HELD = 1_000_000
"""As many of a feed that is held in memory; it is refused before it fills the memory."""

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

    @property
    def sku(self) -> str:
        """Of the product."""
        return self.product.sku


@dataclass(frozen=True)
class Removal:
    """A line that takes a product out of the catalog; ``line`` is its number, from 1."""

    line: int
    sku: str


Entry: TypeAlias = GoodLine | Removal | Problem


@dataclass(frozen=True)
class FeedResult:
    """What a feed held.

    Attributes:
        products: The good lines, in the feed's order; at least one, or one of ``removed``.
        problems: The bad lines, in the feed's order.
        currency: ISO 4217 code shared by all products; empty when there is none.
        removed: Skus that an update takes out of the catalog.
    """

    products: tuple[Product, ...]
    problems: tuple[Problem, ...]
    currency: str
    removed: tuple[str, ...] = ()


def read_feed(path: Path) -> FeedResult:
    """Reads a native feed file.

    Raises:
        FeedError: The file cannot be read, or none of its lines is a product.
    """
    try:
        with path.open("rb") as file:
            return parse_feed(lines_of(file), str(path))
    except OSError as error:
        raise FeedError(f"Cannot read the feed {path}: {error.strerror or error}.") from error


def parse_feed(lines: Iterable[bytes], source: str = "the feed") -> FeedResult:
    """Reads a native feed from its lines; ``source`` names it in errors.

    Raises:
        FeedError: None of the lines is a product, or there are too many.
    """
    return collect(parse_lines(lines), source)


def collect(entries: Iterable[Entry], source: str) -> FeedResult:
    """Products in one currency, each sku once, from the entries of any format.

    Raises:
        FeedError: There is no product, or there are more than ``MOST_HELD`` entries.
    """
    found: list[Entry] = []
    for entry in _each_once(entries):
        found.append(entry)
        if len(found) > MOST_HELD:
            raise too_long(source, MOST_HELD)
    # A slip in one line must not make all the others foreign: what most lines say is the shop's currency.
    currencies = Counter(entry.product.price.currency for entry in found if isinstance(entry, GoodLine))
    currency = max(currencies, key=lambda code: currencies[code], default="")
    products: list[Product] = []
    problems: list[Problem] = []
    removed: list[str] = []
    for entry in found:
        match entry:
            case Problem():
                problems.append(entry)
            case Removal(_, sku):
                removed.append(sku)
            case GoodLine(line, product) if product.price.currency != currency:
                problems.append(in_another_currency(line, product.sku, product.price.currency, currency))
            case GoodLine(_, product):
                products.append(product)
    if not products and not removed:
        raise without_products(source, problems[0] if problems else None)
    return FeedResult(tuple(products), tuple(problems), currency, tuple(removed))


def there_twice(line: int, sku: str, earlier: int) -> Problem:
    """What a line is whose sku an earlier line has."""
    return Problem(line, f"sku: {sku!r} was already on line {earlier}", sku)


def in_another_currency(line: int, sku: str, currency: str, usual: str) -> Problem:
    """What a line is in a currency that most lines are not in."""
    return Problem(line, f"price.currency: {currency}, but most of the feed is in {usual}", sku)


def without_products(source: str, first: Problem | None) -> FeedError:
    """What a feed is that neither has a product nor removes one; ``first`` is its first bad line."""
    reason = f" Line {first.line}: {first.reason}." if first else " It is empty."
    return FeedError(f"No line of {source} is a product, so the catalog stays as it was.{reason}")


def too_long(source: str, most: int) -> FeedError:
    """What a feed is with more than so many lines."""
    return FeedError(f"{source} has more than {most} lines. Split it, and import the rest with --update.")


def parse_lines(lines: Iterable[bytes]) -> Iterator[Entry]:
    """Products and problems as the lines come; blank lines are passed over. A sku counts once, the first time."""
    return _each_once(native_entries(lines))


def native_entries(lines: Iterable[bytes]) -> Iterator[Entry]:
    """As ``parse_lines``, with skus that are there twice."""
    for number, line in enumerate(lines, start=1):
        raw = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
        if not raw.strip():
            continue
        try:
            yield _native_entry(number, raw)
        except ValueError as error:
            yield Problem(number, str(error))


def product_of(fields: Any) -> Product:
    """A product from the fields of a native line.

    Raises:
        ValueError: A field is missing or wrong; the text names it.
    """
    try:
        return FeedProduct.model_validate(fields).to_product()
    except ValidationError as error:
        raise ValueError(_reasons(error)) from None


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Lines of at most ``LONGEST_LINE`` + 1 bytes; the rest of a longer one is skipped."""
    while line := file.readline(LONGEST_LINE + 1):
        yield line
        while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE + 1)
            if not line:
                return


def check_line(line: bytes) -> None:
    """Refuses a line that is no text.

    Raises:
        ValueError: It is too long or not UTF-8.
    """
    if len(line) > LONGEST_LINE:
        raise ValueError(f"longer than {LONGEST_LINE} bytes")
    try:
        line.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start + 1})") from None


class _FeedRemoval(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sku: FilledText = Field(max_length=64)
    removed: Literal[True]


def _each_once(entries: Iterable[Entry]) -> Iterator[Entry]:
    seen: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry, Problem):
            yield entry
            continue
        if entry.sku in seen:
            yield there_twice(entry.line, entry.sku, seen[entry.sku])
        else:
            seen[entry.sku] = entry.line
            yield entry


def _native_entry(number: int, line: bytes) -> Entry:
    check_line(line)
    try:
        return GoodLine(number, FeedProduct.model_validate_json(line).to_product())
    except ValidationError as error:
        if not any(problem["loc"] == ("removed",) for problem in error.errors(include_url=False, include_input=False)):
            raise ValueError(_reasons(error)) from None
    try:
        return Removal(number, _FeedRemoval.model_validate_json(line).sku)
    except ValidationError as error:
        raise ValueError(_reasons(error)) from None


def _reasons(error: ValidationError) -> str:
    return "; ".join(_reason(problem) for problem in error.errors(include_url=False)[:3])


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
    return f"{printable(field)}: {text}" if field else text


def printable(text: str) -> str:
    """A text of the feed made short, and safe for a terminal."""
    shown = text if text.isprintable() else ascii(text)
    return shown if len(shown) <= 80 else shown[:79] + "…"
