"""Letter-to-sound for words that no dictionary has: espeak-ng's rules, its symbols mapped to the model's phones."""

import re
import subprocess
from collections.abc import Mapping, Sequence

_STRESS = re.compile("[ˈˌ]")


def ask_synthesiser(words: Sequence[str], voice: str) -> list[str]:
    """Each word's pronunciation in the International Phonetic Alphabet, symbols separated by ``_``.

    One call of espeak-ng for all words; empty strings when it is not installed or fails, because a word without a
    second opinion is better than a device without ears.
    """
    command = ["espeak-ng", "-q", "--ipa", "--sep=_", "-v", voice, "--stdin"]
    try:
        # A paragraph a word: words of one paragraph would run together.
        process = subprocess.run(
            command, input="\n\n".join(words), capture_output=True, encoding="utf-8", timeout=120, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ["" for _ in words]
    lines = process.stdout.split("\n")[: len(words)]
    return lines if len(lines) == len(words) else ["" for _ in words]


def phones_of(symbols: str, table: Mapping[str, str]) -> tuple[str, ...]:
    """Phones of symbols separated by ``_`` and blanks; empty when one is not in ``table``.

    Args:
        symbols: As ``ask_synthesiser`` returns them.
        table: Symbol → phones separated by blanks.
    """
    phones: list[str] = []
    for word in symbols.split(" "):
        for symbol in _STRESS.sub("", word).split("_"):
            if symbol not in table:
                return ()
            phones.extend(table[symbol].split())
    # A doubled phone at a morpheme's seam ("ʊɹ_ɹ") is spoken once.
    return tuple(phone for index, phone in enumerate(phones) if index == 0 or phone != phones[index - 1])
