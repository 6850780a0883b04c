"""Measures the acoustic model, alone and through the shop, beside PocketSphinx on the same recordings.

usage: python scripts/benchmark_asr.py [--model models/voicecart-en] [--sets menu words general digits brands shop]
                                       [--engines vosk pocketsphinx pocketsphinx-rules] [--document]

Needs the recordings (``VOICECART_SHARED``), synthesisers, and the packages of the group ``benchmark``. Results go to
``docs/hearing-benchmark.json`` and ``.png``; ``--document`` puts the table into ``docs/hearing.md``. A set that was not
measured again keeps its figures.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from assistant.hear.lexicon import Lexicon  # noqa: E402
from scripts.hearing_benchmark import measuring, recordings, report  # noqa: E402
from scripts.hearing_benchmark.costs import costs  # noqa: E402
from scripts.hearing_benchmark.measuring import MakeEngine, Tally  # noqa: E402

ENGINES = ("vosk", "pocketsphinx", "pocketsphinx-rules")
"""The last is PocketSphinx with the grammar's rules as they are written, which is slow."""
SETS = ("menu", "words", "general", "digits", "brands", "shop")
Measured = dict[str, Tally]


def measured(name: str, make: MakeEngine, lexicon: Lexicon, audio: Path, levels: list[int], every: int) -> Measured:
    """One of the sets that need a recogniser only."""
    if name == "menu":
        found = measuring.menu_orders(make, recordings.coffee_orders(), levels, every)
        title = "coffee orders" if every == 1 else f"coffee orders (each {every}th)"
        return {f"{title}, menu grammar, {level}": tally for level, tally in found.items()}
    if name == "words":
        return measuring.words_in_any_order(make, levels)
    if name == "general":
        return {"sentences about anything, no grammar": measuring.without_grammar(make, lexicon)}
    if name == "digits":
        found = measuring.spoken_digits(make, audio)
        return {f"digit strings, synthetic voices, {level}": tally for level, tally in found.items()}
    return {"unknown brands in 2,000 products, synthetic voices": measuring.unknown_brands(make, audio, lexicon)}


def measured_shop(model: Path, audio: Path, levels: list[int]) -> Measured:
    """What needs the shop's own grammars and understanding."""
    from scripts.hearing_benchmark import shop

    cafe = shop.Shop(model, REPOSITORY / "catalog" / "coffee-menu.jsonl")
    found = shop.menu_orders(cafe, recordings.coffee_orders(), levels)
    results = {f"coffee orders, voicecart understand, {level}": tally for level, tally in found.items()}
    household = shop.Shop(model, REPOSITORY / "catalog" / "household.jsonl")
    found = shop.single_items(household, audio)
    results |= {f"single items, household shop, synthetic voices, {level}": tally for level, tally in found.items()}
    others = recordings.english_of_mandarin_speakers()[::2]
    results["speech that is no command, household shop"] = shop.rejected(household, others)
    return results


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=REPOSITORY / "models" / "voicecart-en")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=("vosk", "pocketsphinx"))
    parser.add_argument("--levels", nargs="*", type=int, default=list(recordings.LEVELS), help="noise for orders, dB")
    parser.add_argument("--every", type=int, default=1, help="take every N-th order of the menu only")
    parser.add_argument("--audio", type=Path, default=Path("/tmp/voicecart-benchmark"), help="synthesised speech")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "hearing-benchmark")
    parser.add_argument("--document", action="store_true")
    arguments = parser.parse_args()
    levels = arguments.levels
    lexicon = Lexicon(REPOSITORY / "models" / "lexicon-en", arguments.audio)
    figures = arguments.out.with_suffix(".json")
    results: dict[str, Any] = json.loads(figures.read_text("utf-8")) if figures.exists() else {}
    results.setdefault("sets", {})
    runs: list[tuple[str, Callable[[], Measured]]] = []
    for name in arguments.sets:
        if name == "shop":
            runs.append((arguments.model.name, lambda: measured_shop(arguments.model, arguments.audio, levels)))
            continue
        for engine in arguments.engines:
            vosk, smallest = engine == "vosk", engine != "pocketsphinx-rules"
            other = measuring.pocketsphinx_maker(lexicon, smallest)
            make = measuring.vosk_maker(arguments.model, lexicon) if vosk else other
            title = arguments.model.name if vosk else engine if smallest else "pocketsphinx, rules as written"
            runs.append(
                (
                    title,
                    lambda name=name, make=make: measured(
                        name, make, lexicon, arguments.audio, levels, arguments.every
                    ),
                )
            )
    for title, run in runs:
        for name, tally in run().items():
            results["sets"].setdefault(name, {})[title] = tally.as_json()
            print(f"{title}: {name}: {tally.right} of {tally.utterances}", flush=True)
        results["measured"] = time.strftime("%Y-%m-%d")
        figures.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    results["costs"] = costs(arguments.model)
    figures.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    report.plot_noise(arguments.out.with_suffix(".png"), results)
    if arguments.document:
        report.write_into(REPOSITORY / "docs" / "hearing.md", results)


if __name__ == "__main__":
    main()
