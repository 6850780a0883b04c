"""Version 5: what is looked for among very many products, in columns of its own beside the feed line."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

_AT_ONCE = 2_000
_FIRST = datetime(1, 1, 2, tzinfo=UTC)
_LAST = datetime(9999, 12, 30, tzinfo=UTC)
_FOLDED = ("brand", "category", "seller")
_PRODUCTS = sa.table(
    "products",
    sa.column("sku", sa.String),
    sa.column("feed_line", sa.JSON),
    *(sa.column(name, sa.String) for name in _FOLDED),
    sa.column("added", sa.Date),
    sa.column("sale_begins", sa.DateTime),
    sa.column("sale_ends", sa.DateTime),
)


def upgrade() -> None:
    """Adds the columns, fills them from the feed lines, and makes their indexes."""
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("products")}
    if "added" in there:
        return
    by_code_points = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.add_column("products", sa.Column("brand", sa.String(), nullable=True))
    op.add_column("products", sa.Column("category", by_code_points, nullable=True))
    op.add_column("products", sa.Column("seller", sa.String(), nullable=True))
    op.add_column("products", sa.Column("added", sa.Date(), nullable=True))
    op.add_column("products", sa.Column("sale_begins", sa.DateTime(), nullable=True))
    op.add_column("products", sa.Column("sale_ends", sa.DateTime(), nullable=True))
    _fill(op.get_bind())
    for name in _FOLDED:
        op.create_index(op.f(f"ix_products_{name}"), "products", [name])
    op.create_index(op.f("ix_products_added"), "products", [sa.text("added DESC"), "position"])
    op.create_index(op.f("ix_products_sale_ends"), "products", ["sale_ends", "position"])


def _fill(connection: sa.Connection) -> None:
    columns = (*_FOLDED, "added", "sale_begins", "sale_ends")
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in columns}
    change = sa.update(_PRODUCTS).where(_PRODUCTS.c.sku == sa.bindparam("of_sku")).values(values)
    for rows in _pages(connection):
        found = [{f"new_{name}": value for name, value in _columns(row.feed_line).items()} for row in rows]
        connection.execute(change, [one | {"of_sku": row.sku} for one, row in zip(found, rows, strict=True)])


def _pages(connection: sa.Connection) -> Iterator[Any]:
    """All rows, not too many of them at once."""
    page = sa.select(_PRODUCTS.c.sku, _PRODUCTS.c.feed_line).order_by(_PRODUCTS.c.sku).limit(_AT_ONCE)
    rows = connection.execute(page).all()
    while rows:
        yield rows
        rows = connection.execute(page.where(_PRODUCTS.c.sku > rows[-1].sku)).all()


def _columns(line: Mapping[str, Any]) -> dict[str, Any]:
    sale = line.get("sale")
    return {name: line.get(name, "").casefold() or None for name in _FOLDED} | {
        "added": date.fromisoformat(line["added"]) if "added" in line else None,
        "sale_begins": _moment(sale.get("begins"), _FIRST) if sale else None,
        "sale_ends": _moment(sale.get("ends"), _LAST) if sale else None,
    }


def _moment(text: str | None, otherwise: datetime) -> datetime:
    """In UTC without a label, as the database keeps it."""
    moment = datetime.fromisoformat(text) if text else otherwise
    return min(max(moment, _FIRST), _LAST).astimezone(UTC).replace(tzinfo=None)
