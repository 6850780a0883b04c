"""The rules of prices in the database, and what one household may have of them."""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, func, insert, select

from assistant.errors import PriceChanged, SoldOut
from assistant.shop.cart import Cart
from assistant.shop.catalog import Catalog
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.money import Money
from assistant.shop.orders import OrderStatus
from assistant.shop.promotions.bill import Bill
from assistant.shop.promotions.pricing import Pricing, Standing
from assistant.shop.promotions.rule_entries import RuleDocument
from assistant.shop.promotions.rules import PriceRules
from assistant.shop.promotions.tables import PRICE_TABLES, coupons, order_charges, price_rules
from assistant.shop.schema import orders

_IN_USE = price_rules.c.name == "in use"
_TAKEN_BACK = (OrderStatus.CANCELLED, OrderStatus.RETURNED, OrderStatus.REFUNDED)


class PriceBook:
    """Prices for one household.

    Args:
        engine: The shop's database, with the tables of the store.
        household: Whose coupons.
        programmes: The household is a member of these.
        clock: The time of day.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(
        self,
        engine: Engine,
        household: str,
        programmes: Iterable[str] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        ensure_tables(engine, *PRICE_TABLES)
        self._engine = engine
        self._household = household
        self._programmes = frozenset(programmes)
        self._clock = clock
        self._revision: int | None = None
        self._rules = PriceRules()

    def switch(self, document: RuleDocument) -> None:
        """Puts these rules in the place of those in use, all at once.

        Raises:
            StoreError: The database refused; the old rules stay.
        """
        with transaction(self._engine) as connection:
            switch_rules(connection, document, self._clock())

    def rules(self) -> PriceRules:
        """The rules in use; none when none were imported.

        Raises:
            StoreError: The database cannot be read.
        """
        with reading(self._engine) as connection:
            return self._read_rules(connection)

    def pricing(self, coupons: Collection[str] | None = None) -> Pricing:
        """Prices for the household now.

        Args:
            coupons: Promotions whose coupon counts as named; None takes those that the household has named here.

        Raises:
            StoreError: The database cannot be read.
        """
        with reading(self._engine) as connection:
            return self._pricing(connection, coupons)

    def agreed(
        self,
        connection: Connection,
        cart: Cart,
        catalog: Catalog,
        total: Money | None,
        coupons: Collection[str] | None = None,
    ) -> Bill:
        """The cart's bill, when it comes to the total that was agreed on; None agrees to any.

        Raises:
            PriceChanged: It comes to another total, or a line is not at the catalog's price any more.
            SoldOut: A product is not sold with these options any more.
        """
        products = catalog.find(connection, (line.sku for line in cart.lines))
        prices = {line.key: line.unit_price for line in cart.repriced(products).lines}
        bill = self._pricing(connection, coupons).bill(cart, products)
        for line in cart.lines:
            # What is not sold at all any more is told by the shelf.
            if line.sku in products and line.key not in prices:
                raise SoldOut(f"{line.sku} is not sold with {dict(line.options)} any more. Nothing was bought.")
        if any(prices.get(line.key, line.unit_price) != line.unit_price for line in cart.lines):
            raise PriceChanged("The price has changed since it was read back. Nothing was bought.")
        if total is not None and bill.total != total:
            raise PriceChanged(
                f"The price has changed: it is {bill.total.decimal()} {bill.currency} now, not {total.decimal()}"
                f" {total.currency}. Nothing was bought."
            )
        return bill

    def _pricing(self, connection: Connection, coupons_named: Collection[str] | None) -> Pricing:
        rules, at = self._read_rules(connection), self._clock()
        if not any(promotion.coupon for promotion in rules.promotions):
            return Pricing(rules, at, Standing(self._programmes))
        named = select(coupons.c.promotion).where(coupons.c.household == self._household)
        found = frozenset(connection.execute(named).scalars() if coupons_named is None else coupons_named)
        return Pricing(rules, at, Standing(self._programmes, found, self._uses(connection)))

    def name_coupon(self, promotion: str) -> None:
        """Notes that the household has named a promotion's coupon: it counts until it is used up.

        Raises:
            StoreError: The database refused.
        """
        mine = (coupons.c.household == self._household) & (coupons.c.promotion == promotion)
        with transaction(self._engine, self._household) as connection:
            connection.execute(delete(coupons).where(mine))
            connection.execute(
                insert(coupons).values(household=self._household, promotion=promotion, named_at=self._clock())
            )

    def forget_coupons(self, promotions: Collection[str]) -> None:
        """Notes that coupons do not count any more, as if they had never been named.

        Raises:
            StoreError: The database refused.
        """
        mine = (coupons.c.household == self._household) & coupons.c.promotion.in_(tuple(promotions))
        with transaction(self._engine, self._household) as connection:
            connection.execute(delete(coupons).where(mine))

    def _read_rules(self, connection: Connection) -> PriceRules:
        revision = connection.execute(select(price_rules.c.revision).where(_IN_USE)).scalar()
        if revision != self._revision:
            document = connection.execute(select(price_rules.c.document).where(_IN_USE)).scalar()
            self._rules = RuleDocument.model_validate(document).to_rules() if document else PriceRules()
            self._revision = revision
        return self._rules

    def _uses(self, connection: Connection) -> dict[str, int]:
        """In how many orders that stand each promotion was used; one that awaits its payment holds its coupons."""
        rows = connection.execute(
            select(order_charges.c.reference, func.count(order_charges.c.order_id.distinct()))
            .join(orders, (orders.c.household == order_charges.c.household) & (orders.c.id == order_charges.c.order_id))
            .where(
                order_charges.c.household == self._household,
                order_charges.c.kind == "discount",
                orders.c.status.not_in([status.value for status in _TAKEN_BACK]),
            )
            .group_by(order_charges.c.reference)
        )
        return {reference: int(count) for reference, count in rows}


def switch_rules(connection: Connection, document: RuleDocument, at: datetime) -> int:
    """Puts these rules in the place of those in use within the caller's transaction; the new revision."""
    revision = (connection.execute(select(price_rules.c.revision).where(_IN_USE)).scalar() or 0) + 1
    connection.execute(delete(price_rules).where(_IN_USE))
    row = {"name": "in use", "revision": revision, "imported_at": at}
    row["document"] = document.model_dump(mode="json", exclude_defaults=True)
    connection.execute(insert(price_rules).values(row))
    return revision


def read_rules(connection: Connection) -> tuple[int, RuleDocument | None]:
    """The revision of the rules in use and the rules; 0 and None when none were ever imported."""
    row = connection.execute(select(price_rules.c.revision, price_rules.c.document).where(_IN_USE)).first()
    return (0, None) if row is None else (row.revision, RuleDocument.model_validate(row.document))
