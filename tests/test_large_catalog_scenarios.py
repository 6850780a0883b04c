"""Spoken conversations over a shop of three thousand products, which is treated as one of a million."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant.parts import Parts
from assistant.rehearse.rehearsal import rehearse
from assistant.rehearse.scenario import Scenario, read_scenarios
from assistant.settings import Settings, Understand
from assistant.shop.catalog import ImportedCatalog
from assistant.shop.database import open_database
from assistant.shop.shelf import Shelf
from assistant.storefront import offer_of
from scripts.search_benchmark.products import make_products

FOLDER = Path(__file__).parent / "scenarios" / "large"
LARGE = Settings(understand=Understand(many_products=1_000))
SOLD_OUT = ("P0000100",)
IMPORTED_AT = datetime(2026, 11, 11, tzinfo=UTC)  # always the same, so that the index is made once


def named(file: str):
    scenarios = read_scenarios(FOLDER / file).scenarios
    return pytest.mark.parametrize("scenario", scenarios, ids=[scenario.name for scenario in scenarios])


@pytest.fixture(scope="module")
def kept(request):
    """Graphs and indexes are kept between runs."""
    return request.config.cache.mkdir("voicecart")


@pytest.fixture(scope="module")
def of_a_feed(kept):
    made = Parts(LARGE, make_products(3_000), kept)
    yield made
    made.close()


@pytest.fixture(scope="module")
def imported(kept, tmp_path_factory):
    state = tmp_path_factory.mktemp("shop")
    products = (replace(one, stock=0) if one.sku in SOLD_OUT else one for one in make_products(3_000))
    ImportedCatalog(open_database(state)).switch(tuple(products), IMPORTED_AT)
    offer = offer_of(LARGE, state, None)
    assert isinstance(offer, Shelf)
    made = Parts(LARGE, offer, kept)
    yield made
    made.close()


def play(parts: Parts, scenario: Scenario) -> None:
    verdict = rehearse(scenario, parts.with_settings(scenario.settings), FOLDER).verdict
    assert verdict.wrong_purchases == 0, verdict.conversation
    assert verdict.passed, "\n".join([*verdict.problems, *map(str, verdict.conversation)])


@named("three_thousand.yaml")
def test_a_conversation_goes_as_written_and_buys_nothing_wrong(of_a_feed: Parts, scenario: Scenario) -> None:
    play(of_a_feed, scenario)


@named("imported.yaml")
def test_a_conversation_over_an_imported_catalog_goes_as_written_too(imported: Parts, scenario: Scenario) -> None:
    play(imported, scenario)
