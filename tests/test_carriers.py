"""Carriers' events: through the folder to the order, and to what the device says of its own accord."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from household_shop import OAT, PRODUCTS, open_shop
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.announcements import Announcer
from assistant.errors import OrderError
from assistant.languages.language import load_language
from assistant.service.carrier_folder import CarrierFolder
from assistant.shop.carrier_events import JOURNEY, CarrierEvent, with_journey
from assistant.shop.cart import Cart, line_for
from assistant.shop.orders import Order, OrderStatus, StatusChange
from assistant.shop.product import Product
from assistant.talk.replies import Replies

NOON = datetime(2026, 11, 11, 12, tzinfo=UTC)


def bought(shop):
    """A paid order of one carton of oat milk."""
    shop.store.import_catalog(PRODUCTS)
    order = shop.store.begin_order(Cart("USD").add(line_for(OAT, 1, {})), "key")
    shop.provider.authorise(order.id, order.total)
    return shop.store.complete_order(order.id)


def event_file(folder, name, order, status, **more):
    fields = {"order": order, "id": name, "status": status, "at": "2026-11-11T09:00:00Z"} | more
    (folder / f"{name}.json").write_text(json.dumps(fields))


def test_a_file_moves_the_order_once(tmp_path, on_each_database):
    shop = open_shop(tmp_path / "state")
    order = bought(shop)
    folder = tmp_path / "carriers"
    folder.mkdir()
    event_file(folder, "one", order.id, "shipped", tracking="left the depot")
    carriers = CarrierFolder(folder, shop.errands.record_carrier_event)
    assert carriers.take_in() == 1 and (folder / "done" / "one.json").exists()
    assert shop.store.order(order.id).status is OrderStatus.SHIPPED
    event_file(folder, "one", order.id, "shipped", tracking="left the depot")
    carriers.take_in()
    history = shop.store.order(order.id).history
    assert [change.status for change in history].count(OrderStatus.SHIPPED) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"order": "1"}',
        b'{"order": "1", "id": "a", "status": "eaten", "at": "2026-11-11T09:00:00Z"}',
        b'{"order": "1", "id": "a", "status": "shipped", "at": "yesterday"}',
        b'{"order": "1", "id": "a", "status": "shipped", "at": "2026-11-11T09:00:00"}',
        b'{"order": "1", "id": "a", "status": "shipped", "at": "0001-01-01T00:00:00+14:00"}',
        b'{"order": "1", "id": "a\\u0000", "status": "shipped", "at": "2026-11-11T09:00:00Z"}',
        b'{"order": 7, "id": "a", "status": "shipped", "at": "2026-11-11T09:00:00Z"}',
        b'{"order": "404", "id": "a", "status": "shipped", "at": "2026-11-11T09:00:00Z"}',
    ],
)
def test_a_bad_file_is_set_aside_with_the_reason(tmp_path, content):
    shop = open_shop(tmp_path / "state")
    folder = tmp_path / "carriers"
    folder.mkdir()
    (folder / "bad-one.json").write_bytes(content)
    assert CarrierFolder(folder, shop.errands.record_carrier_event).take_in() == 0
    assert (folder / "bad" / "bad-one.json").read_bytes() == content
    assert (folder / "bad" / "bad-one.reason.txt").read_text().strip()


def test_a_folder_that_is_gone_silences_nothing(tmp_path):
    shop = open_shop(tmp_path / "state")
    assert CarrierFolder(tmp_path / "gone", shop.errands.record_carrier_event).take_in() == 0


def announcer(shop, quiet, clock):
    return Announcer(shop.store, shop.errands, Replies(load_language("en")), "en", quiet, clock)


def test_news_is_said_once_and_not_in_quiet_hours(tmp_path, on_each_database):
    shop = open_shop(tmp_path / "state")
    order = bought(shop)
    now = datetime.now(UTC)
    shop.errands.record_carrier_event(CarrierEvent(order.id, "e", OrderStatus.OUT_FOR_DELIVERY, now))
    always = announcer(shop, "00:00-23:59", lambda: now.replace(hour=12))
    assert always.due() == ()
    awake = announcer(shop, "", lambda: now)
    assert awake.due() == ("Your parcel arrives today: one carton of oat milk.",)
    assert awake.due() == () and announcer(open_shop(tmp_path / "state"), "", lambda: now).due() == ()


def test_old_news_is_not_said(tmp_path, on_each_database):
    shop = open_shop(tmp_path / "state")
    order = bought(shop)
    now = datetime.now(UTC)
    shop.errands.record_carrier_event(CarrierEvent(order.id, "e", OrderStatus.OUT_FOR_DELIVERY, now))
    shop.errands.record_carrier_event(CarrierEvent(order.id, "f", OrderStatus.DELIVERED, now))
    assert announcer(shop, "", lambda: now).due() == ("Your parcel has arrived: one carton of oat milk.",)


EVENTS = st.lists(st.tuples(st.sampled_from(JOURNEY), st.integers(0, 100)), max_size=8)


@settings(max_examples=60)
@given(EVENTS, st.randoms(use_true_random=False))
def test_the_same_events_end_the_same_way_in_any_order(events, chance):
    known = [
        CarrierEvent("1", str(number), status, NOON + timedelta(minutes=minutes))
        for number, (status, minutes) in enumerate(events)
    ]
    shuffled = chance.sample(known, len(known))
    start = paid_order()
    one, two = with_journey(start, known), with_journey(start, shuffled)
    assert one == two == with_journey(one, known)
    assert len({change.status for change in one.history}) == len(one.history)


def paid_order():
    line = line_for(Product("oat", {"en": "oat milk"}, OAT.price), 1, {})
    history = (StatusChange(OrderStatus.PLACED, NOON), StatusChange(OrderStatus.PAID, NOON))
    return Order("1", "home", "key", (line,), OAT.price, history)


def test_a_carrier_cannot_pay_or_cancel():
    for status in (OrderStatus.PAID, OrderStatus.CANCELLED, OrderStatus.REFUNDED):
        with pytest.raises(OrderError):
            CarrierEvent("1", "e", status, NOON)
