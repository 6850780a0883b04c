"""SpeechBrain's log mel filterbank in numpy, so that a speaker encoder needs no PyTorch to hear.

The same steps as ``speechbrain.lobes.features.Fbank`` with its defaults (triangular filters over the power spectrum,
decibels, 80 dB of range), followed by the removal of the mean over time.
"""

import numpy as np
import numpy.typing as npt

from assistant.hear.audio import Samples

Features = npt.NDArray[np.float32]
"""Shape (frames, bands), decibels around each band's mean."""

_LEAST_POWER = 1e-10
_RANGE_DECIBELS = 80.0


class Filterbank:
    """Turns speech into features.

    Args:
        sample_rate: Samples a second.
        n_fft: Points of the Fourier transform.
        n_mels: Bands.
        win_length: Milliseconds of a frame; at most ``n_fft`` samples.
        hop_length: Milliseconds from frame to frame.
    """

    def __init__(self, sample_rate: int, n_fft: int, n_mels: int, win_length: float, hop_length: float) -> None:
        self._points = n_fft
        self._hop = round(sample_rate / 1000 * hop_length)
        length = round(sample_rate / 1000 * win_length)
        hamming = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(length) / length)
        before = (n_fft - length) // 2
        self._window = np.pad(hamming, (before, n_fft - length - before)).astype(np.float32)
        self._filters = _triangles(sample_rate, n_fft, n_mels)

    def __call__(self, speech: Samples) -> Features:
        """Features of speech, shape (samples,), at least one sample."""
        padded = np.pad(speech.astype(np.float32, copy=False), self._points // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, self._points)[:: self._hop]
        spectra = np.fft.rfft(frames * self._window)
        bands = (spectra.real**2 + spectra.imag**2).astype(np.float32) @ self._filters
        decibels = 10 * np.log10(np.maximum(bands, _LEAST_POWER))
        decibels = np.maximum(decibels, decibels.max() - _RANGE_DECIBELS)
        return np.asarray(decibels - decibels.mean(0), np.float32)


def _triangles(sample_rate: int, points: int, bands: int) -> npt.NDArray[np.float32]:
    """Filters, shape (points / 2 + 1, bands), evenly spaced on the mel scale; as wide on the right as on the left."""
    mel = np.linspace(0, 2595 * np.log10(1 + sample_rate / 2 / 700), bands + 2)
    hertz = 700 * (10 ** (mel / 2595) - 1)
    width = (hertz[1:] - hertz[:-1])[:-1]
    slope = (np.linspace(0, sample_rate // 2, points // 2 + 1)[:, None] - hertz[1:-1]) / width
    return np.asarray(np.maximum(0, 1 - np.abs(slope)), np.float32)
