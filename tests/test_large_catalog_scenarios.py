"""Spoken conversations over a shop of three thousand products, which is treated as one of a million."""

from pathlib import Path

import pytest

from assistant.parts import Parts
from assistant.rehearse.rehearsal import rehearse
from assistant.rehearse.scenario import Scenario, read_scenarios
from assistant.settings import Settings, Understand
from scripts.search_benchmark.products import make_products

FILE = Path(__file__).parent / "scenarios" / "large" / "three_thousand.yaml"
SCENARIOS = read_scenarios(FILE).scenarios


@pytest.fixture(scope="module")
def parts(request):
    made = Parts(
        Settings(understand=Understand(many_products=1_000)),
        make_products(3_000),
        request.config.cache.mkdir("voicecart"),
    )
    yield made
    made.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_a_conversation_goes_as_written_and_buys_nothing_wrong(parts: Parts, scenario: Scenario) -> None:
    verdict = rehearse(scenario, parts.with_settings(scenario.settings), FILE.parent).verdict
    assert verdict.wrong_purchases == 0, verdict.conversation
    assert verdict.passed, "\n".join([*verdict.problems, *map(str, verdict.conversation)])
