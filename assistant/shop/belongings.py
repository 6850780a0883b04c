"""Whose an order or an entry of a shopping list is, by the name of an enrolled voice. All else is the household's.

Every function works in the caller's transaction.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select, update

from assistant.shop.household_tables import order_people
from assistant.shop.schema import list_entries


def give_order(connection: Connection, household: str, order_id: str, person: str) -> None:
    """The order is this person's from now on, whosever it was before."""
    mine = (order_people.c.household == household) & (order_people.c.order_id == order_id)
    connection.execute(delete(order_people).where(mine))
    connection.execute(insert(order_people).values(household=household, order_id=order_id, person=person))


def buyers_of(connection: Connection, household: str) -> Mapping[str, str]:
    """Order number → whose it is."""
    found = select(order_people.c.order_id, order_people.c.person).where(order_people.c.household == household)
    return {row.order_id: row.person for row in connection.execute(found)}


def rename_in(connection: Connection, household: str, old: str, new: str) -> None:
    """What was one name's is the other name's."""
    for table in (order_people, list_entries):
        mine = (table.c.household == household) & (table.c.person == old)
        connection.execute(update(table).where(mine).values(person=new))


def release_in(connection: Connection, household: str, person: str) -> None:
    """What was this person's is the household's."""
    orders = (order_people.c.household == household) & (order_people.c.person == person)
    connection.execute(delete(order_people).where(orders))
    entries = (list_entries.c.household == household) & (list_entries.c.person == person)
    connection.execute(update(list_entries).where(entries).values(person=None))
