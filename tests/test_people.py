"""What is whose: several people's orders, habits and lists are told apart by their voices, or not told at all."""

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
import pytest
from household_shop import BREAD, OAT, PRODUCTS, buy, cart_of, open_shop
from hypothesis import given
from hypothesis import strategies as st
from spectral_encoder import SpectralEncoder, speak, voiced_speech
from test_dialogue import EVENTS, Talkers, item, line, order_of
from test_dialogue import PRODUCTS as SOLD
from test_dialogue import cart_of as cart_with

from assistant.attribution import Attribution
from assistant.conversation import Conversation
from assistant.errors import ModelDamaged
from assistant.events import EventStream
from assistant.languages.language import load_language
from assistant.pay.audit import AuditTrail
from assistant.pay.authority import VoiceAuthority
from assistant.pay.enrolment import Enrolments
from assistant.pay.identification import Identification
from assistant.pay.pins import Pins
from assistant.pay.voices import Voices
from assistant.settings import Pay, Settings, Talk
from assistant.shop.belongings import buyers_of, give_order
from assistant.shop.database import reading, transaction
from assistant.shop.shopping_list import ListEntry
from assistant.talk.actions import AddToList, BeginPayment, CancelOrder, ChangeCart, Identify, RemoveFromList, Say
from assistant.talk.dialogue import advance
from assistant.talk.identifying import PERSONAL
from assistant.talk.inputs import Heard, Identified, Input, Paid
from assistant.talk.replies import Replies
from assistant.talk.situation import Knowledge, State
from assistant.understand.understanding import Intent, Item, Understanding

MORNING = datetime(2026, 5, 4, 9, tzinfo=UTC)
ANNAS, TIMS = order_of("4721", cart_with(line("oat", 2))), order_of("3810", cart_with(line("brown")))
HOMES = order_of("1020", cart_with(line("soy")))
WORDS = st.sampled_from(sorted(PERSONAL))


def entry(text: str, person: str | None, quantity: int = 1) -> ListEntry:
    sku = next((sku for sku, one in SOLD.items() if one.name("en") == text), None)
    return ListEntry(text, sku, quantity, MORNING, person)


@dataclass
class Family(Talkers):
    """Anna and Tim, and whoever else is in the room."""

    people: tuple[str, ...] = ("anna", "tim")
    buyers: dict[str, str] = field(default_factory=lambda: {"4721": "anna", "3810": "tim"})
    entries: tuple[ListEntry, ...] = (entry("oat milk", "anna"), entry("brown bread", "tim"))
    now: datetime | None = MORNING
    talk: Talk = field(default_factory=Talk)

    @property
    def knowledge(self) -> Knowledge:
        return Knowledge(
            self.products,
            self.cart,
            self.orders or (TIMS, ANNAS),
            entries=self.entries,
            people=self.people,
            buyers=self.buyers if self.people else {},
            now=self.now,
        )

    def __call__(self, event: Input) -> "Family":
        self.situation, self.actions = advance(self.situation, event, self.knowledge, self.talk)
        for action in self.actions:
            if isinstance(action, ChangeCart):
                self.cart = action.cart
        return self

    def asks(self, intent: Intent, voice: str | None, *items: object, **more: object) -> "Family":
        """Somebody says something whose answer depends on whose voice it is."""
        self.hear(intent, *items, **more)  # type: ignore[arg-type]
        (asked,) = self.actions
        assert isinstance(asked, Identify) and asked.about is not None
        return self(Identified(voice, asked.about))

    @property
    def told(self) -> str:
        return " ".join(str(dict(one.values)) for one in self.actions if isinstance(one, Say))


