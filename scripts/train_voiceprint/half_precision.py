"""An encoder's matrices as numbers of two bytes: half the file, and embeddings that differ by less than their noise.

Both engines compute with the same rounded numbers in single precision: PyTorch converts while it loads, ONNX Runtime by
a node behind every matrix, once, when it opens the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    import onnx


def halved(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights with all matrices in half precision; vectors, whose range is wider, stay as they are."""
    return {name: value.half() if value.ndim > 1 else value for name, value in weights.items()}


def halve_matrices(model: onnx.ModelProto) -> None:
    """Stores the matrices of an ONNX model in half precision."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for initialiser in model.graph.initializer:
        if initialiser.data_type != TensorProto.FLOAT or len(initialiser.dims) < 2:
            continue
        name = initialiser.name
        rounded = numpy_helper.to_array(initialiser).astype(np.float16)
        initialiser.CopyFrom(numpy_helper.from_array(rounded, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    # Descriptions of the matrices under their former names.
    kept = [info for info in model.graph.value_info if info.name not in {cast.output[0] for cast in casts}]
    del model.graph.value_info[:]
    model.graph.value_info.extend(kept)
