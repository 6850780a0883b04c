"""A catalog that changes while somebody buys: it waits until they are done, and what changed is read back."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from household_shop import BREAD, LATTE, OAT, OPENING, PRODUCTS, cart_of, check_books, dollars, open_shop
from service_process import ServiceProcess
from speakers import open_speaker, shop_settings
from spectral_encoder import speak
from spoken_shop import SpokenShop

from assistant.device import Device
from assistant.errors import PriceChanged
from assistant.events import EventStream, Reply
from assistant.hear.audio import RATE, Chunk
from assistant.hear.ears import EndOfSpeech, Utterance
from assistant.hear.recogniser import Hypothesis
from assistant.service.client.worker import ServicedDevice, ServiceWorker
from assistant.settings import Settings
from assistant.shop.orders import OrderStatus
from assistant.speak.loudspeakers import SilentLoudspeaker
from assistant.speak.mouth import Mouth
from assistant.speak.synthesiser import Speech

DEARER = replace(OAT, price=dollars("4.50"))
HONEY = replace(BREAD, sku="honey", names={"en": "acacia honey"})
CHUNK = 512 / RATE


class Typing:
    """Ears that understand what is typed (``Ears``), and the source of the silence in between (``AudioSource``).

    Args:
        script: Texts are said, numbers are seconds of silence, anything else is done.
    """

    def __init__(self, script: Sequence[str | float | Callable[[], object]]) -> None:
        self.script = list(script)
        self.hearing_speech = False
        self.said: str | None = None

    def chunks(self) -> Iterator[Chunk]:
        now = 0.0
        while self.script:
            step = self.script.pop(0)
            if isinstance(step, str):
                self.said, count = step, 1
            elif callable(step):
                step()
                continue
            else:
                count = round(step / CHUNK)
            for _ in range(count):
                yield Chunk(np.zeros(512, np.float32), now)
                now += CHUNK

    def process(self, chunk: Chunk) -> Utterance | None:
        said, self.said = self.said, None
        if said is None:
            return None
        end = EndOfSpeech(0.0, 0.0)
        return Utterance((Hypothesis(said, 1.0),), speak(1, 77), chunk.end, end)

    def listen(self, expecting, *, secret=False):
        pass

    def sleep(self):
        pass

    def finish(self, at):
        return None

    def hold(self, seconds):
        pass

    def close(self):
        pass


class Beep:
    """A voice that needs half a second for everything (``Synthesiser``)."""

    def synthesise(self, text: str) -> Speech:
        return Speech(np.zeros(RATE // 2, np.float32), RATE)

    def close(self):
        pass


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    process = ServiceProcess(tmp_path_factory.mktemp("service")).start()
    yield process
    process.stop()


class Serviced:
    """A running device of the fleet in whose conversation things happen at the shop."""

    def __init__(self, folder, service, household, script):
        self.service = service
        service.shop.store.import_catalog(PRODUCTS)
        self.shop, delivery, _ = open_speaker(folder, shop_settings(folder, service, household))
        self.store = self.shop.store
        self.store.sync.sync()
        self.replies, self.renewed, self.now = [], 0, 0.0
        stream = EventStream()
        stream.subscribe(lambda event: self.replies.append(event.text) if isinstance(event, Reply) else None)
        typing = Typing([step if not isinstance(step, tuple) else lambda step=step: step[0](self) for step in script])
        mouth = Mouth(Beep(), SilentLoudspeaker(), 0.0, stream.publish)
        conversation = SpokenShop(folder, self.shop, household).conversation
        self.device = Device(typing, typing, mouth, conversation, Settings(), stream)  # type: ignore[arg-type]
        self.worker = ServiceWorker(
            delivery, self.store.sync, 60.0, self.renew, lambda: self.now, lambda: self.device.engaged
        )
        self.left = typing.script
        ServicedDevice(self.device, Worked(self.worker)).run()

    def renew(self):
        self.renewed += 1
        self.device.retire()

    def work(self):
        """The worker's next look at the shop."""
        self.now += 61.0
        self.worker.work()


class Worked(ServiceWorker):
    """A worker that works when the test says so and not by itself."""

    def __init__(self, worker):
        self.__dict__ = worker.__dict__

    def start(self):
        pass

    def stop(self):
        pass


def call(work):
    return (work,)


def offer(products):
    return call(lambda running: running.service.shop.store.import_catalog(products))


def expect(**wanted):
    def look(running):
        found = {
            "engaged": running.device.engaged,
            "products": len(running.store.products()),
            "renewed": running.renewed,
            "orders": len(running.store.orders()),
        }
        assert {name: found[name] for name in wanted} == wanted, running.replies

    return call(look)


PUSH = call(lambda running: running.device.push_to_talk())
WORK = call(lambda running: running.work())
DIGITS = "four seven one nine zero two"
MANY_SECONDS = 30.0


def test_a_new_catalog_waits_for_the_end_of_the_conversation(tmp_path, service):
    running = Serviced(
        tmp_path,
        service,
        "waits",
        [
            *(0.1, PUSH, 0.1, "order two oat milk", 1.0),
            *(offer((OAT, LATTE, HONEY, BREAD)), WORK, expect(engaged=True, products=3, renewed=0)),
            *("yes", 0.1, WORK, expect(engaged=True, products=3), 1.0),
            *(DIGITS, 0.1, WORK, expect(engaged=True, products=3, renewed=0, orders=1), MANY_SECONDS),
            *(expect(engaged=False, products=3), WORK, expect(products=4, renewed=1)),
            *(0.2, call(lambda running: pytest.fail("it should have left to learn the new words"))),
        ],
    )
    (order,) = running.store.orders()
    assert order.total == dollars("6.00") and running.store.outbox.of_order(order.id).number
    assert "Shall I order it?" in running.replies[0] and len(running.left) == 1


