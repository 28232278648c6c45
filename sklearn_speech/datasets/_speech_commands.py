"""Google Speech Commands: keyword spotting with unknown words and silence."""

import os
import warnings
from collections.abc import Collection, Iterable
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from sklearn.utils import Bunch

from ..utils.paths import check_path
from ..utils.sklearn_private import Interval, StrOptions, validate_parameter_constraints
from ..utils.validation import make_ragged
from ._data_home import get_data_home
from ._noise_windows import SAMPLE_RATE, noise_windows
from ._speech_commands_files import NOISES, find_clips, official_parts, open_archive

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

#: Clips of each version, without background noises.
N_CLIPS = {"v0.01": 64_721, "v0.02": 105_829}

#: Clips of the separate test archive of v0.02, including silence.
N_TEST_CLIPS = 4_890

SILENCE, UNKNOWN = "_silence_", "_unknown_"

LICENSE = "CC BY 4.0"


DESCR = """Google Speech Commands {version}

{n_clips:,} recordings of {n_words} English words at 16 kHz, most of them of one second, by
thousands of speakers, whose codes are in the file names.

Source: P. Warden, "Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition",
https://arxiv.org/abs/1804.03209
Licence: {license}
This copy lacks {n_missing:,} of its {n_clips:,} clips.
"""