class TestOrders:
    @pytest.mark.parametrize(("voice", "number"), [("anna", "4721"), ("tim", "3810")])
    def test_everybody_hears_of_their_own(self, voice, number):
        talk = Family().asks(Intent.ORDER_STATUS, voice)
        assert talk.said == ["personal.morning", "status.paid"] and talk.situation.placed == number
        assert talk.values("personal.morning") == {"name": voice}

    def test_an_unclear_voice_hears_of_nobodys(self):
        talk = Family().asks(Intent.ORDER_STATUS, None)
        assert talk.said == ["personal.unclear"] and talk.told == "{}"

    def test_an_unclear_voice_hears_of_the_households(self):
        talk = Family(orders=(TIMS, ANNAS, HOMES)).asks(Intent.ORDER_STATUS, None)
        assert talk.said == ["unidentified", "status.paid"] and talk.situation.placed == "1020"

    def test_who_has_no_orders_yet_hears_of_the_households(self):
        talk = Family(orders=(TIMS, HOMES)).asks(Intent.REORDER, "anna")
        assert talk.state is State.CONFIRMING and talk.situation.read_back == cart_with(line("soy"))

    def test_an_order_whose_number_is_said_is_told_to_everybody(self):
        assert Family().hear(Intent.ORDER_STATUS, order="4721").situation.placed == "4721"

    def test_deals_are_told_to_everybody(self):
        assert Family().asks(Intent.OFFERS, None).said == ["promotions.none"]
        assert Family().hear(Intent.OFFERS, item("oat")).said == ["promotions.no_deal"]

    def test_the_order_just_placed_may_be_cancelled_whoever_says_so(self):
        talk = Family()
        talk(Paid(ANNAS))
        talk.situation = replace(talk.situation, state=State.DONE, placed="4721")
        talk.asks(Intent.CANCEL_ORDER, None).hear(Intent.CONFIRM)
        assert talk.actions == (CancelOrder("4721"),)

    def test_ones_own_order_is_cancelled_not_the_newest(self):
        talk = Family().asks(Intent.CANCEL_ORDER, "anna").hear(Intent.CONFIRM)
        assert talk.actions == (CancelOrder("4721"),)

    def test_the_usual_is_ones_own(self):
        orders = tuple(order_of(str(1000 + n), cart_with(line("oat" if n % 2 else "brown"))) for n in range(8))
        buyers = {order.id: "anna" if int(order.id) % 2 else "tim" for order in orders}
        talk = Family(orders=orders, buyers=buyers).asks(Intent.USUAL, "tim")
        assert talk.situation.read_back == cart_with(line("brown"))

    def test_nobody_is_offered_what_somebody_else_usually_takes(self):
        orders = tuple(order_of(str(1000 + n), cart_with(line("oat"), line("brown"))) for n in range(5))
        alone = Family(orders=orders, people=()).hear(Intent.ORDER, item("oat"))
        assert alone.said == ["recommend.together"]
        buyers = {order.id: "anna" for order in orders}
        for voice in ("tim", None):
            talk = Family(orders=orders, buyers=buyers).asks(Intent.ORDER, voice, item("oat"))
            assert talk.said[-1] == "read_back" and "brown bread" not in talk.told
        talk = Family(orders=orders, buyers=buyers).asks(Intent.ORDER, "anna", item("oat"))
        assert talk.said == ["personal.morning", "recommend.together"]
        assert talk.hear(Intent.CONFIRM).said == ["read_back"] and talk.skus() == {"oat": 1, "brown": 1}

    def test_where_nothing_is_to_be_offered_no_voice_is_compared(self):
        orders = tuple(order_of(str(1000 + n), cart_with(line("oat"), line("brown"))) for n in range(5))
        buyers = {order.id: "anna" for order in orders}
        assert Family(orders=orders, buyers=buyers).hear(Intent.ORDER, item("soy")).said == ["read_back"]
        off = Family(orders=orders, buyers=buyers, talk=Talk(recommendations=False))
        assert off.hear(Intent.ORDER, item("oat")).said == ["read_back"]

    @given(WORDS, st.sampled_from([None, "anna", "tim"]))
    def test_nobody_hears_of_anybody_elses(self, intent, voice):
        talk = Family().asks(intent, voice)
        for person, order, name in (("anna", "4721", "oat milk"), ("tim", "3810", "brown bread")):
            if person != voice:
                assert order not in talk.told and name not in talk.told


@given(st.lists(st.tuples(EVENTS, st.sampled_from([None, "anna", "tim"])), max_size=15))
def test_whoever_speaks_nothing_is_paid_without_a_yes_to_what_was_read_back(said):
    talk = Family()
    for event, voice in said:
        before = talk.situation
        talk(event)
        for action in talk.actions:
            if isinstance(action, Identify) and action.about is not None:
                talk(Identified(voice, action.about))
                assert not talk.has(BeginPayment)
                assert talk.situation.state is not State.IDLE or before.state is State.IDLE
        confirmed = isinstance(event, Heard) and event.understanding.intent is Intent.CONFIRM
        assert not talk.has(BeginPayment) or (confirmed and before.state is State.CONFIRMING)


