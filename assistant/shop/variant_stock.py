"""The stock of a product's variants, kept in its line of the imported catalog."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from assistant.errors import OrderError
from assistant.shop import schema
from assistant.shop.cart import CartLine


def take_variant(connection: Connection, line: CartLine) -> None:
    """Takes what is bought off the shelf of its variant; does nothing for a product without variants.

    Raises:
        OrderError: This combination of options is not sold, or not enough of it is left.
    """
    feed_line = _feed_line(connection, line.sku)
    if not feed_line or not feed_line.get("variants"):
        return
    variant = _variant(feed_line, line.options)
    if variant is None:
        chosen = ", ".join(line.options.values())
        raise OrderError(f"{line.sku} is not sold with these options: {chosen}. Nothing was bought.")
    left = variant.get("stock")
    if left is None:
        return
    if left < line.quantity:
        raise OrderError(f"Only {left} of {variant['sku']} are left, not {line.quantity}. Nothing was bought.")
    _write(connection, line.sku, feed_line, variant, left - line.quantity)


def put_back_variant(connection: Connection, line: CartLine) -> None:
    """Puts what was taken back; what is not sold or not counted any more is passed over."""
    feed_line = _feed_line(connection, line.sku)
    variant = _variant(feed_line, line.options) if feed_line else None
    if feed_line and variant and variant.get("stock") is not None:
        _write(connection, line.sku, feed_line, variant, variant["stock"] + line.quantity)


def _feed_line(connection: Connection, sku: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = connection.execute(
        select(schema.products.c.feed_line).where(schema.products.c.sku == sku)
    ).scalar()
    return found


def _variant(feed_line: dict[str, Any], options: Mapping[str, str]) -> dict[str, Any] | None:
    return next((one for one in feed_line.get("variants", ()) if one["options"] == dict(options)), None)


def _write(connection: Connection, sku: str, feed_line: dict[str, Any], variant: dict[str, Any], stock: int) -> None:
    variants = [one | {"stock": stock} if one is variant else one for one in feed_line["variants"]]
    connection.execute(
        update(schema.products).where(schema.products.c.sku == sku).values(feed_line=feed_line | {"variants": variants})
    )
    # Readers keep the products until the revision changes; variants are part of them.
    connection.execute(update(schema.catalogs).values(revision=schema.catalogs.c.revision + 1))
