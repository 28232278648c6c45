"""Google Speech Commands: keyword spotting with unknown words and silence."""

import os
import re
import warnings
from numbers import Integral, Real
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from ..utils.sklearn_private import Interval, StrOptions, validate_parameter_constraints
from ..utils.validation import make_ragged
from ._data_home import DATA_HOME_VARIABLE, get_data_home
from ._download import fetch_archive
from ._noise_windows import SAMPLING_RATE, noise_windows

_BASE_URL = "https://storage.googleapis.com/download.tensorflow.org/data/"

#: Published SHA-256 of the archives, as TensorFlow Datasets and torchaudio list them.
ARCHIVES = {
    "speech_commands_v0.01": "743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d",
    "speech_commands_v0.02": "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
    "speech_commands_test_set_v0.02": (
        "cc2a00c1147c2254e9be3fa0f779d8c17421dc349b86366567a8edfa9acd51df"
    ),
}

#: The ten words of the task with twelve classes.
TARGET_WORDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")

_WORDS_1 = (
    "bed bird cat dog down eight five four go happy house left marvin nine no off on one right "
    "seven sheila six stop three tree two up wow yes zero"
).split()

#: Words of each version.
WORDS = {
    "v0.01": tuple(_WORDS_1),
    "v0.02": tuple(sorted([*_WORDS_1, "backward", "follow", "forward", "learn", "visual"])),
}

#: Clips of each version, background noises not counted.
N_CLIPS = {"v0.01": 64_721, "v0.02": 105_829}

#: Clips of the separate test archive of v0.02, silence among them.
N_TEST_CLIPS = 4_890

SILENCE, UNKNOWN, NOISES = "_silence_", "_unknown_", "_background_noise_"

LICENSE = "CC BY 4.0"

_CLIP = re.compile(r"(?:\w+_)?(?P<speaker>[0-9a-f]{8})_nohash_(?P<take>\d+)\.wav")
_LISTED = re.compile(r"\w+/[^/\s]+\.wav")
_MEMBER = re.compile(r"(?:\./)?((?:\w+/)?\w[\w.-]*)")

DESCR = """Google Speech Commands {version}

{n_clips:,} recordings of {n_words} English words, one second or a little less each, at 16 kHz,
by thousands of speakers whom the file names tell apart.

Source: P. Warden, "Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition",
https://arxiv.org/abs/1804.03209
Licence: {license}
This copy lacks {n_missing:,} of its {n_clips:,} clips.
"""


