"""What hearing costs beside the decoding: disk, memory, and the time to compile a catalog's graphs.

Each measurement has a process of its own, because memory that was ever used counts:
``python -m scripts.hearing_benchmark.costs recogniser|compile MODEL`` prints one.
"""

import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from assistant.hear.audio import RATE
from assistant.parts import Parts
from assistant.settings import Hear, Settings
from assistant.shop.money import Money
from assistant.shop.product import Product
from assistant.storefront import shipped_catalog
from assistant.understand.understanding import Expecting
from scripts.train_asr.synthesise import sentences

REPOSITORY = Path(__file__).resolve().parents[2]
_PRODUCTS = 2000


def costs(model: Path) -> dict[str, str]:
    """Figures with units, by what they are of."""
    size = sum(path.stat().st_size for path in model.rglob("*") if path.is_file()) / 1e6
    found = {"model folder": f"{size:.1f} MB"}
    for title, what in (
        ("recogniser in memory after hearing, household shop, two states loaded", "recogniser"),
        (f"graphs of {_PRODUCTS:,} products compiled, their pronunciations guessed", "compile"),
    ):
        command = [sys.executable, "-m", "scripts.hearing_benchmark.costs", what, str(model)]
        ran = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
        found[title] = ran.stdout.splitlines()[-1]
    return found


def _recogniser(model: Path) -> str:
    from assistant.shop.feed import read_feed

    with tempfile.TemporaryDirectory() as folder:
        parts = Parts(_settings(model), read_feed(shipped_catalog()).products, Path(folder))
        parts.prepare()
        import vosk  # noqa: F401  The library itself is no part of the recogniser's state.

        before = _memory()
        parts.recogniser.load()
        for expecting in (Expecting.CONFIRMATION, Expecting.COMMAND):
            hearing = parts.recogniser.listen(expecting)
            hearing.accept(np.random.default_rng(1).normal(0, 0.05, 4 * RATE).astype(np.float32))
            hearing.finish()
        return f"{_memory() - before:.0f} MB"


def _compile(model: Path) -> str:
    source = sentences(11)
    names = list(dict.fromkeys(f"{source.brand()} {source.goods()}" for _ in range(2 * _PRODUCTS)))[:_PRODUCTS]
    products = [Product(f"P{number}", {"en": name}, Money(100, "USD")) for number, name in enumerate(names)]
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        Parts(_settings(model), products, Path(folder)).prepare()
        seconds = time.monotonic() - began
    usages = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    # A child's own figure begins with what its parent had when it was started, so it is a bound.
    peak, tools = _kilobytes("status", "VmHWM") / 1024, usages[1].ru_maxrss / 1024
    return f"{seconds:.0f} s ({processor:.0f} CPU s), peak {peak:.0f} MB, of OpenFst's tools at most {tools:.0f} MB"


def _settings(model: Path) -> Settings:
    return Settings(hear=Hear(model=str(model.resolve())))


def _memory() -> float:
    """Proportional set size of this process in MB."""
    return _kilobytes("smaps_rollup", "Pss") / 1024


def _kilobytes(file: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/self/{file}").read_text("ascii"), re.MULTILINE)
    assert found is not None
    return int(found[1])


if __name__ == "__main__":
    print({"recogniser": _recogniser, "compile": _compile}[sys.argv[1]](Path(sys.argv[2])))
