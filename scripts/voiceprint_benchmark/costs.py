"""CPU time and memory of an engine, in a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from assistant.models import write_manifest
from assistant.pay.encoder_folder import COMPANION

COST_PROGRAM = """
import json, sys, time
engine, folder, clip = sys.argv[1:]
began = time.process_time()
import numpy as np
wave = np.load(clip)
if engine == "resemblyzer":
    import resemblyzer
    imported = time.process_time()
    encoder = resemblyzer.VoiceEncoder("cpu", verbose=False)
    embed = lambda speech: encoder.embed_utterance(resemblyzer.preprocess_wav(speech))
else:
    from assistant.pay.encoder import open_encoder
    from assistant.settings import Pay
    imported = time.process_time()
    embed = open_encoder(Pay(engine=engine, voiceprint=folder)).embed
embed(wave)
loaded = time.process_time()
spent = []
for _ in range(30):
    started = time.process_time()
    embed(wave)
    spent.append(time.process_time() - started)
# Of this program alone: the resource module's peak counts the process that started it.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({
    "import_cpu_seconds": imported - began,
    "first_embedding_cpu_seconds": loaded - imported,
    "embedding_cpu_seconds": min(spent),
    "peak_megabytes": int(peak.split()[1]) / 1024,
    "imports_torch": "torch" in sys.modules,
}))
"""


def costs(speech: np.ndarray, folder: Path, resemblyzer: bool) -> dict[str, Any]:
    """CPU and memory of each engine of a folder in a process of its own, on one thread, for one test, shape (samples,).

    The least of thirty embeddings counts: what else the machine does makes the others slower.
    """
    found = {}
    with tempfile.TemporaryDirectory() as work:
        clip = Path(work) / "clip.npy"
        np.save(clip, speech)
        for engine in ("onnx", "speechbrain"):
            found[engine] = _cost(engine, folder, clip)
        if (folder / COMPANION).exists():
            alone = Path(shutil.copytree(folder, Path(work) / "alone"))
            for name in (COMPANION, "cohort.npy", "calibration.json"):
                (alone / name).unlink()
            write_manifest(alone)
            for engine in ("onnx", "speechbrain"):
                found[f"{engine}, ECAPA-TDNN alone"] = _cost(engine, alone, clip)
        if resemblyzer:
            found["resemblyzer"] = _cost("resemblyzer", folder, clip)
    return found


def _cost(engine: str, folder: Path, clip: Path) -> dict[str, Any]:
    done = subprocess.run(
        ["env", "OMP_NUM_THREADS=1", sys.executable, "-c", COST_PROGRAM, engine, str(folder), str(clip)],
        check=True,
        capture_output=True,
        text=True,
    )
    cost: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return cost
