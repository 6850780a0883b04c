"""The rules of prices in the database, and what one household may have of them."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, func, insert, select

from assistant.errors import PriceChanged
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
            before = connection.execute(select(price_rules.c.revision).where(_IN_USE)).scalar() or 0
            connection.execute(delete(price_rules).where(_IN_USE))
            connection.execute(
                insert(price_rules).values(
                    name="in use",
                    revision=before + 1,
                    document=document.model_dump(mode="json", exclude_defaults=True),
                    imported_at=self._clock(),
                )
            )

    def rules(self) -> PriceRules:
        """The rules in use; none when none were imported.

        Raises:
            StoreError: The database cannot be read.
        """
        with reading(self._engine) as connection:
            return self._read_rules(connection)

    def pricing(self) -> Pricing:
        """Prices for the household now.

        Raises:
            StoreError: The database cannot be read.
        """
        with reading(self._engine) as connection:
            return self._pricing(connection)

    def agreed(self, connection: Connection, cart: Cart, catalog: Catalog, total: Money | None) -> Bill:
        """The cart's bill, when it comes to the total that was agreed on; None agrees to any.

        Raises:
            PriceChanged: It comes to another total.
        """
        products = catalog.find(connection, (line.sku for line in cart.lines))
        bill = self._pricing(connection).bill(cart, products)
        if total is not None and bill.total != total:
            raise PriceChanged(
                f"The price has changed: it is {bill.total.decimal()} {bill.currency} now, not {total.decimal()}"
                f" {total.currency}. Nothing was bought."
            )
        return bill

    def _pricing(self, connection: Connection) -> Pricing:
        rules, at = self._read_rules(connection), self._clock()
        if not any(promotion.coupon for promotion in rules.promotions):
            return Pricing(rules, at, Standing(self._programmes))
        named = select(coupons.c.promotion).where(coupons.c.household == self._household)
        found = frozenset(connection.execute(named).scalars())
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
