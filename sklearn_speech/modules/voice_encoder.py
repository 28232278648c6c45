"""The network that recognises voices in the package resemblyzer."""

from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn

from .front_end import FrontEnd
from .named_weights import load_named_weights

#: Number of recurrent layers.
N_LAYERS = 3
#: Mel bands, and size of the state of a layer.
_N_MELS, _N_STATES = 40, 256
#: Softer clips are amplified to this root mean square, -30 dB of full scale.
_RMS = 10 ** (-30 / 20)
#: Amplification of silence is limited by this root mean square.
_LEAST_RMS = 1e-8
#: Mel frames from one vector to the next.
_HOP_FRAMES = 8


class VoiceEncoderNet(nn.Module):
    """States of the recurrent layers of an encoder of voices [1]_, one vector every 80 ms.

    Clips below -30 dB of full scale are amplified to that level. A mel spectrogram of 40 bands
    (25 ms windows every 10 ms, energies without a logarithm) enters LSTM layers of 256 states.
    The output is the states of the last computed layer after every eighth frame; each depends on
    everything before it.

    Weights are random until :meth:`load_weights` is called.

    Parameters
    ----------
    n_layers : int, default=3
        Layers to compute, 1 to 3. The third knows the voice best, the second emotions.

    Attributes
    ----------
    n_bands : int
        Size of a vector, 256.
    sample_rate, hop_length : int
        16000 Hz; samples from one vector to the next, 1280.

    Shape
    -----
    Input (n_clips, n_times), output (n_clips, 256, 1 + n_times // 1280).

    References
    ----------
    .. [1] L. Wan, Q. Wang, A. Papir, I. Lopez Moreno (2018). "Generalized end-to-end loss for
       speaker verification". ICASSP, arXiv:1710.10467.

    Examples
    --------
    >>> VoiceEncoderNet()(torch.zeros(2, 16000)).shape
    torch.Size([2, 256, 13])
    """

    sample_rate = 16000
    n_bands = _N_STATES
    #: Size of a vector, and a second axis of any length.
    vector_shape = _N_STATES, 0
    #: The mel spectrogram pads each clip by half a window.
    window_length = 0
    silence = 0
    hop_length = _HOP_FRAMES * 160

    def __init__(self, n_layers: int = N_LAYERS) -> None:
        super().__init__()
        if n_layers not in range(1, N_LAYERS + 1):
            raise ValueError(f"n_layers={n_layers!r}: the voice encoder has 1 to {N_LAYERS}")
        self.mel = FrontEnd(
            self.sample_rate, n_fft=400, hop_length=160, n_mels=_N_MELS, scaling=None
        )
        self.lstm = nn.LSTM(_N_MELS, _N_STATES, n_layers, batch_first=True)

    def load_weights(self, weights: Mapping[str, Any]) -> Self:
        """Load the weights of the computed layers.

        Parameters
        ----------
        weights : mapping of str to Tensor
            Such as "lstm.weight_ih_l0"; other names are left out.

        Returns
        -------
        self : VoiceEncoderNet

        Raises
        ------
        ValueError
            When a layer is missing or has another shape.
        """
        load_named_weights(self.lstm, weights, "voice encoder", prefix="lstm.")
        return self

    def forward(self, waveforms: Tensor) -> Tensor:
        """Vectors of clips of one length.

        Parameters
        ----------
        waveforms : Tensor of shape (n_clips, n_times)
            At 16 kHz, amplitude in [-1, 1].

        Returns
        -------
        vectors : Tensor of shape (n_clips, 256, 1 + n_times // 1280)
        """
        rms = torch.linalg.vector_norm(waveforms, dim=1, keepdim=True) / waveforms.shape[1] ** 0.5
        mel = self.mel(waveforms * (_RMS / rms.clamp(_LEAST_RMS, _RMS)))
        states, _ = self.lstm(mel.transpose(1, 2))
        return states[:, ::_HOP_FRAMES].transpose(1, 2)
