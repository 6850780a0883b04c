"""Judging a rehearsed conversation: what was expected against what happened. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import Levenshtein

from assistant import events
from assistant.events import Event
from assistant.rehearse.scenario import Expectation, ExpectedItem, Scenario
from assistant.shop.cart import CartLine
from assistant.shop.orders import Order


@dataclass(frozen=True)
class TurnRecord:
    """What happened in one turn.

    Attributes:
        said: Reference words; empty when the shopper was silent or the words are unknown.
        began: Audio seconds at the turn's begin.
        ended: Audio seconds at the end of the turn's speech.
        events: Everything the device reported until the next turn.
    """

    said: str
    began: float
    ended: float
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Verdict:
    """One scenario, judged.

    Attributes:
        name: The scenario's.
        tags: The scenario's.
        problems: What was not as expected, in words; empty when it passed.
        wrong_purchases: Lines bought that nobody asked for, or bought twice (headline).
        missed_purchases: Lines asked for that were not bought.
        intents: (expected, right) counts.
        items: (expected, right) counts.
        words: (reference words, word errors).
        transcript_latencies: Seconds from the end of speech to the transcript.
        reply_latencies: Seconds from the end of speech to the first audio.
        conversation: (audio seconds, who, text) lines for the report.
    """

    name: str
    tags: tuple[str, ...]
    problems: tuple[str, ...]
    wrong_purchases: int
    missed_purchases: int
    intents: tuple[int, int]
    items: tuple[int, int]
    words: tuple[int, int]
    transcript_latencies: tuple[float, ...]
    reply_latencies: tuple[float, ...]
    conversation: tuple[tuple[float, str, str], ...]

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.problems


def judge(scenario: Scenario, turns: Sequence[TurnRecord], orders: Sequence[Order]) -> Verdict:
    """Compares a conversation with its scenario.

    Args:
        scenario: What was expected.
        turns: What happened, one record per turn of the scenario.
        orders: All that were paid.
    """
    bought = [line for order in orders for line in order.lines]
    problems: list[str] = []
    intents, items, words = Counter[str](), Counter[str](), Counter[str]()
    for number, (turn, record) in enumerate(zip(scenario.turns, turns, strict=False), 1):
        problems += (f"turn {number}: {problem}" for problem in _unmet(turn.expect, record, intents, items))
        heard = " ".join(event.text for event in record.events if isinstance(event, events.Transcript))
        if record.said:
            reference = re.sub(r"[^\w\s']", " ", record.said.lower()).split()
            words["all"] += len(reference)
            words["wrong"] += Levenshtein.distance(reference, heard.split())
    if len(turns) < len(scenario.turns):
        problems.append(f"the conversation ended after {len(turns)} of {len(scenario.turns)} turns")
    wrong, missed = _purchases(scenario.purchase, bought)
    if wrong:
        problems.append(f"bought what nobody asked for: {_lines(bought)}")
    if missed:
        problems.append(f"did not buy what was asked for; bought: {_lines(bought) or 'nothing'}")
    if scenario.total is not None and (paid := _paid(orders)) != scenario.total:
        problems.append(f"paid {paid}, not {scenario.total}")
    happened = [event for record in turns for event in record.events]
    return Verdict(
        name=scenario.name,
        tags=tuple(scenario.tags),
        problems=tuple(problems),
        wrong_purchases=wrong,
        missed_purchases=missed,
        intents=(intents["all"], intents["right"]),
        items=(items["all"], items["right"]),
        words=(words["all"], words["wrong"]),
        transcript_latencies=tuple(e.latency_seconds for e in happened if isinstance(e, events.Transcript)),
        reply_latencies=tuple(e.latency_seconds for e in happened if isinstance(e, events.Reply) if e.latency_seconds),
        conversation=tuple(_conversation(turns)),
    )


def missing_words(expect: Expectation, happened: Iterable[Event]) -> list[str]:
    """What the replies should contain and do not, whatever the case of letters."""
    said = " ".join(event.text for event in happened if isinstance(event, events.Reply)).lower()
    return [text for text in expect.reply if text.lower() not in said]


def _unmet(expect: Expectation, record: TurnRecord, intents: Counter[str], items: Counter[str]) -> Iterable[str]:
    names = [event.name for event in record.events]
    understood = [event for event in record.events if isinstance(event, events.Understood)]
    replies = [event for event in record.events if isinstance(event, events.Reply)]
    if expect.intent is not None:
        intents["all"] += 1
        found = [event.intent for event in understood]
        if expect.intent in found:
            intents["right"] += 1
        else:
            yield f"expected intent {expect.intent}, understood {', '.join(found) or 'nothing'}"
    if expect.items is not None:
        got = [item for event in understood for item in event.items]
        right = sum(any(_same(wanted, item) for item in got) for wanted in expect.items)
        items["all"] += len(expect.items)
        items["right"] += right
        if right < len(expect.items) or len(got) != len(expect.items):
            yield f"expected items {[_short(item) for item in expect.items]}, understood {[dict(item) for item in got]}"
    said = " ".join(event.text for event in replies)
    yield from (f"no reply contains {text!r}: {said!r}" for text in missing_words(expect, record.events))
    yield from (f"{name} happened" for name in expect.absent if name in names)
    yield from (f"{name} did not happen" for name in expect.events if name not in names)
    if expect.within_seconds is not None:
        first = min((event.at for event in replies), default=None)
        if first is None or first - record.ended > expect.within_seconds:
            yield f"no reply within {expect.within_seconds} s"


def _purchases(wanted: Sequence[ExpectedItem], bought: Sequence[CartLine]) -> tuple[int, int]:
    open_lines = list(bought)
    missed = 0
    for item in wanted:
        match = next((line for line in open_lines if _same(item, line.to_json("en"))), None)
        if match is None:
            missed += 1
        else:
            open_lines.remove(match)
    return len(open_lines), missed


def _paid(orders: Sequence[Order]) -> str:
    """What all orders cost together, in decimals."""
    if not orders:
        return "nothing"
    return sum((order.total for order in orders[1:]), start=orders[0].total).decimal()


def _same(wanted: ExpectedItem, got: Mapping[str, Any]) -> bool:
    return (
        wanted.sku == got["sku"]
        and wanted.quantity == got["quantity"]
        and all(got["options"].get(group) == value for group, value in wanted.options.items())
    )


def _short(item: ExpectedItem) -> str:
    return f"{item.quantity} × {item.sku}" + "".join(f" {value}" for value in item.options.values())


def _lines(bought: Sequence[CartLine]) -> str:
    return ", ".join(f"{line.quantity} × {line.sku}" for line in bought)


def _conversation(turns: Sequence[TurnRecord]) -> Iterable[tuple[float, str, str]]:
    for record in turns:
        if record.said:
            yield record.began, "said", record.said
        for event in record.events:
            match event:
                case events.Transcript(text=text):
                    yield event.at, "heard", text
                case events.Reply(text=text):
                    yield event.at, "device", text
                case events.OrderPlaced(order=order) | events.Authorised(order=order):
                    yield event.at, event.name, order
                case events.Declined(reason=reason):
                    yield event.at, event.name, reason
                case events.Failure(code=code, message=message):
                    yield event.at, event.name, f"{code}: {message}"
