"""Noise made by program, as sound files, for where no recorded background noise is at hand."""

import os
import tempfile
from pathlib import Path

import numpy as np
import soundfile

#: Spectra fall as 1 / f ** (slope / 2): white, pink and brown noise, and what lies between.
SLOPES = (0.0, 1.0, 2.0, 0.5, 1.5)

N_RECORDINGS = 10

#: Seconds of each recording.
DURATION = 16

#: Levels of the loudest and the softest recording, in dB below full scale.
LEVELS = (-20.0, -60.0)

_COLOURS = {0.0: "white", 0.5: "pinkish", 1.0: "pink", 1.5: "brownish", 2.0: "brown"}


def noise_folder():
    """Where these files are kept between calls: they can be made again at any time.

    Returns
    -------
    folder : pathlib.Path
        Below the user's folder of caches; not created.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return Path(os.path.abspath(caches)) / "sklearn_speech" / "noise-1"


def write_noise_recordings(folder, sample_rate):
    """Write ten recordings of coloured noise, or find them written.

    Slopes of the spectrum cycle through :data:`SLOPES`, levels fall evenly, and
    each recording swells and fades, as background noise does. Always the same
    samples, from fixed seeds.

    Parameters
    ----------
    folder : pathlib.Path
        Where to write, or where they are.
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


def make_noise(slope, level_db, sample_rate, seed):
    """One recording of noise.

    Parameters
    ----------
    slope : float
        How the power falls with frequency, as ``f ** -slope``.
    level_db : float
        Root mean square in dB below full scale.
    sample_rate : int
        In Hz.
    seed : int
        Of the random numbers.

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
    # flat below 20 Hz, where a falling spectrum would only be a slow drift
    noise = np.fft.irfft(spectrum * np.maximum(frequencies, 20.0) ** (-slope / 2), n)
    points = np.linspace(0, n, DURATION // 2 + 1)
    noise *= np.exp(np.interp(np.arange(n), points, rng.normal(scale=0.5, size=len(points))))
    noise *= 10 ** (level_db / 20) / np.sqrt(np.mean(noise**2))
    return np.clip(noise, -1, 1)


def _level(seed):
    loud, soft = LEVELS
    return loud + (soft - loud) * seed / (N_RECORDINGS - 1)


def _write(path, waveform, sample_rate):
    """Appear whole or not at all, also where several processes write."""
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=path.parent) as folder:
        unfinished = Path(folder) / path.name
        soundfile.write(unfinished, waveform, sample_rate, subtype="PCM_16")
        os.replace(unfinished, path)
