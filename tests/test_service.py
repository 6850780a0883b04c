"""The shop as an HTTP service: a real server process and real clients on the loopback interface, on each database."""

import itertools
import json
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from databases import DATABASES
from household_shop import BREAD, OAT, PRODUCTS, open_shop
from service_process import ServiceProcess

from assistant.commands.main import main
from assistant.service.devices import Devices
from assistant.service.http.access import FailureLimit
from assistant.service.http.answers import TooManyFailures
from assistant.shop.addresses import AddressBook
from assistant.shop.database import open_database
from assistant.shop.orders import OrderStatus
from assistant.shop.promotions.rule_file import parse_rules

RULES = """
currency = "USD"
[[promotions]]
id = "three"
name = "three for two"
multi_buy = { buy = 3, pay = 2 }
skus = ["oat"]
[[promotions]]
id = "spring"
name = "half of everything"
percent_off = 50
coupon = "spring"
stacks = true
"""
KEYS = (f"key-of-an-order-{number}" for number in itertools.count())


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request):
    """Where all shops of the tests are kept."""
    with DATABASES.on(request.getfixturevalue("postgresql") if request.param == "postgresql" else None):
        yield request.param


@pytest.fixture(scope="module")
def service(database, tmp_path_factory):
    process = ServiceProcess(tmp_path_factory.mktemp("service")).start()
    yield process
    process.stop()


@pytest.fixture
def own_service(database, tmp_path):
    process = ServiceProcess(tmp_path).start()
    yield process
    if process.process.poll() is None:
        process.stop(signal.SIGKILL)


def wanted(*lines, total=None, **more):
    """An order of so many of each product, at the right price unless another total is given."""
    right = sum(product.price.minor * quantity for product, quantity in lines)
    return {
        "lines": [{"sku": product.sku, "quantity": quantity} for product, quantity in lines],
        "total": {"minor": right if total is None else total, "currency": "USD"},
    } | more


def place(client, body, key=None):
    return client.post("/v1/orders", json=body, headers={"Idempotency-Key": key or next(KEYS)})


def refused(answer, status, code):
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert set(answer.json()) == {"error"} and set(answer.json()["error"]) == {"code", "message"}
    return answer.json()["error"]["message"]


def test_an_order_is_placed_once_whatever_comes_twice(service):
    client, body, key = service.device("once"), wanted((OAT, 2)), next(KEYS)
    first, second = place(client, body, key), place(client, body, key)
    assert (first.status_code, second.status_code) == (201, 200) and first.json() == second.json()
    order = first.json()
    assert order["status"] == "paid" and order["total"] == {"minor": 600, "currency": "USD"}
    assert client.get("/v1/orders").json()["orders"] == [order]
    assert client.get(f"/v1/orders/{order['id']}").json() == order
    refused(place(client, wanted((OAT, 3)), key), 409, "order_conflict")
    refused(place(client, body | {"address": {"name": "home", "text": "5 Elm Street"}}, key), 409, "order_conflict")


def test_the_same_order_from_many_connections_at_once_is_one_order(service):
    client, body, key = service.device("at-once"), wanted((OAT, 1)), next(KEYS)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: place(client, body, key), range(8)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(client.get("/v1/orders").json()["orders"]) == 1


def test_the_shop_reckons_the_price_itself(service):
    client, key = service.device("prices"), next(KEYS)
    for total in (0, 299, 301):
        assert "3.00 USD" in refused(place(client, wanted((OAT, 1), total=total)), 409, "price_changed")
    body = wanted((OAT, 1), total=1)
    for _ in range(2):
        refused(place(client, body, key), 409, "price_changed")
    euros = {"minor": 300, "currency": "EUR"}
    refused(place(client, wanted((OAT, 1)) | {"total": euros}), 409, "sold_out")
    assert client.get("/v1/orders").json() == {"orders": []}


def test_a_quote_is_the_price_of_the_order_and_keeps_nothing(own_service):
    client, body = own_service.device("asks"), wanted((OAT, 3), (BREAD, 10))
    own_service.shop.store.prices.switch(parse_rules(RULES.encode()))
    quote = client.post("/v1/quotes", json=body).json()
    assert quote == {"total": {"minor": 2800, "currency": "USD"}, "promotions": ["three"]}
    named = client.post("/v1/quotes", json=body | {"promotions": ["three", "spring", "no such thing"]}).json()
    assert named == {"total": {"minor": 1400, "currency": "USD"}, "promotions": ["spring", "three"]}
    assert client.get("/v1/orders").json() == {"orders": []}
    refused(place(client, body), 409, "price_changed")
    assert place(client, body | {"total": named["total"], "promotions": named["promotions"]}).status_code == 201
    once = client.post("/v1/quotes", json=wanted((OAT, 1)) | {"promotions": ["spring"]}).json()
    assert once["promotions"] == [], "the household has used the coupon up"
    other = own_service.device("others").post("/v1/quotes", json=wanted((OAT, 1)) | {"promotions": ["spring"]}).json()
    assert other["promotions"] == ["spring"]
    assert "Only 0 of bread" in refused(client.post("/v1/quotes", json=wanted((BREAD, 1))), 409, "sold_out")


