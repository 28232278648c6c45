"""Checks, before a net is built, that its parameters fit the weights in its file."""

import operator
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback
from torch import nn

from ..base import BaseSpeechNet
from ..filters import frame_sizes, mel_frequencies
from ..utils.random import torch_seed

#: Numbers that the design of front ends may take beyond those in the file.
_SCRATCH = 2**20

#: Most steps of the search for a better number of bands where some are empty.
_MAX_STEPS = 2**27

#: Lengths of the FFT that are tried where bands are empty.
_LENGTHS = tuple(2**k for k in range(4, 17))


def check_callbacks(net: BaseSpeechNet) -> None:
    """Refuse callbacks that are not Callback objects: building a net calls classes.

    Raises
    ------
    ValueError
    """
    given = net.callbacks
    if given is None or given == "disable":
        return
    if not isinstance(given, list):
        raise ValueError(f"callbacks is a {type(given).__name__}, expected a list")
    for item in given:
        named = isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)
        callback = item[1] if named else item
        if not (isinstance(callback, Callback) or (named and callback is None)):
            raise ValueError(f"{type(callback).__name__} is not a callback")
    for name, value in vars(net).items():
        set_whole = name.startswith("callbacks__") and name.count("__") == 1
        if set_whole and not (value is None or isinstance(value, Callback)):
            raise ValueError(f"{name} is a {type(value).__name__}, expected a callback")


def check_sizes(net: BaseSpeechNet, weights: dict[str, torch.Tensor]) -> None:
    """Refuse parameters that describe a network other than that of the stored weights.

    Nothing of its size is allocated: numbers of layers and the parts of front ends
    that are designed in NumPy are counted first, then the network is built without
    memory, on torch's meta device, and compared by name, shape and dtype.

    Parameters
    ----------
    net : BaseSpeechNet
        With parameters, sizes of the input and classes.
    weights : dict of str to Tensor
        Those of the file.

    Raises
    ------
    ValueError
    """
    n_stored = sum(tensor.numel() for tensor in weights.values())
    parameters = net.get_params(deep=True)
    for name, value in parameters.items():
        if name.endswith("layers") and isinstance(value, int) and value > len(weights):
            raise ValueError(
                f"{name}={value} describes more layers than the {len(weights)} tensors of the file"
            )
    learns_fourier = any(
        str(value) in ("stft", "both") for value in parameters.values() if isinstance(value, str)
    )
    for front_end in _front_ends(net):
        _check_front_end(front_end, n_stored, learns_fourier)
    try:
        described = _on_meta(net)
    except (NotImplementedError, RuntimeError) as error:
        if not net.module_class.__module__.startswith("sklearn_speech."):
            return  # of a class that the caller trusts; it computes while it is built
        first_line = str(error).partition("\n")[0]
        raise ValueError(f"its network cannot be built: {first_line}") from error
    difference = difference_of_shapes(weights, described.state_dict())
    if difference:
        raise ValueError(f"the weights do not fit the {type(described).__name__}: {difference}")
    parts = [*described.parameters(), *described.buffers()]
    n_described = sum(tensor.numel() for tensor in parts)
    if n_described > 2 * n_stored + _SCRATCH:
        raise ValueError(
            f"the parameters describe {n_described} numbers, but the file has {n_stored}"
        )


def difference_of_shapes(
    state: dict[str, torch.Tensor], other: dict[str, torch.Tensor]
) -> str | None:
    """Name a tensor whose shape or dtype differs between two states; None if there is none."""
    shapes, others = _shapes(state), _shapes(other)
    for name in sorted(shapes.keys() | others.keys()):
        if shapes.get(name) != others.get(name):
            return f"{name} is {shapes.get(name)}, not {others.get(name)}"
    return None


def _shapes(state: dict[str, torch.Tensor]) -> dict[str, str]:
    return {
        name: f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
        for name, tensor in state.items()
    }


