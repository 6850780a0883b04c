"""The script of a simulated shopper: the turns of a scenario, said when the device is ready for them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from assistant import events
from assistant.hear.audio import RATE, Samples
from assistant.hear.reading import read_audio
from assistant.rehearse.judging import TurnRecord, missing_words
from assistant.rehearse.scenario import Scenario, ScenarioTurn
from assistant.rehearse.shopper import Turn
from assistant.rehearse.voices import ShopperVoice

Speak = Callable[[str, str], Samples]
_MOMENT = 0.5
"""Seconds of silence in which something happens elsewhere."""
Said = Callable[[float, str, str], None]
"""Takes what a shopper says: audio seconds, voice, words."""


class Script:
    """Plays a scenario's turns and records what the device does in each.

    The shopper listens: one who does not hear the expected words leaves, as nobody says yes to something else.

    Subscribe ``observe`` to the device's events and give ``next_turn`` to a ``ShopperSource``.

    Args:
        scenario: The turns.
        folder: Where recordings named by the scenario are looked for.
        language_digits: Says digits as a person does, e.g. "4 7" → "four seven".
        now: Audio seconds, as the device counts them.
        speak: Turns (voice, text) into speech; remembered results may be given.
        said: Takes what is said, when it begins.
        carry: Takes a status that the newest order reaches, by its name.
    """

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        language_digits: Callable[[str], str],
        now: Callable[[], float],
        speak: Speak = lambda voice, text: ShopperVoice.parse(voice).say(text),
        said: Said = lambda at, voice, words: None,
        carry: Callable[[str], None] = lambda status: None,
    ) -> None:
        self._scenario = scenario
        self._folder = folder
        self._language_digits = language_digits
        self._now = now
        self._speak = speak
        self._said = said
        self._carry = carry
        self._spoken: list[Samples] = []
        self._challenges: list[str] = []
        self._records: list[TurnRecord] = []
        self._events: list[events.Event] = []

    def observe(self, event: events.Event) -> None:
        """Takes the device's events."""
        self._events.append(event)
        if isinstance(event, events.Challenge):
            self._challenges.append(event.digits)

    def next_turn(self) -> Turn | None:
        """The next turn for the shopper, or None when the scenario is over."""
        self._close_turn()
        number = len(self._spoken)
        if number == len(self._scenario.turns) or (number and not self._answered_as_expected(number - 1)):
            return None
        turn = self._scenario.turns[number]
        said, speech = self._speech(turn)
        speech = np.asarray(speech * 10 ** (self._scenario.gain_decibels / 20), np.float32)
        self._spoken.append(speech)
        self._records.append(TurnRecord(said, self._now(), self._now(), ()))

        def began() -> None:
            at = self._now()
            self._records[-1] = replace(self._records[-1], began=at, ended=at + len(speech) / RATE)
            if turn.carrier is not None:
                self._carry(turn.carrier)
            if len(speech):
                self._said(at, self._scenario.sound(turn.voice), said or "…")

        unanswered = _MOMENT if turn.carrier is not None else turn.silence or 0.0
        return Turn(speech, unanswered, turn.over_reply, began)

    def records(self) -> tuple[TurnRecord, ...]:
        """What happened in each turn that was played."""
        self._close_turn()
        return tuple(self._records)

    def _close_turn(self) -> None:
        if self._records:
            self._records[-1] = replace(self._records[-1], events=self._records[-1].events + tuple(self._events))
        self._events.clear()

    def _answered_as_expected(self, number: int) -> bool:
        return not missing_words(self._scenario.turns[number].expect, self._records[number].events)

    def _speech(self, turn: ScenarioTurn) -> tuple[str, Samples]:
        voice = self._scenario.sound(turn.voice)
        if turn.say is not None:
            return turn.text or turn.say, self._speak(voice, turn.say)
        if turn.wav is not None:
            return turn.text or "", read_audio(self._folder / turn.wav)
        if turn.replay is not None:
            return "", self._spoken[turn.replay - 1]
        if turn.digits is not None:
            said = self._language_digits(self._digits(turn.digits))
            return said, self._speak(voice, said)
        if turn.pin is not None:
            # The words of a PIN are in no report.
            return "", self._speak(voice, self._language_digits(self._pin(turn.pin)))
        return "", np.zeros(0, np.float32)

    def _pin(self, whose: str) -> str:
        people = self._scenario.people
        if whose == "wrong":
            return _one_off(next(person.pin for person in people.values() if person.pin))
        return people[whose].pin or ""

    def _digits(self, which: str) -> str:
        digits = self._challenges[-1] if self._challenges else "1234"
        if which == "wrong":
            return _one_off(digits)
        if which == "previous":
            return self._challenges[-2] if len(self._challenges) > 1 else digits[::-1]
        return digits


def _one_off(digits: str) -> str:
    return digits[:-1] + str((int(digits[-1]) + 5) % 10)
