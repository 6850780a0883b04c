"""Draws docs/dialogue.md from the table that the dialogue runs on.

usage: draw_dialogue.py [--check]    (--check writes nothing and fails when the page is not up to date)
"""

import sys
from collections import defaultdict
from pathlib import Path

from assistant.talk.inputs import Kind, Paid, PaymentDeclined, Silence, Woken
from assistant.talk.situation import State
from assistant.talk.transitions import EVERY, ROWS, TABLE, Row
from assistant.understand.understanding import Intent

PAGE = Path(__file__).parent.parent / "docs" / "dialogue.md"
DRAWN: tuple[Kind, ...] = (
    Woken,
    Intent.ORDER,
    Intent.CHECKOUT,
    Intent.CHANGE_QUANTITY,
    Intent.CONFIRM,
    Intent.DENY,
    Intent.CANCEL,
    Intent.STOP,
    Silence,
    Paid,
    PaymentDeclined,
)
# A payment's outcome is drawn where it belongs; the table says what happens elsewhere.
ONLY_WHILE_AUTHORISING = (Paid, PaymentDeclined)
HEADING = """# The dialogue

Drawn by `scripts/draw_dialogue.py` from the table in `assistant/talk/transitions.py`, which the dialogue runs on. The
dialogue is pure: it is given where the conversation stands, what happened and what the shop knows, and returns where
the conversation stands then and what is to be done. Only one way leads to a payment: a "yes" in *confirming*, for
exactly the cart that was read back, and then the authority's word in *authorising*.

The picture shows the inputs that move a purchase on or end it.

"""


def name_of(kind: Kind) -> str:
    """An intent as it is written in JSON; another input by its class."""
    return str(kind) if isinstance(kind, Intent) else kind.__name__


def diagram() -> str:
    """The ways between states as a Mermaid state diagram; ways from a state back to itself are left out."""
    ways: dict[tuple[State, State], list[str]] = defaultdict(list)
    for state in EVERY:
        for kind in DRAWN:
            if kind in ONLY_WHILE_AUTHORISING and state is not State.AUTHORISING:
                continue
            for target in TABLE[state, kind].to:
                if target is not state:
                    ways[state, target].append(name_of(kind))
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.IDLE}"]
    lines += [f"    {source} --> {target}: {', '.join(kinds)}" for (source, target), kinds in ways.items()]
    return "\n".join([*lines, "```"])


def table() -> str:
    """The rows, as they are read: the first one that names a state and an input counts."""
    lines = ["| in | heard or told | what happens | then |", "|---|---|---|---|"]
    for row in ROWS:
        kinds = ", ".join(name_of(kind) for kind in row.kinds)
        lines.append(f"| {states(row.states)} | {kinds} | {summary(row)} | {states(row.to)} |")
    return "\n".join(lines)


def states(names: tuple[State, ...]) -> str:
    """States in words."""
    return "every state" if set(names) == set(EVERY) else ", ".join(names)


def summary(row: Row) -> str:
    """The first line of the handler's documentation."""
    return (row.handler.__doc__ or "").strip().splitlines()[0]


def main() -> int:
    """Writes or checks the page."""
    page = HEADING + diagram() + "\n\n## The table\nThe first row that names a state and an input counts.\n\n"
    page += table() + "\n"
    if "--check" in sys.argv[1:]:
        return int(PAGE.read_text("utf-8") != page)
    PAGE.write_text(page, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
