"""Carriers' signed events: from the carrier's own tools through the service to what the speaker says."""

import json
import re
import secrets
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from household_shop import OAT, OPENING, PRODUCTS, cart_of, check_books, open_shop
from hypothesis import given
from hypothesis import strategies as st
from service_process import ServiceProcess
from speakers import open_speaker, shop_settings

from assistant.announcements import Announcer
from assistant.commands.main import main
from assistant.errors import AccessDenied, SettingsError
from assistant.languages.language import load_language
from assistant.pay.wallet import Answer
from assistant.service.client.delivery import Delivery
from assistant.service.signature import HEADER, WINDOW_SECONDS, SignedMessages, read_keys, sign
from assistant.shop.carrier_events import tracking_texts
from assistant.shop.orders import OrderStatus
from assistant.talk.replies import Replies

OLD_KEY, KEY = secrets.token_hex(32), secrets.token_hex(32)
NOW = 1_800_000_000
PATH = "/v1/carrier-events"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    keys = folder / "carrier.key"
    keys.touch(0o600)
    keys.write_text(f"{OLD_KEY}\n{KEY}\n")
    process = ServiceProcess(folder, carrier_key_file=str(keys)).start()
    yield process
    process.stop()


@pytest.fixture
def household(request):
    return request.node.name[:60]


@pytest.fixture
def bought(tmp_path, service, household):
    """A speaker, its delivery, and the shop's number of the order that it has placed."""
    shop, delivery, _ = open_speaker(tmp_path, shop_settings(tmp_path, service, household))
    shop.store.import_catalog(PRODUCTS)
    order = shop.store.begin_order(cart_of((OAT, 1)), "one")
    assert shop.wallet.authorise(order.id, order.total) is Answer.APPROVED
    shop.store.complete_order(order.id)
    assert delivery.deliver() == 1
    return shop, delivery, shop.store.outbox.of_order(order.id).number


def event(household, order, name="one", status="shipped", **more):
    fields = {"household": household, "order": order, "id": name, "status": status, "at": "2026-11-11T09:00:00Z"}
    return fields | more


def send(service, fields, key=KEY, at=None, header=None, body=None):
    body = json.dumps(fields).encode() if body is None else body
    header = sign(key, int(time.time()) if at is None else at, body) if header is None else header
    headers = {"Content-Type": "application/json"} | ({HEADER: header} if header else {})
    with service.client(None) as client:
        return client.post(PATH, content=body, headers=headers)


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


def at_the_shop(service, household, number):
    return open_shop(service.folder, household).store.order(number)


def test_what_the_carrier_tells_is_what_the_speaker_says(service, household, bought):
    shop, delivery, number = bought
    assert send(service, event(household, number, tracking="left the depot")).json() == {
        "order": number,
        "status": "shipped",
    }
    on_its_way = event(household, number, "two", "out_for_delivery", at="2026-11-12T07:00:00+08:00", tracking="van 7")
    for key in (OLD_KEY, KEY):
        assert send(service, on_its_way, key).json()["status"] == "out_for_delivery"
    for _ in range(2):
        delivery.take_news()
    (order,) = shop.store.orders()
    assert order.status is OrderStatus.OUT_FOR_DELIVERY
    assert tracking_texts(shop.engine, household) == {order.id: "van 7"}
    now = datetime.now(UTC)
    replies = Replies(load_language("en"))
    quiet = Announcer(shop.store, shop.errands, replies, "en", "00:00-23:59", lambda: now.replace(hour=12))
    assert quiet.due() == ()
    awake = Announcer(shop.store, shop.errands, replies, "en", "", lambda: now)
    assert awake.due() == ("Your parcel arrives today: one carton of oat milk.",) and awake.due() == ()
    # The carrier's words alone may change, and may stay while the parcel moves.
    send(service, event(household, number, "three", "out_for_delivery", at="2026-11-12T09:00:00Z", tracking="van 8"))
    delivery.take_news()
    assert tracking_texts(shop.engine, household) == {order.id: "van 8"} and awake.due() == ()
    send(service, event(household, number, "four", "delivered", at="2026-11-12T10:00:00Z"))
    for another in (delivery, Delivery(shop.store, shop.errands)):
        another.take_news()
    assert awake.due() == ("Your parcel has arrived: one carton of oat milk.",)


def test_a_parcel_that_came_back_is_refunded_by_the_speaker(service, household, bought):
    shop, delivery, number = bought
    send(service, event(household, number, "two", "returned"))
    send(service, event(household, number, "one", "shipped", at="2026-11-10T09:00:00Z"))
    delivery.take_news()
    assert shop.store.orders()[0].status is OrderStatus.REFUNDED and shop.wallet.balance() == OPENING
    check_books(shop, household)


def test_an_event_counts_once(service, household, bought):
    number = bought[2]
    first = send(service, event(household, number))
    assert first.status_code == 200 and send(service, event(household, number)).json() == first.json()
    statuses = [change.status for change in at_the_shop(service, household, number).history]
    assert statuses.count(OrderStatus.SHIPPED) == 1
    assert code(send(service, event(household, number, status="delivered"))) == (409, "order_invalid")
    assert at_the_shop(service, household, number).status is OrderStatus.SHIPPED


