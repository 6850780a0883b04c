"""The tables of the shop's database, and its version. Plain SQL types, so that other engines can hold them too."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    text,
)

SCHEMA_VERSION = 6
"""Raised with every change of a table, with a module in ``migrations``; a database of a newer version is refused."""


class Instant(TypeDecorator[datetime]):
    """A moment: given with its time zone, kept in UTC, returned in UTC."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To UTC without a label, as SQLite keeps none."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Labelled as UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""All tables of the database, those of payment and voices included. The household is the first part of every key but
those of the catalog, which all households share."""

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True, autoincrement=False))

# One row a household: whoever changes what is the household's holds it (see ``postgresql.py``).
households = Table("households", metadata, Column("household", String(64), primary_key=True))

# One row: the catalog in use. The revision tells a reader that its copy of the products is out of date.
catalogs = Table(
    "catalogs",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("imported_at", Instant, nullable=False),
)

# The feed line is the product (see ``product_rows.py``); the columns after the stock are what is looked for among very
# many products, texts in folded letters. Categories are compared by code points, so that what is below one is a range.
products = Table(
    "products",
    metadata,
    Column("sku", String(64), primary_key=True),
    Column("position", Integer, nullable=False, index=True),
    Column("feed_line", JSON, nullable=False),
    Column("stock", BigInteger, CheckConstraint("stock >= 0", name="stock"), comment="null: not counted"),
    Column("brand", String, index=True),
    Column("category", String().with_variant(String(collation="C"), "postgresql"), index=True),
    Column("seller", String, index=True),
    Column("added", Date),
    Column("sale_begins", Instant, comment="null: no lower price in the feed"),
    Column("sale_ends", Instant),
    Index("ix_products_added", text("added DESC"), "position"),
    Index("ix_products_sale_ends", "sale_ends", "position"),
)

cart_lines = Table(
    "cart_lines",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("sku", String(64), nullable=False),
    Column("names", JSON, nullable=False),
    Column("unit", String(40), nullable=False),
    Column("options", JSON, nullable=False),
    Column("unit_price_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("quantity", BigInteger, CheckConstraint("quantity > 0", name="quantity"), nullable=False),
)

orders = Table(
    "orders",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("id", String(16), primary_key=True),
    Column("number", Integer, nullable=False, comment="1 for the household's first"),
    Column("key", String(64), nullable=False),
    Column("status", String(16), nullable=False, comment="the newest of its history"),
    Column("paid_at", Instant),
    Column("total_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    UniqueConstraint("household", "key"),
    UniqueConstraint("household", "number"),
    Index(None, "household", "status"),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("order_id", String(16), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("sku", String(64), nullable=False),
    Column("names", JSON, nullable=False),
    Column("unit", String(40), nullable=False),
    Column("options", JSON, nullable=False),
    Column("unit_price_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("quantity", BigInteger, CheckConstraint("quantity > 0", name="quantity"), nullable=False),
    ForeignKeyConstraint(["household", "order_id"], ["orders.household", "orders.id"], ondelete="CASCADE"),
)

order_history = Table(
    "order_history",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("order_id", String(16), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("status", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    ForeignKeyConstraint(["household", "order_id"], ["orders.household", "orders.id"], ondelete="CASCADE"),
)

# Stock that is kept for orders which await their payment (see ``reservations.py``).
reservations = Table(
    "reservations",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("order_id", String(16), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("quantity", BigInteger, CheckConstraint("quantity > 0", name="quantity"), nullable=False),
    Column("until", Instant, nullable=False, comment="nothing is kept from then on"),
    ForeignKeyConstraint(["household", "order_id"], ["orders.household", "orders.id"], ondelete="CASCADE"),
    Index(None, "sku"),
)

list_entries = Table(
    "list_entries",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("text", String(200), nullable=False),
    Column("sku", String(64)),
    Column("quantity", BigInteger, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("person", String(64), comment="whose list; null: the household's"),
)

STORE_TABLES = (
    cart_lines,
    orders,
    order_lines,
    order_history,
    reservations,
    list_entries,
)
"""What ``Store`` keeps: catalog, carts, orders, shopping lists."""