def test_what_is_not_sold_like_this_is_refused(service):
    client = service.device("not-sold")
    for line in ({"sku": "gone", "quantity": 1}, {"sku": "latte", "quantity": 1}):
        body = {"lines": [line], "total": {"minor": 400, "currency": "USD"}}
        refused(place(client, body), 409, "sold_out")
    line = {"sku": "latte", "quantity": 1, "options": {"size": "huge"}}
    refused(place(client, wanted((OAT, 1)) | {"lines": [line]}), 409, "sold_out")
    line["options"] = {"size": "large"}
    order = place(client, {"lines": [line], "total": {"minor": 450, "currency": "USD"}}).json()
    assert order["lines"][0]["options"] == {"size": "large", "roast": "light"}


def test_stock_is_never_oversold(own_service):
    clients = [own_service.device(f"household-{number}") for number in range(4)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda number: place(clients[number % 4], wanted((BREAD, 1))), range(24)))
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [409] * 14
    assert {refused(answer, 409, "sold_out") for answer in answers if answer.status_code == 409}
    assert clients[0].get("/v1/catalog/stock").json()["stock"] == {"bread": 0}
    bought = [answer.json() for answer in answers if answer.status_code == 201]
    paid = [order["id"] for client in clients for order in client.get("/v1/orders").json()["orders"]]
    assert sorted(paid) == sorted(order["id"] for order in bought)


def test_cancelling(own_service):
    client = own_service.device("cancels")
    order = place(client, wanted((BREAD, 2))).json()
    for _ in range(2):
        assert client.post(f"/v1/orders/{order['id']}/cancel").json()["status"] == "refunded"
    assert client.get("/v1/catalog/stock").json()["stock"] == {"bread": 10}
    late = place(client, wanted((BREAD, 1))).json()
    open_shop(own_service.folder, "cancels").store.move_order(late["id"], OrderStatus.SHIPPED)
    assert "shipped" in refused(client.post(f"/v1/orders/{late['id']}/cancel"), 409, "order_invalid")
    assert client.get(f"/v1/orders/{late['id']}").json()["status"] == "shipped"


def test_the_catalog_comes_in_pages_and_only_when_it_changed(own_service):
    client = own_service.device("reader")
    pages, after = [], -1
    while after is not None:
        page = client.get("/v1/catalog/products", params={"after": after, "limit": 2})
        pages += page.json()["products"]
        after = page.json()["next"]
    assert [line["sku"] for line in pages] == [product.sku for product in PRODUCTS]
    tag = page.headers["ETag"]
    same = client.get("/v1/catalog/products", headers={"If-None-Match": tag})
    assert same.status_code == 304 and not same.content
    open_shop(own_service.folder).store.import_catalog(PRODUCTS[:1])
    changed = client.get("/v1/catalog/products", headers={"If-None-Match": tag})
    assert changed.status_code == 200 and changed.headers["ETag"] != tag and len(changed.json()["products"]) == 1


def test_addresses(service):
    client = service.device("addresses")
    assert client.put("/v1/addresses/Grandma", json={"text": "5 Elm  Street"}).json() == {
        "name": "grandma",
        "text": "5 Elm Street",
    }
    refused(client.put("/v1/addresses/4711", json={"text": "5 Elm Street"}), 409, "order_invalid")
    assert len(client.get("/v1/addresses").json()["addresses"]) == 1
    assert client.delete("/v1/addresses/grandma").status_code == 204
    refused(client.delete("/v1/addresses/grandma"), 404, "not_found")
    order = place(client, wanted((OAT, 1), address={"name": "home", "text": "7 Oak Street"})).json()
    sent = AddressBook(service.engine, "addresses").of_order(order["id"])
    assert (sent.name, sent.text) == ("home", "7 Oak Street")


def operations(service):
    for path, methods in service.client(None).get("/openapi.json").json()["paths"].items():
        for method in methods:
            yield method, path


