"""The Free Spoken Digit Dataset."""

import os
import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Literal

import numpy as np
from sklearn.utils import Bunch

from ..utils.sklearn_private import Interval, StrOptions, validate_parameter_constraints
from ._data_home import DATA_HOME_VARIABLE, get_data_home
from ._download import fetch_archive_folder

COMMIT = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"

#: URL of the pinned version.
ARCHIVE_URL = f"https://github.com/Jakobovski/free-spoken-digit-dataset/archive/{COMMIT}.tar.gz"

#: ``sha256sum *.wav | sha256sum`` in its folder of recordings.
DIGEST = "1801eae019c063377d98f831d3f93574f259475df7332bb0e3d1b080fb5e6959"

SAMPLE_RATE = 8000

N_TAKES = 50

#: The official test set is takes 0 to 4 of every speaker and digit.
N_TEST_TAKES = 5

#: From metadata.py of the same commit.
SPEAKERS = {
    "george": {"gender": "male", "accent": "GRC/Greek"},
    "jackson": {"gender": "male", "accent": "USA/neutral"},
    "lucas": {"gender": "male", "accent": "DEU/German"},
    "nicolas": {"gender": "male", "accent": "BEL/French"},
    "theo": {"gender": "male", "accent": "USA/neutral"},
    "yweweler": {"gender": "male", "accent": "DEU/German"},
}

FILE_NAMES = frozenset(
    f"{digit}_{speaker}_{take}.wav"
    for digit in range(10)
    for speaker in SPEAKERS
    for take in range(N_TAKES)
)

LICENSE = "CC BY-SA 4.0"

DESCR = f"""Free Spoken Digit Dataset (FSDD)

3,000 recordings of the ten English digit words at 8 kHz: 6 speakers (all men, with four
different accents) x 10 digits x 50 takes, trimmed close to the words, 0.14 s to 2.3 s long. The
official test set is takes 0 to 4. It has the same speakers as the training set, so scores on it
say nothing about new speakers.

Source: https://github.com/Jakobovski/free-spoken-digit-dataset
Version: commit {COMMIT}
To cite: Zohar Jackson and others, https://doi.org/10.5281/zenodo.1342401
Licence: {LICENSE}
"""


