"""What the shop offers reaches its speakers: catalog and promotions in one piece, and the same bill on both sides."""

from datetime import UTC, datetime, timedelta

import pytest
from household_shop import BREAD, LATTE, OAT, OPENING, PRODUCTS, cart_of, check_books, dollars, open_shop
from service_process import ServiceProcess
from speakers import open_speaker, shop_settings
from spoken_shop import SpokenShop

from assistant.announcements import Announcer
from assistant.errors import PriceChanged, ServiceUnavailable, SoldOut, StoreError
from assistant.languages.language import load_language
from assistant.pay.wallet import Answer
from assistant.service.client import catalog_sync
from assistant.service.client.shop_service import ShopService
from assistant.service.client.worker import ServiceWorker
from assistant.shop.orders import OrderStatus
from assistant.shop.outbox import Stage
from assistant.shop.product import Product
from assistant.shop.promotions.rule_file import parse_rules
from assistant.talk.replies import Replies

RULES = """
currency = "USD"
[[promotions]]
id = "oat-3-2"
name = "three for two on oat milk"
multi_buy = { buy = 3, pay = 2 }
skus = ["oat"]
[[promotions]]
id = "spring"
name = "spring ten"
percent_off = 10
coupon = "spring ten"
stacks = true
[[promotions]]
id = "club"
name = "the member price"
price = 2.00
skus = ["bread"]
programme = "club"
[[promotions]]
id = "staff"
name = "the staff price"
price = 0.50
skus = ["bread"]
programme = "staff"
[[deposits]]
name = "deposit"
amount = 0.25
skus = ["oat"]
[taxes]
included = false
[[taxes.rates]]
name = "sales tax"
percent = 8.25
"""
HALF_PRICE = RULES.replace("percent_off = 10", "percent_off = 50")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    process = ServiceProcess(tmp_path_factory.mktemp("service"), programmes=["club"]).start()
    yield process
    process.stop()


@pytest.fixture(autouse=True)
def offered(service):
    """Every test begins with the same offer."""
    offer(service)


def offer(service, rules=RULES, products=PRODUCTS):
    store = open_shop(service.folder).store
    store.import_catalog(products)
    store.prices.switch(parse_rules(rules.encode()))


class Speaker:
    """A speaker of the fleet that has taken in what the shop offers."""

    def __init__(self, folder, service, household, name="speaker", address=None):
        folder.mkdir(exist_ok=True)
        self.settings = shop_settings(folder, service, household, address, name)
        self.shop, self.delivery, self.clock = open_speaker(folder, self.settings)
        self.store = self.shop.store
        if address is None:
            self.store.sync.sync()

    def begin(self, *lines):
        cart = cart_of(*lines).repriced(self.store.shelf())
        return self.store.begin_order(cart, f"key {len(self.store.outbox.parcels())} {lines}", self.total(cart))

    def total(self, cart):
        return self.store.prices.pricing().bill(cart, self.store.shelf()).total

    def pay(self, order):
        assert self.shop.wallet.authorise(order.id, order.total) is Answer.APPROVED
        return self.store.complete_order(order.id)


@pytest.fixture
def household(request):
    return request.node.name[:60]


@pytest.fixture
def speaker(tmp_path, service, household):
    return Speaker(tmp_path / "near", service, household)


def at_the_shop(service, household):
    return {order.id: order for order in open_shop(service.folder, household).store.orders(None)}


def test_the_bill_of_the_speaker_is_the_shops(speaker, service, household):
    carts = [[(OAT, 3)], [(OAT, 7), (BREAD, 1)], [(BREAD, 2)], [(LATTE, 1)], [(LATTE, 3), (OAT, 2), (BREAD, 1)]]
    orders = [speaker.pay(speaker.begin(*lines)) for lines in carts]
    speaker.store.prices.name_coupon("spring")
    orders.append(speaker.pay(speaker.begin((OAT, 4), (BREAD, 1))))
    references = {charge.reference for order in orders for charge in order.charges}
    assert {"oat-3-2", "spring", "club", "825"} <= references and "staff" not in references
    assert speaker.delivery.deliver() == len(orders)
    there = at_the_shop(service, household)
    for order in orders:
        same = there[speaker.store.outbox.of_order(order.id).number]
        assert (same.total, same.lines) == (order.total, order.lines)
        assert [(charge.kind, charge.line, charge.amount) for charge in same.charges] == [
            (charge.kind, charge.line, charge.amount) for charge in order.charges
        ]


