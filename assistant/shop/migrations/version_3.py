"""Version 3: rules of prices, coupons that were named, and what orders were charged beside their lines' prices.

Orders of earlier versions have no charges: they were paid at the prices of their lines.
"""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Makes the new tables."""
    op.create_table(
        "price_rules",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("imported_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_price_rules")),
        if_not_exists=True,
    )
    op.create_table(
        "coupons",
        sa.Column("household", sa.String(length=64), nullable=False),
        sa.Column("promotion", sa.String(length=64), nullable=False),
        sa.Column("named_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("household", "promotion", name=op.f("pk_coupons")),
        if_not_exists=True,
    )
    op.create_table(
        "order_charges",
        sa.Column("household", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household", "order_id"],
            ["orders.household", "orders.id"],
            name=op.f("fk_order_charges_orders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("household", "order_id", "position", name=op.f("pk_order_charges")),
        if_not_exists=True,
    )