def fetch_fsdd(
    data_home: str | os.PathLike[str] | None = None,
    *,
    speakers: Sequence[str] | None = None,
    subset: Literal["all", "train", "test"] = "all",
    download_if_missing: bool = True,
    n_retries: int = 3,
    delay: float = 1.0,
    verbose: bool = True,
) -> Bunch:
    """Load the Free Spoken Digit Dataset, and download it if necessary.

    3,000 recordings at 8 kHz: 6 speakers, 10 digits, 50 takes. The download
    (about 20 MB) is a pinned version. The SHA-256 of all recordings is verified before they are
    moved into place.

    Parameters
    ----------
    data_home : str, os.PathLike or None, default=None
        Folder that contains ``fsdd/recordings``, or will contain it after the
        download. None means the default of :func:`get_data_home`.
    speakers : list of str or None, default=None
        Speakers to load, from george, jackson, lucas, nicolas, theo and yweweler. None
        loads all.
    subset : {"all", "train", "test"}, default="all"
        "test" is the official test set, takes 0 to 4, and "train" the other takes.
        Both have all speakers.
    download_if_missing : bool, default=True
        Whether to download the recordings if there are none.
    n_retries : int, default=3
        Number of further attempts after a failed download.
    delay : float, default=1.0
        Seconds between the attempts.
    verbose : bool, default=True
        Whether to show a progress bar while downloading.

    Returns
    -------
    speech : sklearn.utils.Bunch
        data : ndarray of str, shape (n_clips,)
            Absolute paths of the recordings, ordered by digit, speaker and take.
        target : ndarray of int, shape (n_clips,)
            The digits, 0 to 9.
        speaker : ndarray of str, shape (n_clips,)
            Names of the speakers.
        take : ndarray of int, shape (n_clips,)
            0 to 49.
        sample_rate : int
            8000 Hz.
        speaker_info : dict of str to dict
            Gender and accent of each speaker.
        license : str
            The licence of the recordings.
        DESCR : str
            Description.

    Raises
    ------
    OSError
        When there are no recordings and `download_if_missing` is False, the
        download fails, or a local copy lacks some of the requested files.
    ValueError
        When a parameter is wrong.

    Warns
    -----
    UserWarning
        When a local copy contains recordings that are not part of the pinned
        version. They are left out.

    Examples
    --------
    >>> speech = fetch_fsdd(speakers=["theo"], subset="test")  # doctest: +SKIP
    >>> len(speech.data), speech.target[0], speech.sample_rate  # doctest: +SKIP
    (50, 0, 8000)
    """
    validate_parameter_constraints(
        {
            "subset": [StrOptions({"all", "train", "test"})],
            "download_if_missing": ["boolean"],
            "n_retries": [Interval(Integral, 0, None, closed="left")],
            "delay": [Interval(Real, 0, None, closed="left")],
            "verbose": ["verbose"],
        },
        {
            "subset": subset,
            "download_if_missing": download_if_missing,
            "n_retries": n_retries,
            "delay": delay,
            "verbose": verbose,
        },
        "fetch_fsdd",
    )
    chosen = _check_speakers(speakers)
    folder = get_data_home(data_home) / "fsdd" / "recordings"
    if not any(folder.glob("*.wav")):
        if not download_if_missing:
            raise OSError(
                f"no recordings of the Free Spoken Digit Dataset in {folder}; allow the download "
                f"with download_if_missing=True, or name another folder with data_home= or the "
                f"environment variable {DATA_HOME_VARIABLE}"
            )
        fetch_archive_folder(
            ARCHIVE_URL,
            {f"recordings/{name}": name for name in FILE_NAMES},
            DIGEST,
            folder,
            n_retries=n_retries,
            delay=delay,
            progress=verbose,
            title="Free Spoken Digit Dataset",
        )
    takes = {
        "all": range(N_TAKES),
        "test": range(N_TEST_TAKES),
        "train": range(N_TEST_TAKES, N_TAKES),
    }[subset]
    clips = [(d, s, t) for d in range(10) for s in chosen for t in takes]
    names = [f"{digit}_{speaker}_{take}.wav" for digit, speaker, take in clips]
    _check_copy(folder, names)
    digit, speaker, take = (np.array(column) for column in zip(*clips, strict=True))
    return Bunch(
        data=np.array([str(folder / name) for name in names]),
        target=digit,
        speaker=speaker,
        take=take,
        sample_rate=SAMPLE_RATE,
        speaker_info={name: dict(SPEAKERS[name]) for name in chosen},
        license=LICENSE,
        DESCR=DESCR,
    )


def _check_speakers(speakers: Sequence[str] | None) -> list[str]:
    if speakers is None:
        return list(SPEAKERS)
    if isinstance(speakers, str):
        raise ValueError(f"speakers={speakers!r}: expected a list, such as [{speakers!r}]")
    unknown = [name for name in speakers if name not in SPEAKERS]
    if unknown or len(speakers) == 0:
        raise ValueError(f"speakers={speakers!r}: expected names from {sorted(SPEAKERS)}")
    return sorted({str(name) for name in speakers})


def _check_copy(folder: Path, names: list[str]) -> None:
    """Raise OSError for an incomplete copy, whose scores would not be those of the data set."""
    present = {path.name for path in folder.glob("*.wav")}
    missing = [name for name in names if name not in present]
    if missing:
        raise OSError(
            f"{folder} lacks {len(missing)} of {len(names)} recordings ({_few(missing)}). Move it "
            "away to download all of them again, or load the existing ones with "
            f"load_speech_folder({str(folder)!r}, '{{label}}_{{speaker}}_{{take}}.wav')"
        )
    extra = sorted(present - FILE_NAMES)
    if extra:
        warnings.warn(
            f"{folder} contains {len(extra)} recordings that are not part of the pinned version "
            f"and are left out ({_few(extra)})",
            UserWarning,
            stacklevel=3,
        )


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