def test_both_are_switched_over_or_neither(speaker, service, monkeypatch):
    before = (speaker.store.products(), speaker.store.prices.rules(), speaker.store.sync.version())
    dearer = Product(OAT.sku, OAT.names, dollars("9.00"), unit=OAT.unit)
    offer(service, HALF_PRICE, (dearer, BREAD))

    def refuse(*arguments):
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(catalog_sync, "switch_rules", refuse)
        with pytest.raises(StoreError):
            speaker.store.sync.sync()
    assert (speaker.store.products(), speaker.store.prices.rules(), speaker.store.sync.version()) == before
    assert speaker.store.sync.sync() is True and speaker.store.sync.sync() is False
    far = open_shop(service.folder).store
    assert speaker.store.products() == far.products() and speaker.store.products()[1].stock == BREAD.stock
    assert [one.deal for one in speaker.store.prices.rules().promotions] == [
        one.deal for one in far.prices.rules().promotions if one.programme != "staff"
    ]


def test_a_speaker_learns_only_what_is_for_its_household_and_only_when_it_changed(service, household):
    with service.device(household) as client:
        answer = client.get("/v1/catalog/promotions")
        assert "staff" not in answer.text and "programme" not in answer.text and "the member price" in answer.text
        known = {"If-None-Match": answer.headers["ETag"]}
        assert client.get("/v1/catalog/promotions", headers=known).status_code == 304
        open_shop(service.folder).store.prices.switch(parse_rules(HALF_PRICE.encode()))
        changed = client.get("/v1/catalog/promotions", headers=known)
        assert changed.status_code == 200 and changed.json()["catalog"] == answer.json()["catalog"]
        known = {"If-None-Match": changed.headers["ETag"]}
        open_shop(service.folder).store.import_catalog([OAT])
        assert client.get("/v1/catalog/promotions", headers=known).status_code == 200


def test_only_the_promotions_are_fetched_when_only_they_changed(speaker, service, monkeypatch):
    open_shop(service.folder).store.prices.switch(parse_rules(HALF_PRICE.encode()))
    monkeypatch.delattr(ShopService, "products")
    assert speaker.store.sync.sync() is True
    assert speaker.store.prices.rules().promotions[1].deal.basis_points == 5000


def test_rules_that_are_not_understood_change_nothing(speaker, service, monkeypatch):
    before = speaker.store.sync.version()
    page = speaker.store.service.promotions().model_copy(
        update={"rules": {"currency": "USD", "lottery": []}, "tag": "x"}
    )
    monkeypatch.setattr(ShopService, "promotions", lambda service, known="": page)
    with pytest.raises(ServiceUnavailable, match="Update Voicecart"):
        speaker.store.sync.sync()
    assert speaker.store.sync.version() == before


def test_another_price_at_the_shop_is_taken_in_before_anything_is_paid(speaker, service):
    offer(service, RULES.replace("buy = 3, pay = 2", "buy = 3, pay = 1"))
    with pytest.raises(PriceChanged):
        speaker.begin((OAT, 3))
    order = speaker.pay(speaker.begin((OAT, 3)))
    assert order.total < dollars("6.00") and speaker.delivery.deliver() == 1


def test_what_the_shop_does_not_have_is_not_paid(speaker, service):
    speaker.begin((BREAD, 2))
    open_shop(service.folder).store.import_catalog([OAT, Product("bread", BREAD.names, BREAD.price, stock=1)])
    with pytest.raises(SoldOut, match="Only 1 of bread"):
        speaker.begin((BREAD, 2))
    assert {one.sku: one.stock for one in speaker.store.products()} == {"oat": None, "bread": 1, "latte": None}
    speaker.store.sync.sync()
    assert [one.sku for one in speaker.store.products()] == ["oat", "bread"]
    open_shop(service.folder).store.import_catalog([OAT])
    with pytest.raises(SoldOut, match="not sold any more"):
        speaker.begin((BREAD, 1))
    assert not speaker.store.outbox.parcels()


