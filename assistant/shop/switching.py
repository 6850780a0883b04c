"""Puts a catalog that was taken in (``staging.py``) in the place of the one in use, within one transaction.

Whoever reads meanwhile sees the old catalog or the new one, never a mixture. The rows are copied by the database
itself, so that whoever wants to write meanwhile waits no longer than it must.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from assistant.errors import FeedError
from assistant.shop import schema
from assistant.shop.staging import StagedCatalog, staged_products

_IN_USE = schema.catalogs.c.name == "in use"
_NEW = staged_products.c
_KEPT = [column.name for column in schema.products.c if column.name != "position"]


def switch_over(
    staged: StagedCatalog,
    at: datetime,
    *,
    keep_others: bool = False,
    beside: Callable[[Connection], object] = lambda connection: None,
) -> int:
    """Puts the staged catalog in its place; how many products are on sale then.

    Args:
        staged: The new catalog, or what changes about it.
        at: The time of day.
        keep_others: Whether products that are not staged stay (``update_catalog``).
        beside: Does what belongs to this catalog in the same transaction.

    Raises:
        FeedError: There would be no product, or products of several currencies; the old catalog stays.
        StoreError: The database refused; the old catalog stays.
    """
    with staged.switching() as connection:
        (update_catalog if keep_others else replace_catalog)(connection, staged, at)
        beside(connection)
        return int(connection.execute(select(func.count(schema.products.c.sku))).scalar_one())


def replace_catalog(connection: Connection, staged: StagedCatalog, at: datetime) -> int:
    """Puts the staged products in the place of all others; the catalog's new revision.

    Args:
        connection: In the transaction ``staged.switching()``.
        staged: The new catalog.
        at: The time of day.

    Raises:
        FeedError: There is no product.
    """
    if not staged.currency:
        raise FeedError("There is no product in this catalog; the old one stays.")
    connection.execute(delete(schema.products))
    _copy(connection, _NEW.number)
    return _revise(connection, staged.currency, at)


def update_catalog(connection: Connection, staged: StagedCatalog, at: datetime) -> int:
    """Adds and changes the staged products and takes the removed ones out; the catalog's new revision.

    Products keep their places, new ones come last. One that is removed and not there is removed already.

    Args:
        connection: In the transaction ``staged.switching()``.
        staged: What is new, changed or removed.
        at: The time of day.

    Raises:
        FeedError: The feed is in another currency than the catalog, or nothing would be left.
    """
    old = schema.products.c
    there = connection.execute(select(schema.catalogs.c.currency).where(_IN_USE)).scalar()
    currency = there or staged.currency
    if staged.currency and staged.currency != currency:
        raise FeedError(
            f"The catalog is in {currency}, the update in {staged.currency}. Import the whole feed instead."
        )
    last = connection.execute(select(func.coalesce(func.max(old.position), -1))).scalar_one()
    place = select(old.position).where(old.sku == _NEW.sku).scalar_subquery()
    connection.execute(update(staged_products).values(position=place))
    connection.execute(delete(schema.products).where(old.sku.in_(select(_NEW.sku))))
    new_ones = func.row_number().over(partition_by=_NEW.position.is_(None), order_by=_NEW.number)
    _copy(connection, func.coalesce(_NEW.position, last + new_ones))
    if connection.execute(select(old.sku).limit(1)).first() is None:
        raise FeedError("The update removes every product, so the catalog stays as it was.")
    return _revise(connection, currency, at)


def _copy(connection: Connection, position: ColumnElement[int]) -> None:
    new = select(*(_NEW[name] for name in _KEPT), position).where(_NEW.currency.is_not(None))
    connection.execute(insert(schema.products).from_select([*_KEPT, "position"], new.order_by(_NEW.number)))


def _revise(connection: Connection, currency: str, at: datetime) -> int:
    revision = (connection.execute(select(schema.catalogs.c.revision).where(_IN_USE)).scalar() or 0) + 1
    connection.execute(delete(schema.catalogs).where(_IN_USE))
    row = {"name": "in use", "revision": revision, "currency": currency, "imported_at": at}
    connection.execute(insert(schema.catalogs).values(row))
    return revision
