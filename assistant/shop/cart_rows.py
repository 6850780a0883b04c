"""Carts in the database."""

from sqlalchemy import Connection, delete, insert, select

from assistant.shop.cart import Cart
from assistant.shop.line_rows import line_of, line_rows
from assistant.shop.schema import cart_lines


def read_cart(connection: Connection, household: str) -> Cart | None:
    """The household's cart, or None when there is nothing in it."""
    rows = connection.execute(
        select(cart_lines).where(cart_lines.c.household == household).order_by(cart_lines.c.position)
    ).all()
    return Cart(rows[0].currency, tuple(line_of(row) for row in rows)) if rows else None


def write_cart(connection: Connection, household: str, cart: Cart) -> None:
    """Puts ``cart`` in the place of the household's cart.

    Raises:
        OrderError: It holds more than can be ordered.
    """
    rows = [{"household": household, **row} for row in line_rows(cart.lines)]
    connection.execute(delete(cart_lines).where(cart_lines.c.household == household))
    if rows:
        connection.execute(insert(cart_lines), rows)