def test_what_a_purchase_has_taken_in_is_completed_by_the_next_sync(speaker, service):
    offer(service, HALF_PRICE, (BREAD, LATTE, Product("honey", {"en": "honey"}, dollars("5.00"))))
    speaker.store.sync.take_in({"oat", "bread"})
    assert [one.sku for one in speaker.store.products()] == ["bread", "latte"]
    assert speaker.store.prices.rules().promotions[1].deal.basis_points == 5000
    assert speaker.store.sync.sync() is True and speaker.store.sync.sync() is False
    assert speaker.store.products() == open_shop(service.folder).store.products()
    speaker.store.import_catalog((OAT, LATTE))  # not the shop's: nothing of it stays
    speaker.store.sync.take_in({"oat"})
    assert speaker.store.sync.sync() is True
    assert speaker.store.products() == open_shop(service.folder).store.products()
    open_shop(service.folder).store.prices.switch(parse_rules(RULES.encode()))
    speaker.store.sync.take_in({"bread"})
    assert speaker.store.sync.sync() is False and speaker.store.prices.rules().promotions[1].deal.basis_points == 1000


def test_a_coupon_is_used_once_by_all_speakers_of_a_household(tmp_path, speaker, service, household):
    other = Speaker(tmp_path / "other", service, household, "other")
    for one in (speaker, other):
        one.store.prices.name_coupon("spring")
    first = speaker.pay(speaker.begin((LATTE, 1)))
    assert speaker.delivery.deliver() == 1
    with pytest.raises(PriceChanged):
        other.begin((LATTE, 1))
    second = other.pay(other.begin((LATTE, 1)))
    assert other.delivery.deliver() == 1 and second.total > first.total
    totals = sorted(order.total.minor for order in at_the_shop(service, household).values())
    assert totals == [first.total.minor, second.total.minor]


def test_the_price_that_changed_is_read_back_and_only_then_paid(tmp_path, speaker, service, household):
    talk = SpokenShop(tmp_path / "near", speaker.shop, household)
    first = talk.say("order two oat milk")
    assert "seven dollars" in first, first
    offer(service, RULES, (Product(OAT.sku, OAT.names, dollars("4.00"), unit=OAT.unit), BREAD, LATTE))
    changed = talk.say("yes")
    assert "the price has changed" in changed and "nine dollars and sixteen cents" in changed
    assert not speaker.store.orders() and speaker.shop.wallet.balance() == OPENING
    assert "four, seven, one" in talk.say("yes")
    talk.repeat_digits()
    (order,) = speaker.store.orders()
    assert order.total == dollars("9.16") and speaker.delivery.deliver() == 1


def test_an_order_paid_while_the_shop_was_away_at_an_old_price_is_undone_and_the_price_taken_in(
    tmp_path, speaker, service, household
):
    near = tmp_path / "near"
    away = Speaker(near, service, household, address="http://127.0.0.1:9")
    order = away.pay(away.begin((OAT, 3)))
    away.delivery.deliver()
    assert away.store.outbox.of_order(order.id).stage is Stage.WAITING
    offer(service, RULES.replace("buy = 3, pay = 2", "buy = 3, pay = 1"))
    back = Speaker.__new__(Speaker)
    back.shop, delivery, clock = open_speaker(near, shop_settings(near, service, household))
    worker = ServiceWorker(delivery, back.shop.store.sync, 600.0)
    clock.now += timedelta(hours=1)
    worker.work()
    assert back.shop.store.order(order.id).status is OrderStatus.REFUNDED and back.shop.wallet.balance() == OPENING
    assert back.shop.store.prices.rules().promotions[0].deal.pay == 1
    assert not at_the_shop(service, household)
    check_books(back.shop, household)
    shop = back.shop
    announcer = Announcer(shop.store, shop.errands, Replies(load_language("en")), "en", "", lambda: datetime.now(UTC))
    told = (
        "Your order of three cartons of oat milk costs four dollars now, so it is cancelled. You get your money back."
    )
    assert announcer.due() == (told,) and announcer.due() == ()
