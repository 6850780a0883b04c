"""Spoken conversations with the whole device: every scenario goes as written, and nothing wrong is ever bought."""

from dataclasses import replace
from pathlib import Path

import pytest

from assistant.parts import Parts
from assistant.rehearse.rehearsal import rehearse
from assistant.rehearse.scenario import Scenario, read_scenarios
from assistant.settings import Hear, Settings
from assistant.shop.feed import read_feed
from assistant.shop.promotions.rule_file import read_rule_file

# Loading a state's model takes a fifth of a second: here they stay.
SETTINGS = replace(Settings(), hear=Hear(models_kept=8))
FOLDER = Path(__file__).parent / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))
SCENARIOS = [(path, scenario) for path in FILES for scenario in read_scenarios(path).scenarios]


def rules_of(path: Path):
    promotions = read_scenarios(path).promotions
    return read_rule_file(FOLDER / promotions) if promotions else None


@pytest.fixture(scope="module")
def parts_for(request):
    """The device's parts for a scenario file, one file's at a time; graphs are kept between runs."""
    graphs = request.config.cache.mkdir("voicecart")
    made: dict[Path, Parts] = {}

    def parts(path: Path) -> Parts:
        if path not in made:
            while made:
                made.popitem()[1].close()
            feed, rules = FOLDER / (read_scenarios(path).catalog or ""), rules_of(path)
            made[path] = Parts(SETTINGS, read_feed(feed).products, graphs, coupons=rules.coupons if rules else ())
        return made[path]

    yield parts
    for one in made.values():
        one.close()


@pytest.mark.parametrize(
    ("path", "scenario"), SCENARIOS, ids=[f"{path.stem}: {scenario.name}" for path, scenario in SCENARIOS]
)
def test_a_conversation_goes_as_written_and_buys_nothing_wrong(parts_for, path: Path, scenario: Scenario):
    parts = parts_for(path).with_settings(scenario.settings)
    verdict = rehearse(scenario, parts, FOLDER, rules=rules_of(path)).verdict
    assert verdict.wrong_purchases == 0, verdict.conversation
    assert verdict.passed, "\n".join([*verdict.problems, *map(str, verdict.conversation)])


def test_the_suite_is_large_and_has_many_voices():
    scenarios = [scenario for _, scenario in SCENARIOS]
    voices = {turn.voice or scenario.voice for scenario in scenarios for turn in scenario.turns if not turn.silence}
    tags = {tag for scenario in scenarios for tag in scenario.tags}
    assert len(scenarios) >= 45
    assert len(voices) >= 6
    assert tags >= {
        "happy", "several", "options", "units", "correction", "ambiguity", "unknown", "silence", "noise", "two people",
        "stop", "cancel", "impostor", "replay", "digits", "timeout", "enrolment", "follow-up", "orders", "coffee",
    }  # fmt: skip