def fetch_speech_commands(
    version="v0.02",
    *,
    words=None,
    unknown=True,
    silence=None,
    split=None,
    data_home=None,
    noise_home=None,
    download_if_missing=True,
    n_retries=3,
    delay=1.0,
    verbose=True,
):
    """Load Google Speech Commands as a keyword task, downloading it when it is not there.

    By default the task with twelve classes: ten words, any other word as
    ``"_unknown_"``, and ``"_silence_"``, one-second windows of background noise. The
    download (1.5 GB in version v0.01, 2.4 GB in v0.02) is checked by its published
    SHA-256. A copy at hand is taken as it is, whole or in part; ``n_missing`` counts
    what it lacks.

    Parameters
    ----------
    version : {"v0.01", "v0.02"}, default="v0.02"
        64,721 clips of 30 words, or 105,829 of 35.
    words : list of str, "all" or None, default=None
        Words that are classes of their own. None is down, go, left, no, off, on, right,
        stop, up and yes. "all" is every word, and then nothing is unknown.
    unknown : bool, default=True
        Whether the other words are the class ``"_unknown_"``, or left out.
    silence : bool, int or None, default=None
        Whether windows of background noise, one every half second, are the class
        ``"_silence_"``; a number is the most to take, spread evenly. None is true,
        but with ``words="all"``.
    split : {"official", "lists", None}, default=None
        What ``split`` of the result says. "lists": test and validation are the clips that
        the two lists of the data set name, and "train" all others. "official": the same,
        but in the task of twelve classes of v0.02 the test set is the separate archive
        made for it (113 MB), with its own silence. None: no split; all clips, for
        cross-validation by speaker.
    data_home : str, os.PathLike or None, default=None
        Folder that holds, or is to hold, ``speech_commands_v0.02`` and the like. None: see
        :func:`get_data_home`.
    noise_home : str, os.PathLike or None, default=None
        Folder for noise made by program where the copy has no ``_background_noise_``.
        None is a folder among the user's caches.
    download_if_missing : bool, default=True
        Whether to download what is not there.
    n_retries : int, default=3
        How often a lost connection is tried again.
    delay : float, default=1.0
        Seconds between the tries.
    verbose : bool, default=True
        Whether to show a progress bar while downloading.

    Returns
    -------
    speech : sklearn.utils.Bunch
        data : ndarray of shape (n_clips,)
            Absolute paths as str; with silence an object array, in which windows of noise
            are :class:`~sklearn_speech.audio.AudioSegment`. :class:`AudioReader` takes
            both. Some clips are shorter than 1 s: :class:`PadOrTrim` fills them up.
        target : ndarray of str, shape (n_clips,)
            Words, ``"_unknown_"`` and ``"_silence_"``.
        word : ndarray of str, shape (n_clips,)
            The word that is spoken, also in unknown clips; ``"_silence_"`` in silence, and
            ``"_unknown_"`` in unknown clips of the test archive, which do not tell.
        speaker : ndarray of str, shape (n_clips,)
            The speaker's code. Each noise is a speaker of its own.
        take : ndarray of int, shape (n_clips,)
            Number of the clip among those of its speaker and word, -1 in silence.
        split : ndarray of str, shape (n_clips,), or None
            "train", "validation" or "test".
        sample_weight : ndarray of float, shape (n_clips,)
            What balances the classes: 1 for a word; for unknown and silence the mean
            number of clips of a word over that of the class, in the training part, or in
            all where `split` is None.
        sampling_rate : int
            16000 Hz.
        n_missing : int
            Clips of the whole data set, any word, that this copy lacks; and of the test
            archive, where that is the test set.
        license : str
            The licence of the recordings.
        DESCR : str
            Description.

    Raises
    ------
    OSError
        When there are no recordings and `download_if_missing` is false, the folder holds
        other things, the download fails, or a list that `split` needs is missing.
    ValueError
        When a parameter is wrong, a word asked for has no clip, a list names no clips, or
        a recorded noise cannot be read.

    Warns
    -----
    UserWarning
        When the copy holds sound files whose names are not those of the data set, which
        are left out; or when it has no clip of one of the ten words.

    Notes
    -----
    In the whole of v0.02 the weights come to 1, about 4.6 for silence and about 1/17 for
    unknown, which is what the reference system of the trainable front ends has. It draws
    training clips with these weights; here they are given to ``fit`` as `sample_weight`, or
    to ``torch.utils.data.WeightedRandomSampler``. Not together with
    ``class_weight="balanced"``, which the recipes "kws-linear" and "kws-bcresnet" have:
    both would be counted.

    As there, validation hears the noise of the running tap and training all other noises,
    of which two whole ones are left to validation where they are made by program. The lists
    give the test set no silence.

    References
    ----------
    P. Warden, "Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition",
    https://arxiv.org/abs/1804.03209, 2018.

    Examples
    --------
    >>> speech = fetch_speech_commands(split="official")  # doctest: +SKIP
    >>> (speech.split == "test").sum(), len(set(speech.target))  # doctest: +SKIP
    (4890, 12)
    """
    validate_parameter_constraints(
        {
            "version": [StrOptions(set(WORDS))],
            "unknown": ["boolean"],
            "silence": ["boolean", Interval(Integral, 1, None, closed="left"), None],
            "split": [StrOptions({"official", "lists"}), None],
            "download_if_missing": ["boolean"],
            "n_retries": [Interval(Integral, 0, None, closed="left")],
            "delay": [Interval(Real, 0, None, closed="left")],
            "verbose": ["verbose"],
        },
        {
            "version": version,
            "unknown": unknown,
            "silence": silence,
            "split": split,
            "download_if_missing": download_if_missing,
            "n_retries": n_retries,
            "delay": delay,
            "verbose": verbose,
        },
        "fetch_speech_commands",
    )
    everything = isinstance(words, str) and words == "all"
    silence = not everything if silence is None else silence
    targets = _check_words(words, version)
    home = get_data_home(data_home)
    download = {"n_retries": n_retries, "delay": delay, "progress": verbose}
    download = download if download_if_missing else None
    folder = _folder(home, f"speech_commands_{version}", download)
    rows = _clips(folder, WORDS[version])
    n_missing = lacks = N_CLIPS[version] - len(rows)
    parts = _official_parts(folder) if split else {}
    separate = (
        split == "official" and version == "v0.02" and set(targets) == set(TARGET_WORDS) and unknown
    )
    rows = [
        (path, word if word in targets else UNKNOWN, word, speaker, take, parts.get(name, "train"))
        for name, (path, word, speaker, take) in rows.items()
        if (unknown or word in targets) and not (separate and parts.get(name) == "test")
    ]
    lacking = sorted(set(targets) - {row[2] for row in rows})
    if len(lacking) == len(targets) or (lacking and words is not None and not everything):
        raise ValueError(f"words={words!r}: {folder} holds no clip of {', '.join(lacking)}")
    if lacking and words is None:
        warnings.warn(
            f"{folder} holds no clip of {', '.join(lacking)}: these classes are missing",
            UserWarning,
            stacklevel=2,
        )
    if separate:
        tests = _clips(
            _folder(home, f"speech_commands_test_set_{version}", download),
            (*targets, UNKNOWN, SILENCE),
            nameless=(SILENCE,),
        )
        n_missing += N_TEST_CLIPS - len(tests)
        rows += [
            (path, word, word, speaker, take, "test")
            for path, word, speaker, take in tests.values()
            if silence or word != SILENCE
        ]
    if silence:
        limit = None if isinstance(silence, (bool, np.bool_)) else int(silence)
        rows += [
            (segment, SILENCE, SILENCE, f"{NOISES}{noise}", -1, part)
            for segment, noise, part in noise_windows(folder / NOISES, noise_home, limit)
        ]
    data, target, word, speaker, take, part = zip(*rows, strict=True)
    target, part = np.array(target), np.array(part)
    return Bunch(
        data=make_ragged(data) if silence else np.array(data),
        target=target,
        word=np.array(word),
        speaker=np.array(speaker),
        take=np.array(take),
        split=part if split else None,
        sample_weight=_balance(target, (part == "train") | (not split), set(targets)),
        sampling_rate=SAMPLING_RATE,
        n_missing=n_missing,
        license=LICENSE,
        DESCR=DESCR.format(
            version=version,
            n_clips=N_CLIPS[version],
            n_words=len(WORDS[version]),
            n_missing=lacks,
            license=LICENSE,
        ),
    )


