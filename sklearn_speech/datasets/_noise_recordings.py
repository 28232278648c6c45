"""Computed noise in sound files, used if there is no recorded background noise."""

import os
from pathlib import Path

import numpy as np
import soundfile

from ..utils.atomic import move_into_place, unfinished_folder

#: Amplitude spectra fall as 1 / f ** (slope / 2): white, pink, brown noise and steps between.
SLOPES = (0.0, 1.0, 2.0, 0.5, 1.5)

N_RECORDINGS = 10

#: Length of each recording, s.
DURATION = 16

#: Levels of the loudest and the softest recording, in dB relative to full scale.
LEVELS = (-20.0, -60.0)

_COLOURS = {0.0: "white", 0.5: "pinkish", 1.0: "pink", 1.5: "brownish", 2.0: "brown"}


def noise_folder() -> Path:
    """Return the folder in which these files are kept.

    Returns
    -------
    folder : pathlib.Path
        Below the user's cache folder; it is not created.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return Path(os.path.abspath(caches)) / "sklearn_speech" / "noise-1"


def write_noise_recordings(folder: Path, sample_rate: int) -> list[Path]:
    """Write ten recordings of coloured noise, unless they exist.

    The slopes of the spectra cycle through :data:`SLOPES`, levels fall evenly, and the level of
    each recording varies slowly, like that of real background noise. Seeds are fixed, so the
    samples are always the same.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the recordings; it is created if necessary.
    sample_rate : int
        In Hz.

    Returns
    -------
    paths : list of pathlib.Path
        In the order of their seeds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for seed in range(N_RECORDINGS):
        slope = SLOPES[seed % len(SLOPES)]
        path = folder / f"{_COLOURS[slope]}_noise_{seed}_{sample_rate}.wav"
        if not path.exists():
            _write(path, make_noise(slope, _level(seed), sample_rate, seed), sample_rate)
        paths.append(path)
    return paths


def make_noise(slope: float, level_db: float, sample_rate: int, seed: int) -> np.ndarray:
    """Compute one noise recording.

    Parameters
    ----------
    slope : float
        The power falls with frequency as ``f ** -slope``.
    level_db : float
        Root mean square in dB relative to full scale.
    sample_rate : int
        In Hz.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    waveform : ndarray of shape (n_times,)
        In [-1, 1].

    Examples
    --------
    >>> noise = make_noise(1.0, -20.0, 8000, seed=0)
    >>> len(noise), round(float(np.sqrt(np.mean(noise**2))), 3)
    (128000, 0.1)
    """
    rng = np.random.default_rng(seed)
    n = DURATION * sample_rate
    frequencies = np.fft.rfftfreq(n, 1 / sample_rate)
    spectrum = rng.normal(size=len(frequencies)) + 1j * rng.normal(size=len(frequencies))
    # flat below 20 Hz, where a falling spectrum would only add a slow drift
    noise = np.fft.irfft(spectrum * np.maximum(frequencies, 20.0) ** (-slope / 2), n)
    points = np.linspace(0, n, DURATION // 2 + 1)
    noise *= np.exp(np.interp(np.arange(n), points, rng.normal(scale=0.5, size=len(points))))
    noise *= 10 ** (level_db / 20) / np.sqrt(np.mean(noise**2))
    return np.clip(noise, -1, 1)


def _level(seed: int) -> float:
    loud, soft = LEVELS
    return loud + (soft - loud) * seed / (N_RECORDINGS - 1)


def _write(path: Path, waveform: np.ndarray, sample_rate: int) -> None:
    """Write atomically, because several processes may write the same file."""
    with unfinished_folder(path.parent) as folder:
        soundfile.write(folder / path.name, waveform, sample_rate, subtype="PCM_16")
        move_into_place(folder / path.name, path)
