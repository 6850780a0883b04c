"""``voicecart run``: the live loop, over a microphone, over recordings, or over typed lines."""

import argparse
import contextlib
import signal
import sys
import time
from pathlib import Path

from rich.console import Console

from assistant import events
from assistant.assembly import open_conversation, open_device
from assistant.commands.main import Subcommands
from assistant.errors import UsageError
from assistant.events import EventStream
from assistant.hear.audio import AudioSource
from assistant.hear.microphone import MicSource
from assistant.hear.wav_source import WavSource
from assistant.household import Household
from assistant.observe.conversation_view import ConversationView
from assistant.observe.json_lines import JsonLines
from assistant.observe.recording import Recording
from assistant.parts import Parts
from assistant.settings_file import changed
from assistant.speak.loudspeakers import SilentLoudspeaker, live_loudspeaker
from assistant.speak.synthesiser import Loudspeaker
from assistant.storefront import coupons_for, offer_of, places_for


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "run",
        help="listen and sell: from the microphone, from recordings, or from typed lines",
        description="Runs the live loop. With --wav the files are the microphone, one after the other; with --text "
        "lines from standard input replace hearing (nobody can pay by typing). Ends with the files, or with Ctrl-C.",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--wav", nargs="+", type=Path, metavar="FILE", help="recordings in place of the microphone")
    source.add_argument("--text", action="store_true", help="typed lines in place of hearing")
    parser.add_argument("--device", metavar="NAME", help="part of the microphone's name")
    parser.add_argument("--no-wake", action="store_true", help="no wake phrase is needed")
    parser.add_argument("--challenge", metavar="DIGITS", help="fixed challenge, for recorded answers: only with --wav")
    parser.add_argument("--json", action="store_true", help="one event per line on standard output")
    parser.add_argument("--catalog", type=Path, metavar="FEED", help="sell what this feed has, without importing it")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write the whole conversation to a WAV")
    parser.add_argument("--real-time", action="store_true", help="play recordings at the speed of life, not faster")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Runs until the source ends or the person leaves."""
    if options.challenge is not None:
        _check_challenge(options)
    changes: dict[str, dict[str, object]] = {"hear": {}}
    if options.device:
        changes["hear"]["microphone"] = options.device
    if options.no_wake:
        changes["hear"]["wake"] = "open"
    settings = changed(options.settings, changes)
    console = Console(stderr=True, soft_wrap=True)
    products = offer_of(options.settings, options.state, options.catalog, console.print)
    coupons, places = coupons_for(settings, options.state), places_for(settings, options.state)
    parts = Parts(settings, products, options.state, console.print, coupons, places)
    stream = EventStream()
    stream.subscribe(JsonLines(sys.stdout) if options.json else ConversationView(Console(soft_wrap=True)))
    household = Household(parts, options.state, fixed_digits=options.challenge)
    with contextlib.closing(parts):
        if options.text:
            return _typed(parts, household, stream)
        return _heard(options, parts, household, stream)


def _check_challenge(options: argparse.Namespace) -> None:
    if not options.wav:
        raise UsageError("--challenge is for recorded answers: give them with --wav. A person gets random digits.")
    if not options.challenge.isdecimal() or not 3 <= len(options.challenge) <= 8:
        raise UsageError("--challenge needs three to eight digits, such as 4719.")


def _heard(options: argparse.Namespace, parts: Parts, household: Household, stream: EventStream) -> int:
    settings = parts.settings
    source: AudioSource
    loudspeaker: Loudspeaker
    if options.wav:
        source, loudspeaker = WavSource(options.wav, real_time=options.real_time), SilentLoudspeaker()
    else:
        source, loudspeaker = MicSource(settings.hear), live_loudspeaker(settings.speak, options.state, stream)
    with contextlib.ExitStack() as stack:
        if options.record:
            recording = stack.enter_context(Recording(options.record))
            source, loudspeaker = recording.source(source), recording.loudspeaker(loudspeaker)
            stream.subscribe(recording.observe)
        device = open_device(parts, household, source, loudspeaker, stream)
        signal.signal(signal.SIGTERM, lambda number, frame: device.leave())
        signal.signal(signal.SIGUSR1, lambda number, frame: device.push_to_talk())
        device.run()
    return 0


def _typed(parts: Parts, household: Household, stream: EventStream) -> int:
    """Reads one utterance per line; audio time stands still."""
    conversation = open_conversation(parts, household, stream, lambda: 0.0)
    for line in sys.stdin:
        text = parts.language.normalise(line)
        if text:
            started = time.perf_counter()
            response = conversation.heard_text([text])
            for reply in response.replies:
                seconds = round(time.perf_counter() - started, 3)
                stream.publish(events.Reply(at=0.0, text=reply, latency_seconds=seconds))
    conversation.leave()
    return 0
