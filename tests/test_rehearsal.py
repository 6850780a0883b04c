"""Simulated shoppers, scenarios, their judge and their report."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from assistant import events
from assistant.errors import ScenarioError, SynthesisError
from assistant.hear.audio import CHUNK_SAMPLES, RATE
from assistant.pay.roles import Role
from assistant.rehearse.judging import TurnRecord, judge
from assistant.rehearse.report import summarise, write_report
from assistant.rehearse.room import at_ratio, make_noise, speech_power
from assistant.rehearse.scenario import Expectation, ExpectedItem, Person, Scenario, ScenarioTurn, read_scenarios
from assistant.rehearse.script import Script
from assistant.rehearse.shopper import ShopperSource, Turn
from assistant.rehearse.voices import ShopperVoice
from assistant.shop.cart import CartLine
from assistant.shop.money import Money

OAT = {"sku": "OAT", "name": "oat milk", "quantity": 2, "options": {"size": "large"}}
SCENARIOS = Path(__file__).parent / "scenarios"


def line(sku: str, quantity: int = 1, **options: str) -> CartLine:
    return CartLine(sku, {"en": sku}, Money(100, "USD"), quantity, options)


def understood(intent: str, *items) -> events.Understood:
    return events.Understood(at=1.0, text="words", intent=intent, items=items)


def reply(text: str, at: float = 2.0) -> events.Reply:
    return events.Reply(at=at, text=text, latency_seconds=0.4)


def one_turn(expect: Expectation, *happened: events.Event, said: str = "", purchase=(), bought=()):
    scenario = Scenario("one", [ScenarioTurn(say="x", expect=expect)], purchase=list(purchase))
    orders = [SimpleNamespace(lines=tuple(bought))] if bought else []
    return judge(scenario, [TurnRecord(said, 0.0, 1.0, happened)], orders)


# --- Judging ----------------------------------------------------------------------------------------------------------


def test_everything_as_expected_passes():
    expect = Expectation("order", [ExpectedItem("OAT", 2)], ["Two cartons"], ["declined"], ["reply"], 1.5)
    verdict = one_turn(expect, understood("order", OAT), reply("That's two cartons."))
    assert verdict.passed and verdict.intents == (1, 1) and verdict.items == (1, 1)


@pytest.mark.parametrize(
    ("expect", "problem"),
    [
        (Expectation(intent="confirm"), "expected intent confirm, understood order"),
        (Expectation(items=[ExpectedItem("OAT", 3)]), "expected items"),
        (Expectation(items=[ExpectedItem("OAT", 2, {"size": "small"})]), "expected items"),
        (Expectation(items=[]), "expected items"),
        (Expectation(reply=["three"]), "no reply contains 'three'"),
        (Expectation(absent=["understood"]), "understood happened"),
        (Expectation(events=["challenge"]), "challenge did not happen"),
        (Expectation(within_seconds=0.5), "no reply within 0.5 s"),
    ],
)
def test_every_expectation_can_fail(expect, problem):
    verdict = one_turn(expect, understood("order", OAT), reply("two cartons"))
    assert not verdict.passed
    assert problem in verdict.problems[0]


@pytest.mark.parametrize(
    ("wanted", "bought", "wrong", "missed"),
    [
        ([], [], 0, 0),
        ([], [line("OAT")], 1, 0),
        ([ExpectedItem("OAT")], [], 0, 1),
        ([ExpectedItem("OAT")], [line("OAT"), line("OAT")], 1, 0),
        ([ExpectedItem("OAT")], [line("OAT", 2)], 1, 1),
        ([ExpectedItem("OAT", 1, {"size": "small"})], [line("OAT", size="large")], 1, 1),
        ([ExpectedItem("OAT"), ExpectedItem("RYE")], [line("RYE"), line("OAT")], 0, 0),
    ],
)
def test_what_nobody_asked_for_is_a_wrong_purchase(wanted, bought, wrong, missed):
    verdict = one_turn(Expectation(), purchase=wanted, bought=bought)
    assert (verdict.wrong_purchases, verdict.missed_purchases) == (wrong, missed)
    assert verdict.passed is (not wrong and not missed)


def test_word_errors_are_counted_against_what_was_said():
    transcript = events.Transcript(at=1.0, text="order to oat milks", alternatives=(), latency_seconds=0.2)
    verdict = one_turn(Expectation(), transcript, said="Order two oat milks, please!")
    assert verdict.words == (5, 2)


def test_turns_that_never_came_are_a_problem():
    scenario = Scenario("two", [ScenarioTurn(say="a"), ScenarioTurn(say="b")])
    assert "after 1 of 2 turns" in judge(scenario, [TurnRecord("a", 0, 1, ())], []).problems[0]


# --- Report -----------------------------------------------------------------------------------------------------------


def test_the_report_leads_with_wrong_purchases(tmp_path):
    transcript = events.Transcript(at=1.0, text="yes <b>", alternatives=(), latency_seconds=0.2)
    good = one_turn(Expectation("order"), understood("order"), transcript, reply("fine"), said="yes b")
    bad = one_turn(Expectation("order"), understood("stop"), bought=[line("OAT")])
    summary = write_report(tmp_path, [good, bad])
    assert next(iter(summary)) == "wrong_purchases"
    assert (summary["wrong_purchases"], summary["passed"], summary["intent_accuracy"]) == (1, 1, 0.5)
    assert summary["transcript_latency"] == {"p50": 0.2, "p95": 0.2}
    details = json.loads((tmp_path / "report.json").read_text())["details"]
    assert [one["passed"] for one in details] == [True, False]
    page = (tmp_path / "report.html").read_text()
    assert "1 wrong purchases" in page and page.count("data:image/png;base64,") == 2
    assert "yes &lt;b&gt;" in page


def test_nothing_counted_is_no_rate():
    summary = summarise([one_turn(Expectation())])
    assert summary["intent_accuracy"] is None and summary["reply_latency"] is None


# --- Scenario files ---------------------------------------------------------------------------------------------------


def test_the_shipped_scenarios_can_be_read():
    for path in SCENARIOS.glob("*.yaml"):
        assert read_scenarios(path).scenarios


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scenarios: [", "not YAML"),
        ("scenarios: []", "at least one"),
        ("scenarios: [{name: a, turns: [{say: x}]}, {name: a, turns: [{say: x}]}]", "unique names"),
        ("scenarios: [{name: a, turns: [{say: x, silence: 2}]}]", "exactly one of"),
        ("scenarios: [{name: a, turns: [{}]}]", "exactly one of"),
        ("scenarios: [{name: a, turns: [{say: x}, {replay: 2}]}]", "earlier turn"),
        ("scenarios: [{name: a, voice: siri, turns: [{say: x}]}]", "not a voice"),
        ("scenarios: [{name: a, turns: [{say: x, expect: {intnt: order}}]}]", "scenario 'a' turns.0.expect.intnt"),
        ("scenarios: [{name: a, turns: [{say: x, expect: {intent: fly}}]}]", "intent"),
        ("scenarios: [{name: a, turns: [{digits: maybe}]}]", "digits"),
        ("scenarios: [{name: a, turns: [{say: yes}]}]", "turns.0.say"),
        ("scenarios: [{name: a, turns: [{pin: wrong}]}]", "turn 1: pin names a person who has one"),
        ("scenarios: [{name: a, people: {ann: {voice: siri}}, turns: [{say: x}]}]", "not a voice"),
        (
            "scenarios: [{name: a, people: {ann: {voice: 'flite:slt', role: dog}}, turns: [{say: x}]}]",
            "people.ann.role",
        ),
        ("scenarios: [{name: a, people: {ann: {voice: 'flite:slt', pin: '123'}}, turns: [{say: x}]}]", "A PIN has"),
        ("scenarios: [{name: a, time: noon, turns: [{say: x}]}]", "time"),
    ],
)
def test_a_scenario_file_that_cannot_be_used_is_refused_by_place(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        read_scenarios(path)
    assert message in caught.value.message and str(path) in caught.value.message


def test_a_scenario_file_that_is_not_there(tmp_path):
    with pytest.raises(ScenarioError, match="No such file"):
        read_scenarios(tmp_path / "none.yaml")


# --- Shoppers ---------------------------------------------------------------------------------------------------------


def tone(seconds: float, level: float = 0.5) -> np.ndarray:
    return np.full(int(seconds * RATE), level, np.float32)


def script_of(*turns: ScenarioTurn, said: list[str] | None = None) -> Script:
    def speak(voice: str, text: str) -> np.ndarray:
        if said is not None:
            said.append(f"{voice} {text}")
        return tone(0.2)

    return Script(Scenario("s", list(turns), voice="flite:slt"), Path(), " ".join, lambda: 7.0, speak)


def test_digits_are_those_of_the_challenge():
    said: list[str] = []
    which = ("right", "wrong", "previous")
    script = script_of(*(ScenarioTurn(digits=one, voice="flite:rms") for one in which), said=said)
    script.observe(events.Challenge(at=0.0, digits="4719"))
    script.next_turn()
    script.next_turn()
    script.observe(events.Challenge(at=0.0, digits="0382"))
    script.next_turn()
    assert said == ["flite:rms 4 7 1 9", "flite:rms 4 7 1 4", "flite:rms 4 7 1 9"]
    assert script.next_turn() is None


def test_people_speak_by_name_and_the_words_of_a_pin_are_in_no_record():
    said: list[tuple[str, str]] = []
    people = {"ann": Person("flite:slt", pin="402915"), "tim": Person("flite:kal", Role.CHILD)}
    turns = [ScenarioTurn(say="a", voice="tim"), ScenarioTurn(pin="ann"), ScenarioTurn(pin="wrong", voice="flite:awb")]
    told: list[str] = []
    script = Script(
        Scenario("s", turns, voice="ann", people=people),
        Path(),
        " ".join,
        lambda: 7.0,
        lambda voice, text: said.append((voice, text)) or tone(0.2),
        lambda at, voice, words: told.append(words),
    )
    while (turn := script.next_turn()) is not None:
        turn.began()
    assert said == [("flite:kal", "a"), ("flite:slt", "4 0 2 9 1 5"), ("flite:awb", "4 0 2 9 1 0")]
    assert [record.said for record in script.records()] == ["a", "", ""] and told == ["a", "…", "…"]


def test_a_replay_is_the_same_sound():
    script = script_of(ScenarioTurn(say="a"), ScenarioTurn(replay=1))
    first, again = script.next_turn(), script.next_turn()
    assert first and again and np.array_equal(first.speech, again.speech)
    assert [record.said for record in script.records()] == ["a", ""]


def test_a_shopper_who_does_not_hear_what_they_expect_leaves():
    expect = Expectation(reply=["two cartons"])
    for text, goes_on in (("That's TWO cartons.", True), ("That's ten cartons.", False)):
        script = script_of(ScenarioTurn(say="two cartons", expect=expect), ScenarioTurn(say="yes"))
        script.next_turn()
        script.observe(reply(text))
        assert (script.next_turn() is not None) is goes_on


def test_recordings_are_read_beside_the_scenario(tmp_path):
    soundfile.write(tmp_path / "order.wav", tone(0.5), RATE)
    scenario = Scenario("s", [ScenarioTurn(wav="order.wav", text="two oat milks")])
    turn = Script(scenario, tmp_path, " ".join, lambda: 0.0).next_turn()
    assert turn and len(turn.speech) == RATE // 2


@pytest.mark.parametrize(("over_reply", "pause"), [(False, 3.4), (True, 1.0)])
def test_a_shopper_waits_until_the_device_has_spoken_unless_they_interrupt(over_reply, pause):
    turns = iter([Turn(tone(0.512)), Turn(tone(0.512), over_reply=over_reply)])
    source = ShopperSource(lambda: next(turns, None))
    times = []
    for chunk in source.chunks():
        if chunk.samples.max() > 0.1:
            times.append(chunk.at)
        elif len(times) == 16 and not chunk.samples.any():
            # The device answers for three seconds as soon as the shopper has finished.
            source.observe(reply("hm"))
            source.hold(3.0)
            times.append(chunk.at)
    assert times[17] - times[16] == pytest.approx(pause, abs=3 * CHUNK_SAMPLES / RATE)


def test_a_shopper_who_gets_no_answer_goes_on():
    turns = iter([Turn(tone(0.2)), Turn(tone(0.2))])
    times = [chunk.at for chunk in ShopperSource(lambda: next(turns, None)).chunks() if chunk.samples.max() > 0.1]
    assert 3.0 < times[-1] - times[0] < 5.0


# --- Room and voices --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["white", "pink", "hum"])
def test_noise_has_the_ratio_that_was_asked_for(kind):
    noise = make_noise(kind, 3.0, np.random.default_rng(1))
    assert len(noise) == 3 * RATE and np.isfinite(noise).all()
    scaled = at_ratio(noise, 0.01, 20.0)
    assert 10 * np.log10(0.01 / np.mean(scaled**2)) == pytest.approx(20.0, abs=0.1)


def test_pauses_do_not_count_as_speech():
    speech = np.concatenate([tone(1.0, 0.2), np.zeros(RATE, np.float32)])
    assert speech_power(speech) == pytest.approx(0.04, rel=0.05)


@pytest.mark.parametrize("text", ["slt", "siri:slt", "flite:", "espeak:en:fast", "espeak:en:1:2:3"])
def test_what_is_no_voice_is_refused(text):
    with pytest.raises(ValueError):
        ShopperVoice.parse(text)


@pytest.mark.parametrize("voice", ["espeak:en-us+f3:150:60", "flite:slt", "festival:kal_diphone"])
def test_voices_speak(voice):
    program = {"espeak": "espeak-ng", "flite": "flite", "festival": "text2wave"}[voice.split(":")[0]]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    speech = ShopperVoice.parse(voice).say("two cartons of oat milk")
    assert 0.8 < len(speech) / RATE < 4.0 and speech_power(speech) > 1e-4


def test_a_voice_that_is_not_there_is_an_error_with_a_remedy(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SynthesisError, match="scripts/setup"):
        ShopperVoice.parse("flite:slt").say("hello")