def test_every_operation_is_closed_without_a_valid_token(service):
    revoked = service.devices.add("lost", "closed")
    service.devices.revoke("lost", "closed")
    right = service.devices.add("kept", "closed")
    wrong = right[:-4] + "AAAA"
    for token in (None, "x", wrong, revoked):
        client = service.client(token)
        for method, path in operations(service):
            if path == "/v1/health":
                continue
            path = path.replace("{number}", "4711").replace("{name}", "home")
            answer = client.request(method, path, json={}, headers={"Idempotency-Key": "whatever-key"})
            assert answer.status_code in (401, 422, 429), (method, path, answer.text)
            assert answer.status_code != 422 or method in ("post", "put")
    assert service.client(None).get("/v1/health").json()["status"] == "ok"


def test_another_households_orders_and_addresses_are_unreachable(service):
    owner, stranger = service.device("owner"), service.device("stranger")
    key = next(KEYS)
    order = place(owner, wanted((OAT, 1), address={"name": "home", "text": "1 Secret Lane"}), key).json()
    owner.put("/v1/addresses/hideout", json={"text": "1 Secret Lane"})
    before = owner.get("/v1/orders").text, owner.get("/v1/addresses").text
    tried = set()
    for method, path in operations(service):
        for number, name in ((order["id"], "hideout"), (key, "HIDEOUT"), (f"0{order['id']}", "hideout%00")):
            answer = stranger.request(method, path.replace("{number}", number).replace("{name}", name))
            assert "Secret" not in answer.text and key not in answer.text and '"id"' not in answer.text, answer.text
            if "{" in path:
                assert answer.status_code in (404, 422), (method, path, answer.text)
        tried.add((method, path))
    assert len(tried) >= 9
    for number in range(1000, 1050):  # guessed numbers, and whose they are said to be
        for more in ({"household": "owner"}, {"X-Household": "owner"}):
            found = stranger.get(f"/v1/orders/{number}", params=more, headers=more)
            assert found.status_code == 404
    # The same key means another order in another household, and touches nothing of the first.
    assert place(stranger, wanted((OAT, 2)), key).status_code == 201
    assert (owner.get("/v1/orders").text, owner.get("/v1/addresses").text) == before
    assert not any("voice" in path or "pin" in path or "audit" in path for _, path in operations(service))


def test_wrong_tokens_shut_out_only_whoever_gives_them(own_service):
    right = own_service.devices.add("right", "home")
    wrong = right[:-6] + "AAAAAA"
    codes = [own_service.client(wrong).get("/v1/orders").status_code for _ in range(12)]
    assert codes == [401] * 10 + [429] * 2
    assert own_service.client(right).get("/v1/orders").status_code == 429, (
        "guessing this one's secret stops for a while"
    )
    assert own_service.device("other").get("/v1/orders").status_code == 200


def test_a_minute_later_it_may_be_tried_again():
    now = [0.0]
    limit = FailureLimit(lambda: now[0])
    for _ in range(10):
        limit.check(("here", "device"))
        limit.failed(("here", "device"))
    with pytest.raises(TooManyFailures):
        limit.check(("here", "device"))
    limit.check(("there", "device"))
    now[0] = 60.5
    limit.check(("here", "device"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"lines": [], "total": {"minor": 0, "currency": "USD"}}',
        b'{"lines": [{"sku": "oat", "quantity": 1.5}], "total": {"minor": 300, "currency": "USD"}}',
        b'{"lines": [{"sku": "oat", "quantity": -1}], "total": {"minor": 300, "currency": "USD"}}',
        b'{"lines": [{"sku": "oat", "quantity": true}], "total": {"minor": 300, "currency": "USD"}}',
        b'{"lines": [{"sku": "oat\\u0000", "quantity": 1}], "total": {"minor": 300, "currency": "USD"}}',
        b'{"lines": [{"sku": "oat", "quantity": 1}], "total": {"minor": 300.5, "currency": "USD"}}',
        b'{"lines": [{"sku": "oat", "quantity": 1, "price": 1}], "total": {"minor": 300, "currency": "USD"}}',
        b'{"lines": [{"sku": "\\ud800", "quantity": 1}], "total": {"minor": 300, "currency": "USD"}}',
        b"[" * 30000,
    ],
)
def test_bad_bodies_are_told_what_is_wrong(service, bad_client, content):
    headers = {"Content-Type": "application/json", "Idempotency-Key": "some-fine-key"}
    answer = bad_client.post("/v1/orders", content=content, headers=headers)
    message = refused(answer, 400 if content.startswith(b"[[") else 422, "request_invalid")
    assert message and "Traceback" not in message
    assert bad_client.get("/v1/orders").json() == {"orders": []}


@pytest.fixture(scope="module")
def bad_client(service):
    return service.device("bad")


def test_large_requests_are_refused(service, bad_client):
    headers = {"Content-Type": "application/json", "Idempotency-Key": "some-fine-key"}
    refused(bad_client.post("/v1/orders", content=b" " * 70_000, headers=headers), 413, "too_large")
    pieces = (b" " * 10_000 for _ in range(8))
    refused(bad_client.post("/v1/orders", content=pieces, headers=headers), 413, "too_large")