def _check_words(words, version):
    if words is None:
        return TARGET_WORDS
    if isinstance(words, str):
        if words == "all":
            return WORDS[version]
        raise ValueError(f"words={words!r}: expected a list, such as [{words!r}], 'all' or None")
    try:
        wanted = tuple(sorted({str(word) for word in words}))
    except TypeError as error:
        raise ValueError(f"words={words!r}: expected a list of words, 'all' or None") from error
    wrong = [word for word in wanted if word not in WORDS[version]]
    if wrong or not wanted:
        raise ValueError(
            f"words={words!r}: expected words out of {list(WORDS[version])} (version={version!r})"
        )
    return wanted


def _folder(home, name, download):
    """The folder of an archive, with sound files in it."""
    folder = home / name
    if any(path.parent.name != NOISES for path in folder.glob("*/*.wav")):
        return folder
    if folder.is_dir() and any(folder.iterdir()):
        raise OSError(
            f"{folder} holds no words of Speech Commands (folders of .wav files), and is not "
            "empty; move it away, or name another place with data_home="
        )
    if download is None:
        raise OSError(
            f"no recordings of Speech Commands in {folder}; allow the download with "
            f"download_if_missing=True, or name another place with data_home= or the "
            f"environment variable {DATA_HOME_VARIABLE}"
        )
    fetch_archive(
        f"{_BASE_URL}{name}.tar.gz", ARCHIVES[name], _rename, folder, title=name, **download
    )
    return folder


def _rename(name):
    """Path to unpack a member to; None for what is no plain file name in at most one folder."""
    match = _MEMBER.fullmatch(name)
    return match and match[1]


def _clips(folder, words, nameless=()):
    """Path, word, speaker and take of each clip, by its name in the lists.

    `words` are the folders that the data set has, `nameless` those among them whose
    sound files need not name a speaker: each is one of its own.
    """
    clips, strange = {}, []
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
            f"{folder} holds {len(strange)} sound files that are not named as those of Speech "
            f"Commands and are left out ({', '.join(strange[:3])})",
            UserWarning,
            stacklevel=3,
        )
    return clips


def _official_parts(folder):
    """Part of each clip that a list names."""
    parts = {}
    for part, name in (("validation", "validation_list.txt"), ("test", "testing_list.txt")):
        try:
            listed = (folder / name).read_text(encoding="utf-8-sig").split()
        except FileNotFoundError as error:
            raise OSError(
                f"{folder / name} is missing, which split needs; use split=None, or move the "
                "folder away to download all of it"
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


def _balance(target, counted, words):
    """Weights that give unknown and silence together as much as one word each."""
    names, counts = np.unique(target[counted], return_counts=True)
    n = dict(zip(names.tolist(), counts.tolist()))
    of_words = [count for name, count in n.items() if name in words]
    weights = np.ones(len(target))
    for name in (UNKNOWN, SILENCE):
        if name in n and of_words:
            weights[target == name] = np.mean(of_words) / n[name]
    return weights
