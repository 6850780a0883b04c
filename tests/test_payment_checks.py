"""What the doctor says of paying: Stripe's settings, the voices, the record; the network is used only when asked to."""

import json
import socket

import numpy as np
import pytest
from spectral_encoder import SpectralEncoder
from sqlalchemy import text
from test_stripe_payments import SECRET, Server

from assistant.commands.main import main
from assistant.pay.stripe_key import KEY_VARIABLE
from assistant.pay.voices import Voices
from assistant.service import payer_checks
from assistant.service.finding import Health
from assistant.service.payer_checks import examine_record, examine_voices
from assistant.service.payment_checks import examine_provider
from assistant.settings import Pay, Settings, Shop
from assistant.shop.database import open_database, transaction

LIVE = "sk_live_never_to_be_seen"


def stripe(**pay):
    return Settings(pay=Pay(provider="stripe", **{"stripe_payment_method": "pm_card_visa", **pay}))


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*given, **named):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_the_wallet_needs_nothing(no_network):
    found = examine_provider(Settings(), ask=True, environment={})
    assert found.health is Health.GOOD and "play money" in found.found


@pytest.mark.parametrize(
    ("key", "more", "mode"),
    [
        (SECRET, {}, "test mode"),
        ("rk_test_x", {}, "test mode"),
        (LIVE, {"stripe_customer": "cus_1"}, "live mode, real money"),
        ("sk_x", {}, "unknown mode"),
    ],
)
def test_a_usable_set_up_is_told_with_its_mode_and_without_its_key(no_network, key, more, mode):
    found = examine_provider(stripe(**more), ask=False, environment={KEY_VARIABLE: key})
    assert found.health is Health.GOOD and mode in found.found
    assert key not in found.found + found.remedy


@pytest.mark.parametrize(
    ("settings", "environment", "remedy"),
    [
        (stripe(), {}, KEY_VARIABLE),
        (stripe(), {KEY_VARIABLE: "pk_test_public"}, "begins with sk_ or rk_"),
        (stripe(stripe_key_file="/nowhere/key"), {}, "cannot be read"),
        (stripe(stripe_payment_method=""), {KEY_VARIABLE: SECRET}, "pay.stripe_payment_method"),
        (stripe(stripe_address="http://shop.example"), {KEY_VARIABLE: SECRET}, "https://"),
        (stripe(), {KEY_VARIABLE: LIVE}, "pay.stripe_customer"),
        (Settings(shop=Shop(currency="ISK"), pay=stripe().pay), {KEY_VARIABLE: SECRET}, "shop.currency"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(no_network, settings, environment, remedy):
    found = examine_provider(settings, ask=True, environment=environment)
    assert found.health is Health.BAD and remedy in found.remedy


def test_a_key_that_others_may_read_is_refused(no_network, tmp_path):
    file = tmp_path / "stripe.key"
    file.write_text(SECRET)
    file.chmod(0o644)
    found = examine_provider(stripe(stripe_key_file=str(file)), ask=False, environment={})
    assert found.health is Health.BAD and "chmod 600" in found.remedy
    file.chmod(0o600)
    assert examine_provider(stripe(stripe_key_file=str(file)), ask=False, environment={}).health is Health.GOOD


def test_stripe_is_asked_when_that_is_wanted():
    server = Server()
    settings = stripe(stripe_address=server.address)
    try:
        found = examine_provider(settings, ask=True, environment={KEY_VARIABLE: SECRET})
        assert found.health is Health.GOOD and "it answers" in found.found
    finally:
        server.end()
    found = examine_provider(settings, ask=True, environment={KEY_VARIABLE: SECRET})
    assert found.health is Health.BAD and "cannot be reached" in found.remedy


def test_who_can_pay_and_a_record_that_was_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(payer_checks, "open_encoder", lambda pay: SpectralEncoder())
    settings, engine = Settings(), open_database(tmp_path)

    def found() -> list[tuple[Health, str]]:
        both = (examine_voices(settings, tmp_path), examine_record(settings, tmp_path))
        return [(one.health, one.found + one.remedy) for one in both]

    assert [health for health, _ in found()] == [Health.WARNING, Health.GOOD]
    voices = Voices(engine, "home", tmp_path)
    voices.save("anna", np.eye(8)[0], SpectralEncoder().model, 5)
    assert found() == [(Health.GOOD, "anna (adult)"), (Health.GOOD, "1 entries, all as they were written")]
    voices.save("ben", np.eye(8)[1], "another", 5)
    with transaction(engine) as connection:
        connection.execute(text("update audit set details = replace(details, 'anna', 'eve') where number = 1"))
    voices_found, record_found = found()
    assert voices_found[0] is Health.BAD and "ben" in voices_found[1] and "--replace" in voices_found[1]
    assert record_found[0] is Health.BAD and "entry 1 of 2" in record_found[1]


def test_the_command_tells_it(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    settings = tmp_path / "voicecart.toml"
    settings.write_text('[pay]\nprovider = "stripe"\n')
    assert main(["doctor", "--json", "--config", str(settings), "--state", str(tmp_path / "state")]) == 1
    findings = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert next(one for one in findings if one["what"] == "payment")["health"] == "bad"
