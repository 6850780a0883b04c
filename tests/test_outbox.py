"""A device that sells for a shop elsewhere: every paid order reaches it once, whoever dies and whatever is lost."""

import os
import random
import signal
import socket
import sys
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from household_shop import BREAD, OAT, OPENING, PRODUCTS, cart_of, check_books, open_shop
from service_process import ServiceProcess
from speakers import Clock, open_speaker, shop_settings
from sqlalchemy import event

from assistant.announcements import Announcer
from assistant.commands.main import main
from assistant.errors import OrderError, PaymentUnavailable, ServiceUnavailable, SettingsError
from assistant.languages.language import load_language
from assistant.pay.ledger import Account
from assistant.pay.wallet import Answer
from assistant.service.client.catalog_sync import CatalogSync
from assistant.service.client.serviced_store import ServicedStore
from assistant.service.client.shop_service import Refused, ShopService
from assistant.service.client.worker import ServiceWorker
from assistant.settings import Settings
from assistant.settings_file import changed
from assistant.shop.addresses import Address
from assistant.shop.database import open_database
from assistant.shop.orders import OrderStatus
from assistant.shop.outbox import Stage
from assistant.storefront import open_storefront
from assistant.talk.replies import Replies


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    process = ServiceProcess(tmp_path_factory.mktemp("service")).start()
    yield process
    process.stop()


@pytest.fixture
def speaker(tmp_path, service, request):
    settings = shop_settings(tmp_path, service, request.node.name[:60])
    shop, delivery, clock = open_speaker(tmp_path, settings)
    shop.store.import_catalog(PRODUCTS)
    return shop, delivery, clock


def buy(shop, cart, key, address=None):
    order = shop.store.begin_order(cart, key)
    if address:
        shop.errands.send(order.id, address)
    assert shop.wallet.authorise(order.id, order.total) is Answer.APPROVED
    return shop.store.complete_order(order.id)


def at_the_shop(service, household):
    return open_shop(service.folder, household).store.orders(None)


def household_of(shop):
    return shop.store._household


def test_a_paid_order_reaches_the_shop_once(speaker, service):
    shop, delivery, _ = speaker
    order = buy(shop, cart_of((OAT, 2)), "one", Address("home", "5 Elm Street"))
    assert [parcel.stage for parcel in shop.store.outbox.parcels()] == [Stage.WAITING]
    assert delivery.deliver() == 1 and delivery.deliver() == 0
    (there,) = at_the_shop(service, household_of(shop))
    assert (there.total, there.status) == (order.total, OrderStatus.PAID)
    sent = open_shop(service.folder, household_of(shop))
    assert sent.store.order(there.id) == there
    parcel = shop.store.outbox.of_order(order.id)
    assert (parcel.stage, parcel.number) == (Stage.DELIVERED, there.id)


def test_an_order_that_was_not_paid_is_never_sent(speaker, service):
    shop, delivery, _ = speaker
    order = shop.store.begin_order(cart_of((OAT, 1)), "one")
    with pytest.raises(PaymentUnavailable):
        shop.store.complete_order(order.id)
    shop.store.abandon_order(order.id)
    assert delivery.deliver() == 0 and not shop.store.outbox.parcels()
    assert not at_the_shop(service, household_of(shop))


def test_what_the_shop_refuses_is_refunded_and_told(speaker, service):
    shop, delivery, _ = speaker
    dearer = [OAT.__class__(OAT.sku, OAT.names, OAT.price + OAT.price, unit=OAT.unit)]
    shop.store.import_catalog(dearer)
    order = buy(shop, cart_of((dearer[0], 1)), "one")
    assert delivery.deliver() == 0
    assert shop.store.order(order.id).status is OrderStatus.REFUNDED
    assert shop.wallet.balance() == OPENING and shop.store.outbox.of_order(order.id).stage is Stage.OVER
    announcer = Announcer(shop.store, shop.errands, Replies(load_language("en")), "en", "", lambda: datetime.now(UTC))
    assert announcer.due() == ("Your order of one carton of oat milk is cancelled. You get your money back.",)
    assert announcer.due() == () and not at_the_shop(service, household_of(shop))
    check_books(shop, household_of(shop))


