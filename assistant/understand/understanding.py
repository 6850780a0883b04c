"""What understanding hands to the dialogue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from assistant.shop.facts import Fact


class Intent(StrEnum):
    """What the person wants."""

    ORDER = "order"
    ADD_TO_CART = "add_to_cart"
    REMOVE = "remove"
    CHANGE_QUANTITY = "change_quantity"
    CHANGE_OPTION = "change_option"
    CHECKOUT = "checkout"
    CONFIRM = "confirm"
    DENY = "deny"
    CANCEL = "cancel"
    REPEAT = "repeat"
    HELP = "help"
    ORDER_STATUS = "order_status"
    CANCEL_ORDER = "cancel_order"
    REORDER = "reorder"
    PRICE = "price"
    STOCK = "stock"
    STOCK_ALERT = "stock_alert"
    WHAT_IS_IN_CART = "what_is_in_cart"
    LIST_ADD = "list_add"
    LIST_READ = "list_read"
    LIST_REMOVE = "list_remove"
    LIST_BUY = "list_buy"
    RETURN_ORDER = "return_order"
    USUAL = "usual"
    RUNNING_LOW = "running_low"
    OFFERS = "offers"
    WHATS_NEW = "whats_new"
    COUPON = "coupon"
    CHOOSE = "choose"
    ASK = "ask"
    DELIVER = "deliver"
    WHO_SPEAKS = "who_speaks"
    STOP = "stop"
    UNKNOWN = "unknown"


class Expecting(StrEnum):
    """What the device has just asked for; also the name of the grammar it listens with."""

    COMMAND = "command"
    CHOICE = "choice"
    CONFIRMATION = "confirmation"
    DIGITS = "digits"
    INTERRUPTION = "interruption"  # the device is speaking: only "stop" and "cancel" count


@dataclass(frozen=True)
class Item:
    """A product that was understood.

    Attributes:
        sku: Its key in the catalog.
        name: Its name in the language of the conversation.
        quantity: At least 1.
        options: Group name → value, only those that were said.
        score: 0-100, how well the words fit the product; never used for money.
        quantity_said: Whether a quantity was said (else 1 is assumed).
    """

    sku: str
    name: str
    quantity: int = 1
    options: Mapping[str, str] = field(default_factory=dict)
    score: float = 0.0
    quantity_said: bool = False

    def to_json(self) -> dict[str, Any]:
        """The item as the interface promises it."""
        return {
            "sku": self.sku,
            "name": self.name,
            "quantity": self.quantity,
            "options": dict(self.options),
            "score": round(self.score, 1),
        }


@dataclass(frozen=True)
class Unresolved:
    """Words that name a product, but not exactly one.

    Attributes:
        phrase: What was said, without carrier phrase and quantity.
        quantity: As said, else 1.
        candidates: Two or three skus that tie, best first; empty when nothing is close.
        suggestion: Sku of the nearest product when nothing is close enough, or None.
        options: Options that were said, by group name → value, for whichever candidate has them.
        quantity_said: Whether a quantity was said.
    """

    phrase: str
    quantity: int = 1
    candidates: tuple[str, ...] = ()
    suggestion: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    quantity_said: bool = False


class Comparison(StrEnum):
    """How another product compares with the one that was spoken of."""

    CHEAPER = "cheaper"
    CHEAPEST = "cheapest"
    DEARER = "dearer"
    BIGGER = "bigger"
    BIGGEST = "biggest"
    SMALLER = "smaller"
    SMALLEST = "smallest"


class Brand(StrEnum):
    """Whose another product is."""

    SAME = "same"
    OTHER = "other"


@dataclass(frozen=True)
class Wanted:
    """What is wanted in place of what was spoken of: "a cheaper one", "the same brand but decaf", "the second one".

    Attributes:
        comparison: How it compares.
        fact: What must be true of it.
        brand: Whose it must be.
        place: The position among what was spoken of, negative from the end.
    """

    comparison: Comparison | None = None
    fact: Fact | None = None
    brand: Brand | None = None
    place: int | None = None


@dataclass(frozen=True)
class Inquiry:
    """A question about products.

    Attributes:
        topic: What is asked, a key of ``talk.advising``: "fact", "contains", "size", "maker", "difference"...
        facts: The fact that is asked about; all that the language knows where products are compared.
        attribute: The attribute that is asked about, where it is none of the topics.
        said: What it is called.
        place: Which of the products that are spoken of is meant, negative from the end; None for all of them.
    """

    topic: str
    facts: tuple[Fact, ...] = ()
    attribute: str = ""
    said: str = ""
    place: int | None = None


@dataclass(frozen=True)
class Understanding:
    """One utterance, understood.

    Attributes:
        text: The hypothesis that was used.
        intent: What the person wants.
        items: Products that are certain (for CHOICE: the chosen one).
        unresolved: Product words that need a question or an apology.
        quantity: A bare number: "no, three", "make it two".
        quantity_delta: A relative change: "one more" is 1, "two fewer" is -2; 0 when none.
        options: Bare options: "make it the small one" is {"size": "small"}.
        order: An order number that was said, or None.
        coupon: The words of a coupon that was named; empty when none was.
        wanted: What should take the place of what was spoken of.
        inquiry: What is asked about products.
        place: What people call the address that something goes to; empty when none was said.
    """

    text: str
    intent: Intent
    items: tuple[Item, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    quantity: int | None = None
    quantity_delta: int = 0
    options: Mapping[str, str] = field(default_factory=dict)
    order: str | None = None
    coupon: str = ""
    wanted: Wanted | None = None
    inquiry: Inquiry | None = None
    place: str = ""


@dataclass(frozen=True)
class Context:
    """What the dialogue knows when an utterance comes in.

    Attributes:
        expecting: What was asked for.
        choices: Skus that were read out, in order, when a choice is expected.
        cart: Skus in the cart, the line in focus (last added or changed) last.
    """

    expecting: Expecting = Expecting.COMMAND
    choices: tuple[str, ...] = ()
    cart: tuple[str, ...] = ()
