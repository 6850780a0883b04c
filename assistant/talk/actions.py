"""What the dialogue wants done, in order. Whoever carries it out reports back with inputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from assistant.shop.addresses import Address
from assistant.shop.cart import Cart
from assistant.shop.money import Money
from assistant.shop.refunds import ReturnedUnits
from assistant.shop.shopping_list import ListEntry
from assistant.understand.understanding import Expecting, Understanding


@dataclass(frozen=True)
class Spelled:
    """Text that is said character by character: order numbers, challenge digits."""

    text: str


@dataclass(frozen=True)
class OptionName:
    """One option's value, with the group it belongs to (``OptionName("size", "large")``)."""

    group: str
    value: str


@dataclass(frozen=True)
class Amount:
    """So many of a product, e.g. "two cartons of oat milk"."""

    quantity: int
    name: str
    unit: str = ""
    options: tuple[OptionName, ...] = ()


@dataclass(frozen=True)
class Offer:
    """A product with its price, e.g. "oat milk for three dollars"."""

    name: str
    price: Money


@dataclass(frozen=True)
class Total:
    """What a cart costs and why, e.g. "seven dollars with three for two on coffee, including ten cents deposit".

    Attributes:
        amount: What is charged.
        reasons: Names of the promotions that make it less.
        additions: What it holds beside the price of the goods: deposits and taxes, each with its name.
    """

    amount: Money
    reasons: tuple["str | SalePrice", ...] = ()
    additions: tuple[Offer, ...] = ()


@dataclass(frozen=True)
class SalePrice:
    """The reason for a lower price that the feed announces, e.g. "the sale price of oat milk"."""

    name: str


@dataclass(frozen=True)
class Described:
    """A value as the shop writes it, such as ``"1.5 l"``, to be said as people say it."""

    text: str


@dataclass(frozen=True)
class Say:
    """Say a reply.

    Attributes:
        template: Its key in the language's ``replies.toml``, e.g. ``"read_back"``.
        values: Text, ``int``, ``date``, ``Money``, ``Amount``, ``Offer``, ``OptionName``, ``SalePrice``, ``Spelled``,
            ``Total``, or tuples of these.
    """

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Listen:
    """Listen once everything is said.

    Attributes:
        expecting: The grammar to listen with.
        choices: Skus for ``Context.choices``: those read out, or the one product whose option is asked for.
        optional: No question is open: a wish may follow without the wake phrase, and silence is no matter.
        secret: The answer may be a PIN: its words are shown to nobody.
    """

    expecting: Expecting
    choices: tuple[str, ...] = ()
    optional: bool = False
    secret: bool = False


@dataclass(frozen=True)
class ChangeCart:
    """Save this cart in place of the one there is."""

    cart: Cart


@dataclass(frozen=True)
class BeginPayment:
    """The person has confirmed exactly this cart for this total: begin the order, ask the authority for a challenge.

    Answered by ``ChallengeIssued``, ``PriceChanged``, ``PaymentDeclined``, ``PaymentUnavailable`` or ``Failed``.
    """

    cart: Cart
    total: Money
    address: Address | None = None


@dataclass(frozen=True)
class RequestChallenge:
    """Ask the authority for a new challenge for the payment under way; answered like ``BeginPayment``."""


@dataclass(frozen=True)
class AbandonPayment:
    """Give up the payment under way, if there is one; nothing is bought. Not answered."""


@dataclass(frozen=True)
class CancelOrder:
    """Cancel an order that was placed; answered by ``OrderCancelled`` or ``Failed``."""

    order: str


@dataclass(frozen=True)
class AddToList:
    """Put something on the list of a person, or on the household's. Not answered unless it fails."""

    text: str
    sku: str | None = None
    quantity: int = 1
    person: str | None = None


@dataclass(frozen=True)
class ReturnOrder:
    """Take a delivered order back and give its money back; answered by ``OrderReturned`` or ``Failed``.

    Attributes:
        order: Its number.
        units: What of it goes back; nothing means all that is left.
    """

    order: str
    units: tuple[ReturnedUnits, ...] = ()


@dataclass(frozen=True)
class UseCoupon:
    """A promotion's coupon was named: it counts from now on; answered by ``CouponNamed`` or ``Failed``."""

    promotion: str


@dataclass(frozen=True)
class RemoveFromList:
    """Take these entries off the shopping list. Not answered unless it fails."""

    entries: tuple[ListEntry, ...]


@dataclass(frozen=True)
class TellWhenBack:
    """Tell the household once this product, which is sold out, is in stock again. Not answered unless it fails."""

    sku: str


@dataclass(frozen=True)
class Identify:
    """Compare the voice that was just heard with those that are enrolled; answered by ``Identified`` or ``Failed``.

    Attributes:
        about: What was said, when its answer depends on who said it; None when that itself was the question.
    """

    about: Understanding | None = None


@dataclass(frozen=True)
class EndConversation:
    """Only the wake phrase is listened for from now on."""


Action: TypeAlias = (
    Say
    | Listen
    | ChangeCart
    | BeginPayment
    | RequestChallenge
    | AbandonPayment
    | CancelOrder
    | AddToList
    | ReturnOrder
    | RemoveFromList
    | UseCoupon
    | TellWhenBack
    | Identify
    | EndConversation
)
