"""Load TIMIT: read sentences with hand-labelled phones."""

import os
from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import Literal

import numpy as np
from sklearn.utils import Bunch

from ..audio._reading import header_rates
from ..metrics import TIMIT_PHONES, fold_phones
from ..utils.paths import absolute_path
from ..utils.sklearn_private import Options, StrOptions, validate_parameter_constraints
from ..utils.validation import make_ragged
from ._data_home import DATA_HOME_VARIABLE, get_data_home
from ._timit_files import Segment, Utterance, find_utterances, raise_all, read_segments, read_text

SAMPLE_RATE = 16000

#: Silence before and after each sentence.
EDGE = "h#"

#: Speakers of the core test set, two men and one woman of each dialect region.
CORE_TEST = frozenset(
    "mdab0 mwbt0 felc0 mtas1 mwew0 fpas0 mjmp0 mlnt0 fpkt0 mlll0 mtls0 fjlm0 "
    "mbpm0 mklt0 fnlp0 mcmj0 mjdh0 fmgd0 mgrt0 mnjm0 fdhc0 mjln0 mpam0 fmld0".split()
)

LICENSES = {
    True: "LDC User Agreement (LDC93S1)",
    False: "CC BY-NC-SA, (c) 1993 Linguistic Data Consortium",
}

DESCR = """TIMIT Acoustic-Phonetic Continuous Speech Corpus{sample}

Read American English at 16 kHz, with hand-labelled times of phones and words. Each speaker reads
ten sentences: two (sa) that all speakers read, five (sx) that seven speakers read, and three (si)
that nobody else reads.

This copy: {n_utterances} utterances, {n_speakers} speakers, {n_dialects} dialect regions
Phones: {phones}, {silence}
To cite: J. S. Garofolo and others, TIMIT Acoustic-Phonetic Continuous Speech Corpus, LDC93S1,
Linguistic Data Consortium, 1993
Licence: {license}
"""


def load_timit(
    folder: str | os.PathLike[str] | None = None,
    *,
    split: Literal["train", "test", "core_test"] | None = None,
    drop_sa: bool = True,
    phones: Literal[61, 48, 39] = 61,
    drop_edge_silence: bool = True,
) -> Bunch:
    """Load TIMIT, or NLTK's sample of it, from a folder.

    The Linguistic Data Consortium sells the corpus (LDC93S1), so this function cannot download
    it. NLTK's sample of 160 utterances by 16 speakers can be downloaded with
    ``nltk.download("timit")``. Two layouts are supported, at any depth: the layout of the
    corpus (``TRAIN/DR1/FCJF0/SA1.WAV``, also as ``SA1.WAV.wav``, in RIFF or NIST SPHERE format,
    names in upper or lower case) and the layout of the sample (``dr1-fvmh0/sa1.wav``). Each
    sound file needs a ``.phn``, a ``.wrd`` and a ``.txt`` file beside it.

    Parameters
    ----------
    folder : str, os.PathLike or None, default=None
        Folder of the corpus. None means ``timit`` in the data home or, if it is missing,
        ``timit_sample``; see :func:`get_data_home`.
    split : {"train", "test", "core_test"} or None, default=None
        The official set to load. "train" and "test" share no speakers; "core_test" is the 24
        speakers of "test" (192 utterances without sa) on which most published rates are
        measured. None loads everything. The sample has no official sets.
    drop_sa : bool, default=True
        Whether to leave out the two sentences that all speakers read, because otherwise the
        same sentences would be in training and test data.
    phones : {61, 48, 39}, default=61
        Size of the phone set of `target` and `segments`.
        :func:`~sklearn_speech.metrics.fold_phones` folds to 48 and 39. It removes q, which leaves
        gaps in `segments`.
    drop_edge_silence : bool, default=True
        Whether to remove h#, the silence before and after each sentence, from `target`. Pauses
        (pau, epi) and closures are kept, and `segments` keep h#. Most published rates include
        the two easy h# as sil; use False to compare with them.

    Returns
    -------
    speech : sklearn.utils.Bunch
        Ordered by split, dialect, speaker and sentence.

        data : ndarray of str, shape (n_utterances,)
            Absolute paths of the sound files.
        target : ndarray of shape (n_utterances,), dtype object
            Phones, each a list of str.
        segments : ndarray of shape (n_utterances,), dtype object
            Each a list of (first sample, last sample + 1, phone). They may end before the
            recording ends.
        words : ndarray of shape (n_utterances,), dtype object
            Each a list of (first sample, last sample + 1, word).
        text : ndarray of str, shape (n_utterances,)
            The prompted sentences.
        sentence : ndarray of str, shape (n_utterances,)
            Names such as "sx116"; several speakers read the same sx sentences.
        speaker : ndarray of str, shape (n_utterances,)
            Names such as "fvmh0", in lower case.
        sex : ndarray of str, shape (n_utterances,)
            "f" or "m".
        dialect : ndarray of int, shape (n_utterances,)
            Region, 1 to 8.
        split : ndarray of str, shape (n_utterances,), or None
            "train" or "test"; None for the sample.
        sample_rate : int
            16000 Hz.
        license : str
            The licence of the recordings.
        DESCR : str
            Description.

    Raises
    ------
    OSError
        If the folder does not exist.
    ValueError
        If the folder does not contain TIMIT, an annotation is missing or broken (the message
        names the file), a recording has another sample rate, or a parameter is wrong.

    See Also
    --------
    sklearn_speech.metrics.phone_error_rate : The score of recognised phones.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np, soundfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.makedirs(f"{folder}/dr1-fvmh0")
    ...     stem = f"{folder}/dr1-fvmh0/sx116"
    ...     soundfile.write(f"{stem}.wav", np.zeros(1600), 16000)
    ...     for ending, text in [
    ...         (".phn", "0 400 h#\\n400 900 ow\\n900 1600 h#"),
    ...         (".wrd", "400 900 oh"),
    ...         (".txt", "0 1600 Oh."),
    ...     ]:
    ...         with open(stem + ending, "w") as file:
    ...             _ = file.write(text)
    ...     speech = load_timit(folder)
    >>> speech.target[0], speech.segments[0][1], speech.sex[0], speech.dialect[0]
    (['ow'], (400, 900, 'ow'), ...'f'..., ...1...)
    """
    validate_parameter_constraints(
        {
            "split": [StrOptions({"train", "test", "core_test"}), None],
            "drop_sa": ["boolean"],
            "phones": [Options(Integral, {61, 48, 39})],
            "drop_edge_silence": ["boolean"],
        },
        {
            "split": split,
            "drop_sa": drop_sa,
            "phones": phones,
            "drop_edge_silence": drop_edge_silence,
        },
        "load_timit",
    )
    found = _find_folder(folder)
    utterances = _select(found, find_utterances(found), split, drop_sa)
    segments, words, texts = _read_annotations(found, utterances)
    kept = [[s for s in each if not (drop_edge_silence and s[2] == EDGE)] for each in segments]
    is_full = any(u.split for u in utterances)
    speakers = np.array([u.speaker for u in utterances])
    return Bunch(
        data=_check_rates(found, [u.path for u in utterances]),
        target=make_ragged([phone for _, _, phone in each] for each in _fold(kept, phones)),
        segments=_fold(segments, phones),
        words=make_ragged(words),
        text=np.array(texts),
        sentence=np.array([u.sentence for u in utterances]),
        speaker=speakers,
        sex=np.array([name[0] for name in speakers]),
        dialect=np.array([u.dialect for u in utterances]),
        split=np.array([u.split for u in utterances]) if is_full else None,
        sample_rate=SAMPLE_RATE,
        license=LICENSES[is_full],
        DESCR=DESCR.format(
            sample="" if is_full else ", NLTK's sample",
            n_utterances=len(utterances),
            n_speakers=len(set(speakers)),
            n_dialects=len({u.dialect for u in utterances}),
            phones=phones,
            silence=f"{EDGE} {'removed from' if drop_edge_silence else 'kept in'} the target",
            license=LICENSES[is_full],
        ),
    )


