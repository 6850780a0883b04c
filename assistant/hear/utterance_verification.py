"""Whether what was heard fits how it sounded: words that nobody said fit worse than words that somebody did.

A grammar takes whatever is said for the likeliest of its own sentences. So the words are laid over the acoustic
network's outputs once more, and every phone is compared with what the network would rather have heard in its place: an
utterance verification, as in R. Sukkar and C.-H. Lee, "Vocabulary independent discriminative utterance verification"
(1996). Of a sentence that was said few phones fit badly; of one that was not, many.
"""

import json
import math
from pathlib import Path

import numpy as np

from assistant.errors import ModelDamaged
from assistant.hear.acceptor import UNKNOWN
from assistant.hear.acoustic_outputs import AcousticOutputs
from assistant.hear.alignment import align
from assistant.hear.audio import Samples
from assistant.hear.lexicon import Lexicon
from assistant.hear.mfcc import mfcc
from assistant.hear.nnet3 import read_network
from assistant.hear.topology import read_topology

LIMIT = "verification.json"
"""File of a model folder that has a limit."""
_WORST = 3
"""One phone in so many counts: those that fit worst."""


class Verifier:
    """Compares words with the sounds that they were heard in.

    Args:
        folder: A model folder.
        lexicon: Pronunciations.
        limit: The largest misfit of words that were said; None where only the misfit is asked for.

    Raises:
        ModelDamaged: The folder's network cannot be read.
    """

    def __init__(self, folder: Path, lexicon: Lexicon, limit: float | None) -> None:
        self._outputs = AcousticOutputs(read_network(folder))
        self._phones = {phone: number for number, phone in enumerate(read_topology(folder).phones)}
        self._lexicon = lexicon
        self._limit = limit

    def fits(self, samples: Samples, text: str) -> bool:
        """Whether the words may have been said.

        Args:
            samples: The utterance, shape (samples,), 16 kHz.
            text: What was heard; nothing at all always fits.
        """
        found = self.misfit(samples, text)
        return found is None or self._limit is None or found <= self._limit

    def misfit(self, samples: Samples, text: str) -> float | None:
        """How much worse the words' phones fit than the network's own choice, over the third that fits worst.

        Returns:
            Natural-log units a frame, at least 0, infinite where the sound is too short for the words; None where
            there is no word that has a pronunciation.
        """
        words = [self._lexicon.pronounce(word) for word in text.split() if word != UNKNOWN]
        variants = [[[self._phones[phone] for phone in variant] for variant in word] for word in words if word]
        if not variants:
            return None
        features = mfcc(samples)
        outputs = self._outputs(features).astype(np.float64) if len(features) else None
        path = align(outputs, variants) if outputs is not None else None
        if outputs is None or path is None:
            return math.inf
        best, stay = outputs.max(axis=1), len(self._phones)
        ends = (*path.starts[1:], len(outputs))
        misfits = []
        for phone, begin, end in zip(path.phones, path.starts, ends, strict=True):
            if phone:
                taken = outputs[begin, phone] + outputs[begin + 1 : end, stay + phone].sum()
                misfits.append(float(best[begin:end].sum() - taken) / (end - begin))
        worst = sorted(misfits, reverse=True)[: max(1, len(misfits) // _WORST)]
        return sum(worst) / len(worst)


def open_verifier(folder: Path, lexicon: Lexicon) -> Verifier | None:
    """The verifier of a model folder; None for one without a limit, such as a published model.

    Raises:
        ModelDamaged: A file of the folder cannot be read.
    """
    path = folder / LIMIT
    if not path.is_file():
        return None
    try:
        limit = float(json.loads(path.read_text("utf-8"))["limit"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelDamaged(f"{path} cannot be read ({error}). Install the model again: voicecart models.") from error
    return Verifier(folder, lexicon, limit)
