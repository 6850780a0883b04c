"""Voices of simulated shoppers: Debian's speech synthesisers, called as programs."""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import SynthesisError
from assistant.hear.audio import Samples
from assistant.hear.reading import read_audio

_SECONDS = 30


@dataclass(frozen=True)
class ShopperVoice:
    """A voice, written ``engine:name``.

    Attributes:
        engine: ``espeak`` (espeak-ng, name such as ``en-gb+f3``), ``flite`` (name such as ``slt``) or ``festival``
            (name such as ``kal_diphone``).
        name: The engine's own name of the voice.
        words_per_minute: Speaking rate, espeak-ng only.
        pitch: 0-99, espeak-ng only.
    """

    engine: str
    name: str
    words_per_minute: int = 160
    pitch: int = 50

    @classmethod
    def parse(cls, text: str) -> "ShopperVoice":
        """From ``engine:name[:words_per_minute[:pitch]]``.

        Raises:
            ValueError: Another form or engine.
        """
        engine, _, rest = text.partition(":")
        name, *numbers = rest.split(":")
        if engine not in ("espeak", "flite", "festival") or not name or len(numbers) > 2:
            raise ValueError(f"{text!r} is not a voice; write espeak:en-us+f3, flite:slt or festival:kal_diphone")
        return cls(engine, name, *(int(number) for number in numbers))

    def say(self, text: str) -> Samples:
        """Speech for ``text``: mono 16 kHz.

        Raises:
            SynthesisError: The program is missing, failed, or does not know the voice.
        """
        program = {"espeak": "espeak-ng", "flite": "flite", "festival": "text2wave"}[self.engine]
        if shutil.which(program) is None:
            raise SynthesisError(f"The program {program} is not installed; scripts/setup installs it.")
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "speech.wav"
            commands = {
                "espeak": [
                    program,
                    "-v",
                    self.name,
                    f"-s{self.words_per_minute}",
                    f"-p{self.pitch}",
                    "-w",
                    str(out),
                    text,
                ],
                "flite": [program, "-voice", self.name, "-t", text, "-o", str(out)],
                "festival": [program, "-eval", f"(voice_{self.name})", "-o", str(out)],
            }
            done = subprocess.run(
                commands[self.engine],
                input=text if self.engine == "festival" else None,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
            if done.returncode or not out.is_file() or out.stat().st_size <= 44:
                raise SynthesisError(f"{program} could not speak as {self.name!r}: {done.stderr.strip() or 'no audio'}")
            return read_audio(out)
