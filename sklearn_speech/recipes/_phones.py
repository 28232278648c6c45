"""Phones with trainable front ends: one recurrent layer, alone or after BC-ResNet.

The system of heungky/trainable-STFT-Mel.
"""

from collections.abc import Callable
from typing import Any, Literal

from sklearn.pipeline import Pipeline

from ..recognition import PhonemeRecognizer
from ._catalogue import recipe
from ._keywords import with_front_end
from ._steps import clips

_INPUT = "log-mel spectrogram of any length, or samples"

_PUBLISHED = "no figure; paper: trained front ends reduce phone error by up to 9.5 points"

_CORRECTED = (
    "padding has no influence on any layer, and lengths include all frames; phone errors are "
    "counted over the corpus, not averaged over utterances; the phones are those of the training "
    "clips; load_timit leaves out sentences that all speakers read"
)


def _register(name: str, encoder: str, **fixed: Any) -> Callable[..., Pipeline]:
    @recipe(
        name,
        source="trainable",
        task="phones",
        input=_INPUT,
        published=_PUBLISHED,
        corrected=_CORRECTED,
    )
    def make(
        sample_rate: int = 16000, setting: str = "A", filterbank: str = "nnaudio",
        n_mels: int = 40, masked_bins: Any = None, random_mel: bool = False,
        input_norm: str | None = None, max_epochs: int = 400, random_state: Any = None,
        reads: Literal["paths", "waveforms"] = "paths",
    ) -> Pipeline:  # fmt: skip
        return with_front_end(
            PhonemeRecognizer, clips(reads, sample_rate),
            sample_rate, setting, filterbank, n_mels, masked_bins, random_mel,
            encoder=encoder, hidden_units=32, input_norm=input_norm, optimizer="adam", lr=0.001,
            weight_decay=0.0, lr_schedule="constant", batch_size=16, gradient_clip=None,
            max_epochs=max_epochs, random_state=random_state, **fixed,
        )  # fmt: skip

    return make


_register("asr-simple", "linear-lstm", dropout=0.0)
_register("asr-bcresnet", "bcresnet", dropout=0.1, variant="reference")
