"""Windows of background noise, recorded or computed, for the class silence."""

import os
from pathlib import Path

import numpy as np
import soundfile

from ..audio import AudioSegment
from ..utils.paths import absolute_path
from ._noise_recordings import noise_folder, write_noise_recordings

#: Sample rate of Speech Commands and of noise computed for it, Hz.
SAMPLE_RATE = 16000

#: The noise that the reference system of the trainable front ends uses for validation.
VALIDATION_NOISE = "running_tap"


def noise_windows(
    folder: Path, noise_home: str | os.PathLike[str] | None, limit: int | None
) -> list[tuple[AudioSegment, str, str]]:
    """Return one-second windows of noise, one every half second.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of recorded noise. If it contains none, noise is computed.
    noise_home : str, os.PathLike or None
        Folder for computed noise; None means a folder in the user's cache.
    limit : int or None
        Maximum number of windows, spread evenly; None means all.

    Returns
    -------
    windows : list of (AudioSegment, str, str)
        Segment, name of the noise, and "train" or "validation".

    Raises
    ------
    ValueError
        If a recorded noise cannot be read, or none is at least one second long.
    """
    recorded = sorted(path for path in folder.glob("*.wav") if not path.name.startswith("."))
    if recorded:
        validation = {path for path in recorded if path.stem == VALIDATION_NOISE}
    else:
        home = noise_folder() if noise_home is None else absolute_path(noise_home, "noise_home")
        recorded = write_noise_recordings(home, SAMPLE_RATE)
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
            f"noise cannot be read: {'; '.join(unreadable)}; move it away, or use silence=False"
        )
    if not windows:
        raise ValueError(
            f"silence needs noise of at least 1 s, but {folder} contains none; use silence=False"
        )
    if limit is None or limit >= len(windows):
        return windows
    chosen = np.linspace(0, len(windows) - 1, limit).round().astype(int)
    return [windows[i] for i in chosen]