class TestWhenItIsNotAsked:
    @pytest.mark.parametrize("intent", sorted(PERSONAL))
    def test_one_person_alone_is_never_compared(self, intent):
        talk = Family(people=()).hear(intent)
        assert not talk.has(Identify) and "unidentified" not in talk.said

    @pytest.mark.parametrize("intent", sorted(set(Intent) - set(PERSONAL) - {Intent.WHO_SPEAKS}))
    def test_what_is_nobodys_own_is_answered_without_comparing(self, intent):
        assert not Family().hear(intent).has(Identify)

    def test_our_list_is_the_households_whoever_says_it(self):
        talk = Family()
        talk(Heard(Understanding("put oat milk on our list", Intent.LIST_ADD, (item("oat"),))))
        assert talk.said == ["listing.shared"] and talk.actions[0] == AddToList("oat milk", "oat", 1, None)


class TestGreeting:
    def test_once_a_conversation(self):
        talk = Family().asks(Intent.LIST_READ, "anna")
        assert talk.said == ["personal.morning", "listing.read"]
        assert talk.asks(Intent.ORDER_STATUS, "anna").said == ["status.paid"]
        assert talk.asks(Intent.ORDER_STATUS, "tim").said == ["status.paid"]

    def test_never_where_it_is_turned_off_or_the_voice_is_not_clear(self):
        off = Family(talk=Talk(greetings=False))
        assert off.asks(Intent.LIST_READ, "anna").said == ["listing.read"]
        assert "personal.morning" not in Family().asks(Intent.LIST_READ, None).said

    @pytest.mark.parametrize(
        ("hour", "said"), [(5, "morning"), (11, "morning"), (12, "afternoon"), (18, "evening"), (2, "hello")]
    )
    def test_as_the_hour_is(self, hour, said):
        talk = Family(now=MORNING.replace(hour=hour)).asks(Intent.LIST_READ, "anna")
        assert talk.said[0] == f"personal.{said}"


class TestLists:
    @pytest.mark.parametrize(("voice", "name"), [("anna", "oat milk"), ("tim", "brown bread")])
    def test_everybody_has_their_own(self, voice, name):
        talk = Family().asks(Intent.LIST_READ, voice)
        (amount,) = talk.values("listing.read")["things"]
        assert amount.name == name

    def test_the_households_is_told_to_everybody(self):
        talk = Family(entries=(entry("oat milk", "anna"), entry("soy milk", None)))
        assert talk.asks(Intent.LIST_READ, "tim").said == ["personal.morning", "listing.empty", "listing.household"]
        assert Family(entries=talk.entries).asks(Intent.LIST_READ, None).said == ["listing.household"]
        assert Family().asks(Intent.LIST_READ, None).said == ["listing.household_empty"]

    def test_what_is_put_on_it_is_ones_own(self):
        talk = Family().asks(Intent.LIST_ADD, "anna", item("oat", 2))
        assert AddToList("oat milk", "oat", 2, "anna") in talk.actions and talk.said[-1] == "listed"
        talk = Family().asks(Intent.LIST_ADD, None, item("oat", 2))
        assert talk.actions[0] == AddToList("oat milk", "oat", 2, None) and talk.said == ["listing.shared"]

    def test_what_is_taken_off_it_is_ones_own(self):
        entries = (entry("oat milk", "anna"), entry("oat milk", "tim"), entry("soy milk", None))
        talk = Family(entries=entries).asks(Intent.LIST_REMOVE, "tim", item("oat"))
        assert RemoveFromList((entries[1],)) in talk.actions
        talk = Family(entries=entries).asks(Intent.LIST_REMOVE, "tim", item("soy"))
        assert RemoveFromList((entries[2],)) in talk.actions and talk.said[-1] == "listing.unshared"
        assert Family(entries=entries).asks(Intent.LIST_REMOVE, None, item("oat")).said == ["listing.not_there"]

    def test_what_is_bought_is_ones_own_and_leaves_only_that_list(self):
        entries = (entry("oat milk", "anna", 2), entry("oat milk", "tim"), entry("brown bread", "tim"))
        talk = Family(entries=entries).asks(Intent.LIST_BUY, "anna")
        assert talk.situation.read_back == cart_with(line("oat", 2)) and talk.situation.speaker == "anna"
        talk(Paid(order_of("9020", cart_with(line("oat", 2))), "mother"))
        assert talk.actions[0] == RemoveFromList((entries[0],))

    def test_a_list_of_nobody_who_is_known_is_the_households(self):
        assert Family(entries=(entry("soy milk", None),)).asks(Intent.LIST_BUY, "tim").situation.read_back == cart_with(
            line("soy")
        )


