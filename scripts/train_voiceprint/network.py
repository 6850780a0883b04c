"""The encoder, and the heads that exist only in training."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from features import MEL_BANDS

from assistant.pay.torchaudio_stand_in import allow_missing_torchaudio

allow_missing_torchaudio()

from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN, Classifier  # noqa: E402
from speechbrain.nnet.losses import AdditiveAngularMargin, LogSoftmaxWrapper  # noqa: E402
from speechbrain.processing.features import InputNormalization  # noqa: E402

EMBEDDING_SIZE = 192
RES2NET_SCALE = 8
"""Parts into which a Res2Net block splits its channels: SpeechBrain's own."""


@dataclass(frozen=True)
class EncoderShape:
    """The sizes of an ECAPA-TDNN."""

    channels: int = 256
    aggregated_channels: int = 768
    attention_channels: int = 64
    squeeze_channels: int = 64

    def arguments(self) -> dict[str, Any]:
        """The arguments of SpeechBrain's ECAPA_TDNN, as they stand in hyperparams.yaml."""
        return {
            "input_size": MEL_BANDS,
            "channels": [self.channels] * 4 + [self.aggregated_channels],
            "kernel_sizes": [5, 3, 3, 3, 1],
            "dilations": [1, 2, 3, 4, 1],
            "attention_channels": self.attention_channels,
            "se_channels": self.squeeze_channels,
            "lin_neurons": EMBEDDING_SIZE,
        }

    def build(self) -> ECAPA_TDNN:
        """A fresh network."""
        return ECAPA_TDNN(**self.arguments())

    def as_dictionary(self) -> dict[str, int]:
        """For the recorded configuration."""
        return asdict(self)


def sentence_mean() -> InputNormalization:
    """Removes each clip's mean from its features: level and microphone colour."""
    return InputNormalization(norm_type="sentence", std_norm=False)


class Heads(torch.nn.Module):
    """Classification of the training speakers, and imitation of the teacher."""

    def __init__(self, speakers: int, teacher_size: int = 256, scale: float = 30.0) -> None:
        super().__init__()
        self.classifier = Classifier(EMBEDDING_SIZE, out_neurons=speakers)
        self.imitation = torch.nn.Linear(EMBEDDING_SIZE, teacher_size)
        self.scale = scale
        self.classification = LogSoftmaxWrapper(AdditiveAngularMargin(margin=0.0, scale=scale))

    def set_margin(self, margin: float) -> None:
        """The angle, in radians, by which the right speaker must win."""
        self.classification.loss_fn = AdditiveAngularMargin(margin=margin, scale=self.scale)

    def forward(
        self, embeddings: torch.Tensor, speakers: torch.Tensor, teacher: torch.Tensor, taught: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The AAM-softmax loss and the mean of one minus the cosine to the teacher (where `taught`)."""
        classification = self.classification(self.classifier(embeddings[:, None]), speakers[:, None])
        cosine = torch.nn.functional.cosine_similarity(self.imitation(embeddings), teacher)
        return classification, ((1 - cosine) * taught).sum() / taught.sum().clamp(min=1)
