"""A speaker encoder's network: a function of speech, whatever computes it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assistant.errors import ModelDamaged
from assistant.hear.audio import Samples

Network = Callable[[Samples], npt.NDArray[np.floating[Any]]]
"""Voiced speech to an embedding of any length, its global mean removed."""


def open_session(path: Path) -> tuple[Any, dict[str, str]]:
    """ONNX Runtime's session of a network's file, on one thread, and what the file says of itself.

    Raises:
        ModelDamaged: The file cannot be loaded.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Speech is of every length: an arena would keep the largest buffers of each.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return session, dict(session.get_modelmeta().custom_metadata_map)
    except Exception as error:
        raise ModelDamaged(f"The speaker encoder {path} cannot be loaded: {error}.") from error