def test_a_shop_that_is_away_is_asked_again_ever_later(tmp_path, service):
    settings = shop_settings(tmp_path, service, "away", "http://127.0.0.1:9")
    shop, delivery, clock = open_speaker(tmp_path, settings)
    shop.store.import_catalog(PRODUCTS)
    order = buy(shop, cart_of((OAT, 1)), "one")
    waits = []
    for _ in range(10):
        assert delivery.deliver() == 0 and delivery.deliver() == 0
        parcel = shop.store.outbox.of_order(order.id)
        begun = clock.now
        while shop.store.outbox.of_order(order.id).attempts == parcel.attempts:
            clock.now += timedelta(seconds=0.5)
            delivery.deliver()
        waits.append((clock.now - begun).total_seconds())
        if len(waits) == 4:
            break
    assert all(0.5 * 2**number <= wait <= 2 ** (number + 1) + 1 for number, wait in enumerate(waits)), waits
    with pytest.raises(PaymentUnavailable):
        shop.store.cancel_order(order.id)  # nobody knows whether the shop has it
    assert shop.store.order(order.id).status is OrderStatus.PAID
    back, delivery, _ = open_speaker(tmp_path, shop_settings(tmp_path, service, "away"), clock)
    clock.now += timedelta(hours=1)
    assert delivery.deliver() == 1
    assert back.store.cancel_order(order.id).status is OrderStatus.REFUNDED
    (there,) = at_the_shop(service, "away")
    assert there.status is OrderStatus.REFUNDED and back.wallet.balance() == OPENING


def test_an_order_that_was_never_sent_is_cancelled_without_the_shop(speaker, service):
    shop, delivery, _ = speaker
    order = buy(shop, cart_of((BREAD, 1)), "one")
    assert shop.store.cancel_order(order.id).status is OrderStatus.REFUNDED
    assert delivery.deliver() == 0 and not at_the_shop(service, household_of(shop))


def test_the_shop_decides_whether_it_is_too_late_to_cancel(speaker, service):
    shop, delivery, _ = speaker
    order = buy(shop, cart_of((OAT, 1)), "one")
    delivery.deliver()
    (there,) = at_the_shop(service, household_of(shop))
    open_shop(service.folder, household_of(shop)).store.move_order(there.id, OrderStatus.SHIPPED)
    with pytest.raises(OrderError, match="shipped"):
        shop.store.cancel_order(order.id)
    assert shop.store.order(order.id).status is OrderStatus.PAID and shop.wallet.balance() != OPENING


def test_news_of_the_shop_moves_the_orders_here(speaker, service):
    shop, delivery, _ = speaker
    orders = [buy(shop, cart_of((OAT, 1)), "shipped"), buy(shop, cart_of((BREAD, 1)), "cancelled")]
    delivery.deliver()
    far = open_shop(service.folder, household_of(shop)).store
    numbers = [shop.store.outbox.of_order(order.id).number for order in orders]
    far.move_order(numbers[0], OrderStatus.SHIPPED)
    far.move_order(numbers[0], OrderStatus.OUT_FOR_DELIVERY)
    with service.device(household_of(shop), "another speaker") as other:
        assert other.post(f"/v1/orders/{numbers[1]}/cancel").status_code == 200
    for _ in range(2):
        delivery.take_news()
        assert [shop.store.order(order.id).status for order in orders] == [
            OrderStatus.OUT_FOR_DELIVERY,
            OrderStatus.REFUNDED,
        ]
    kinds = sorted(notice.kind for notice in shop.errands.notices.waiting())
    assert kinds == ["out_for_delivery", "refunded"]
    assert shop.wallet.balance() == OPENING - OAT.price
    check_books(shop, household_of(shop))


