"""Reads recordings: any file that libsndfile knows, as mono 16 kHz."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from assistant.errors import AudioError
from assistant.hear.audio import RATE, Samples

_BLOCK_SECONDS = 10


def read_audio(path: Path) -> Samples:
    """A whole recording: shape (samples,), float32 in [-1, 1], 16 kHz; channels are averaged.

    Raises:
        AudioError: Missing, not audio, empty, truncated, or holding numbers that are no sound.
    """
    blocks = list(read_blocks(path))
    return np.concatenate(blocks)


def read_blocks(path: Path) -> Iterator[Samples]:
    """The same, in blocks of about ten seconds, so that an hour needs no hour of memory.

    Raises:
        AudioError: As ``read_audio``; before the first block whenever the file's header tells.
    """
    with _open(path) as file:
        resampler = soxr.ResampleStream(file.samplerate, RATE, 1, dtype="float32")
        position = 0
        while position < file.frames:
            try:
                block = file.read(file.samplerate * _BLOCK_SECONDS, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise AudioError(f"{path} is damaged after {position / file.samplerate:.1f} s: {error}") from error
            if not len(block):
                raise AudioError(
                    f"{path} is truncated: it promises {file.frames / file.samplerate:.1f} s and holds "
                    f"{position / file.samplerate:.1f} s. Record or copy it again."
                )
            position += len(block)
            if not np.isfinite(block).all():
                raise AudioError(f"{path} holds samples that are no numbers. Export it again as 16-bit WAV.")
            yield np.clip(resampler.resample_chunk(block.mean(1), last=position >= file.frames), -1.0, 1.0)


def _open(path: Path) -> Any:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise AudioError(f"{path} is a folder; name a WAV, FLAC or Ogg file.")
    except OSError as error:
        raise AudioError(f"Cannot read {path}: {error.strerror}.") from error
    if size == 0:
        raise AudioError(f"{path} is empty (0 bytes). Record it again.")
    _check_riff(path, size)
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        raise AudioError(f"{path} is not audio that can be read ({_reason(error)}). Use WAV, FLAC or Ogg.") from error
    if file.samplerate <= 0 or file.frames <= 0:
        file.close()
        found = f"{file.samplerate} Hz, {max(0, file.frames)} samples"
        raise AudioError(f"{path} holds no sound ({found}). Record it again.")
    return file


def _check_riff(path: Path, size: int) -> None:
    """Reads a WAV's own header, as libsndfile repairs what it should refuse: 0 Hz and missing samples.

    Raises:
        AudioError: 0 Hz, or fewer bytes of sound than the header promises.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
            if head[:4] != b"RIFF" or head[8:] != b"WAVE":
                return
            while len(chunk := file.read(8)) == 8:
                name, length = struct.unpack("<4sI", chunk)
                if name == b"fmt " and (rate := struct.unpack("<4xI", file.read(8))[0]) == 0:
                    raise AudioError(f"{path} says that it has {rate} samples a second. Export it again with its rate.")
                if name == b"data":
                    _check_length(path, length, size - file.tell())
                    return
                file.seek(length + length % 2 - (8 if name == b"fmt " else 0), 1)
    except (OSError, struct.error) as error:
        raise AudioError(f"{path} is truncated inside its header. Record or copy it again.") from error
    raise AudioError(f"{path} is truncated: its header is there, its sound is not. Record or copy it again.")


def _check_length(path: Path, promised: int, held: int) -> None:
    # 0 and 0xFFFFFFFF are what programs write that stream a WAV and do not know its length.
    if promised > held and promised != 0xFFFFFFFF:
        raise AudioError(
            f"{path} is truncated: it promises {promised} bytes of sound and holds {held}. Record or copy it again."
        )


def _reason(error: Exception) -> str:
    return str(error).rsplit(": ", 1)[-1].strip().rstrip(".").lower()
