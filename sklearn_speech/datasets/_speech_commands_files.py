"""The files of Google Speech Commands: download, clips and official lists."""

import os
import re
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ._data_home import DATA_HOME_VARIABLE
from ._download import fetch_archive

_BASE_URL = "https://storage.googleapis.com/download.tensorflow.org/data/"

#: SHA-256 of the archives, as published by TensorFlow Datasets and torchaudio.
ARCHIVES = {
    "speech_commands_v0.01": "743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d",
    "speech_commands_v0.02": "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
    "speech_commands_test_set_v0.02": (
        "cc2a00c1147c2254e9be3fa0f779d8c17421dc349b86366567a8edfa9acd51df"
    ),
}

#: Name of the folder of background noises.
NOISES = "_background_noise_"

_CLIP = re.compile(r"(?:\w+_)?(?P<speaker>[0-9a-f]{8})_nohash_(?P<take>\d+)\.wav")
_LISTED = re.compile(r"\w+/[^/\s]+\.wav")
_MEMBER = re.compile(r"(?:\./)?((?:\w+/)?\w[\w.-]*)")


def open_archive(home: Path, name: str, download: dict[str, Any] | None) -> Path:
    """Return the folder of an archive, which is downloaded if it is missing.

    Parameters
    ----------
    home : pathlib.Path
        Folder of all data sets.
    name : str
        Name of the archive, a key of `ARCHIVES`.
    download : dict or None
        Options of :func:`fetch_archive`; None never downloads.

    Returns
    -------
    folder : pathlib.Path

    Raises
    ------
    OSError
        If the folder contains something else, or is missing and cannot be downloaded.
    """
    folder = home / name
    if any(path.parent.name != NOISES for path in folder.glob("*/*.wav")):
        return folder
    if folder.is_dir() and any(folder.iterdir()):
        raise OSError(
            f"{folder} contains no words of Speech Commands (folders of .wav files), but is not "
            "empty; move it away, or name another folder with data_home="
        )
    if download is None:
        raise OSError(
            f"no recordings of Speech Commands in {folder}; allow the download with "
            f"download_if_missing=True, or name another folder with data_home= or the "
            f"environment variable {DATA_HOME_VARIABLE}"
        )
    fetch_archive(
        f"{_BASE_URL}{name}.tar.gz", ARCHIVES[name], _rename, folder, title=name, **download
    )
    return folder


def _rename(name: str) -> str | None:
    """Return the path of a member, or None unless it is a file in at most one folder."""
    match = _MEMBER.fullmatch(name)
    return match[1] if match else None


def find_clips(
    folder: Path, words: Collection[str], nameless: Collection[str] = ()
) -> dict[str, tuple[str, str, str, int]]:
    """Return path, word, speaker and take of each clip by its name in the official lists.

    Parameters
    ----------
    folder : pathlib.Path
        Folder that contains one folder for each word.
    words : collection of str
        Words of the data set.
    nameless : collection of str, default=()
        Words whose file names need not contain a speaker; each such file counts as a speaker.

    Returns
    -------
    clips : dict of str to (str, str, str, int)

    Warns
    -----
    UserWarning
        When the folder contains other sound files, which are left out.
    """
    clips = {}
    strange = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if not entry.is_dir() or entry.name == NOISES or entry.name.startswith("."):
            continue
        for name in sorted(os.listdir(entry.path)):
            if not name.endswith(".wav") or name.startswith("."):
                continue
            path, key = os.path.join(entry.path, name), f"{entry.name}/{name}"
            if entry.name not in words:
                strange.append(key)
            elif match := _CLIP.fullmatch(name):
                clips[key] = (path, entry.name, match["speaker"], int(match["take"]))
            elif entry.name in nameless:
                clips[key] = (path, entry.name, f"{entry.name}{Path(name).stem}", -1)
            else:
                strange.append(key)
    if strange:
        warnings.warn(
            f"{folder} contains {len(strange)} sound files that are not named like those of Speech "
            f"Commands and are left out ({', '.join(strange[:3])})",
            UserWarning,
            stacklevel=3,
        )
    return clips


def official_parts(folder: Path) -> dict[str, str]:
    """Return the part, "validation" or "test", of each clip in the official lists.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the data set.

    Returns
    -------
    parts : dict of str to str
        Part by name of the clip.

    Raises
    ------
    OSError
        If a list is missing.
    ValueError
        If a list contains something other than names of clips.
    """
    parts: dict[str, str] = {}
    for part, name in (("validation", "validation_list.txt"), ("test", "testing_list.txt")):
        try:
            listed = (folder / name).read_text(encoding="utf-8-sig").split()
        except FileNotFoundError as error:
            raise OSError(
                f"{folder / name} is missing and needed for split=; use split=None, or move the "
                "folder away to download everything"
            ) from error
        clean = [clip.replace("\\", "/").removeprefix("./") for clip in listed]
        strange = [clip for clip in clean if not _LISTED.fullmatch(clip)]
        if strange:
            raise ValueError(
                f"{folder / name} names {strange[0]!r}; expected lines such as "
                "'up/0a7c2a8d_nohash_0.wav'"
            )
        parts.update(dict.fromkeys(clean, part))
    return parts