class TestKeeping:
    @pytest.fixture
    def shop(self, tmp_path):
        shop = open_shop(tmp_path)
        shop.store.import_catalog(PRODUCTS)
        return shop

    @pytest.fixture
    def voices(self, shop, tmp_path):
        voices = Voices(shop.engine, "home", tmp_path)
        for number, name in enumerate(("anna", "tim")):
            voices.save(name, np.eye(8)[number], "0" * 64, 5)
        return voices

    def buyers(self, shop):
        with reading(shop.engine) as connection:
            return dict(buyers_of(connection, "home"))

    def test_an_order_is_the_askers_where_the_voice_is_clear_else_the_payers(self, shop):
        clips = [np.full(4, value, np.float32) for value in range(2)]
        attribution = Attribution(lambda clip: "tim" if clip[0] else None, shop.errands)
        orders = [buy(shop, cart_of((OAT, 1)), str(number)) for number in range(3)]
        for order, clip in zip(orders, (*clips, None), strict=True):
            attribution.begun(clip)
            attribution.paid(order, "anna")
        assert self.buyers(shop) == dict.fromkeys((order.id for order in orders), "anna")
        attribution.settle()
        assert [self.buyers(shop)[order.id] for order in orders] == ["anna", "tim", "anna"]
        attribution.settle()
        assert [self.buyers(shop)[order.id] for order in orders] == ["anna", "tim", "anna"]

    def test_what_was_begun_and_not_paid_is_forgotten(self, shop):
        compared = []
        attribution = Attribution(lambda clip: compared.append(clip), shop.errands)
        attribution.begun(np.zeros(4, np.float32))
        attribution.settle()
        attribution.paid(buy(shop, cart_of((BREAD, 1)), "a"), None)
        attribution.settle()
        assert compared == [] and self.buyers(shop) == {}

    def test_a_new_name_keeps_what_was_the_old_ones(self, shop, voices):
        order = buy(shop, cart_of((OAT, 1)), "a")
        shop.errands.give(order.id, "anna")
        shop.store.add_to_list("oat milk", "oat", 1, "anna")
        voices.rename("anna", "anna lee")
        assert self.buyers(shop) == {order.id: "anna lee"}
        assert [one.person for one in shop.store.shopping_list()] == ["anna lee"]

    def test_what_was_a_deleted_voices_is_the_households(self, shop, voices):
        order = buy(shop, cart_of((OAT, 1)), "a")
        shop.errands.give(order.id, "anna")
        shop.store.add_to_list("oat milk", "oat", 1, "anna")
        shop.store.add_to_list("brown bread", "bread", 1, "tim")
        voices.delete("anna")
        assert self.buyers(shop) == {}
        assert [one.person for one in shop.store.shopping_list()] == [None, "tim"]

    def test_names_of_another_household_are_others(self, shop, voices, tmp_path):
        other = open_shop(tmp_path, "neighbours")
        order = buy(other, cart_of((OAT, 1)), "a")
        with transaction(other.engine, "neighbours") as connection:
            give_order(connection, "neighbours", order.id, "anna")
        other.store.add_to_list("oat milk", "oat", 1, "anna")
        voices.delete("anna")
        with reading(shop.engine) as connection:
            assert buyers_of(connection, "neighbours") == {order.id: "anna"}
        assert [one.person for one in other.store.shopping_list()] == ["anna"]


