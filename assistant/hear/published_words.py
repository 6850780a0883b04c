"""The words of a published model's graph, and those that a shop needs besides them."""

import logging
from collections.abc import Iterable
from pathlib import Path

from assistant.errors import ModelDamaged
from assistant.hear.acceptor import UNKNOWN, WAKE_MARK, Labels
from assistant.hear.lexicon import Lexicon
from assistant.hear.sound_alikes import sound_alikes

_WORDS = "words.txt"
_log = logging.getLogger(__name__)


def with_missing_words(graph: Path, words: Iterable[str], lexicon: Lexicon) -> Labels:
    """Gives words that a published model lacks a place in its ``words.txt`` and words that sound like them.

    A word that nothing sounds like is heard as an unknown sound, and named in the log.

    Args:
        graph: A copy of the model's ``graph`` folder, whose files may be hard links to the model's own.
        words: What the shop's grammars hold.
        lexicon: Pronunciations.

    Raises:
        ModelDamaged: ``words.txt`` is missing, or has no word for unknown sounds.
        OSError: The disk is full.
    """
    numbers = _read_numbers(graph / _WORDS)
    missing = sorted({word for word in words if word not in numbers} - {WAKE_MARK})
    alike = sound_alikes(missing, numbers, lexicon)
    said_as = {WAKE_MARK: ()} | {word: tuple(numbers[other] for other in alike[word]) for word in alike}
    numbers |= {word: number for number, word in enumerate(said_as, max(numbers.values()) + 1)}
    # In the place of the hard link: the model's own file must stay as it is.
    (graph / _WORDS).unlink()
    (graph / _WORDS).write_text("".join(f"{word} {number}\n" for word, number in numbers.items()), "utf-8")
    # Vosk would look for one word in each stretch of phones that is one, and there are fewer here.
    (graph / "phones" / "word_boundary.int").unlink(missing_ok=True)
    unheard = [word for word in missing if word not in alike]
    if unheard:
        _log.warning("the model lacks these words, and knows none that sound like them: %s", ", ".join(unheard))
    return Labels(numbers, said_as)


def _read_numbers(path: Path) -> dict[str, int]:
    numbers = {}
    try:
        for line in path.read_text("utf-8").splitlines():
            word, _, number = line.rpartition(" ")
            numbers[word] = int(number)
    except (OSError, ValueError) as error:
        raise ModelDamaged(f"{path} cannot be read ({error}). Install the model again: voicecart models.") from error
    if UNKNOWN not in numbers:
        raise ModelDamaged(f"{path} has no word {UNKNOWN}: this model cannot tell speech from its own words.")
    return numbers
