"""``voicecart enroll``: enrols a voice that may pay, by talking or from recordings."""

import argparse
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assistant.commands.main import Subcommands
from assistant.events import EventStream
from assistant.hear.microphone import MicSource
from assistant.hear.reading import read_audio
from assistant.hear.segmenter import Segmenter
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.household import Household
from assistant.observe.conversation_view import ConversationView
from assistant.parts import Parts
from assistant.pay.enrolment import BadTakes, Enrolment, TakeReport
from assistant.pay.guided_enrolment import GuidedEnrolment
from assistant.pay.roles import Role
from assistant.settings_file import changed
from assistant.speak.loudspeakers import live_loudspeaker
from assistant.speak.mouth import Mouth

_MEANING = {
    Role.ADULT: "This voice may pay now.",
    Role.CHILD: "This voice may order now, and an adult has to approve it.",
}


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "enroll",
        help="enrol a voice that may pay",
        description="The device says some sentences, and you say them after it. With --wav, recordings of one person "
        "take the place of speaking: three or more, five are recommended. No sound is kept.",
    )
    parser.add_argument("name", metavar="NAME", help="who it is")
    parser.add_argument("--wav", nargs="+", type=Path, metavar="FILE", help="recordings, one sentence each")
    parser.add_argument("--device", metavar="NAME", help="part of the microphone's name")
    parser.add_argument("--replace", action="store_true", help="enrol anew somebody who is enrolled")
    parser.add_argument(
        "--role",
        choices=tuple(Role),
        type=Role,
        help="adult (default) may pay; child may order, and an adult approves. With --replace the role stays as it was",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Enrols a voice; nothing changes when that fails."""
    settings = changed(options.settings, {"hear": {"microphone": options.device}} if options.device else {})
    parts = Parts(settings, (), options.state)
    household = Household(parts, options.state)
    # Looked at before anybody is asked to speak, as the name itself is.
    household.voices.check_name(options.name)
    with contextlib.closing(parts):
        if options.wav:
            enrolment = _from_files(household, options.name, options.wav, replace=options.replace, role=options.role)
        else:
            enrolment = _by_talking(household, options.name, options.state, replace=options.replace, role=options.role)
    meaning = _MEANING[household.voices.roles()[options.name]]
    print(f"{options.name} is enrolled ({enrolment.voice.takes} takes). {meaning}")
    return 0


def _from_files(
    household: Household, name: str, paths: Sequence[Path], *, replace: bool, role: Role | None
) -> Enrolment:
    takes = [read_audio(path) for path in paths]
    try:
        enrolment = household.enrolments.enrol(name, takes, replace=replace, role=role)
    except BadTakes as bad:
        _print_takes(paths, bad.takes)
        raise
    _print_takes(paths, enrolment.takes)
    return enrolment


def _by_talking(household: Household, name: str, state: Path, *, replace: bool, role: Role | None) -> Enrolment:
    parts, settings = household.parts, household.parts.settings
    stream = EventStream()
    stream.subscribe(ConversationView(Console(soft_wrap=True)))
    # Looked at before anybody is asked to speak.
    household.enrolments.check_name(name, replace=replace)
    sentences = parts.language.enrolment_sentences[: household.enrolments.utterances]
    loudspeaker = live_loudspeaker(settings.speak, state, stream)
    guide = GuidedEnrolment(
        MicSource(settings.hear),
        SileroVoiceActivity(),
        Segmenter(settings.hear),
        Mouth(parts.synthesiser, loudspeaker, settings.speak.tail_seconds, stream.publish),
        parts.replies,
        household.enrolments,
        settings,
    )
    return guide.enrol(name, sentences, replace=replace, role=role)


def _print_takes(paths: Sequence[Path], takes: Sequence[TakeReport]) -> None:
    table = Table("recording", "speech", "level", "above noise", "agreement", "")
    for path, take in zip(paths, takes, strict=True):
        quality = take.quality
        agreement = "–" if take.agreement is None else f"{take.agreement:.2f}"
        judgement = "good" if take.fault is None else str(take.fault).replace("_", " ")
        table.add_row(
            escape(path.name),
            f"{quality.voiced_seconds:.1f} s",
            f"{quality.level:.0f} dB",
            f"{quality.signal_to_noise:.0f} dB",
            agreement,
            judgement,
        )
    Console(file=sys.stderr).print(table)
