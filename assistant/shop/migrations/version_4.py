"""Version 4: shopping lists of single people beside the household's."""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Adds whose list an entry is on; what is there already is on the household's."""
    if "person" not in {column["name"] for column in sa.inspect(op.get_bind()).get_columns("list_entries")}:
        op.add_column("list_entries", sa.Column("person", sa.String(length=64), nullable=True))
