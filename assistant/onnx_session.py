"""Networks in ONNX Runtime."""

from pathlib import Path
from typing import Any

from assistant.errors import ModelDamaged


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
        raise ModelDamaged(f"The network {path} cannot be loaded: {error}.") from error
