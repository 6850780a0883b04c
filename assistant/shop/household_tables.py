"""Tables of what happens after the purchase and around it: parcels, notices, alerts, addresses, whose an order is."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKeyConstraint, Integer, String, Table

from assistant.shop.schema import Instant, metadata

# Every event a carrier has told, once by its own id. The order's journey is made anew from all of them.
carrier_events = Table(
    "carrier_events",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("event_id", String(64), primary_key=True),
    Column("order_id", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("tracking", String(200), nullable=False),
    ForeignKeyConstraint(["household", "order_id"], ["orders.household", "orders.id"], ondelete="CASCADE"),
)

# What is to be said without being asked, once for each kind and subject.
notices = Table(
    "notices",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("subject", String(64), primary_key=True, comment="an order's number, a sku"),
    Column("at", Instant, nullable=False),
    Column("said_at", Instant, comment="null: not said yet"),
)

# What a household wants to be told of once the shop has it again; gone when it was told.
stock_alerts = Table(
    "stock_alerts",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("asked_at", Instant, nullable=False),
)

addresses = Table(
    "addresses",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("name", String(40), primary_key=True, comment="as it is said, in lower case"),
    Column("text", String(200), nullable=False),
    Column("added_at", Instant, nullable=False),
)

# Where an order goes, as it was read back: a change of the address book later does not move the parcel.
order_addresses = Table(
    "order_addresses",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("order_id", String(16), primary_key=True),
    Column("name", String(40), nullable=False),
    Column("text", String(200), nullable=False),
    ForeignKeyConstraint(["household", "order_id"], ["orders.household", "orders.id"], ondelete="CASCADE"),
)

# Whose an order is, where several people are told apart; the others are the household's.
order_people = Table(
    "order_people",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("order_id", String(16), primary_key=True),
    Column("person", String(64), nullable=False, comment="the name of an enrolled voice"),
    ForeignKeyConstraint(["household", "order_id"], ["orders.household", "orders.id"], ondelete="CASCADE"),
)

# Units of delivered orders that went back, and whether their money did.
returned_lines = Table(
    "returned_lines",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("order_id", String(16), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="1 for the order's first"),
    Column("line", Integer, nullable=False, comment="position of the order's line"),
    Column("quantity", BigInteger, CheckConstraint("quantity > 0", name="quantity"), nullable=False),
    Column("amount_minor", BigInteger, nullable=False, comment="what is given back for them"),
    Column("currency", String(3), nullable=False),
    Column("at", Instant, nullable=False),
    Column("refunded_at", Instant, comment="null: not given back yet"),
    ForeignKeyConstraint(["household", "order_id"], ["orders.household", "orders.id"], ondelete="CASCADE"),
)

HOUSEHOLD_TABLES = (carrier_events, notices, stock_alerts, addresses, order_addresses, order_people, returned_lines)
