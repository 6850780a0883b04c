"""Version 2: households to be locked, reservations of stock."""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Makes the new tables."""
    op.create_table(
        "households", sa.Column("household", sa.String(64), nullable=False), sa.PrimaryKeyConstraint("household")
    )