def fetch_speech_commands(
    version: Literal["v0.01", "v0.02"] = "v0.02",
    *,
    words: Iterable[str] | Literal["all"] | None = None,
    unknown: bool = True,
    silence: bool | int | None = None,
    split: Literal["official", "lists"] | None = None,
    data_home: str | os.PathLike[str] | None = None,
    noise_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    n_retries: int = 3,
    delay: float = 1.0,
    verbose: bool = True,
) -> Bunch:
    """Load Google Speech Commands as a keyword task, and download it if necessary.

    The default is the task with twelve classes: ten words, ``"_unknown_"`` for any other
    word, and ``"_silence_"``, windows of background noise of one second. The download
    (1.5 GB in version v0.01, 2.4 GB in v0.02) is verified with its published SHA-256. A local
    copy is used even if it is incomplete; ``n_missing`` counts the missing clips.

    Parameters
    ----------
    version : {"v0.01", "v0.02"}, default="v0.02"
        64,721 clips of 30 words, or 105,829 of 35.
    words : list of str, "all" or None, default=None
        Words that are classes. None means down, go, left, no, off, on, right, stop, up and yes.
        "all" means every word, which leaves no unknown words.
    unknown : bool, default=True
        Whether the other words are the class ``"_unknown_"``. If False, they are left out.
    silence : bool, int or None, default=None
        Whether windows of background noise, one every half second, are the class
        ``"_silence_"``. A number limits the number of windows, which are spread evenly. None
        means True, except with ``words="all"``.
    split : {"official", "lists", None}, default=None
        Which ``split`` to return. "lists" uses the two lists of the data set for "test" and
        "validation"; all other clips are "train". "official" does the same, but in the task
        with twelve classes of v0.02 the test set is its separate archive (113 MB), with its own
        silence. None returns no split, for cross-validation by speaker.
    data_home : str, os.PathLike or None, default=None
        Folder that contains ``speech_commands_v0.02`` or the like, or will contain it after
        the download. None means the default of :func:`get_data_home`.
    noise_home : str, os.PathLike or None, default=None
        Folder for computed noise, if the copy has no ``_background_noise_``. None means a
        folder in the user's cache.
    download_if_missing : bool, default=True
        Whether to download a missing archive.
    n_retries : int, default=3
        Number of further attempts after a failed download.
    delay : float, default=1.0
        Seconds between the attempts.
    verbose : bool, default=True
        Whether to show a progress bar while downloading.

    Returns
    -------
    speech : sklearn.utils.Bunch
        data : ndarray of shape (n_clips,)
            Absolute paths as str. With silence, an object array in which windows of noise are
            :class:`~sklearn_speech.audio.AudioSegment`. :class:`AudioReader` reads both. Some
            clips are shorter than 1 s: :class:`PadOrTrim` pads them.
        target : ndarray of str, shape (n_clips,)
            Words, ``"_unknown_"`` and ``"_silence_"``.
        word : ndarray of str, shape (n_clips,)
            The spoken word, also of unknown clips. It is ``"_silence_"`` for silence, and
            ``"_unknown_"`` for unknown clips of the test archive, which does not name their
            words.
        speaker : ndarray of str, shape (n_clips,)
            Codes of the speakers. Each noise counts as a speaker.
        take : ndarray of int, shape (n_clips,)
            Number of the clip among those of its speaker and word; -1 for silence.
        split : ndarray of str, shape (n_clips,), or None
            "train", "validation" or "test".
        sample_weight : ndarray of float, shape (n_clips,)
            Weights that balance the classes: 1 for a word. For unknown and silence, the mean
            number of clips of a word divided by that of the class, in the training part, or in
            all clips if `split` is None.
        sample_rate : int
            16000 Hz.
        n_missing : int
            Number of clips of the complete data set that this copy lacks, including those of the
            test archive if it is the test set.
        license : str
            The licence of the recordings.
        DESCR : str
            Description.

    Raises
    ------
    OSError
        If there are no recordings and `download_if_missing` is False, the folder contains
        something else, the download fails, or a list for `split` is missing.
    ValueError
        If a parameter is wrong, one of `words` has no clip, a list contains something other
        than clips, or a recorded noise cannot be read.

    Warns
    -----
    UserWarning
        When the copy contains sound files that are not named like those of the data set, which
        are left out, or when it has no clip of one of the ten words.

    Notes
    -----
    In the complete v0.02 the weights are 1 for words, about 4.6 for silence and about 1/17 for
    unknown, as in the reference system of the trainable front ends. That system draws
    training clips with these weights; here they are passed to ``fit`` as `sample_weight`, or
    to ``torch.utils.data.WeightedRandomSampler``. Do not combine them with
    ``class_weight="balanced"``, which the recipes "kws-linear" and "kws-bcresnet" use:
    both would be applied.

    As in that system, the noise of the running tap belongs to validation and all other recorded
    noises belong to training. Two of the computed noises belong to validation. With the lists,
    the test set has no silence.

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
    if noise_home is not None:
        check_path(noise_home, "noise_home")
    all_words = isinstance(words, str) and words == "all"
    silence = not all_words if silence is None else silence
    targets = _check_words(words, version)
    home = get_data_home(data_home)
    options: dict[str, Any] = {"n_retries": n_retries, "delay": delay, "progress": verbose}
    download = options if download_if_missing else None
    folder = open_archive(home, f"speech_commands_{version}", download)
    clips = find_clips(folder, WORDS[version])
    n_missing = n_missing_words = N_CLIPS[version] - len(clips)
    parts = official_parts(folder) if split else {}
    separate = (
        split == "official" and version == "v0.02" and set(targets) == set(TARGET_WORDS) and unknown
    )
    rows: list[tuple[Any, ...]] = [
        (path, word if word in targets else UNKNOWN, word, speaker, take, parts.get(name, "train"))
        for name, (path, word, speaker, take) in clips.items()
        if (unknown or word in targets) and not (separate and parts.get(name) == "test")
    ]
    lacking = sorted(set(targets) - {row[2] for row in rows})
    if len(lacking) == len(targets) or (lacking and words is not None and not all_words):
        raise ValueError(f"words={words!r}: {folder} contains no clip of {', '.join(lacking)}")
    if lacking and words is None:
        warnings.warn(
            f"{folder} contains no clip of {', '.join(lacking)}: these classes are missing",
            UserWarning,
            stacklevel=2,
        )
    if separate:
        tests = find_clips(
            open_archive(home, f"speech_commands_test_set_{version}", download),
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
    data, targets_of, word, speaker, take, parts_of = zip(*rows, strict=True)
    target, part = np.array(targets_of), np.array(parts_of)
    return Bunch(
        data=make_ragged(data) if silence else np.array(data),
        target=target,
        word=np.array(word),
        speaker=np.array(speaker),
        take=np.array(take),
        split=part if split else None,
        sample_weight=_balance(target, (part == "train") | (not split), set(targets)),
        sample_rate=SAMPLE_RATE,
        n_missing=n_missing,
        license=LICENSE,
        DESCR=DESCR.format(
            version=version,
            n_clips=N_CLIPS[version],
            n_words=len(WORDS[version]),
            n_missing=n_missing_words,
            license=LICENSE,
        ),
    )


def _check_words(words: Any, version: str) -> tuple[str, ...]:
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
            f"words={words!r}: expected words from {list(WORDS[version])} (version={version!r})"
        )
    return wanted


def _balance(target: np.ndarray, counted: np.ndarray, words: Collection[str]) -> np.ndarray:
    """Return weights that make unknown and silence each count as much as one word."""
    names, counts = np.unique(target[counted], return_counts=True)
    n = dict(zip(names.tolist(), counts.tolist()))
    of_words = [count for name, count in n.items() if name in words]
    weights = np.ones(len(target))
    for name in (UNKNOWN, SILENCE):
        if name in n and of_words:
            weights[target == name] = np.mean(of_words) / n[name]
    return weights
