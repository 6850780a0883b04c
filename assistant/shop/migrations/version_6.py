"""Version 6: an index of the products by their place in the catalog, by which a service gives them page by page."""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Makes the index."""
    there = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("products")}
    if "ix_products_position" not in there:
        op.create_index(op.f("ix_products_position"), "products", ["position"])
