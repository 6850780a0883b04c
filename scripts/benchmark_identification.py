"""What it costs to tell people apart: CPU seconds of the answer to one utterance, with and without enrolled people.

    .venv/bin/python scripts/benchmark_identification.py [--engine onnx] [--rounds 5]

Each line of the Markdown table that is printed is one utterance, said by a synthetic voice and given to the
conversation as the recogniser would give it: from the words and the clip to the reply's text, the shop's database
included, recognition and speech left out. What is loaded once, such as the encoder, is not counted.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from assistant.assembly import open_conversation
from assistant.conversation import Conversation
from assistant.events import EventStream
from assistant.hear.audio import Samples
from assistant.household import Household
from assistant.parts import Parts
from assistant.rehearse.rehearsal import enrol
from assistant.rehearse.voices import ShopperVoice
from assistant.settings import Settings
from assistant.settings_file import changed
from assistant.shop.feed import read_feed
from assistant.storefront import shipped_catalog

PEOPLE = {"anna": "flite:slt", "ben": "flite:rms"}
UTTERANCES = ("order two cartons of oat milk", "what's on my shopping list")


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("speechbrain", "onnx"), default="speechbrain")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    settings = changed(Settings(), {"pay": {"engine": options.engine}})
    clips = {text: ShopperVoice.parse(PEOPLE["anna"]).say(f"hey genie, {text}") for text in UTTERANCES}
    print(f"Encoder: {options.engine}; median CPU seconds of {options.rounds} answers.\n")
    print("| said | nobody enrolled | one person | two people | two people, `talk.personal = false` |")
    print("|---|---|---|---|---|")
    for text in UTTERANCES:
        cells = [
            measure(settings, list(PEOPLE)[:count], text, clips[text], options.rounds, personal)
            for count, personal in ((0, True), (1, True), (2, True), (2, False))
        ]
        print(f"| {text} | " + " | ".join(f"{seconds:.3f}" for seconds in cells) + " |")


def measure(settings: Settings, names: list[str], text: str, clip: Samples, rounds: int, personal: bool) -> float:
    """Median CPU seconds of the answer, each in a conversation of its own."""
    settings = changed(settings, {"talk": {"personal": personal}})
    with tempfile.TemporaryDirectory(prefix="benchmark-identification-") as name:
        parts = Parts(settings, read_feed(shipped_catalog()).products, Path(name))
        household = Household(parts, Path(name))
        for person in names:
            enrol(household, person, PEOPLE[person])
        conversation = open_conversation(parts, household, EventStream(), lambda: 0.0)
        # The first answer pays for what is loaded once.
        taken = [answer(conversation, text, clip) for _ in range(rounds + 1)][1:]
        return statistics.median(taken)


def answer(conversation: Conversation, text: str, clip: Samples) -> float:
    """CPU seconds of one answer; the conversation is left afterwards, which is not counted."""
    begin = time.process_time()
    conversation.heard_text([text], clip)
    taken = time.process_time() - begin
    conversation.leave()
    return taken


if __name__ == "__main__":
    main()