def interrupted(running):
    """Somebody begins to talk just when the catalog has been fetched."""
    fetch = running.store.sync.fetch

    def interrupt():
        running.store.sync.fetch = fetch
        running.device.push_to_talk()
        return fetch()

    running.store.sync.fetch = interrupt


def test_a_conversation_that_begins_while_the_catalog_is_fetched_goes_on_with_the_old(tmp_path, service):
    running = Serviced(
        tmp_path,
        service,
        "begins",
        [
            *(0.1, offer((OAT, LATTE)), call(interrupted), WORK, expect(engaged=True, products=3, renewed=0)),
            *(0.1, "order one brown bread", 1.0, WORK, expect(products=3, renewed=0), "no", MANY_SECONDS),
            *(expect(engaged=False), WORK, expect(products=2, renewed=1)),
        ],
    )
    assert "one loaf of brown bread" in running.replies[0] and not running.store.orders()


def test_whoever_is_to_leave_finishes_the_conversation_first(tmp_path, service):
    running = Serviced(
        tmp_path,
        service,
        "leaves",
        [
            *(0.1, PUSH, 0.1, "order two oat milk", 1.0, call(lambda running: running.renew()), 1.0),
            *("yes", 1.0, DIGITS, MANY_SECONDS),
            call(lambda running: pytest.fail("it should have left by now")),
        ],
    )
    assert len(running.store.orders()) == 1 and len(running.left) == 1


def test_another_price_at_the_shop_is_said_and_read_back_in_the_same_conversation(tmp_path, service):
    running = Serviced(
        tmp_path,
        service,
        "price",
        [
            *(0.1, PUSH, 0.1, "order two oat milk", 1.0, offer((DEARER, LATTE)), WORK, expect(products=3)),
            # The shop is asked before the payment: what is bought comes up to date at once, the rest waits.
            *("yes", 2.0, WORK, expect(engaged=True, products=3, orders=0)),
            *("yes", 1.0, DIGITS, 0.1, WORK, expect(engaged=True, products=3, orders=1), MANY_SECONDS),
            call(lambda running: pytest.fail("it should have left to learn the new words")),
        ],
    )
    assert not running.device.engaged and running.renewed == 1
    running.work()
    assert [product.sku for product in running.store.products()] == ["oat", "latte"]
    assert "six dollars" in running.replies[0]
    assert "the price has changed" in running.replies[1] and "nine dollars" in running.replies[2]
    (order,) = running.store.orders()
    assert order.total == dollars("9.00") and running.shop.wallet.balance() == OPENING - order.total


@pytest.fixture
def own(tmp_path, on_each_database):
    shop = open_shop(tmp_path)
    shop.store.import_catalog(PRODUCTS)
    return shop, SpokenShop(tmp_path, shop, "home")


def test_a_price_that_changed_since_the_read_back_is_read_back_again(own):
    shop, talk = own
    assert "six dollars" in talk.say("order two oat milk")
    shop.store.import_catalog((DEARER, BREAD))
    again = talk.say("yes")
    assert "the price has changed" in again and "nine dollars" in again and not shop.store.orders()
    talk.say("yes")
    talk.repeat_digits()
    assert [order.total for order in shop.store.orders()] == [dollars("9.00")]
    check_books(shop)


def test_what_vanished_from_the_catalog_is_said_and_left_out(own):
    shop, talk = own
    talk.say("order two oat milk and one brown bread")
    shop.store.import_catalog((OAT, LATTE))
    again = talk.say("yes")
    assert "rown bread is no longer sold" in again and "six dollars" in again and not shop.store.orders()
    shop.store.import_catalog((LATTE,))
    gone = talk.say("yes")
    assert "at milk is no longer sold" in gone and "empty" in gone
    assert not shop.store.cart() and not shop.store.orders() and shop.wallet.balance() == OPENING


def test_while_the_digits_are_awaited_the_order_stays_as_it_was_read_back(own):
    shop, talk = own
    talk.say("order two oat milk")
    talk.say("yes")
    shop.store.import_catalog((DEARER, BREAD))
    talk.repeat_digits()
    (order,) = shop.store.orders()
    assert order.total == dollars("6.00") and order.status is OrderStatus.PAID
    talk.say("order one brown bread")
    talk.say("yes")
    shop.store.import_catalog((OAT,))
    assert "sold out" in talk.repeat_digits() and len(shop.store.orders()) == 1
    check_books(shop)


def test_no_order_is_begun_at_a_price_that_is_not_the_catalogs(own):
    shop, _ = own
    cart = cart_of((OAT, 1), (BREAD, 1))
    shop.store.import_catalog((DEARER, replace(BREAD, price=dollars("0.70"))))
    with pytest.raises(PriceChanged):  # the same total, of other prices
        shop.store.begin_order(cart, "key", cart.total)
    assert shop.store.begin_order(cart.repriced(shop.store.shelf()), "key", cart.total)
