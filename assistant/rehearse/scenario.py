"""Scenarios: conversations written down with what is expected of them (YAML)."""

from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from assistant.errors import EnrolmentError, ScenarioError
from assistant.pay.pins import check_pin
from assistant.pay.roles import Role
from assistant.rehearse.voices import ShopperVoice
from assistant.understand.understanding import Intent

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=_STRICT)
class ExpectedItem:
    """An item that must be understood or bought; only what is given is compared."""

    sku: str
    quantity: int = 1
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, config=_STRICT)
class Expectation:
    """What must be true from this turn's first sound until the next turn begins.

    Attributes:
        intent: The understood intent.
        items: The understood items, in any order.
        reply: Words (lower case) that the replies together must contain, each text somewhere.
        absent: Event names that must not happen.
        events: Event names that must happen.
        within_seconds: Audio from the end of the turn's speech to the end of its last reply's beginning.
    """

    intent: Intent | None = None
    items: list[ExpectedItem] | None = None
    reply: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    within_seconds: float | None = None


@dataclass(frozen=True, config=_STRICT)
class ScenarioTurn:
    """A turn of the shopper: just one of ``say``, ``wav``, ``digits``, ``pin``, ``replay``, ``silence``, ``carrier``.

    Attributes:
        say: Text to speak.
        wav: Recording to play, relative to the scenario file.
        digits: Answer to the challenge: ``right``, ``wrong`` (one digit off), or ``previous`` (the last challenge's).
        pin: Says the PIN of the person of that name, or ``wrong``: somebody's, one digit off.
        replay: Plays again what the shopper said in that turn (counted from 1), like a recording.
        silence: Seconds in which nothing is said.
        carrier: Where the newest order is from now on; nothing is said.
        voice: Another voice than the scenario's, or a person's name.
        text: Reference words of a recording, for the word error rate.
        over_reply: Say it while the device is speaking.
        expect: What must be true.
    """

    say: str | None = None
    wav: str | None = None
    digits: Literal["right", "wrong", "previous"] | None = None
    pin: str | None = None
    replay: int | None = None
    silence: float | None = None
    carrier: Literal["packed", "shipped", "out_for_delivery", "delivered"] | None = None
    voice: str | None = None
    text: str | None = None
    over_reply: bool = False
    expect: Expectation = field(default_factory=Expectation)


@dataclass(frozen=True, config=_STRICT)
class Noise:
    """Noise of the room.

    Attributes:
        kind: ``white``, ``pink``, ``hum`` (refrigerator) or ``babble`` (other synthetic voices), or ``wav``.
        decibels: Signal-to-noise ratio against speech.
        wav: The recording for ``wav``, relative to the scenario file.
    """

    kind: Literal["white", "pink", "hum", "babble", "wav"]
    decibels: float
    wav: str | None = None


@dataclass(frozen=True, config=_STRICT)
class Person:
    """Somebody who is enrolled before.

    Attributes:
        voice: What they sound like, ``engine:name``.
        role: Adult or child.
        pin: Their PIN; None has none.
    """

    voice: str
    role: Role = Role.ADULT
    pin: str | None = None


@dataclass(frozen=True, config=_STRICT)
class Scenario:
    """One conversation on a fresh device.

    Attributes:
        name: Unique in its file.
        turns: What the shopper does.
        voice: The shopper's voice, ``engine:name``, or a person's name.
        owner: The voice that is enrolled before; None enrols nobody but ``people``.
        people: Name → somebody who is enrolled before.
        time: The household's time of day when the scenario begins, such as ``"21:30"``; from there it goes on with the
            sound. None takes this machine's.
        purchase: Everything that must be bought, over all orders; empty means nothing may be bought.
        total: What must be paid, over all orders, in decimals such as ``"7.20"``; None compares none.
        addresses: What the household calls its addresses → the address; the first is the usual one.
        noise: Noise of the room.
        gain_decibels: Loudness of the shopper against the synthesiser's own.
        settings: Settings that differ, as in the TOML file (``{"talk": {"answer_seconds": 5}}``).
        tags: For the report's groups.
    """

    name: str
    turns: list[ScenarioTurn]
    voice: str = "espeak:en-us+f3"
    owner: str | None = None
    people: dict[str, Person] = field(default_factory=dict)
    time: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None = None
    purchase: list[ExpectedItem] = field(default_factory=list)
    total: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?$")] | None = None
    addresses: dict[str, str] = field(default_factory=dict)
    noise: Noise | None = None
    gain_decibels: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)

    def sound(self, voice: str | None = None) -> str:
        """The voice, ``engine:name``, that a turn's ``voice`` means; None is the shopper's."""
        said_in = voice or self.voice
        return self.people[said_in].voice if said_in in self.people else said_in


