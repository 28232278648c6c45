"""Silence as a class: windows of background noise, recorded or made by program."""

import os
from pathlib import Path

import numpy as np
import soundfile

from ..audio import AudioSegment
from ._noise_recordings import noise_folder, write_noise_recordings

#: Of Speech Commands, and of noise made for it.
SAMPLE_RATE = 16000

#: The noise that validation hears, in the split of the trainable front ends' reference system.
VALIDATION_NOISE = "running_tap"


def noise_windows(folder, noise_home, limit):
    """One-second windows of noise, every half second.

    Parameters
    ----------
    folder : pathlib.Path
        Recorded noise; where it holds none, noise is made by program.
    noise_home : str, os.PathLike or None
        Folder for noise made by program; None is one among the user's caches.
    limit : int or None
        The most windows to take, spread evenly.

    Returns
    -------
    windows : list of (AudioSegment, str, str)
        Segment, name of the noise, and "train" or "validation".

    Raises
    ------
    ValueError
        When a recorded noise cannot be read, or none lasts a second.
    """
    recorded = sorted(path for path in folder.glob("*.wav") if not path.name.startswith("."))
    if recorded:
        validation = {path for path in recorded if path.stem == VALIDATION_NOISE}
    else:
        home = noise_folder() if noise_home is None else Path(noise_home).expanduser()
        recorded = write_noise_recordings(Path(os.path.abspath(home)), SAMPLE_RATE)
        validation = set(recorded[3::4])
    windows, unreadable = [], []
    for path in recorded:
        try:
            info = soundfile.info(str(path))
        except soundfile.LibsndfileError as error:
            unreadable.append(f"{path} ({error})")
            continue
        for i in range(max(0, int(2 * info.frames / info.samplerate) - 1)):
            part = "validation" if path in validation else "train"
            windows.append((AudioSegment(str(path), i / 2, i / 2 + 1), path.stem, part))
    if unreadable:
        raise ValueError(
            f"noise that cannot be read: {'; '.join(unreadable)}; move it away, or use "
            "silence=False"
        )
    if not windows:
        raise ValueError(
            f"silence is asked for, but no noise in {folder} lasts 1 s; use silence=False"
        )
    if limit is None or limit >= len(windows):
        return windows
    chosen = np.linspace(0, len(windows) - 1, limit).round().astype(int)
    return [windows[i] for i in chosen]
