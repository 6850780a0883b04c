"""The acoustic model's features, equal to Kaldi's: 40 mel-frequency cepstral coefficients every 10 ms."""

from typing import Any

import numpy as np
import numpy.typing as npt

from assistant.hear.audio import RATE, Samples

COEFFICIENTS = 40


def options() -> Any:
    """What ``conf/mfcc.conf`` of the exported model says, as ``kaldi_native_fbank.MfccOptions``."""
    import kaldi_native_fbank

    values = kaldi_native_fbank.MfccOptions()
    values.frame_opts.dither = 0
    values.frame_opts.samp_freq = RATE
    values.mel_opts.num_bins = COEFFICIENTS
    values.mel_opts.low_freq = 20
    values.mel_opts.high_freq = -400
    values.num_ceps = COEFFICIENTS
    values.use_energy = False
    return values


def mfcc(waveform: Samples) -> npt.NDArray[np.float32]:
    """Features of float samples in [-1, 1].

    Returns:
        float32, shape ``(frames, 40)``; no frame for less than 25 ms.
    """
    import kaldi_native_fbank

    extractor = kaldi_native_fbank.OnlineMfcc(options())
    extractor.accept_waveform(RATE, (waveform * 32768).tolist())
    extractor.input_finished()
    frames = [extractor.get_frame(index) for index in range(extractor.num_frames_ready)]
    return np.stack(frames).astype(np.float32) if frames else np.zeros((0, COEFFICIENTS), np.float32)
