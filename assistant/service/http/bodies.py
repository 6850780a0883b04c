"""What requests and answers hold. Money is an integer of minor units with its currency; times are ISO 8601."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Header, Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from assistant.shop.addresses import LONGEST_NAME, LONGEST_TEXT, Address
from assistant.shop.money import Money
from assistant.shop.orders import Order, OrderStatus
from assistant.shop.promotions.bill import Bill

MOST_LINES, MOST_OF_ONE = 100, 10_000
PLAIN = r"^[^\x00-\x1f\x7f]*$"

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=64,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Made by the device, once for each order: the same key gives the same order.",
    ),
]
OrderNumber = Annotated[str, Path(pattern=r"^[0-9]{1,16}$", description="The number that the shop gave the order.")]
AddressName = Annotated[
    str, Path(min_length=1, max_length=LONGEST_NAME, pattern=PLAIN, description="As people say it.")
]
_Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=64, pattern=PLAIN)]

# Without a pattern: in a description it would be one of the names that have these values, and leave others free.
_OptionName = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=64)]


def _without_point(value: object) -> object:
    """To JSON, 2.0 is an integer; "2" and true are none."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Amount(_Body):
    """An amount of money."""

    minor: Annotated[int, Field(strict=True, ge=0, le=10**15), BeforeValidator(_without_point)] = Field(
        description="Minor units: cents for USD, yen for JPY."
    )
    currency: Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Z]{3}$")] = Field(description="ISO 4217.")


class WantedLine(_Body):
    """So many of a product with these options."""

    sku: _Text
    quantity: Annotated[int, Field(strict=True, ge=1, le=MOST_OF_ONE), BeforeValidator(_without_point)]
    options: dict[_OptionName, _Text] = Field(default_factory=dict, max_length=30)


class AddressBody(_Body):
    """Where to deliver."""

    name: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=LONGEST_NAME, pattern=PLAIN)]
    text: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=LONGEST_TEXT, pattern=PLAIN)]


class AddressText(_Body):
    """The address itself."""

    text: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=LONGEST_TEXT, pattern=PLAIN)]


class WantedOrder(_Body):
    """An order that the device has been paid."""

    lines: Annotated[tuple[WantedLine, ...], Field(min_length=1, max_length=MOST_LINES)]
    total: Amount = Field(description="What was paid. The shop reckons the price itself and refuses another total.")
    address: AddressBody | None = None
    promotions: tuple[_Text, ...] = Field(
        (), max_length=5 * MOST_LINES, description="Those that the total counts; of them, coupons count as named."
    )


class QuoteAnswer(_Body):
    """What an order would cost now."""

    total: Amount
    promotions: tuple[str, ...] = Field(description="Those that the total counts.")


class OrderLineAnswer(_Body):
    """A line of an order."""

    sku: str
    names: dict[str, str]
    quantity: int
    options: dict[str, str]
    unit_price: Amount


class StatusAnswer(_Body):
    """A status that an order reached."""

    status: OrderStatus
    at: datetime


class OrderAnswer(_Body):
    """An order as the shop has it."""

    id: str = Field(description="The shop's number of it; a device may call it by another.")
    key: str = Field(description="The idempotency key it was placed with.")
    status: OrderStatus
    lines: tuple[OrderLineAnswer, ...]
    total: Amount
    history: tuple[StatusAnswer, ...]
    tracking: str = Field("", description="What the carrier said last.")


class OrdersAnswer(_Body):
    """Orders, newest first."""

    orders: tuple[OrderAnswer, ...]


class AddressesAnswer(_Body):
    """Addresses, the usual one first."""

    addresses: tuple[AddressBody, ...]


class ProductsAnswer(_Body):
    """A page of the catalog."""

    revision: int = Field(description="Of the whole catalog; when it differs from the page before, begin again.")
    currency: str
    products: tuple[dict[str, Any], ...] = Field(description="Lines of the native feed, in its order.")
    next: int | None = Field(description="What 'after' is for the next page; null after the last.")


class StockAnswer(_Body):
    """A page of what is left of the products that are counted."""

    revision: int
    stock: dict[str, int]
    next: int | None = Field(description="What 'after' is for the next page; null after the last.")


class PromotionsAnswer(_Body):
    """The rules of prices for the household: promotions, deposits, taxes."""

    catalog: int = Field(description="The revision of the catalog that they go with.")
    rules: dict[str, Any] = Field(description="As in a promotions file; without promotions that are not for it.")


class HealthAnswer(_Body):
    """The service is up and can read its database."""

    status: str
    version: str


def order_answer(order: Order, tracking: str = "") -> OrderAnswer:
    """An order as it is answered, with what its carrier said last."""
    return OrderAnswer(
        id=order.id,
        key=order.key,
        status=order.status,
        lines=tuple(
            OrderLineAnswer(
                sku=line.sku,
                names=dict(line.names),
                quantity=line.quantity,
                options=dict(line.options),
                unit_price=_amount(line.unit_price),
            )
            for line in order.lines
        ),
        total=_amount(order.total),
        history=tuple(StatusAnswer(status=change.status, at=change.at) for change in order.history),
        tracking=tracking,
    )


def quote_answer(bill: Bill) -> QuoteAnswer:
    """A bill as it is answered."""
    return QuoteAnswer(total=_amount(bill.total), promotions=bill.promotions)


def address_body(address: Address) -> AddressBody:
    """An address as it is answered."""
    return AddressBody(name=address.name, text=address.text)


def _amount(money: Money) -> Amount:
    return Amount(minor=money.minor, currency=money.currency)
