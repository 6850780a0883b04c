"""``voicecart demo``: a whole purchase by voice, played by simulated shoppers."""

import argparse
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.rule import Rule

from assistant.commands.main import Subcommands
from assistant.errors import AudioDeviceError
from assistant.hear.audio import Samples
from assistant.observe.conversation_view import ConversationView
from assistant.parts import Parts
from assistant.rehearse.rehearsal import rehearse
from assistant.rehearse.scenario import read_scenarios
from assistant.shop.feed import read_feed
from assistant.shop.receipt import receipt, render_receipt
from assistant.speak.loudspeakers import play_live
from assistant.storefront import shipped_catalog

_WHO = {"flite:slt": "owner", "flite:rms": "stranger"}


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "demo",
        help="a whole purchase by voice on this machine, played by simulated shoppers",
        description="A simulated owner enrols, orders by voice, corrects, confirms, repeats the digits and asks for "
        "the order; a second voice then tries to pay. All of it is sound through the real recogniser and speaker "
        "encoder. With a loudspeaker it is heard as it happens; without one it runs as fast as the machine can.",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        default=Path("voicecart-demo.wav"),
        help="WAV of the whole conversation (default: %(default)s)",
    )
    parser.add_argument("--catalog", type=Path, metavar="FEED", help="another shop's feed")
    parser.add_argument("--quiet", action="store_true", help="do not play it, whatever loudspeaker there is")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Plays the demo; returns 1 when it did not go as it should."""
    console = Console(soft_wrap=True)
    products = read_feed(options.catalog or shipped_catalog()).products
    parts = Parts(options.settings, products, options.state, console.print)
    with resources.as_file(resources.files("assistant.rehearse") / "demo.yaml") as path:
        scenario = read_scenarios(path).scenarios[0]
    console.print(Rule("a conversation with Voicecart"))
    rehearsal = rehearse(
        scenario,
        parts,
        path.parent,
        observers=[ConversationView(console)],
        recording=options.out,
        monitor=None if options.quiet else _monitor(options.settings.speak.loudspeaker),
        aloud=True,
        said=lambda at, voice, words: console.print(
            f"[dim]{at:7.2f} s[/dim]  [bold magenta]{_WHO.get(voice, voice):>9}[/]  {escape(words)}  [dim]({voice})[/]"
        ),
    )
    parts.close()
    for order in rehearsal.orders:
        console.print(render_receipt(receipt(order, options.settings.understand.language)))
    for problem in rehearsal.verdict.problems:
        console.print(f"[red]not as it should be:[/] {problem}")
    console.print(f"The whole conversation: {options.out.resolve()}")
    return int(not rehearsal.verdict.passed)


def _monitor(name: str) -> Callable[[Samples], None] | None:
    try:
        return play_live(name)
    except AudioDeviceError:
        return None
