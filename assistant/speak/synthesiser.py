"""The synthesiser port: text in, speech out."""

from dataclasses import dataclass
from typing import Protocol

from assistant.hear.audio import Samples


@dataclass(frozen=True)
class Speech:
    """Synthesised audio: mono float32 in [-1, 1] at ``rate`` Hz."""

    samples: Samples
    rate: int

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        return len(self.samples) / self.rate


class Synthesiser(Protocol):
    """Turns text into speech."""

    def synthesise(self, text: str) -> Speech:
        """Speech for ``text``.

        Raises:
            SynthesisError: The engine failed or did not answer in time.
        """
        ...

    def close(self) -> None:
        """Ends the engine."""
        ...


class Loudspeaker(Protocol):
    """Plays speech."""

    def play(self, speech: Speech) -> float:
        """Begins to play and returns at once; the seconds that playing takes."""
        ...

    def interrupt(self) -> None:
        """Falls silent now."""
        ...

    def close(self) -> None:
        """Finishes what is playing and frees the device."""
        ...
