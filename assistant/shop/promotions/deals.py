"""What one choice of deals takes off a cart. Pure; integers of minor units."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from assistant.shop.promotions.allocation import half_up, share_out
from assistant.shop.promotions.rules import AmountOff, DealPrice, MultiBuy, PercentOff, Promotion, SpendAndSave


@dataclass(frozen=True)
class Article:
    """A line of the cart as promotions see it.

    Attributes:
        unit: Price of one with its options, minor units.
        quantity: At least 1.
        base: Price of one without options.
        promotions: Ids of those whose scope covers it.
    """

    unit: int
    quantity: int
    base: int
    promotions: frozenset[str] = field(default_factory=frozenset)

    @property
    def price(self) -> int:
        """Of all of them, before promotions."""
        return self.unit * self.quantity


@dataclass(frozen=True)
class Discount:
    """What a promotion takes off an article; ``amount`` is positive."""

    article: int
    promotion: str
    amount: int


def discounts_of(
    articles: Sequence[Article], choice: Sequence[Promotion | None], on_top: Iterable[Promotion]
) -> tuple[Discount, ...]:
    """What a combination of promotions takes off; never more than an article costs.

    Args:
        articles: The cart.
        choice: For each article the deal that it takes part in, or None.
        on_top: Promotions that stack, and spend-and-save; taken off in a fixed order, whatever the order given.
    """
    found: list[Discount] = []
    left = [article.price for article in articles]

    def take(place: int, promotion: Promotion, amount: int) -> None:
        if amount > 0:
            left[place] -= amount
            found.append(Discount(place, promotion.id, amount))

    groups: dict[str, list[int]] = {}
    multi_buys: dict[str, tuple[Promotion, MultiBuy]] = {}
    for place, promotion in enumerate(choice):
        if promotion is None:
            continue
        if isinstance(promotion.deal, MultiBuy):
            groups.setdefault(promotion.id, []).append(place)
            multi_buys[promotion.id] = promotion, promotion.deal
        else:
            take(place, promotion, _off(articles[place], promotion, left[place]))
    for name, places in sorted(groups.items()):
        promotion, deal = multi_buys[name]
        free = _free([articles[place] for place in places], deal)
        for place, amount in zip(places, share_out(free, [articles[place].price for place in places]), strict=True):
            take(place, promotion, amount)
    return (*found, *on_top_of(articles, left, on_top))


def on_top_of(articles: Sequence[Article], left: Sequence[int], on_top: Iterable[Promotion]) -> tuple[Discount, ...]:
    """What promotions that stack, and spend-and-saves, take off what the deals have left.

    Args:
        articles: The cart.
        left: What each article costs after the deals, minor units.
        on_top: The promotions; taken off in a fixed order, whatever the order given.
    """
    found: list[Discount] = []
    rest = list(left)
    for promotion in in_sequence(articles, on_top):
        covered = covered_by(articles, promotion)
        if isinstance(promotion.deal, SpendAndSave):
            before = [rest[place] for place in covered]
            amounts = share_out(min(saving(articles, promotion.deal, covered), sum(before)), before)
        else:
            amounts = tuple(_off(articles[place], promotion, rest[place]) for place in covered)
        for place, amount in zip(covered, amounts, strict=True):
            rest[place] -= amount
            found += [Discount(place, promotion.id, amount)] if amount else []
    return tuple(found)


def covered_by(articles: Sequence[Article], promotion: Promotion) -> tuple[int, ...]:
    """The places of the articles that a promotion is about."""
    return tuple(place for place, article in enumerate(articles) if promotion.id in article.promotions)


def saving(articles: Sequence[Article], deal: SpendAndSave, covered: Sequence[int]) -> int:
    """What a spend-and-save is worth for these articles."""
    spent = sum(articles[place].price for place in covered)
    return deal.save * (spent // deal.spend if deal.repeats else int(spent >= deal.spend))


def off_alone(article: Article, promotion: Promotion) -> int:
    """What a deal that looks at one article at a time takes off its full price."""
    return _off(article, promotion, article.price)


def in_sequence(articles: Sequence[Article], on_top: Iterable[Promotion]) -> list[Promotion]:
    """The order in which promotions come on top: percentages, amounts, then spend-and-saves, those on few goods first.

    Percentages go first as they are worth most then. Of spend-and-saves one's goods are all among the other's, or they
    share none (``combination.conflicts``), so that their worth does not depend on how the inner one is shared out.
    """
    kinds = (PercentOff, AmountOff, SpendAndSave)
    return sorted(
        on_top,
        key=lambda promotion: (
            kinds.index(type(promotion.deal)),
            len(covered_by(articles, promotion)) if isinstance(promotion.deal, SpendAndSave) else 0,
            promotion.id,
        ),
    )


def _off(article: Article, promotion: Promotion, left: int) -> int:
    match promotion.deal:
        case PercentOff(basis_points):
            return half_up(left * basis_points, 10_000)
        case AmountOff(amount):
            return min(left, amount * article.quantity)
        case DealPrice(price):
            return min(left, max(0, article.base - price) * article.quantity)
        case _:
            return 0


def _free(articles: Sequence[Article], deal: MultiBuy) -> int:
    """The price of the cheapest ``buy - pay`` of each group of ``buy``, the dearest grouped first.

    Counted in runs of equal prices, so that a thousand of one product cost no more time than three.
    """
    count = sum(article.quantity for article in articles)
    whole = count - count % deal.buy
    free, begin = 0, 0
    for article in sorted(articles, key=lambda article: -article.unit):
        end = min(begin + article.quantity, whole)
        free += article.unit * (_free_places(end, deal) - _free_places(begin, deal))
        begin = end
    return free


def _free_places(count: int, deal: MultiBuy) -> int:
    """How many of the first ``count`` places are free: the last ``buy - pay`` of every group."""
    groups, rest = divmod(count, deal.buy)
    return groups * (deal.buy - deal.pay) + max(0, rest - deal.pay)
