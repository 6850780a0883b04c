"""The acoustic model's phones and how its outputs are entered: the transducer from transition-ids to phones."""

import json
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import ModelDamaged
from assistant.hear.openfst import Arc, Automaton


@dataclass(frozen=True)
class Topology:
    """What ``topology.json`` of a model folder says.

    Every phone has one output for entering it and one for staying in it (Kaldi's chain topology): transition-id
    2i + 2 enters the i-th phone (from 0), 2i + 1 stays in it.

    Attributes:
        phones: In the order of the model's outputs; ``phones[0]`` is silence.
    """

    phones: tuple[str, ...]

    @property
    def first_disambiguation(self) -> int:
        """The first label above all transition-ids."""
        return 2 * len(self.phones) + 1

    def transducer(self, disambiguations: int) -> Automaton:
        """Transition-ids → phone numbers (from 1), as many disambiguation symbols passed through.

        Args:
            disambiguations: How many; on the phone side they are numbered after the phones.
        """
        count = len(self.phones)
        start = count
        arcs: list[Arc] = []
        for state in range(count + 1):
            for index in range(disambiguations):
                arcs.append((state, state, self.first_disambiguation + index, count + 1 + index, 0.0))
            if state != start:
                arcs.append((state, state, 2 * state + 1, 0, 0.0))
            arcs.extend((state, phone, 2 * phone + 2, phone + 1, 0.0) for phone in range(count) if phone or state)
        return Automaton(arcs, dict.fromkeys(range(count + 1), 0.0), start)


def read_topology(model: Path) -> Topology:
    """Reads ``topology.json``.

    Raises:
        ModelDamaged: It is missing, or of a kind that this program does not know.
    """
    path = model / "topology.json"
    try:
        values = json.loads(path.read_text("utf-8"))
        phones, context = tuple(values["phones"]), values["context"]
        silence = values["silence"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelDamaged(f"{path} cannot be read ({error}). Install the model again: voicecart models.") from error
    if context != "mono" or phones[0] != silence:
        raise ModelDamaged(f"{path} describes a model of a kind that this version does not know ({context}).")
    return Topology(phones)
