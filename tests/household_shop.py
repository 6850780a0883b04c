"""A small shop for tests: its products, its database, and what must always be true of its ledger."""

import random
from pathlib import Path

from databases import open_engine
from sqlalchemy import func, select

from assistant.errands import Errands
from assistant.pay.ledger import Account
from assistant.pay.wallet import Answer, Wallet
from assistant.settings import Settings
from assistant.shop import schema
from assistant.shop.cart import Cart, line_for
from assistant.shop.database import reading
from assistant.shop.money import Money
from assistant.shop.orders import OrderStatus
from assistant.shop.product import Option, OptionValue, Product
from assistant.shop.store import Store
from assistant.storefront import Storefront

OPENING = Money(100_000, "USD")


def dollars(amount: str) -> Money:
    return Money.parse(amount, "USD")


SIZE = Option("size", (OptionValue("small"), OptionValue("large", ("big",), dollars("0.50"))), required=True)
ROAST = Option("roast", (OptionValue("light"), OptionValue("dark", (), dollars("-0.25"))), default="light")
OAT = Product("oat", {"en": "oat milk", "zh": "燕麦奶"}, dollars("3.00"), unit="carton")
BREAD = Product("bread", {"und": "brown bread"}, dollars("2.20"), unit="loaf", stock=10)
LATTE = Product("latte", {"en": "latte"}, dollars("4.00"), options=(SIZE, ROAST))
PRODUCTS = (OAT, BREAD, LATTE)


def open_shop(folder: Path, household: str = "home", seed: int = 1, **more: object) -> Storefront:
    """The shop in ``folder`` as a device opens it."""
    engine = open_engine(folder)
    wallet = Wallet(engine, household, OPENING)
    store = Store(engine, household, wallet, randomness=random.Random(seed), **more)  # type: ignore[arg-type]
    return Storefront(engine, store, wallet, Errands(engine, wallet, Settings()), wallet)


def cart_of(*lines: tuple[Product, int]) -> Cart:
    cart = Cart("USD")
    for product, quantity in lines:
        cart = cart.add(line_for(product, quantity, {"size": "large"} if product.options else {}))
    return cart


def buy(shop: Storefront, cart: Cart, key: str):
    """A whole purchase; the order that was placed."""
    shop.store.save_cart(cart)
    order = shop.store.begin_order(cart, key)
    assert shop.wallet.authorise(order.id, order.total) is Answer.APPROVED
    return shop.store.complete_order(order.id)


def check_books(shop: Storefront, household: str = "home") -> None:
    """Every cent is somewhere, the shop has what the paid orders say, and nothing is held for orders that are over."""
    totals = {account: shop.wallet.account(account) for account in Account}
    assert sum(total.minor for total in totals.values()) == 0
    assert min(totals[account].minor for account in (Account.WALLET, Account.HELD, Account.SHOP)) >= 0
    kept = (order for order in shop.store.orders(None) if order.status is not OrderStatus.REFUNDED)
    assert totals[Account.SHOP].minor == sum(order.total.minor for order in kept)
    with reading(shop.engine) as connection:
        held = set(shop.wallet.set_aside(connection, household))
        mine = schema.orders.c.household == household
        open_orders = select(schema.orders.c.id).where(mine, schema.orders.c.status == "awaiting_payment")
        awaiting = set(connection.execute(open_orders).scalars())
        total = select(func.coalesce(func.sum(schema.orders.c.total_minor), 0)).where(
            mine, schema.orders.c.id.in_(held)
        )
        assert totals[Account.HELD].minor == connection.execute(total).scalar_one()
    assert held <= awaiting
