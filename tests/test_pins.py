"""PINs and roles: who may stand in for whom, and what nobody ever gets to read."""

import io
import json

import numpy as np
import pytest
from databases import DATABASES, open_engine
from hypothesis import given
from hypothesis import strategies as st

from assistant.commands.main import main
from assistant.errors import EnrolmentError, StoreError
from assistant.pay.demands import Demands
from assistant.pay.pins import Pins, check_pin
from assistant.pay.policy import challenge_digits
from assistant.pay.roles import LEAST_LEAD, Role, role_objection, speaker_of
from assistant.pay.voices import Voices
from assistant.settings import Pay
from assistant.shop.money import Money

PIN = "402915"


@pytest.fixture
def household(tmp_path, on_each_database):
    engine = open_engine(tmp_path)
    voices = Voices(engine, "home", tmp_path)
    for number, name in enumerate(("ann", "ben")):
        voices.save(name, np.eye(8)[number], "0" * 64, 5)
    return tmp_path, voices, Pins(engine, "home", tmp_path)


def test_a_pin_is_its_owners_and_stands_nowhere(household):
    state, _, pins = household
    pins.set("ann", PIN)
    assert pins.owner(PIN, {"ann", "ben"}) == "ann"
    assert pins.owner("402916", {"ann", "ben"}) is None
    assert pins.owner(PIN, {"ben"}) is None
    for path in state.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert PIN.encode() not in content and b"argon2" not in content, path


def test_two_people_cannot_share_a_pin(household):
    _, _, pins = household
    pins.set("ann", PIN)
    with pytest.raises(EnrolmentError):
        pins.set("ben", PIN)
    pins.set("ann", PIN)


@pytest.mark.parametrize(
    "pin", ["", "12345", "1234567890123", "123456", "987654", "111111", "121212", "40291a", "٤٠٢٩١٥"]
)
def test_what_everybody_tries_first_is_no_pin(pin):
    with pytest.raises(EnrolmentError):
        check_pin(pin)


def test_names_and_roles_take_the_pin_along(household):
    _, voices, pins = household
    pins.set("ann", PIN)
    voices.rename("ann", "anna")
    assert pins.owner(PIN, {"anna"}) == "anna"
    voices.change_role("anna", Role.CHILD)
    assert pins.names() == frozenset() and voices.roles()["anna"] is Role.CHILD
    pins.set("ben", PIN)
    voices.delete("ben")
    assert pins.names() == frozenset()


def test_another_key_is_told_and_opens_nothing_until_all_are_set_anew(household):
    state, _, pins = household
    pins.set("ann", PIN)
    pins.set("ben", "402916")
    (state / "voices.key").unlink()
    pins = Pins(open_engine(state), "home", state)
    for attempt in (lambda: pins.owner(PIN, {"ann"}), lambda: pins.set("ann", PIN)):
        with pytest.raises(StoreError, match="--remove"):
            attempt()
    assert all(pins.remove(name) for name in ("ann", "ben"))
    pins.set("ann", PIN)
    assert pins.owner(PIN, {"ann"}) == "ann"


def test_the_commands(household, capsys, monkeypatch):
    state, _, pins = household
    config = state / "voicecart.toml"
    config.write_text(f'[shop]\ndatabase = "{DATABASES.address(state)}"\n')
    run = lambda *words: main(["voices", *words, "--state", str(state), "--config", str(config)])

    monkeypatch.setattr("sys.stdin", io.StringIO(PIN + "\n"))
    assert run("pin", "ann") == 0 and pins.owner(PIN, {"ann"}) == "ann"
    assert run("role", "ben", "child") == 0
    capsys.readouterr()
    assert run("list", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["name"], line["role"], line["pin"]) for line in lines] == [
        ("ann", "adult", True),
        ("ben", "child", False),
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO(PIN + "\n"))
    assert run("pin", "ben") != 0
    assert run("pin", "nobody") != 0
    assert run("role", "ann", "robot") != 0
    assert run("pin", "ann", "--remove") == 0 and pins.names() == frozenset()
    assert PIN not in capsys.readouterr().out


@given(
    st.dictionaries(st.sampled_from("abcd"), st.floats(allow_nan=True), max_size=4),
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from(Role), max_size=4),
)
def test_whoever_might_be_a_child_is_one(fitting, roles):
    speaker = speaker_of(fitting, roles)
    assert (speaker == "") == (not fitting)
    if speaker and roles.get(speaker) is Role.ADULT:
        children = [ratio for name, ratio in fitting.items() if roles.get(name) is not Role.ADULT]
        assert all(fitting[speaker] - ratio >= LEAST_LEAD for ratio in children)


@given(st.sampled_from([Role.CHILD, None]), st.booleans(), st.booleans())
def test_only_an_adult_pays(role, adult, approving):
    assert role_objection(role, Demands(adult=adult), approving=approving) is not None
    assert role_objection(Role.ADULT, Demands(adult=adult), approving=approving) is None


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.booleans())
def test_more_money_never_has_fewer_digits(first, second, guarded):
    pay, demands = Pay(), Demands(guarded=guarded)
    few, many = (challenge_digits(Money(amount, "USD"), demands, pay) for amount in sorted((first, second)))
    assert pay.digits <= few <= many
