"""A speaker encoder's network: a function of speech, whatever computes it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from assistant.hear.audio import Samples

Network = Callable[[Samples], npt.NDArray[np.floating[Any]]]
"""Voiced speech to an embedding of any length, its global mean removed."""
