"""Version 4: shopping lists of single people beside the household's."""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Adds whose list an entry is on; what is there already is on the household's."""
    op.add_column("list_entries", sa.Column("person", sa.String(length=64), nullable=True))