class TestConversation:
    """The conversation itself, with voices that need no network."""

    class Home:
        def __init__(self, folder, people: int = 2, **talk: object) -> None:
            self.encoder = SpectralEncoder()
            self.shop = open_shop(folder)
            self.shop.store.import_catalog(PRODUCTS)
            self.voices = Voices(self.shop.engine, "home", folder)
            enrolments = Enrolments(self.voices, self.encoder, voiced_speech(), Pay())
            for person, name in list(enumerate(("anna", "tim"), 1))[:people]:
                enrolments.enrol(name, [speak(person, words) for words in range(5)])
            authority = VoiceAuthority(
                self.voices,
                self.encoder,
                voiced_speech(),
                self.shop.provider,
                AuditTrail(self.shop.engine, "home", folder),
                Pins(self.shop.engine, "home", folder),
                load_language("en").digits_of,
                Pay(),
                random.Random(1),
                fixed_digits="471902",
            )
            self.conversation = Conversation(
                lambda hypotheses, context: self.meaning,
                lambda text: False,
                self.shop.store,
                authority,
                Replies(load_language("en")),
                Settings(talk=Talk(**talk)),  # type: ignore[arg-type]
                EventStream(),
                lambda: 0.0,
                random.Random(1),
                self.shop.errands,
                Identification(self.voices, self.encoder, voiced_speech()),
            )
            self.embedded = self.encoder.embedded

        def hear(self, intent: Intent, person: int, *items: Item, text: str = "words") -> str:
            self.meaning = Understanding(text, intent, items)
            return " ".join(self.conversation.heard_text([text], speak(person, 77)).replies)

        @property
        def compared(self) -> int:
            return self.encoder.embedded - self.embedded

    ANNA, TIM, STRANGER = 1, 2, 6
    MILK = Item("oat", "oat milk", 1)

    def test_an_order_is_answered_before_any_voice_is_compared(self, tmp_path):
        home = self.Home(tmp_path)
        assert "Shall I order it?" in home.hear(Intent.ORDER, self.TIM, self.MILK) and home.compared == 0
        assert "please repeat" in home.hear(Intent.CONFIRM, self.ANNA) and home.compared == 0
        assert "is placed" in home.hear(Intent.UNKNOWN, self.ANNA, text="four seven one nine zero two")
        after_paying = home.compared
        home.conversation.leave()
        assert home.compared == after_paying + 1
        assert "oat milk" in home.hear(Intent.ORDER_STATUS, self.TIM)
        home.conversation.leave()
        assert "no orders" in home.hear(Intent.ORDER_STATUS, self.ANNA)
        assert "not sure who you are" in home.hear(Intent.ORDER_STATUS, self.STRANGER)

    def test_each_has_a_list(self, tmp_path):
        home = self.Home(tmp_path)
        assert "tim" in home.hear(Intent.LIST_ADD, self.TIM, self.MILK) and home.compared == 1
        assert "oat milk" in home.hear(Intent.LIST_READ, self.TIM)
        assert "oat milk" not in home.hear(Intent.LIST_READ, self.ANNA)
        assert "oat milk" not in home.hear(Intent.LIST_READ, self.STRANGER)

    @pytest.mark.parametrize(("people", "personal"), [(0, True), (1, True), (2, False)])
    def test_nothing_is_compared_where_nobody_is_told_apart(self, tmp_path, people, personal):
        home = self.Home(tmp_path, people, personal=personal)
        home.hear(Intent.LIST_ADD, self.TIM, self.MILK)
        assert home.hear(Intent.LIST_READ, self.ANNA).endswith("On your shopping list: one carton of oat milk.")
        home.hear(Intent.ORDER, self.TIM, self.MILK)
        home.conversation.leave()
        assert home.compared == 0 and home.encoder.prepared == 0

    def test_voices_that_cannot_be_compared_are_nobodys(self, tmp_path, monkeypatch):
        home = self.Home(tmp_path)
        home.hear(Intent.LIST_ADD, self.TIM, self.MILK)

        def broken(speech):
            raise ModelDamaged("The encoder is damaged.")

        monkeypatch.setattr(home.encoder, "embed", broken)
        assert home.hear(Intent.LIST_READ, self.TIM) == "The household's shopping list is empty."
