"""``voicecart evaluate``: spoken scenarios against the device."""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from assistant.commands.main import Subcommands
from assistant.parts import Parts
from assistant.rehearse.rehearsal import rehearse
from assistant.rehearse.report import write_report
from assistant.rehearse.scenario import read_scenarios
from assistant.settings_file import changed
from assistant.shop.feed import read_feed
from assistant.shop.promotions.rule_file import read_rule_file
from assistant.storefront import shipped_catalog


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "evaluate",
        help="play spoken scenarios against the device and judge it",
        description="Plays spoken scenarios (YAML) against a fresh device each, as sound through the real recogniser "
        "and speaker encoder; reports accuracy, latency and wrong purchases. Exit code 1 when a scenario failed.",
    )
    parser.add_argument("scenarios", type=Path, metavar="SCENARIOS.yaml")
    parser.add_argument("--only", metavar="TEXT", default="", help="scenarios whose name or tag contains TEXT")
    parser.add_argument(
        "--report",
        type=Path,
        metavar="DIR",
        default=Path("voicecart-report"),
        help="where report.json and report.html go (default: %(default)s)",
    )
    parser.add_argument("--recordings", type=Path, metavar="DIR", help="write a WAV of every conversation")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Plays the scenarios; returns 1 when one failed."""
    file = read_scenarios(options.scenarios)
    folder = options.scenarios.parent
    feed = folder / file.catalog if file.catalog else shipped_catalog()
    settings = changed(options.settings, {"understand": {"language": file.language}})
    chosen = [scenario for scenario in file.scenarios if options.only in scenario.name or options.only in scenario.tags]
    console = Console(stderr=options.json, soft_wrap=True)
    rules = read_rule_file(folder / file.promotions) if file.promotions else None
    parts = Parts(settings, read_feed(feed).products, options.state, console.print, rules.coupons if rules else ())
    verdicts = []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("scenarios", total=len(chosen))
        for scenario in chosen:
            recording = options.recordings / f"{scenario.name}.wav" if options.recordings else None
            fitted = parts.with_settings(scenario.settings)
            verdict = rehearse(scenario, fitted, folder, recording=recording, rules=rules).verdict
            verdicts.append(verdict)
            mark = "[green]passed[/]" if verdict.passed else "[red]failed[/]"
            progress.console.print(f"{mark}  {escape(verdict.name)}")
            for problem in verdict.problems:
                progress.console.print(f"        {escape(problem)}")
            progress.advance(task)
    parts.close()
    summary = write_report(options.report, verdicts)
    if options.json:
        print(json.dumps(summary, ensure_ascii=False))
    else:
        console.print(f"[bold]wrong purchases: {summary['wrong_purchases']}[/]")
        for key, value in list(summary.items())[1:]:
            console.print(f"{key.replace('_', ' ')}: {value}")
        console.print(f"report: {options.report / 'report.html'}")
    return int(summary["passed"] < summary["scenarios"])
