"""Where an order goes by voice: exactly the address that was named, read back before it is paid, or nothing changes."""

from dataclasses import dataclass, field

import pytest
from shops import LANGUAGE, catalog, product
from test_dialogue import Talkers, item

from assistant.settings import Understand
from assistant.shop.addresses import Address
from assistant.talk.actions import BeginPayment
from assistant.talk.situation import Knowledge, State
from assistant.understand.parser import understand
from assistant.understand.understanding import Context, Expecting, Intent

HOME, GRANDMA, OFFICE = (
    Address("home", "5 Elm Street"),
    Address("grandma", "2 Oak Lane"),
    Address("the office", "7 Main Road"),
)


@dataclass
class Household(Talkers):
    """Somebody whose household has addresses."""

    addresses: tuple[Address, ...] = field(default=(HOME, GRANDMA, OFFICE))

    @property
    def knowledge(self) -> Knowledge:
        return Knowledge(self.products, self.cart, addresses=self.addresses)


def paid_to(talk: Household) -> Address | None:
    talk.hear(Intent.CONFIRM)
    (begun,) = [action for action in talk.actions if isinstance(action, BeginPayment)]
    return begun.address


def test_what_was_read_back_goes_where_it_was_said_and_is_read_back_again():
    talk = Household().hear(Intent.ORDER, item("oat", 2)).hear(Intent.DELIVER, place="grandma")
    assert talk.state is State.CONFIRMING and talk.said == ["delivering.to", "read_back"]
    assert talk.values("delivering.to") == {"name": "grandma", "text": "2 Oak Lane"}
    assert paid_to(talk) == GRANDMA


def test_said_before_the_order():
    talk = Household().hear(Intent.DELIVER, place="the office")
    assert talk.said == ["delivering.later"] and talk.skus() == {}
    assert paid_to(talk.hear(Intent.ORDER, item("oat"))) == OFFICE


def test_the_usual_place_unless_said():
    assert paid_to(Household().hear(Intent.ORDER, item("oat"))) == HOME


@pytest.mark.parametrize("place", ["the moon", "gran", "grandmas", "my", "off"])
def test_a_name_without_an_address_changes_nothing(place):
    talk = Household().hear(Intent.ORDER, item("oat")).hear(Intent.DELIVER, place=place)
    assert talk.said[0] == "delivering.unknown" and talk.state is State.CONFIRMING
    assert paid_to(talk) == HOME


def test_while_the_payment_waits_it_is_given_up_and_read_back_again():
    talk = Household().hear(Intent.ORDER, item("oat")).hear(Intent.CONFIRM).hear(Intent.DELIVER, place="grandma")
    assert talk.state is State.CONFIRMING and "read_back" in talk.said
    assert paid_to(talk) == GRANDMA


def test_without_addresses():
    assert Household(addresses=()).hear(Intent.DELIVER, place="grandma").said == ["delivering.none"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("deliver it to grandma", "grandma"),
        ("send it to the office please", "the office"),
        ("ship everything to home", "home"),
        ("it should go to my parents", "my parents"),
    ],
)
@pytest.mark.parametrize("expecting", [Expecting.COMMAND, Expecting.CONFIRMATION])
def test_what_people_say(text, place, expecting):
    shop = catalog((product("oat", "oat milk"),))
    found = understand([text], shop, LANGUAGE, Context(expecting, (), ("oat",)), Understand())
    assert (found.intent, found.place) == (Intent.DELIVER, place)