def test_unknown_paths_and_methods_have_the_same_shape(service, bad_client):
    refused(bad_client.get("/nothing"), 404, "not_found")
    refused(bad_client.patch("/v1/orders"), 405, "method_not_allowed")


def test_trouble_of_the_database_is_logged_and_not_told(own_service):
    client = own_service.device("home")
    with own_service.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE order_lines RENAME TO elsewhere")
        connection.exec_driver_sql("ALTER TABLE orders RENAME TO nowhere")
    answer = client.get("/v1/orders")
    with own_service.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE nowhere RENAME TO orders")
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO order_lines")
    assert refused(answer, 503, "store_failed") and answer.headers["Retry-After"]
    assert str(own_service.folder) not in answer.text and "Traceback" not in answer.text
    assert own_service.stop() == 0 and "store_failed" in own_service.log.read_text()


def test_the_log_has_a_line_for_each_request_and_no_secrets(own_service):
    token = own_service.devices.add("speaker", "home")
    client = own_service.client(token)
    place(client, wanted((OAT, 1), address={"name": "home", "text": "1 Secret Lane"}))
    client.get("/v1/orders?limit=5")
    own_service.client("vc_wrong_token").get("/v1/orders")
    assert own_service.stop() == 0
    lines = [line for line in own_service.log.read_text().splitlines() if "request method=" in line]
    statuses = [re.search(r"status=(\d+)", line)[1] for line in lines]
    assert statuses == ["201", "200", "401"] and "household='home'" in lines[0] and "route=/v1/orders " in lines[1]
    secret = token.rsplit("_", 1)[1]
    assert not any(word in own_service.log.read_text() for word in (secret, "Secret", "vc_wrong", "Bearer", "limit=5"))


def test_orders_under_way_are_finished_when_the_server_is_stopped(own_service):
    client = own_service.device("busy")
    answers, stopping = [], threading.Event()

    def buy():
        while not stopping.is_set():
            try:
                answers.append(place(client, wanted((OAT, 1))))
            except httpx.ConnectError:
                return

    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            pool.submit(buy)
        while len(answers) < 5:
            time.sleep(0.01)
        assert own_service.stop() == 0
        stopping.set()
    assert {answer.status_code for answer in answers} <= {201, 503}


def test_a_killed_server_loses_and_doubles_nothing(own_service):
    """Devices send again until they are answered, while the server is killed under them again and again."""
    households = [f"killed-{number}" for number in range(3)]
    clients = [own_service.device(household) for household in households]
    placed, done = {}, threading.Event()

    def device(client, number):
        while not done.is_set():
            key, body = f"{number}-{next(KEYS)}", wanted((OAT, 1 + number))
            while key not in placed:
                try:
                    answer = place(client, body, key)
                except httpx.TransportError:
                    time.sleep(0.02)
                    continue
                assert answer.status_code in (200, 201, 503), answer.text
                if answer.status_code != 503:
                    placed[key] = answer.json()["id"]

    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(device, client, number) for number, client in enumerate(clients)]
        for _ in range(4):
            known = len(placed)
            while len(placed) < known + 6:
                time.sleep(0.01)
            own_service.stop(signal.SIGKILL)
            own_service.start()
        done.set()
        for one in running:
            one.result()
    kept = {}
    for household in households:
        for order in open_shop(own_service.folder, household).store.orders(None):
            assert order.status is OrderStatus.PAID and order.key not in kept
            kept[order.key] = order.id
    assert kept == placed and len(kept) >= 24


def test_the_commands(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    state = ["--state", str(tmp_path)]
    assert main(["devices", "add", "kitchen", "--household", "home", *state]) == 0
    token = capsys.readouterr().out.strip()
    devices = Devices(open_database(tmp_path))
    assert devices.recognise(token).household == "home"
    assert token.rsplit("_", 1)[1].encode() not in (tmp_path / "voicecart.db").read_bytes()
    assert main(["devices", "--json", *state]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "kitchen"
    assert main(["devices", "add", "kitchen", "--household", "home", *state]) == 2
    assert main(["devices", "revoke", "kitchen", "--household", "other", *state]) == 2
    assert main(["devices", "revoke", *state]) == 2
    assert main(["devices", "revoke", "kitchen", "--household", "home", *state]) == 0
    assert devices.recognise(token) is None
    capsys.readouterr()
    assert main(["serve", "--openapi", *state]) == 0
    assert "/v1/orders/{number}/cancel" in json.loads(capsys.readouterr().out)["paths"]
    assert main(["serve", "--host", "192.0.2.1", *state]) == 2
    assert "Cannot listen on 192.0.2.1" in capsys.readouterr().err
