"""Validation of the codes given to ``inverse_transform``."""

from numbers import Integral
from typing import Any

import numpy as np
import torch

from ..modules.conv_autoencoder import ConvAutoencoderNet
from ..utils.validation import is_ragged


def check_codes(
    network: ConvAutoencoderNet, codes: Any, n_frames: Any
) -> tuple[list[torch.Tensor], list[int], bool]:
    """Check codes and reshape them to feature maps; find the number of frames of each clip.

    Parameters
    ----------
    network : ConvAutoencoderNet
    codes : array-like of shape (n_clips, n_codes), or ragged with (n_rows, n_code_frames) arrays
    n_frames : int, array-like of shape (n_clips,) or None

    Returns
    -------
    codes : list of Tensors of shape (n_filters, n_bands, n_code_frames)
    n_frames : list of int
    ragged : bool

    Raises
    ------
    ValueError
        When the size of a code does not match the network or `n_frames`.
    """
    rows, ragged = network.code_rows, is_ragged(codes)
    if ragged:
        codes = [np.asarray(code) for code in codes]
    else:
        codes = np.asarray(codes)
        if codes.ndim != 2 or codes.shape[1] == 0 or codes.shape[1] % rows:
            raise ValueError(
                f"codes has shape {codes.shape}; expected (n_clips, n_codes) with n_codes a "
                f"multiple of {rows}, the filters times the bands of the code"
            )
        codes = codes.reshape(len(codes), rows, codes.shape[1] // rows)
    if len(codes) == 0:
        raise ValueError("codes is empty; expected at least one clip")
    for i, code in enumerate(codes):
        if code.ndim != 2 or len(code) != rows or code.shape[1] == 0:
            raise ValueError(f"code {i} has shape {code.shape}; expected ({rows}, n_code_frames)")
        if code.dtype.kind not in "fiu" or not np.isfinite(code).all():
            raise ValueError(f"code {i} contains NaN, infinity or values that are not numbers")
    dtype = np.float64 if all(code.dtype == np.float64 for code in codes) else np.float32
    n_frames = _frames(network, [code.shape[1] for code in codes], n_frames)
    n_filters = network.stage_settings[-1]["out_channels"]
    maps = [
        torch.from_numpy(np.ascontiguousarray(c, dtype)).view(n_filters, -1, c.shape[1])
        for c in codes
    ]
    return maps, n_frames, ragged


def _frames(network: ConvAutoencoderNet, code_frames: list[int], n_frames: Any) -> list[int]:
    """Number of frames of each clip, checked against the length of its code."""

    def coded(n: int) -> int:
        return network.sizes(n)[-1][1]

    if n_frames is None:
        fitted = network.n_frames
        n_frames = [
            fitted if fitted is not None and coded(fitted) == m else network.least_frames(m)
            for m in code_frames
        ]
    elif isinstance(n_frames, Integral):
        n_frames = [int(n_frames)] * len(code_frames)
    else:
        n_frames = np.asarray(n_frames)
        if n_frames.shape != (len(code_frames),) or n_frames.dtype.kind not in "iu":
            raise ValueError(
                f"n_frames has shape {n_frames.shape} and dtype {n_frames.dtype}; expected one "
                f"whole number, or one for each of {len(code_frames)} clips"
            )
        n_frames = n_frames.tolist()
    for i, (n, m) in enumerate(zip(n_frames, code_frames)):
        if n < 1 or coded(n) != m:
            raise ValueError(
                f"code {i} has {m} frames, but the code of a clip of n_frames={n} has "
                f"{coded(max(n, 1))}"
            )
        if network.mirror == "kernel" and n != network.n_frames:
            raise ValueError(
                f"code {i}: with mirror='kernel' the network was built for clips of "
                f"{network.n_frames} frames, got n_frames={n}"
            )
    return n_frames
