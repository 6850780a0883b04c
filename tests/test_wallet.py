import pytest
from databases import open_engine
from household_shop import dollars
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import PaymentUnavailable, SettingsError
from assistant.pay.ledger import Account, Movement
from assistant.pay.wallet import MOST_TOP_UP, Answer, Wallet
from assistant.shop.database import reading, transaction
from assistant.shop.money import Money
from assistant.shop.payments import PaymentState


@pytest.fixture
def engine(tmp_path, on_each_database):
    engine = open_engine(tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def wallet(engine):
    return Wallet(engine, "home", dollars("100.00"))


def settle(wallet, engine, what, order, *amount):
    with transaction(engine) as connection:
        getattr(wallet, what)(connection, "home", order, *amount)


def state(wallet, engine, order):
    with reading(engine) as connection:
        return wallet.state(connection, "home", order)


def books(wallet):
    accounts = {account: wallet.account(account).minor for account in Account}
    assert sum(accounts.values()) == 0
    assert min(accounts[account] for account in (Account.WALLET, Account.HELD, Account.SHOP)) >= 0
    return accounts


def test_a_new_wallet_holds_its_opening_balance_once(engine, wallet):
    assert wallet.balance() == dollars("100.00")
    assert Wallet(engine, "home", dollars("100.00")).balance() == dollars("100.00")
    assert Wallet(engine, "home", dollars("500.00")).balance() == dollars("100.00")
    assert Wallet(engine, "neighbour", dollars("5.00")).balance() == dollars("5.00")
    assert books(wallet)[Account.BANK] == -10_000


def test_authorise_capture_refund(engine, wallet):
    assert wallet.authorise("1", dollars("30.00")) is Answer.APPROVED
    assert books(wallet) == {Account.BANK: -10_000, Account.WALLET: 7_000, Account.HELD: 3_000, Account.SHOP: 0}
    settle(wallet, engine, "capture", "1", dollars("30.00"))
    assert books(wallet)[Account.SHOP] == 3_000 and state(wallet, engine, "1") is PaymentState.CAPTURED
    settle(wallet, engine, "refund", "1")
    assert wallet.balance() == dollars("100.00") and state(wallet, engine, "1") is PaymentState.REFUNDED
    assert [payment.movement for payment in wallet.history()] == [
        Movement.REFUND,
        Movement.CAPTURE,
        Movement.AUTHORISE,
        Movement.TOP_UP,
    ]


def test_everything_is_done_once_however_often_it_is_asked_for(engine, wallet):
    for _ in range(3):
        assert wallet.authorise("1", dollars("30.00")) is Answer.APPROVED
    assert books(wallet)[Account.HELD] == 3_000
    for _ in range(3):
        settle(wallet, engine, "capture", "1", dollars("30.00"))
    assert wallet.authorise("1", dollars("30.00")) is Answer.APPROVED
    for _ in range(3):
        settle(wallet, engine, "refund", "1")
    assert books(wallet) == {Account.BANK: -10_000, Account.WALLET: 10_000, Account.HELD: 0, Account.SHOP: 0}
    assert wallet.authorise("1", dollars("30.00")) is Answer.REFUSED


def test_a_void_gives_back_and_ends_it(engine, wallet):
    wallet.authorise("1", dollars("30.00"))
    for _ in range(2):
        settle(wallet, engine, "void", "1")
    assert wallet.balance() == dollars("100.00")
    assert wallet.authorise("1", dollars("30.00")) is Answer.REFUSED
    for what, amount in (("capture", [dollars("30.00")]), ("refund", [])):
        with pytest.raises(PaymentUnavailable):
            settle(wallet, engine, what, "1", *amount)
    settle(wallet, engine, "void", "never authorised")


def test_what_is_captured_is_refunded_not_voided(engine, wallet):
    wallet.authorise("1", dollars("30.00"))
    settle(wallet, engine, "capture", "1", dollars("30.00"))
    with pytest.raises(PaymentUnavailable, match="only refunded"):
        settle(wallet, engine, "void", "1")
    assert books(wallet)[Account.SHOP] == 3_000


def test_too_much_another_amount_and_another_currency(engine, wallet):
    assert wallet.authorise("1", dollars("100.01")) is Answer.INSUFFICIENT_FUNDS
    assert wallet.authorise("1", Money(100, "EUR")) is Answer.REFUSED
    assert wallet.authorise("1", dollars("0")) is Answer.REFUSED
    assert wallet.authorise("1", dollars("-1")) is Answer.REFUSED
    assert wallet.authorise("1", dollars("100.00")) is Answer.APPROVED
    assert wallet.authorise("1", dollars("99.00")) is Answer.REFUSED
    assert wallet.authorise("2", dollars("0.01")) is Answer.INSUFFICIENT_FUNDS
    with pytest.raises(PaymentUnavailable, match=r"99\.00 USD"):
        settle(wallet, engine, "capture", "1", dollars("99.00"))


def test_what_is_set_aside_is_known(engine, wallet):
    for order in ("1", "2", "3"):
        wallet.authorise(order, dollars("1.00"))
    settle(wallet, engine, "capture", "1", dollars("1.00"))
    settle(wallet, engine, "void", "3")
    with reading(engine) as connection:
        assert wallet.set_aside(connection, "home") == ("2",)
        assert wallet.set_aside(connection, "neighbour") == ()


def test_top_ups(wallet):
    assert wallet.top_up(dollars("5.00")) == dollars("105.00")
    assert wallet.top_up(dollars("5.00"), "monday") == wallet.top_up(dollars("5.00"), "monday") == dollars("110.00")
    for amount in (dollars("0"), dollars("-5"), Money(5, "EUR"), Money(MOST_TOP_UP + 1, "USD")):
        with pytest.raises(ValueError, match="top-up must be"):
            wallet.top_up(amount)
    books(wallet)


def test_an_opening_balance_beyond_all_reason_is_a_setting_to_mend(engine):
    for minor in (-1, 10**30):
        with pytest.raises(SettingsError, match=r"pay\.opening_balance"):
            Wallet(engine, "home", Money(minor, "USD"))


ORDERS = st.sampled_from(["1", "2", "3"])
AMOUNTS = st.integers(-10, 12_000).map(lambda minor: Money(minor, "USD"))
STEPS = st.lists(
    st.tuples(st.sampled_from(["top_up", "authorise", "capture", "void", "refund"]), ORDERS, AMOUNTS), max_size=30
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_the_ledger_always_balances(tmp_path_factory, steps):
    engine = open_engine(tmp_path_factory.mktemp("wallet"))
    wallet = Wallet(engine, "home", dollars("100.00"))
    brought = 10_000
    for what, order, amount in steps:
        before = state(wallet, engine, order)
        try:
            match what:
                case "top_up":
                    wallet.top_up(amount)
                    brought += amount.minor
                case "authorise":
                    wallet.authorise(order, amount)
                case "capture":
                    settle(wallet, engine, "capture", order, amount)
                case _:
                    settle(wallet, engine, what, order)
        except (ValueError, PaymentUnavailable):
            assert state(wallet, engine, order) is before
        assert -books(wallet)[Account.BANK] == brought
    history = wallet.history(1000)
    assert [payment.at for payment in history] == sorted((payment.at for payment in history), reverse=True)
    engine.dispose()