class CuttingProxy:
    """A network between device and shop that cuts connections: before the request, in it, or before the answer."""

    def __init__(self, port):
        self.port = port
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.cuts = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def close(self):
        self.listening.close()

    def _accept(self):
        while True:
            try:
                near, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near):
        with near, socket.create_connection(("127.0.0.1", self.port)) as far:
            while data := near.recv(65536):
                cut = self.cuts.pop(0) if self.cuts else ""
                if cut == "request":
                    far.sendall(data[: len(data) // 2])
                    return
                far.sendall(_rest(near, data))
                if cut == "gone":
                    return
                answer = _rest(far, b"")
                if cut == "answer":
                    near.sendall(answer[: len(answer) // 2])
                if cut:
                    return
                near.sendall(answer)


def _rest(connection, data):
    """A whole message, of which ``data`` has come already; what there is when the other side has gone away."""
    while not _whole(data) and (more := connection.recv(65536)):
        data += more
    return data


def _whole(data):
    head, end, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end) and len(body) >= (int(lengths[0]) if lengths else 0)


def test_cut_connections_lose_and_double_nothing(tmp_path, service):
    proxy = CuttingProxy(service.port)
    shop, delivery, clock = open_speaker(tmp_path, shop_settings(tmp_path, service, "cut", proxy.address))
    shop.store.import_catalog(PRODUCTS)
    chance = random.Random(3)
    orders = {}
    for number in range(12):
        order = buy(shop, cart_of((OAT, 1 + number % 3)), f"cut {number}")
        orders[order.id] = order
        proxy.cuts += chance.choices(("request", "gone", "lost", "answer", ""), k=3)
        delivery.deliver()
    for _ in range(40):
        clock.now += timedelta(hours=1)
        delivery.deliver()
        if not shop.store.outbox.parcels(Stage.WAITING):
            break
    proxy.close()
    parcels = shop.store.outbox.parcels()
    assert sum(parcel.attempts for parcel in parcels) > len(parcels), "some were sent again"
    there = {order.id: order.total for order in at_the_shop(service, "cut")}
    assert len(there) == len(orders) == 12
    assert there == {parcel.number: orders[parcel.order_id].total for parcel in parcels}


def child(work):
    """Starts a real process that does ``work``; its number."""
    process = os.fork()
    if process:
        return process
    try:
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


class KilledAt:
    """Kills its own process, as ``kill -9`` would, at the n-th moment before or after anything the database is told."""

    def __init__(self, engine, step):
        self.left = step
        for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(engine, name, self.moment)

    def moment(self, *args):
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


def test_a_killed_device_loses_and_doubles_nothing(tmp_path, service):
    """The device dies at moments spread over payment and delivery, and is started again each time."""
    settings = shop_settings(tmp_path, service, "killed")
    shop, _, _ = open_speaker(tmp_path, settings)
    shop.store.import_catalog(PRODUCTS)
    shop.engine.dispose()
    killed = 0
    for step in range(1, 200, 6):

        def work(step=step):
            shop, delivery, _ = open_speaker(tmp_path, settings)
            KilledAt(shop.engine, step)
            order = buy(shop, cart_of((OAT, 1)), f"killed {step}")
            delivery.deliver()
            if step % 5 == 0:
                shop.store.cancel_order(order.id)

        code = os.waitstatus_to_exitcode(os.waitpid(child(work), 0)[1])
        assert code in (0, -signal.SIGKILL)
        killed += code != 0
        shop, delivery, _ = open_speaker(tmp_path, settings, later := Clock())
        later.now += timedelta(hours=1 + step)
        shop.store.recover()
        delivery.deliver()
        shop.engine.dispose()
    assert killed >= 15
    shop, delivery, _ = open_speaker(tmp_path, settings)
    delivery.take_news()
    check_books(shop, "killed")
    assert shop.wallet.account(Account.HELD).minor == 0
    parcels = {parcel.order_id: parcel for parcel in shop.store.outbox.parcels()}
    assert {parcel.stage for parcel in parcels.values()} <= {Stage.DELIVERED, Stage.OVER}
    there = {order.id: order for order in at_the_shop(service, "killed")}
    here = shop.store.orders(None)
    kept = [order for order in here if order.status is OrderStatus.PAID]
    assert sorted(parcels[order.id].number for order in kept) == sorted(
        number for number, order in there.items() if order.status is OrderStatus.PAID
    )
    assert {order.id for order in here} == set(parcels) and len(kept) > 5


def test_orders_reach_a_shop_that_is_killed_and_comes_back(tmp_path):
    far = tmp_path / "far"
    service = ServiceProcess(far).start()
    near = tmp_path / "near"
    near.mkdir()
    shop, delivery, clock = open_speaker(near, shop_settings(near, service, "home"))
    shop.store.import_catalog(PRODUCTS)
    for number in range(6):
        buy(shop, cart_of((OAT, 1)), f"order {number}")
        if number % 2:
            killer = threading.Timer(random.Random(number).uniform(0, 0.1), service.stop, [signal.SIGKILL])
            killer.start()
        delivery.deliver()
        if number % 2:
            killer.join()
            service.start()
        clock.now += timedelta(hours=1)
        delivery.deliver()
    service.stop()
    parcels = shop.store.outbox.parcels()
    assert {parcel.stage for parcel in parcels} == {Stage.DELIVERED}
    assert sorted(parcel.number for parcel in parcels) == sorted(order.id for order in at_the_shop(service, "home"))


def test_the_catalog_is_taken_in_when_it_changes_and_the_stock_always(tmp_path):
    service = ServiceProcess(tmp_path / "far").start()
    near = tmp_path / "near"
    near.mkdir()
    settings = shop_settings(near, service, "home")
    engine = open_database(near)
    sync = CatalogSync(engine, ShopService(settings.service, settings.service_token_file))
    shop = open_shop(near)
    assert sync.sync() is True and shop.store.products() == open_shop(service.folder).store.products()
    assert sync.sync() is False
    buy(open_shop(service.folder, "other"), cart_of((BREAD, 4)), "far away")
    assert sync.sync() is False and {p.sku: p.stock for p in shop.store.products()}["bread"] == 6
    shop.store.import_catalog([OAT])  # something else was imported here
    assert sync.sync() is True and len(shop.store.products()) == 3
    open_shop(service.folder).store.import_catalog([BREAD])
    assert sync.sync() is True and [product.sku for product in shop.store.products()] == ["bread"]
    service.stop(signal.SIGKILL)
    with pytest.raises(ServiceUnavailable):
        sync.sync()
    assert [product.sku for product in shop.store.products()] == ["bread"]


def test_the_worker_delivers_while_the_device_runs(speaker, service):
    shop, delivery, _ = speaker
    sync = CatalogSync(shop.engine, shop.store.service)
    news = []
    now = [0.0]
    worker = ServiceWorker(delivery, sync, 600.0, lambda: news.append("catalog"), lambda: now[0])
    order = buy(shop, cart_of((OAT, 1)), "one")
    worker.start()
    while shop.store.outbox.of_order(order.id).stage is Stage.WAITING:
        time.sleep(0.05)
    worker.stop()
    assert news == []
    now[0] = 700.0
    worker.work()
    assert news == ["catalog"]
    worker.work()
    assert news == ["catalog"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"service": "http://shop.example.com"}, SettingsError),
        ({"service": "ftp://127.0.0.1"}, SettingsError),
        ({"service_token_file": ""}, SettingsError),
        ({"service_token_file": "/nowhere/token"}, SettingsError),
    ],
)
def test_settings_that_cannot_be_used_say_so(tmp_path, service, change, error):
    shop = {"service": service.address, "service_token_file": str(tmp_path / "none")} | change
    with pytest.raises(error, match=r"shop\.service|token"):
        ShopService(shop["service"], shop["service_token_file"]).orders()