def _find_folder(folder: str | os.PathLike[str] | None) -> Path:
    if folder is None:
        home = get_data_home()
        for name in ("timit", "timit_sample"):
            if (home / name).is_dir():
                return home / name
        raise OSError(
            f"neither timit nor timit_sample in {home}; name the folder of the corpus with "
            f"folder=, or its parent with the environment variable {DATA_HOME_VARIABLE}"
        )
    folder = absolute_path(folder, "folder")
    if not folder.is_dir():
        kind = "is a file, not a folder" if folder.exists() else "does not exist"
        raise OSError(f"folder {folder} {kind}")
    return folder


def _select(
    folder: Path, utterances: list[Utterance], split: str | None, drop_sa: bool
) -> list[Utterance]:
    if not utterances:
        raise ValueError(
            f"folder {folder} does not contain TIMIT: expected sound files such as "
            "TRAIN/DR1/FCJF0/SA1.WAV or dr1-fvmh0/sa1.wav"
        )
    if split is not None:
        official = {u.split for u in utterances}
        utterances = [
            u
            for u in utterances
            if u.split == split.removeprefix("core_")
            and (split != "core_test" or u.speaker in CORE_TEST)
        ]
        if not utterances:
            raise ValueError(
                f"split={split!r}: {folder} has "
                + (
                    "no official sets (NLTK's sample); split it by speaker"
                    if official == {""}
                    else f"no such utterances, only those of {sorted(official)}"
                )
            )
    if drop_sa:
        utterances = [u for u in utterances if not u.sentence.startswith("sa")]
        if not utterances:
            raise ValueError(
                f"{folder} contains only sa sentences, and drop_sa=True leaves them out"
            )
    return utterances


def _read_annotations(
    folder: Path, utterances: list[Utterance]
) -> tuple[list[list[Segment]], list[list[Segment]], list[str]]:
    """Read phone segments, word segments and texts."""
    rows, problems = [], []
    for utterance in utterances:
        paths = utterance.annotations
        try:
            segments = read_segments(paths[".phn"], TIMIT_PHONES)
            rows.append((segments, read_segments(paths[".wrd"]), read_text(paths[".txt"])))
        except ValueError as error:
            problems.append(str(error))
    raise_all(folder, problems)
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def _fold(segments: Sequence[Sequence[Segment]], phones: int) -> np.ndarray:
    """Return segments with folded phones, without those of removed phones."""
    if phones == len(TIMIT_PHONES):
        return make_ragged(segments)
    folding: Literal[39, 48] = 39 if phones == 39 else 48
    table = {phone: fold_phones([[phone]], folding=folding)[0] for phone in TIMIT_PHONES}
    return make_ragged(
        [(start, end, folded) for start, end, phone in each for folded in table[phone]]
        for each in segments
    )


def _check_rates(folder: Path, paths: list[str]) -> np.ndarray:
    wrong = header_rates(paths) - {SAMPLE_RATE}
    if wrong:
        raise ValueError(
            f"{folder} has recordings at {sorted(wrong)} Hz: expected {SAMPLE_RATE} Hz, to "
            "which the sample numbers of the annotations refer"
        )
    return np.array(paths)
