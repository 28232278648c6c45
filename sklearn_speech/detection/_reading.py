"""Recordings in blocks, after all of them were looked at."""

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm.auto import tqdm

from ..audio._blocks import read_in_blocks
from ._recordings import Recording, check_recordings, is_file, read_recording
from ._settings import Plan

#: Seconds of a recording that are worked on at a time.
BLOCK = 30.0


class Block(NamedTuple):
    """Consecutive samples of a recording."""

    samples: npt.NDArray[np.float32]
    invalid: npt.NDArray[np.intp]  # positions in the recording of what was NaN or infinite


def describe_invalid(
    bad: npt.NDArray[np.intp], name: str, window: int, step: int, sample_rate: float
) -> str:
    """A sentence that names samples that are NaN or infinite, and the windows that see them.

    Parameters
    ----------
    bad : ndarray of shape (n_invalid,)
        Positions in the recording.
    name : str
        What the sentence calls the recording.
    window, step : int
        In samples.
    sample_rate : float
        In Hz.

    Returns
    -------
    message : str
        Empty where there are none.
    """
    if len(bad) == 0:
        return ""
    before = window // 2  # the mirror image before the recording
    first = max(0, (int(bad[0]) + before - window) // step + 1)
    last = (int(bad[-1]) + before) // step
    return (
        f"{name} holds NaN or infinity at {len(bad)} samples, from {bad[0] / sample_rate:.3f} s "
        f"to {bad[-1] / sample_rate:.3f} s: the windows {first} to {last}, whose middles are "
        f"at {first * step / sample_rate:.3f} s to {last * step / sample_rate:.3f} s, would see "
        "them"
    )


def read_each(
    recordings: Any, plan: Plan, verbose: int
) -> Iterator[tuple[Recording, Iterator[Block]]]:
    """Every recording in blocks, after all were looked at.

    Files whose format permits it are read in blocks too, so that memory does not grow with
    their length.

    Parameters
    ----------
    recordings : list or array of paths or AudioSegment, or of 1-D arrays
        As the user gave them.
    plan : Plan
        How they are to be scored.
    verbose : int
        Whether a progress bar is shown.

    Yields
    ------
    recording : Recording
    blocks : iterator of Block

    Raises
    ------
    ValueError
        When a recording is shorter than a window, or holds NaN while ``on_invalid="raise"``.
    """
    checked = check_recordings(recordings, plan.reader, plan.sample_rate)
    invalid = [_check(recording, i, plan) for i, recording in enumerate(checked)]
    total = round(sum(recording.duration for recording in checked), 3)
    with tqdm(total=total, unit="s", desc="recordings", disable=not verbose) as bar:
        for recording, bad in zip(checked, invalid):
            yield recording, _blocks(recording, bad, plan, bar)


def _check(recording: Recording, index: int, plan: Plan) -> npt.NDArray[np.intp]:
    """Samples that are NaN or infinite, at the pipeline's rate."""
    name = f"recordings[{index}]"
    rate = plan.sample_rate
    # durations of compressed files are known to about a sample
    if recording.duration * rate < plan.n_window - 0.5:
        raise ValueError(
            f"{name} has {recording.duration:.3f} s, less than one window of "
            f"{plan.n_window / rate:.3f} s"
        )
    if is_file(recording.content):
        name = f"{name}, {recording.name}"
        bad = recording.invalid
        if recording.file is not None and recording.file.sample_rate != rate:
            ratio = rate / recording.file.sample_rate
            # the first and the last of the samples that each one becomes
            ends = np.floor(bad * ratio), np.ceil((bad + 1) * ratio) - 1
            bad = np.unique(np.concatenate(ends)).astype(np.intp)
    else:
        bad = np.flatnonzero(~np.isfinite(recording.content))
    message = describe_invalid(bad, name, plan.n_window, plan.n_step, rate)
    if message and plan.on_invalid == "raise":
        raise ValueError(f"{message}; on_invalid='nan' scores these windows as NaN")
    if message:
        warnings.warn(f"{message} and get NaN as scores", UserWarning, stacklevel=4)
    return bad


def _blocks(
    recording: Recording, invalid: npt.NDArray[np.intp], plan: Plan, bar: Any
) -> Iterator[Block]:
    if recording.file is not None:
        channel = None if plan.reader is None else plan.reader.channel
        parts = read_in_blocks(recording.file, round(plan.sample_rate), channel)
    else:
        parts = _cut(read_recording(recording, plan.reader, plan.sample_rate), plan)
    start = 0
    for samples in parts:
        first, stop = np.searchsorted(invalid, [start, start + len(samples)])
        yield Block(samples, invalid[first:stop])
        start += len(samples)
        bar.update(round(len(samples) / plan.sample_rate, 3))


def _cut(samples: npt.NDArray[Any], plan: Plan) -> Iterator[npt.NDArray[np.float32]]:
    n_block = max(plan.n_window, round(BLOCK * plan.sample_rate))
    for start in range(0, len(samples), n_block):
        block = np.asarray(samples[start : start + n_block], dtype=np.float32)
        yield np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