def test_unknown_parcels_are_answered_clearly(service, household, bought):
    number = bought[2]
    for fields in (event(household, "1"), event("nobody", number), event(household, "0" + number)):
        answer = send(service, fields)
        assert code(answer) == (404, "not_found") and fields["order"] in answer.json()["error"]["message"]
    assert at_the_shop(service, household, number).status is OrderStatus.PAID


def test_what_is_not_signed_as_it_came_changes_nothing(service, household, bought):
    number = bought[2]
    fields = event(household, number, status="delivered")
    body, now = json.dumps(fields).encode(), int(time.time())
    right = sign(KEY, now, body)
    token = service.devices.add("thief", household)
    refused = [
        send(service, fields, header=""),
        send(service, fields, header=right.upper()),
        send(service, fields, header=right[:-1]),
        send(service, fields, header=right.replace(f"t={now}", f"t={now + 1}")),
        send(service, fields, header=sign(token, now, body)),
        send(service, fields, body=body.replace(b"delivered", b"returned"), header=right),
        send(service, fields, body=body + b" ", header=right),
        send(service, fields, at=now - WINDOW_SECONDS - 60),
        send(service, fields, at=now + WINDOW_SECONDS + 60),
    ]
    assert [code(answer) for answer in refused] == [(401, "access_denied")] * len(refused)
    with service.client(token) as client:
        assert client.post(PATH, content=body, headers={"Content-Type": "application/json"}).status_code == 401
    assert at_the_shop(service, household, number).status is OrderStatus.PAID
    assert send(service, fields, header=f"{sign('x' * 32, now, body)},{right.split(',')[1]}").status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"status": "paid"},
        {"status": "cancelled"},
        {"order": "47 21"},
        {"order": 4721},
        {"id": ""},
        {"id": "x" * 65},
        {"id": "a\u0000b"},
        {"at": "yesterday"},
        {"at": "2026-11-11T09:00:00"},
        {"tracking": "x" * 201},
        {"paid": True},
        {"household": "\ud800"},
    ],
)
def test_bad_events_are_told_what_is_wrong(service, change):
    answer = send(service, event("home", "4721") | change)
    assert code(answer) == (422, "request_invalid") and next(iter(change)) in answer.json()["error"]["message"]


def test_times_that_no_carrier_means_are_refused(service, household, bought):
    for at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        assert code(send(service, event(household, bought[2], at=at))) == (409, "order_invalid")


def test_the_documented_command_works(service, household, bought, tmp_path):
    number = bought[2]
    documented = (Path(__file__).parents[1] / "docs" / "service.md").read_text()
    (script,) = re.findall(r"```sh\n(key=.*?)```", documented, re.DOTALL)
    (tmp_path / "carrier.key").write_text(KEY + "\n")
    script = script.replace("4721", number).replace("smith", household).replace(":8470", f":{service.port}")
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == {"order": number, "status": "shipped"}


def test_a_shop_without_keys_takes_no_events(tmp_path):
    process = ServiceProcess(tmp_path).start()
    try:
        answer = send(process, event("home", "4721"))
        assert code(answer) == (401, "access_denied") and "carrier_key_file" in answer.json()["error"]["message"]
    finally:
        process.stop()


@pytest.mark.parametrize(
    ("content", "mode"),
    [(KEY, 0o644), ("short", 0o600), ("", 0o600), ("two words", 0o600)],
    ids=["read by others", "short", "empty", "two words"],
)
def test_keys_that_cannot_be_used_are_refused(tmp_path, capsys, content, mode):
    keys = tmp_path / "carrier.key"
    keys.write_text(content)
    keys.chmod(mode)
    with pytest.raises(SettingsError):
        read_keys(str(keys))
    (tmp_path / "voicecart.toml").write_text(f'[shop]\ncarrier_key_file = "{keys}"\n')
    assert main(["serve", "--config", str(tmp_path / "voicecart.toml"), "--state", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert str(keys) in told or "openssl rand" in told
    assert KEY not in told


@given(st.text(max_size=80) | st.from_regex(r"t=[0-9]{1,14}(,v1=[0-9a-f]{64}){1,6}", fullmatch=True), st.binary())
def test_whatever_is_no_signature_is_refused(header, body):
    with pytest.raises(AccessDenied):
        SignedMessages([KEY], lambda: NOW).check(header, body)


@given(st.binary(), st.integers(-2 * WINDOW_SECONDS, 2 * WINDOW_SECONDS))
def test_what_is_signed_counts_for_a_while(body, late):
    messages, header = SignedMessages([OLD_KEY, KEY], lambda: NOW + late), sign(KEY, NOW, body)
    if abs(late) <= WINDOW_SECONDS:
        messages.check(header, body)
        with pytest.raises(AccessDenied):
            messages.check(header, body + b"!")
    else:
        with pytest.raises(AccessDenied, match="Sign it anew"):
            messages.check(header, body)
