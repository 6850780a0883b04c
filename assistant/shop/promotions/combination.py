"""The combination of promotions that saves most, of all that are legal. Pure and deterministic.

What is legal:

- a line of the cart takes part in one deal at most, and in any number of promotions that stack or are spend-and-saves;
- nothing is combined with what it excludes, and what is exclusive with nothing at all;
- two spend-and-saves are combined only when the goods of one are all among the other's, or they share none.

A promotion more never makes a cart dearer, nor does a lower price of one line make the whole dearer, as everything that
comes on top takes off at most what is left and rounds line by line. So only two things are open: which promotions of
those that exclude each other, and which lines take part in a multi-buy. Both are searched by branch and bound.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.shop.promotions.deals import Article, Discount, covered_by, discounts_of, off_alone, on_top_of
from assistant.shop.promotions.rules import MultiBuy, Promotion, SpendAndSave

MOST_COMBINATIONS = 2000
"""So many combinations are priced at most; of more, the best of these is taken. What the bound rules out is not one."""

_Choice = tuple[Promotion | None, ...]


@dataclass(frozen=True)
class Combination:
    """What was chosen.

    Attributes:
        discounts: What is taken off.
        exact: Whether no legal combination saves more; False when there were more than ``MOST_COMBINATIONS``.
    """

    discounts: tuple[Discount, ...]
    exact: bool = True

    @property
    def saved(self) -> int:
        """Minor units."""
        return sum(discount.amount for discount in self.discounts)


def best_combination(articles: Sequence[Article], promotions: Sequence[Promotion]) -> Combination:
    """The legal combination that saves most; of equal ones the first in the order of articles and ids.

    Args:
        articles: The cart, in an order that depends on nothing but what is in it.
        promotions: Those that this household may have now.
    """
    relevant = tuple(sorted((one for one in promotions if covered_by(articles, one)), key=lambda one: one.id))
    search = _Search(articles)
    for together in legal_sets(articles, relevant):
        if search.exhausted:
            break
        search.within(together)
    return Combination(search.best, not search.exhausted)


def legal_sets(articles: Sequence[Article], promotions: tuple[Promotion, ...]) -> Iterator[tuple[Promotion, ...]]:
    """Sets of promotions that may all be combined; every legal set is part of one of them."""
    # Not by recursion, which would go as deep as there are promotions that exclude each other.
    waiting = [promotions]
    while waiting:
        together = waiting.pop()
        for promotion in together:
            against = {other.id for other in together if conflicts(articles, promotion, other)}
            if against:
                waiting.append(tuple(one for one in together if one is not promotion))
                waiting.append(tuple(one for one in together if one.id not in against))
                break
        else:
            yield together


def conflicts(articles: Sequence[Article], one: Promotion, other: Promotion) -> bool:
    """Whether two promotions may not be combined in this cart."""
    if one.id == other.id:
        return False
    if one.exclusive or other.exclusive or other.id in one.excludes or one.id in other.excludes:
        return True
    if not (isinstance(one.deal, SpendAndSave) and isinstance(other.deal, SpendAndSave)):
        return False
    mine, theirs = set(covered_by(articles, one)), set(covered_by(articles, other))
    return bool(mine & theirs and mine - theirs and theirs - mine)


class _Search:
    """Keeps the best combination that was found."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self._articles = articles
        self._tried = 0
        self._saved = -1
        self.best: tuple[Discount, ...] = ()

    @property
    def exhausted(self) -> bool:
        """Whether nothing more may be tried."""
        return self._tried > MOST_COMBINATIONS

    def within(self, together: Sequence[Promotion]) -> None:
        """Looks at all combinations of promotions that may all be combined."""
        on_top = tuple(one for one in together if not one.alone)
        options = [_options(self._articles, place, together, on_top) for place in range(len(self._articles))]
        self._branch(options, (), on_top)

    def _branch(self, options: Sequence[_Choice], chosen: _Choice, on_top: Sequence[Promotion]) -> None:
        while len(chosen) < len(options) and len(options[len(chosen)]) == 1:
            chosen = (*chosen, options[len(chosen)][0])
        if len(chosen) == len(options):
            self._tried += 1
            discounts = discounts_of(self._articles, chosen, on_top)
            saved = sum(discount.amount for discount in discounts)
            if saved > self._saved and not self.exhausted:
                self._saved, self.best = saved, discounts
            return
        if self._saved >= 0 and self._at_most(options, chosen, on_top) <= self._saved:
            return
        for option in options[len(chosen)]:
            if self.exhausted:
                return
            self._branch(options, (*chosen, option), on_top)

    def _at_most(self, options: Sequence[_Choice], chosen: _Choice, on_top: Sequence[Promotion]) -> int:
        """No combination that begins like this saves more: every line by itself is as cheap as it can become."""
        cheapest = []
        for place, article in enumerate(self._articles):
            possible = (chosen[place],) if place < len(chosen) else options[place]
            cheapest.append(max(0, article.price - max(_most_off(article, one) for one in possible)))
        off = sum(article.price for article in self._articles) - sum(cheapest)
        return off + sum(discount.amount for discount in on_top_of(self._articles, cheapest, on_top))


def _options(
    articles: Sequence[Article], place: int, together: Sequence[Promotion], on_top: Sequence[Promotion]
) -> _Choice:
    """The deals that an article may take part in: the multi-buys, and the best of the others or none."""
    article = articles[place]
    deals = [one for one in together if one.alone and one.id in article.promotions]
    multi_buys = [one for one in deals if isinstance(one.deal, MultiBuy)]
    others = [one for one in deals if not isinstance(one.deal, MultiBuy)]
    best = max(others, key=lambda one: off_alone(article, one), default=None)
    if best is not None and not off_alone(article, best):
        best = None
    if best is None and len(multi_buys) == 1 and _uniform(articles, multi_buys[0], on_top):
        return (multi_buys[0],)
    return (*multi_buys, best)


def _uniform(articles: Sequence[Article], multi_buy: Promotion, on_top: Sequence[Promotion]) -> bool:
    """Whether it makes no difference on which of its lines a multi-buy's discount lies: then a line more is no loss."""
    mine = set(covered_by(articles, multi_buy))
    for promotion in on_top:
        theirs = set(covered_by(articles, promotion))
        if mine & theirs and not (isinstance(promotion.deal, SpendAndSave) and mine <= theirs):
            return False
    return True


def _most_off(article: Article, promotion: Promotion | None) -> int:
    if promotion is None:
        return 0
    if isinstance(promotion.deal, MultiBuy):
        # Of each group the cheapest are free, so at most this share of it; one more from rounding the shares.
        return article.price * (promotion.deal.buy - promotion.deal.pay) // promotion.deal.buy + 1
    return off_alone(article, promotion)
