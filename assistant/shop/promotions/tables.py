"""The tables of prices: the rules in use, the coupons that households have named, what orders were charged."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKeyConstraint, Integer, String, Table

from assistant.shop.schema import Instant, metadata

# One row: the rules in use. The revision tells a reader that its copy is out of date.
price_rules = Table(
    "price_rules",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("document", JSON, nullable=False),
    Column("imported_at", Instant, nullable=False),
)

# Named and not used yet.
coupons = Table(
    "coupons",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("promotion", String(64), primary_key=True, comment="the promotion's id"),
    Column("named_at", Instant, nullable=False),
)

# What an order's total is beside the prices of its lines; kept with the order, whatever the rules become.
order_charges = Table(
    "order_charges",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("order_id", String(16), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("line", Integer, nullable=False, comment="position of the order's line"),
    Column("reference", String(80), nullable=False, comment="a promotion's id, or a tax rate"),
    Column("names", JSON, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    ForeignKeyConstraint(["household", "order_id"], ["orders.household", "orders.id"], ondelete="CASCADE"),
)

PRICE_TABLES = (price_rules, coupons, order_charges)
