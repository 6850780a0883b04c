"""Version 1: catalog, carts, orders, lists, the wallet's ledger, voices, the audit trail, payments at Stripe.

Databases of this version made a table when it was first used, so that some may be missing.
"""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Makes the tables that are not there."""
    op.create_table(
        "audit",
        sa.Column("household", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("household", "number", name=op.f("pk_audit")),
        if_not_exists=True,
    )
    op.create_table(
        "cart_lines",
        sa.Column("household", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("household", "position", name=op.f("pk_cart_lines")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_cart_lines_quantity")),
        if_not_exists=True,
    )
    op.create_table(
        "catalogs",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("imported_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_catalogs")),
        if_not_exists=True,
    )
    op.create_table(
        "list_entries",
        sa.Column("household", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("household", "position", name=op.f("pk_list_entries")),
        if_not_exists=True,
    )
    op.create_table(
        "orders",
        sa.Column("household", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("paid_at", sa.DateTime(), nullable=True),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.PrimaryKeyConstraint("household", "id", name=op.f("pk_orders")),
        sa.UniqueConstraint("household", "key", name=op.f("uq_orders_household_key")),
        sa.UniqueConstraint("household", "number", name=op.f("uq_orders_household_number")),
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_orders_household_status"), "orders", ["household", "status"], unique=False, if_not_exists=True
    )
    op.create_table(
        "products",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("feed_line", sa.JSON(), nullable=False),
        sa.Column("stock", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("sku", name=op.f("pk_products")),
        sa.CheckConstraint("stock >= 0", name=op.f("ck_products_stock")),
        if_not_exists=True,
    )
    op.create_table(
        "schema_version",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_schema_version")),
        if_not_exists=True,
    )
    op.create_table(
        "stripe_payments",
        sa.Column("household", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=16), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("intent", sa.String(length=255), nullable=True),
        sa.Column("stage", sa.String(length=24), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("household", "order_id", name=op.f("pk_stripe_payments")),
        if_not_exists=True,
    )
    op.create_table(
        "voices",
        sa.Column("household", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("takes", sa.Integer(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(), nullable=False),
        sa.Column("template", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("household", "name", name=op.f("pk_voices")),
        if_not_exists=True,
    )
    op.create_table(
        "wallet_entries",
        sa.Column("household", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=16), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.PrimaryKeyConstraint("household", "number", "account", name=op.f("pk_wallet_entries")),
        if_not_exists=True,
    )
    op.create_table(
        "wallet_movements",
        sa.Column("household", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("movement", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("household", "number", name=op.f("pk_wallet_movements")),
        sa.UniqueConstraint("household", "movement", "key", name=op.f("uq_wallet_movements_household_movement_key")),
        if_not_exists=True,
    )
    op.create_table(
        "order_history",
        sa.Column("household", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household", "order_id"],
            ["orders.household", "orders.id"],
            name=op.f("fk_order_history_orders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("household", "order_id", "position", name=op.f("pk_order_history")),
        if_not_exists=True,
    )
    op.create_table(
        "order_lines",
        sa.Column("household", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household", "order_id"],
            ["orders.household", "orders.id"],
            name=op.f("fk_order_lines_orders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("household", "order_id", "position", name=op.f("pk_order_lines")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_lines_quantity")),
        if_not_exists=True,
    )
