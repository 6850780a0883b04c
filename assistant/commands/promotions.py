"""``voicecart promotions``: promotions, deposits and taxes: show them, or import a file of them."""

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.commands.main import Subcommands
from assistant.errors import FeedError, UsageError
from assistant.shop.catalog import ImportedCatalog
from assistant.shop.money import Money
from assistant.shop.product import Product
from assistant.shop.promotions.rule_entries import RuleDocument
from assistant.shop.promotions.rule_file import read_rule_file
from assistant.shop.promotions.rules import (
    AmountOff,
    Deal,
    DealPrice,
    MultiBuy,
    PercentOff,
    PriceRules,
    Promotion,
    SpendAndSave,
)
from assistant.storefront import open_storefront


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "promotions",
        help="promotions, deposits and taxes: show them, or import a file of them",
        description="import FILE: puts a promotions file (TOML, docs/promotions.md) in the place of the rules in use, "
        "all at once; a file with a bad entry changes nothing. show: the rules in use, and whether they run now.",
    )
    parser.add_argument("action", nargs="?", choices=("show", "import"), default="show")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a promotions file")
    parser.add_argument("--json", action="store_true", help="one rule per line, as JSON; amounts in minor units")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Does what was asked."""
    if (options.file is not None) != (options.action == "import"):
        raise UsageError("A file belongs to 'voicecart promotions import FILE', and to nothing else.")
    if options.action == "import":
        document = read_rule_file(options.file)
        shop = open_storefront(options.settings, options.state)
        check_currency(document, ImportedCatalog(shop.engine).currency())
        shop.store.prices.switch(document)
        print(imported(document, as_json=options.json))
        return 0
    shop = open_storefront(options.settings, options.state)
    products = ImportedCatalog(shop.engine).each()
    _show(shop.store.prices.rules(), products, options.settings.understand.language, options.json)
    return 0


def check_currency(document: RuleDocument, catalog: str) -> None:
    """Refuses rules that would count for nothing that the catalog has.

    Args:
        document: The rules.
        catalog: ISO 4217 code of the catalog; empty when there is none.

    Raises:
        FeedError: They are in another currency.
    """
    if catalog not in ("", document.currency):
        raise FeedError(
            f"The promotions are in {document.currency}, the catalog is in {catalog}; nothing was changed. Give them"
            " the same currency; 'voicecart catalog import FEED --promotions FILE' changes both at once."
        )


def imported(document: RuleDocument, *, as_json: bool) -> str:
    """A line that says how many rules were imported."""
    rates = document.taxes.rates if document.taxes else ()
    counts = {"promotions": len(document.promotions), "deposits": len(document.deposits), "tax_rates": len(rates)}
    if as_json:
        return json.dumps(counts | {"currency": document.currency})
    told = ", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in counts.items())
    return f"Imported {told}, in {document.currency}. A running daemon learns the words of new coupons on SIGHUP."


def _show(rules: PriceRules, products: Iterable[Product], language: str, as_json: bool) -> None:
    rows = list(_rows(rules, _covered(rules, products), language, datetime.now(UTC)))
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    if not rows:
        print("There are no promotions, deposits or taxes. Import some: 'voicecart promotions import FILE'.")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("what", "id", "name", "rule", "for", "products", "when", box=None, header_style="bold")
    for row in rows:
        cells = (row["kind"], row["id"], row["name"], row["rule"], row["for"], str(row["products"]), row["when"])
        table.add_row(*(Text(cell) for cell in cells))
    Console().print(table)


def _rows(rules: PriceRules, covered: Counter[int], language: str, now: datetime) -> Iterator[dict[str, Any]]:
    for promotion in rules.promotions:
        yield {
            "kind": "promotion",
            "id": promotion.id,
            "name": promotion.name(language),
            "rule": _rule(promotion.deal, rules.currency),
            "for": _for_whom(promotion),
            "products": covered[id(promotion)],
            "when": _when(promotion, now),
        }
    always = {"id": "", "for": "everybody", "when": "always"}
    for deposit in rules.deposits:
        rule, number = f"{_amount(deposit.amount, rules.currency)} for each", covered[id(deposit)]
        yield {"kind": "deposit", "name": _name(deposit.names, language), "rule": rule, "products": number} | always
    for rate in rules.taxes.rates:
        rule, about = f"{_percent(rate.basis_points)} {'included' if rules.taxes.included else 'added'}", id(rate)
        yield {"kind": "tax", "name": _name(rate.names, language), "rule": rule, "products": covered[about]} | always


def _covered(rules: PriceRules, products: Iterable[Product]) -> Counter[int]:
    """How many products each rule is about, by the rule's identity; they are gone through once."""
    found: Counter[int] = Counter()
    scopes = [(id(promotion), promotion.scope) for promotion in rules.promotions]
    scopes += [(id(deposit), deposit.scope) for deposit in rules.deposits]
    for product in products if scopes or rules.taxes.rates else ():
        found.update(rule for rule, scope in scopes if scope.covers(product))
        found[id(rules.taxes.rate_of(product))] += 1
    return found


def _rule(deal: Deal, currency: str) -> str:
    match deal:
        case PercentOff(basis_points):
            return f"{_percent(basis_points)} off"
        case AmountOff(amount):
            return f"{_amount(amount, currency)} off each"
        case DealPrice(price):
            return f"{_amount(price, currency)} each"
        case MultiBuy(buy, pay):
            return f"{buy} for the price of {pay}"
        case SpendAndSave(spend, save, repeats):
            every = "every " if repeats else ""
            return f"{_amount(save, currency)} off {every}{_amount(spend, currency)}"


def _for_whom(promotion: Promotion) -> str:
    parts = [f"members of {promotion.programme}"] if promotion.programme else []
    parts += [f"the coupon “{promotion.coupon}” ({promotion.uses} ×)"] if promotion.coupon else []
    return ", ".join(parts) or "everybody"


def _when(promotion: Promotion, now: datetime) -> str:
    begins, ends = (
        at.astimezone().strftime("%Y-%m-%d %H:%M") if at else "" for at in (promotion.begins, promotion.ends)
    )
    if not begins and not ends:
        return "always"
    dates = f"{begins} – {ends}".strip()
    return dates if promotion.runs(now) else f"{dates} (not now)"


def _name(names: Any, language: str) -> str:
    return str(names.get(language) or names.get("und") or next(iter(names.values())))


def _percent(basis_points: int) -> str:
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %" if rest else f"{whole} %"


def _amount(minor: int, currency: str) -> str:
    return f"{Money(minor, currency).decimal()} {currency}"