def test_without_its_library_the_shop_is_not_asked_and_says_so(tmp_path, service, monkeypatch):
    settings = shop_settings(tmp_path, service, "bare")
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(SettingsError, match="pip install"):
        ShopService(settings.service, settings.service_token_file).orders()


def test_no_order_is_begun_that_could_never_be_sent(tmp_path, service):
    settings = shop_settings(tmp_path, service, "lost")
    Path(settings.service_token_file).unlink()
    shop, delivery, _ = open_speaker(tmp_path, settings)
    shop.store.import_catalog(PRODUCTS)
    with pytest.raises(SettingsError, match="token"):
        shop.store.begin_order(cart_of((OAT, 1)), "one")
    with pytest.raises(SettingsError, match="token"):
        delivery.deliver()
    assert not shop.store.recover() and not shop.store.orders()


def test_a_refund_that_has_to_wait_holds_up_no_other(speaker, service, monkeypatch):
    shop, delivery, _ = speaker
    dearer = [OAT.__class__(OAT.sku, OAT.names, OAT.price + OAT.price, unit=OAT.unit)]
    shop.store.import_catalog(dearer)
    first, second = (buy(shop, cart_of((dearer[0], 1)), key) for key in ("one", "two"))
    waits = min(first.id, second.id)
    undo = shop.store.undo_order

    def refund(order_id):
        if order_id == waits:
            raise PaymentUnavailable("the bank is closed")
        return undo(order_id)

    monkeypatch.setattr(shop.store, "undo_order", refund)
    delivery.deliver()
    standing = {order.id for order in (first, second) if shop.store.order(order.id).status is OrderStatus.PAID}
    assert standing == {waits}
    monkeypatch.undo()
    delivery.deliver()
    assert shop.store.order(waits).status is OrderStatus.REFUNDED and shop.wallet.balance() == OPENING


