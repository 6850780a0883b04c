"""PostgreSQL under the shop: one server for many devices, with locks no wider than what a purchase needs.

Isolation: a reader works in one ``REPEATABLE READ READ ONLY`` snapshot. A writer works in ``READ COMMITTED`` under
locks that it takes in a fixed order, so that it never has to be repeated: a transaction may ask a payment provider,
which must not happen twice because of a serialisation failure, and under ``SERIALIZABLE`` the stock of a product that
everybody buys would fail most of them.

1. *A household's transaction* holds the household's row of ``households`` (``SELECT … FOR UPDATE``): what is the
   household's changes one transaction after the other, as on SQLite, while other households go on.
2. *The shop's transaction* (an import) holds ``households`` itself (``EXCLUSIVE``, which waits for every row lock and
   lets nobody take another): nobody else writes meanwhile, everybody may read.
3. Stock is the only thing households share. Its rows are locked (``FOR UPDATE``) after those, in the order of their
   sku.
4. *A change of the tables* holds an advisory lock, as there may be no table yet.
"""

from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from assistant.errors import StoreError
from assistant.shop.schema import households

_CONNECT_SECONDS = 5
_IDLE_SECONDS = 60  # a client that went away in the middle of a transaction loses its locks after so long
_SCHEMA_LOCK = 0x766F6963  # any number nobody else takes: "voic"


def is_address(address: str) -> bool:
    """Whether a setting names a server rather than a file."""
    return "://" in address


def without_password(address: str) -> str:
    """The address as it may be shown."""
    return make_url(address).render_as_string(hide_password=True)


def connect(address: str, busy_seconds: float) -> Engine:
    """An engine for the database at ``address``, such as ``postgresql://shop@db.example/voicecart``.

    Raises:
        StoreError: The address is none of PostgreSQL's, or the driver is not installed.
    """
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise StoreError("shop.database is no address of a database, such as postgresql://user@host/name.") from error
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise StoreError(f"shop.database must be a file or a postgresql:// address, not {url.drivername}://.")
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": _CONNECT_SECONDS, "application_name": "voicecart"},
            isolation_level="READ COMMITTED",
            hide_parameters=True,
            # A server that was started again has closed the connections that are kept here.
            pool_pre_ping=True,
        )
    except ImportError as error:
        raise StoreError("PostgreSQL needs its driver: pip install 'voicecart[postgresql]'.") from error
    event.listen(engine, "connect", partial(_prepare, busy_seconds))
    return engine


def begin(connection: Connection, household: str | None) -> None:
    """Takes the locks of a writer: the household's, or the whole shop's when no household is named."""
    if household is None:
        connection.execute(text("LOCK TABLE households IN EXCLUSIVE MODE"))
        return
    mine = select(households.c.household).where(households.c.household == household).with_for_update()
    if connection.execute(mine).first() is None:
        connection.execute(insert(households).values(household=household).on_conflict_do_nothing())
        connection.execute(mine)


def begin_schema_change(connection: Connection) -> None:
    """Waits until nobody else changes the tables."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _SCHEMA_LOCK})


def explain(error: DBAPIError, url: URL) -> str:
    """A sentence about an error of PostgreSQL: what is wrong and what to do."""
    place = f"The database {url.render_as_string(hide_password=True)}"
    original: Any = error.orig
    code = getattr(original, "sqlstate", None) or ""
    told = str(original).strip().splitlines()[0] if str(original).strip() else "no reason given"
    if error.connection_invalidated or (code[:2] in ("08", "57") and code != "57014"):
        return f"{place} is gone ({told}). Nothing was saved; try again when it is back."
    match code:
        case "":
            return f"{place} cannot be reached: {told}. Is the server running, and shop.database right?"
        case "53100" | "53200" | "53300" | "53400":
            return f"{place} has no room left: {told}. Nothing was saved."
        case "55P03" | "57014" | "40P01" | "40001":
            return f"Another device holds what is needed in {url.database}. Nothing was saved; try again."
        case "25006" | "42501":
            return f"{place} may not be written: {told}. Nothing was saved; check the rights of {url.username}."
        case "28000" | "28P01" | "3D000":
            return f"{place} lets nobody in: {told}."
        case "XX001" | "XX002":
            return f"{place} is damaged: {told}. Restore a backup."
    return f"{place} refused: {told}."


def _prepare(busy_seconds: float, connection: Any, record: object) -> None:
    milliseconds = max(1, round(busy_seconds * 1000))
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {milliseconds}")
        cursor.execute(f"SET idle_in_transaction_session_timeout = {_IDLE_SECONDS * 1000}")
    connection.commit()
