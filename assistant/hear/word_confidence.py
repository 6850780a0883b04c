"""How sure each word of the best hypothesis is, by the other hypotheses."""

import math
from collections.abc import Sequence

from assistant.hear.recogniser import HeardWord, Hypothesis


def word_confidences(hypotheses: Sequence[Hypothesis]) -> tuple[float, ...]:
    """For every word of the best hypothesis, the share of the n-best list's probability that has it there.

    Args:
        hypotheses: Best first, at least one; their confidences are log likelihoods (natural logarithm).

    Returns:
        0-1 for each word of ``hypotheses[0]``; 1 when there is no other hypothesis.
    """
    most = max(hypothesis.confidence for hypothesis in hypotheses)
    shares = [math.exp(hypothesis.confidence - most) for hypothesis in hypotheses]
    return tuple(
        sum(share for share, hypothesis in zip(shares, hypotheses, strict=True) if _has(hypothesis, word)) / sum(shares)
        for word in hypotheses[0].words
    )


def _has(hypothesis: Hypothesis, word: HeardWord) -> bool:
    return any(
        other.word == word.word and other.start < word.end and word.start < other.end for other in hypothesis.words
    )