@dataclass(frozen=True, config=_STRICT)
class ScenarioFile:
    """A file of scenarios.

    Attributes:
        scenarios: At least one.
        catalog: Feed, relative to the file; None takes the shipped household shop.
        promotions: Promotions file, relative to the file; None has no promotions, deposits and taxes.
        language: Language of the conversations.
    """

    scenarios: list[Scenario]
    catalog: str | None = None
    promotions: str | None = None
    language: str = "en"


def read_scenarios(path: Path) -> ScenarioFile:
    """Reads and checks a scenario file.

    Raises:
        ScenarioError: Not readable, not YAML, an unknown key or wrong value; the message names where.
    """
    try:
        values = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ScenarioError(f"Cannot read the scenarios {path}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioError(f"The scenarios {path} are not YAML: {error}.") from error
    try:
        file = TypeAdapter(ScenarioFile).validate_python(values)
    except ValidationError as error:
        problems = "; ".join(f"{_where(values, problem['loc'])}: {problem['msg']}" for problem in error.errors()[:5])
        raise ScenarioError(f"The scenarios {path} cannot be used: {problems}.") from error
    _check(path, file)
    return file


def _check(path: Path, file: ScenarioFile) -> None:
    names = [scenario.name for scenario in file.scenarios]
    if not names or len(set(names)) < len(names):
        raise ScenarioError(f"The scenarios {path} need at least one scenario and unique names.")
    for scenario in file.scenarios:
        try:
            _check_people(scenario)
        except (ValueError, EnrolmentError) as error:
            raise ScenarioError(f"Scenario {scenario.name!r} in {path}: {str(error).rstrip('.')}.") from error
        for number, turn in enumerate(scenario.turns, 1):
            given = [turn.say, turn.wav, turn.digits, turn.pin, turn.replay, turn.silence, turn.carrier]
            if sum(value is not None for value in given) != 1:
                problem = "give exactly one of say, wav, digits, pin, replay, silence and carrier"
            elif turn.replay is not None and not 0 < turn.replay < number:
                problem = "replay names an earlier turn"
            elif turn.pin is not None and turn.pin not in _with_pins(scenario):
                problem = "pin names a person who has one, or is wrong where somebody has one"
            else:
                continue
            raise ScenarioError(f"Scenario {scenario.name!r} in {path}, turn {number}: {problem}.")


def _check_people(scenario: Scenario) -> None:
    """Whether everybody can be spoken for and enrolled.

    Raises:
        ValueError: Neither a voice nor a person's name.
        EnrolmentError: A PIN that is none.
    """
    for voice in (scenario.voice, scenario.owner, *scenario.people, *(turn.voice for turn in scenario.turns)):
        ShopperVoice.parse(scenario.sound(voice))
    for person in scenario.people.values():
        if person.pin is not None:
            check_pin(person.pin)


def _with_pins(scenario: Scenario) -> tuple[str, ...]:
    names = tuple(name for name, person in scenario.people.items() if person.pin is not None)
    return (*names, "wrong") if names else ()


def _where(values: Any, location: tuple[int | str, ...]) -> str:
    """The location in words, with the scenario's name in place of its number."""
    match location:
        case ("scenarios", int(index), *rest):
            try:
                name = values["scenarios"][index]["name"]
            except (KeyError, TypeError, IndexError):
                name = f"number {index + 1}"
            return f"scenario {name!r} " + ".".join(map(str, rest))
        case _:
            return ".".join(map(str, location)) or "file"
