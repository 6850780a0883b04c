"""OpenFst through its command-line tools, as Debian packages them: weighted automata as text in, compiled files out."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from assistant.errors import GraphError

Arc = tuple[int, int, int, int, float]
"""Source state, target state, input label, output label, cost (natural-log units); label 0 is epsilon."""

_TOOLS = (
    "fstarcsort",
    "fstcompile",
    "fstcompose",
    "fstconnect",
    "fstconvert",
    "fstdeterminize",
    "fstencode",
    "fstminimize",
    "fstreplace",
    "fstrmepsilon",
)
_ADVICE = (
    "Run scripts/setup, or install the packages libfst-tools and libfst22-plugins-base (22 is Debian 12's number)."
)


@dataclass(frozen=True)
class Automaton:
    """A weighted transducer; an acceptor has equal input and output labels.

    Attributes:
        arcs: In any order; states are numbered from 0 without gaps.
        finals: State → cost of ending there.
        start: The state to begin in.
    """

    arcs: Iterable[Arc]
    finals: dict[int, float]
    start: int = 0


@cache
def plugin_folder() -> Path:
    """The folder of OpenFst's lookahead plug-in.

    Raises:
        GraphError: A tool or the plug-in is not installed.
    """
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        raise GraphError(f"OpenFst's tools are not installed ({', '.join(missing)}). {_ADVICE}")
    found = sorted(Path("/usr/lib").glob("*/fst/*/olabel_lookahead-fst.so"))
    if not found:
        raise GraphError(f"OpenFst's lookahead plug-in is not installed. {_ADVICE}")
    return found[-1].parent


def run_tool(*command: str | Path) -> None:
    """Runs one of the tools.

    Raises:
        GraphError: It is not installed or failed; the message holds its last line.
    """
    environment = dict(os.environ, LD_LIBRARY_PATH=str(plugin_folder()))
    process = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, errors="replace", env=environment
    )
    if process.returncode:
        lines = process.stderr.strip().splitlines() or ["no message"]
        raise GraphError(f"{command[0]} failed: {lines[-1]}. Is the disk or the memory full?")


def compile_automaton(automaton: Automaton, path: Path) -> None:
    """Writes an automaton as OpenFst's vector type.

    Raises:
        GraphError: The tool is missing or failed.
        OSError: The disk is full.
    """
    text = path.with_suffix(".txt")
    with text.open("w", encoding="ascii") as file:
        # The state named first is where it starts.
        if automaton.start in automaton.finals:
            file.write(f"{automaton.start} {automaton.finals[automaton.start]:.4f}\n")
        for source, target, label, output, cost in sorted(automaton.arcs, key=lambda arc: arc[0] != automaton.start):
            file.write(f"{source} {target} {label} {output} {cost:.4f}\n")
        for state, cost in automaton.finals.items():
            if state != automaton.start:
                file.write(f"{state} {cost:.4f}\n")
    run_tool("fstcompile", "--keep_state_numbering", text, path)
    text.unlink()


def optimise_acceptor(path: Path) -> None:
    """Makes an acceptor small in place: no epsilons, common beginnings and ends shared.

    Label and cost count as one symbol for this, because determinising costs that differ along loops need never end.
    """
    codes = path.with_suffix(".codes")
    for _ in range(2):
        run_tool("fstrmepsilon", path, path)
        run_tool("fstencode", "--encode_labels", "--encode_weights", path, codes, path)
        run_tool("fstdeterminize", path, path)
        run_tool("fstminimize", path, path)
        run_tool("fstencode", "--decode", path, codes, path)
    run_tool("fstrmepsilon", path, path)
    run_tool("fstarcsort", "--sort_type=ilabel", path, path)
    codes.unlink()


def replace_label(path: Path, label: int, part: Path) -> None:
    """Puts another automaton in the place of every arc with this label, in place."""
    unused = str(label + 1)
    # Neither going into the part nor coming out of it is a word.
    run_tool("fstreplace", "--call_arc_labeling=neither", path, unused, part, str(label), path)
    run_tool("fstarcsort", "--sort_type=ilabel", path, path)
    part.unlink()
