"""The receipt of an order, in the words and formats of a language. Pure but for reading the language's words."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from babel.dates import format_datetime
from babel.numbers import format_currency
from rich.cells import cell_len

from assistant.errors import SettingsError
from assistant.shop.cart import CartLine
from assistant.shop.money import Money
from assistant.shop.orders import Order
from assistant.shop.promotions.bill import Bill, Charge, ChargeKind
from assistant.shop.promotions.pricing import sold_on_sale
from assistant.shop.refunds import Gone, ReturnedUnits, refund_of

WIDTH = 44
"""Columns of a printed receipt."""


@dataclass(frozen=True)
class ReceiptLine:
    """One line of the order.

    Attributes:
        name: The product.
        details: Quantity with unit price, and options; printed below the name.
        total: Price of all of them.
    """

    name: str
    details: tuple[str, ...]
    total: str


@dataclass(frozen=True)
class Receipt:
    """A receipt, in words.

    Attributes:
        title: With the order's number.
        lines: What was bought.
        charges: What makes the total differ from the sum of the lines, each with its amount; begins with that sum.
        total_label: The word for it.
        total: The order's total.
        included: Taxes that the total includes already, each with its amount.
        returned: What has gone back, each with what was given back for it.
        history: Every status with its time.
    """

    title: str
    lines: tuple[ReceiptLine, ...]
    charges: tuple[tuple[str, str], ...]
    total_label: str
    total: str
    included: tuple[tuple[str, str], ...]
    returned: tuple[tuple[str, str], ...]
    history: tuple[tuple[str, str], ...]


def receipt(order: Order, language: str, zone: tzinfo | None = None, gone: Gone | None = None) -> Receipt:
    """The receipt of an order.

    Args:
        order: What was bought.
        language: Language code: a folder of ``assistant/languages``.
        zone: Time zone of the times; None is that of the machine.
        gone: What of it has gone back.

    Raises:
        SettingsError: There is no such language.
    """
    words = _words(language)
    return Receipt(
        title=words["order"].format(number=order.id),
        lines=tuple(_line(line, language, words) for line in order.lines),
        charges=_charges(order.bill, language, words),
        total_label=words["total"],
        total=_money(order.total, language),
        included=tuple(
            (words["tax_included"].format(name=charge.name(language)), _money(charge.amount, language))
            for charge in order.bill.summary(ChargeKind.TAX_INCLUDED)
        ),
        returned=tuple(_returned(order, line, gone[line], language, words) for line in sorted(gone)) if gone else (),
        history=tuple(
            (words["status"][change.status], _time(change.at.astimezone(zone), language)) for change in order.history
        ),
    )


def render_receipt(receipt: Receipt, width: int = WIDTH) -> str:
    """The receipt as plain text, ``width`` columns wide where the names allow it."""
    rule = "─" * width
    rows = [receipt.title, rule]
    for line in receipt.lines:
        rows.append(_row(line.name, line.total, width))
        rows += [f"  {detail}" for detail in line.details]
    rows += [rule, *(_row(name, amount, width) for name, amount in receipt.charges)]
    rows.append(_row(receipt.total_label, receipt.total, width))
    rows += [_row(name, amount, width) for name, amount in (*receipt.included, *receipt.returned)]
    rows.append(rule)
    rows += [_row(status, at, width) for status, at in receipt.history]
    return "\n".join(rows)


def _line(line: CartLine, language: str, words: Mapping[str, Any]) -> ReceiptLine:
    each = words["each"].format(quantity=line.quantity, price=_money(line.unit_price, language))
    options = (words["option"].format(group=group, value=value) for group, value in line.options.items())
    return ReceiptLine(line.name(language), (each, *options), _money(line.total, language))


def _returned(order: Order, line: int, quantity: int, language: str, words: Mapping[str, Any]) -> tuple[str, str]:
    refund = refund_of(order, ReturnedUnits(line, quantity))
    what = words["returned"].format(quantity=quantity, name=order.lines[line].name(language))
    return what, _money(Money(-refund.minor, refund.currency), language)


def _charges(bill: Bill, language: str, words: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """One row for each promotion, deposit and tax that is added, below the sum of the lines; none without them."""
    charges = bill.summary(ChargeKind.DISCOUNT, ChargeKind.DEPOSIT, ChargeKind.TAX)
    if not charges:
        return ()
    rows = ((_charge(charge, language, words), _money(charge.amount, language)) for charge in charges)
    return ((words["subtotal"], _money(bill.subtotal, language)), *rows)


def _charge(charge: Charge, language: str, words: Mapping[str, Any]) -> str:
    name = charge.name(language)
    return str(words["sale_price"].format(name=name)) if sold_on_sale(charge.reference) else name


def _row(left: str, right: str, width: int) -> str:
    # Chinese characters take two columns.
    gap = width - cell_len(left) - cell_len(right)
    return f"{left}{' ' * gap}{right}" if gap > 0 else f"{left}\n{' ' * (width - cell_len(right))}{right}"


def _money(money: Money, language: str) -> str:
    return format_currency(Decimal(money.decimal()), money.currency, locale=language)


def _time(at: datetime, language: str) -> str:
    # Babel puts a narrow blank before "PM", which not every terminal has.
    return format_datetime(at, "medium", locale=language).replace("\u202f", " ")


@cache
def _words(language: str) -> Mapping[str, Any]:
    file = resources.files("assistant.languages") / language / "receipt.toml"
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"There are no receipts in the language {language!r}.") from error
