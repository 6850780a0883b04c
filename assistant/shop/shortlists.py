"""What to look through in a catalog that is too large to be read: a few products of all of it, best first."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TypeAlias

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from assistant.shop import schema
from assistant.shop.database import reading
from assistant.shop.product import Product
from assistant.shop.promotions.offers import NEW_DAYS
from assistant.shop.promotions.pricing import Pricing
from assistant.shop.promotions.rules import Promotion, Scope
from assistant.shop.shelf import Shelf

Like: TypeAlias = Callable[[Product, str], Iterable[str]]
"""Skus of the products that are most like one, and have certain words besides."""

MOST_PROMOTIONS = 200
"""So many that run now are looked up, those first that end soonest."""
MOST_TOLD = 20
"""So many with something on the shelf are enough: three are said."""
MOST_FOUND = 50
_OF_EACH = 5
"""Products of one promotion: others may be about to buy the last of some."""
_MOST_NAMED = 200
"""So many of the skus, brands and categories that a promotion names are looked up."""

_PRODUCTS = schema.products.c
_ON_SHELF = or_(_PRODUCTS.stock.is_(None), _PRODUCTS.stock > 0)
_NEVER = datetime.max.replace(tzinfo=UTC)


class Shortlists:
    """Looks up in the whole catalog what a question is about.

    Args:
        shelf: The products; the lists are as it is.
        like: Finds products of the same kind.
    """

    def __init__(self, shelf: Shelf, like: Like) -> None:
        self._shelf = shelf
        self._like = like

    def on_offer(self, pricing: Pricing, bought: Iterable[str]) -> dict[str, Product]:
        """What the household has bought lately, and products of the deals it may have now: those that end soonest.

        Args:
            pricing: Rules, household and moment.
            bought: Skus, the latest first.

        Raises:
            StoreError: The database cannot be read.
        """
        running = sorted(pricing.available(), key=lambda promotion: promotion.ends or _NEVER)[:MOST_PROMOTIONS]
        skus = list(islice(dict.fromkeys(bought), MOST_FOUND))
        with reading(self._shelf.engine) as connection:
            covered = (found for promotion in running if (found := _covered_by(connection, promotion)))
            skus += (sku for found in islice(covered, MOST_TOLD) for sku in found)
            skus += _reduced(connection, pricing.at)
        return self._shelf.some(skus)

    def new(self, today: date) -> dict[str, Product]:
        """What was added last of all that is on the shelf, as far as it is new.

        Raises:
            StoreError: The database cannot be read.
        """
        newest = select(_PRODUCTS.sku).where(_PRODUCTS.added >= today - timedelta(days=NEW_DAYS), _ON_SHELF)
        newest = newest.order_by(_PRODUCTS.added.desc(), _PRODUCTS.position).limit(MOST_FOUND)
        with reading(self._shelf.engine) as connection:
            skus = connection.execute(newest).scalars().all()
        return self._shelf.some(skus)

    def like(self, product: Product, wanted: str = "") -> dict[str, Product]:
        """What may take a product's place, the likest first.

        Args:
            product: What is sold out, or not what was meant.
            wanted: Words that the others should have as well.

        Raises:
            StoreError: The database cannot be read.
        """
        return self._shelf.some(self._like(product, wanted))


def _covered_by(connection: Connection, promotion: Promotion) -> Sequence[str]:
    found = select(_PRODUCTS.sku).where(_ON_SHELF, *_conditions(promotion.scope)).limit(_OF_EACH)
    return connection.execute(found).scalars().all()


def _conditions(scope: Scope) -> list[ColumnElement[bool]]:
    """What ``Scope.covers`` says, for the database."""
    found: list[ColumnElement[bool]] = []
    if scope.skus:
        found.append(_PRODUCTS.sku.in_(sorted(scope.skus)[:_MOST_NAMED]))
    if scope.categories:
        categories = [category.casefold() for category in sorted(scope.categories)[:_MOST_NAMED]]
        found.append(or_(_PRODUCTS.category.in_(categories), *map(_below, categories)))
    if scope.brands:
        found.append(_PRODUCTS.brand.in_([brand.casefold() for brand in sorted(scope.brands)[:_MOST_NAMED]]))
    if scope.sellers:
        found.append(_PRODUCTS.seller.in_([seller.casefold() for seller in sorted(scope.sellers)[:_MOST_NAMED]]))
    return found


def _below(category: str) -> ColumnElement[bool]:
    """Everything that begins with the category and a stroke; the sign after the stroke is a nought."""
    return and_(_PRODUCTS.category >= f"{category}/", _PRODUCTS.category < f"{category}0")


def _reduced(connection: Connection, at: datetime) -> Sequence[str]:
    """Skus of what the feed sells for less now, those first that end soonest."""
    running = (_PRODUCTS.sale_ends > at, _PRODUCTS.sale_begins <= at)
    found = select(_PRODUCTS.sku).where(*running, _ON_SHELF).order_by(_PRODUCTS.sale_ends, _PRODUCTS.position)
    return connection.execute(found.limit(MOST_FOUND)).scalars().all()
