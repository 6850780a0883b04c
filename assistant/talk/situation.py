"""Where a conversation stands, and what the dialogue may know of the shop."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

from assistant.shop.addresses import Address
from assistant.shop.cart import Cart, LineKey
from assistant.shop.money import Money
from assistant.shop.orders import Order
from assistant.shop.product import Product
from assistant.shop.promotions.bill import Bill
from assistant.shop.promotions.pricing import Pricing
from assistant.shop.refunds import Gone, ReturnedUnits
from assistant.shop.shopping_list import ListEntry
from assistant.shop.shortlists import Shortlists
from assistant.talk.actions import Listen, Say


class State(StrEnum):
    """The states of a conversation."""

    IDLE = "idle"
    """Asleep until the wake phrase."""
    LISTENING = "listening"
    """An open question is asked: what may it be, what should be changed."""
    CHOOSING = "choosing"
    """A question about a product or an order is asked; it is never about paying."""
    CONFIRMING = "confirming"
    """The whole cart was read back: yes begins the payment."""
    AUTHORISING = "authorising"
    """The payment authority proves who speaks."""
    DONE = "done"
    """Nothing is open; a new wish may follow without the wake phrase."""


class Goal(StrEnum):
    """What the products that are being settled are for."""

    BUY = "buy"
    KEEP = "keep"


@dataclass(frozen=True)
class Wish:
    """Something to put into the cart that may need questions first.

    Attributes:
        phrase: What was said.
        quantity: At least 1.
        options: Group name → value, as far as known.
        sku: The product, once it is certain.
        candidates: Products that tie, when it is not.
        suggestion: The nearest product when nothing is close.
        quantity_sure: A large quantity was asked about and meant.
        quantity_said: Whether the quantity was said.
        replaces: The line of the cart it takes the place of once it is settled.
        offered: Why the candidates are offered, a reply under ``offer``; empty when the words fit them all.
        sold_out: The product that was meant, where the candidates are offered because it is sold out.
    """

    phrase: str
    quantity: int = 1
    options: Mapping[str, str] = field(default_factory=dict)
    sku: str | None = None
    candidates: tuple[str, ...] = ()
    suggestion: str | None = None
    quantity_sure: bool = False
    quantity_said: bool = False
    replaces: LineKey | None = None
    offered: str = ""
    sold_out: str | None = None


@dataclass(frozen=True)
class WhichProduct:
    """Several products tie: which one?"""

    wish: Wish
    choices: tuple[str, ...]


@dataclass(frozen=True)
class WhichOption:
    """A required option is not chosen: which value?"""

    wish: Wish
    group: str


@dataclass(frozen=True)
class TakeSuggestion:
    """Nothing close was found: this product instead? Yes or no."""

    wish: Wish
    sku: str


@dataclass(frozen=True)
class ReallySoMany:
    """An unusually large quantity: really? Yes, no, or another number."""

    wish: Wish


@dataclass(frozen=True)
class TakeWhatIsLeft:
    """Too few are in stock: so many instead? Yes, no, or another number."""

    wish: Wish
    left: int


@dataclass(frozen=True)
class ReallyCancel:
    """Cancel this order that was placed? Yes or no."""

    order: str


@dataclass(frozen=True)
class ReallyReturn:
    """Return this order that was delivered, or some of it, for its money? Yes or no.

    Attributes:
        order: Its number.
        units: What of it goes back; nothing means all that is left.
        countable: Whether it is asked how many of them: only a number is an answer.
    """

    order: str
    units: tuple[ReturnedUnits, ...] = ()
    countable: bool = False


@dataclass(frozen=True)
class TakeRecommendation:
    """The household usually takes this too: add it? Whatever is no yes goes on without it.

    Attributes:
        wish: What may be added.
        reason: Why, a reply under ``recommend``.
        evidence: How many orders say so.
    """

    wish: Wish
    reason: str
    evidence: int


Question: TypeAlias = (
    WhichProduct
    | WhichOption
    | TakeSuggestion
    | ReallySoMany
    | TakeWhatIsLeft
    | ReallyCancel
    | ReallyReturn
    | TakeRecommendation
)
"""The questions of the state ``CHOOSING``."""


@dataclass(frozen=True)
class Situation:
    """Where a conversation stands; a new one begins with ``Situation()``.

    Attributes:
        state: The state.
        question: The open question, in ``CHOOSING``.
        waiting: Wishes to settle after the question.
        goal: What the wishes are for.
        before: The cart before this conversation's order; "cancel" goes back to it. None when nothing is ordered.
        whole_cart: Whether the cart is to be bought even when nothing is added to it.
        read_back: The cart that was read back last.
        agreed: The total that was read back with it.
        said: The replies of the last step, for "repeat".
        listen: How the last step listens, for "repeat".
        failures: Silences and utterances that were not understood, in a row.
        placed: The order that was placed or spoken of just now, in ``DONE``.
        deliver_to: Where the order goes when it was said; else it goes to the household's first address.
        topic: Products that were spoken of last, by sku: what "it" means in a question.
        offered: The choices that were read out last, also after one was taken: "no, the second one".
        recommended: Whether something was recommended in this conversation.
        greeted: Whether somebody was greeted by name in this conversation.
        speaker: Who began the order under way, where an answer depended on that and the voice was clear.
    """

    state: State = State.IDLE
    question: Question | None = None
    waiting: tuple[Wish, ...] = ()
    goal: Goal = Goal.BUY
    before: Cart | None = None
    whole_cart: bool = False
    read_back: Cart | None = None
    agreed: Money | None = None
    said: tuple[Say, ...] = ()
    listen: Listen | None = None
    failures: int = 0
    placed: str | None = None
    deliver_to: Address | None = None
    topic: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    recommended: bool = False
    greeted: bool = False
    speaker: str | None = None


@dataclass(frozen=True)
class Knowledge:
    """What the dialogue may know, as it is at this step.

    Attributes:
        products: By sku; ``stock`` is what is free now.
        cart: The household's cart.
        orders: Newest first, those that were paid.
        shopping_list: What is on it, as text.
        obstacle: Why nothing can be paid by voice now (a reason under ``declined`` in the replies), or None.
        language: Language of the conversation.
        entries: What is on the shopping list, oldest first.
        addresses: Where things can be delivered, the usual place first.
        tracking: Order number → what its carrier said last.
        now: The time of day; None where nobody knows it.
        return_days: How long after its delivery an order may be returned.
        recommend: Whether the household wants recommendations.
        pricing: What carts cost this household now.
        gone: Order number → what has gone back of each of its lines.
        people: Those whose orders and lists are told apart by their voices; empty where nobody's are.
        buyers: Order number → whose it is; the others are the household's.
        personal: Whether ``orders`` and ``entries`` are already those that ``speaker`` may hear of.
        speaker: Whose voice was just heard, when it was compared and clear.
        shortlists: Of a large catalog, what is looked through in place of all of it; None where all is looked through.
    """

    products: Mapping[str, Product]
    cart: Cart
    orders: tuple[Order, ...] = ()
    shopping_list: tuple[str, ...] = ()
    obstacle: str | None = None
    language: str = "en"
    entries: tuple[ListEntry, ...] = ()
    addresses: tuple[Address, ...] = ()
    tracking: Mapping[str, str] = field(default_factory=dict)
    now: datetime | None = None
    return_days: int = 30
    recommend: bool = True
    pricing: Pricing = field(default_factory=Pricing)
    gone: Mapping[str, Gone] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    buyers: Mapping[str, str] = field(default_factory=dict)
    personal: bool = False
    speaker: str | None = None
    shortlists: Shortlists | None = None

    def bill(self, cart: Cart) -> Bill:
        """What a cart costs now."""
        return self.pricing.bill(cart, self.products)

    def perhaps_on_offer(self, bought: Iterable[str]) -> Mapping[str, Product]:
        """The products among which deals are looked for, with those that were bought (skus, the latest first)."""
        return self.shortlists.on_offer(self.pricing, bought) if self.shortlists else self.products

    def perhaps_new(self, today: date) -> Mapping[str, Product]:
        """The products among which the newest are looked for."""
        return self.shortlists.new(today) if self.shortlists else self.products

    def perhaps_instead(self, product: Product, wanted: str = "") -> Mapping[str, Product]:
        """The products among which others like one are looked for; ``wanted`` are words that they should have."""
        return self.shortlists.like(product, wanted) if self.shortlists else self.products