def _on_meta(net: BaseSpeechNet) -> nn.Module:
    twin = object.__new__(type(net))
    twin.__dict__.update(vars(net))
    twin.device_ = torch.device("meta")
    with warnings.catch_warnings():
        # about weights copied to the meta device; others appear again when the net is built
        warnings.simplefilter("ignore")
        with torch_seed(0), plain_windows(net), torch.device("meta"):
            twin._initialize_module()
    return twin.module_


def _front_ends(net: BaseSpeechNet) -> list[Any]:
    values = net.get_params(deep=True).values()
    return [v for v in values if hasattr(v, "to_module") and not isinstance(v, type)]


@contextmanager
def plain_windows(net: BaseSpeechNet) -> Iterator[None]:
    """Build front ends with a window of ones where their own would have to be computed.

    The samples of the window come from the file, and the parameters of some windows can
    require any amount of work.
    """
    front_ends = [f for f in _front_ends(net) if not isinstance(getattr(f, "window", ""), str)]
    windows = [front_end.window for front_end in front_ends]
    try:
        for front_end in front_ends:
            front_end.window = np.ones(_sizes(front_end)[1])
        yield
    finally:
        for front_end, window in zip(front_ends, windows):
            front_end.window = window


def _sizes(front_end: Any) -> tuple[int, int, int]:
    return frame_sizes(
        front_end.sample_rate, front_end.n_fft, front_end.win_length, front_end.hop_length
    )


def _check_front_end(front_end: Any, n_stored: int, learns_fourier: bool) -> None:
    """Count what a front end of this library designs in NumPy; others are counted on meta."""
    if not all(hasattr(front_end, name) for name in ("sample_rate", "n_fft", "win_length")):
        return
    n_fft, win_length, _ = _sizes(front_end)
    n_bins = n_fft // 2 + 1
    n_mels = operator.index(getattr(front_end, "n_mels", None) or 1)
    wanted = {
        "n_mels": n_mels,
        "win_length": win_length,
        "delta_width": operator.index(getattr(front_end, "delta_width", 0) or 0),
    }
    for name, value in wanted.items():
        if value > n_stored:
            raise ValueError(f"{name}={value}, but the file has {n_stored} weights")
    if n_mels * n_bins > n_stored + _SCRATCH:
        raise ValueError(
            f"n_fft={n_fft} and {n_mels} bands describe a filter bank of {n_mels * n_bins} "
            f"numbers, but the file has {n_stored} weights"
        )
    if learns_fourier and n_bins * win_length > n_stored:
        raise ValueError(
            f"n_fft={n_fft} and win_length={win_length} describe sines of {n_bins * win_length} "
            f"numbers, but the file has {n_stored} weights"
        )
    if hasattr(front_end, "n_mfcc") and n_mels**2 > n_stored + _SCRATCH:
        raise ValueError(
            f"n_mels={n_mels} is too many for a cosine transform of {n_stored} weights"
        )
    if hasattr(front_end, "n_mels"):
        _check_empty_bands(front_end, n_mels, n_fft)


def _check_empty_bands(front_end: Any, n_mels: int, n_fft: int) -> None:
    """Count the search that :func:`~sklearn_speech.filters.mel_filterbank` makes for its advice."""
    fmax = front_end.sample_rate / 2 if front_end.fmax is None else front_end.fmax
    points = mel_frequencies(n_mels + 2, front_end.fmin, fmax, front_end.mel_scale)

    def filled(length: int) -> bool:
        step = front_end.sample_rate / length
        return bool(np.all((np.floor(points[:-2] / step) + 1) * step < points[2:]))

    if filled(n_fft):
        return
    longest = next((n for n in _LENGTHS if n > n_fft and filled(n)), _LENGTHS[-1])
    if n_mels * longest > 8 * _SCRATCH or n_mels**2 * n_fft > 4 * _MAX_STEPS:
        raise ValueError(
            f"n_mels={n_mels} is too large for n_fft={n_fft}: some mel bands contain no FFT bin"
        )