def test_a_token_that_others_may_read_is_not_used(tmp_path, service):
    token = tmp_path / "token"
    token.write_text("vc_x")
    token.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        ShopService(service.address, str(token)).orders()


def test_a_wrong_token_leaves_the_order_waiting(tmp_path, service):
    settings = shop_settings(tmp_path, service, "revoked")
    service.devices.revoke("speaker", "revoked")
    shop, delivery, _ = open_speaker(tmp_path, settings)
    shop.store.import_catalog(PRODUCTS)
    order = buy(shop, cart_of((OAT, 1)), "one")
    delivery.deliver()
    assert shop.store.outbox.of_order(order.id).stage is Stage.WAITING
    assert shop.store.order(order.id).status is OrderStatus.PAID


def test_a_refusal_is_final_only_when_the_shop_says_so(service, tmp_path):
    settings = shop_settings(tmp_path, service, "final")
    client = ShopService(settings.service, settings.service_token_file)
    body = '{"lines": [{"sku": "oat", "quantity": 1}], "total": {"minor": %d, "currency": "USD"}}'
    assert isinstance(client.place("a-key-of-mine", body % 1), Refused)
    assert client.place("another-key", body % 300).status is OrderStatus.PAID
    with pytest.raises(ServiceUnavailable):
        client.place("another-key", body % 301)  # the shop has an order of that key: nothing may be refunded


def test_settings_lead_to_the_service_and_the_command_syncs(tmp_path, service, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    values = shop_settings(tmp_path, service, "command")
    changes = {"service": values.service, "service_token_file": values.service_token_file}
    shop = open_storefront(changed(Settings(), {"shop": changes}), tmp_path)
    assert isinstance(shop.store, ServicedStore)
    config = tmp_path / "voicecart.toml"
    config.write_text("[shop]\n" + "".join(f'{key} = "{value}"\n' for key, value in changes.items()))
    assert main(["catalog", "sync", "--config", str(config), "--state", str(tmp_path)]) == 0
    assert "are new" in capsys.readouterr().out and len(shop.store.products()) == 3
    assert main(["catalog", "sync", "--state", str(tmp_path)]) == 2
