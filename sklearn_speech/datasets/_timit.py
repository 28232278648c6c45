"""TIMIT: read sentences with every phone marked by hand."""

import os
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from ..audio._reading import header_rates
from ..metrics import TIMIT_PHONES, fold_phones
from ..utils.sklearn_private import Options, StrOptions, validate_parameter_constraints
from ..utils.validation import make_ragged
from ._data_home import DATA_HOME_VARIABLE, get_data_home
from ._timit_files import find_utterances, raise_all, read_segments, read_text

SAMPLING_RATE = 16000

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

Read American English at 16 kHz, with times of phones and words marked by hand. Each speaker reads
ten sentences: two (sa) that all speakers read, five (sx) that seven speakers read, three (si) that
nobody else reads.

Here: {n_utterances} utterances, {n_speakers} speakers, {n_dialects} dialect regions
Phones: {phones}, {silence}
To cite: J. S. Garofolo and others, TIMIT Acoustic-Phonetic Continuous Speech Corpus, LDC93S1,
Linguistic Data Consortium, 1993
Licence: {license}
"""


def load_timit(folder=None, *, split=None, drop_sa=True, phones=61, drop_edge_silence=True):
    """Load TIMIT, or the sample of it that NLTK distributes, from a folder.

    The corpus is sold by the Linguistic Data Consortium (LDC93S1) and cannot be downloaded here;
    NLTK's sample of 160 utterances by 16 speakers can, with ``nltk.download("timit")``. Files
    are found in the corpus' own layout (``TRAIN/DR1/FCJF0/SA1.WAV``, also as ``SA1.WAV.wav``,
    in RIFF or NIST SPHERE format, names in upper or lower case) and in that of the sample
    (``dr1-fvmh0/sa1.wav``), at any depth; beside each sound file lie ``.phn``, ``.wrd`` and
    ``.txt``.

    Parameters
    ----------
    folder : str, os.PathLike or None, default=None
        Where it is. None takes ``timit`` or else ``timit_sample`` in the data home; see
        :func:`get_data_home`.
    split : {"train", "test", "core_test"} or None, default=None
        Only this official set, which shares no speaker with the other; "core_test" is the 24
        speakers of "test" (192 utterances without sa) that published rates are of. None is
        everything. The sample has no official sets.
    drop_sa : bool, default=True
        Whether to leave out the two sentences that all speakers read: whoever is tested on
        them was trained on the very same words.
    phones : {61, 48, 39}, default=61
        Size of the set of phones in `target` and `segments`. 48 and 39 are folded by
        :func:`~sklearn_speech.metrics.fold_phones`, which removes q: there `segments` then have
        a gap.
    drop_edge_silence : bool, default=True
        Whether `target` is without h#, the silence before and after each sentence, so that it
        holds what was said. Pauses (pau, epi) and closures stay. Most published rates count the
        two easy h#, as sil; False gives what is comparable with them. `segments` keep them.

    Returns
    -------
    speech : sklearn.utils.Bunch
        Ordered by split, dialect, speaker and sentence.

        data : ndarray of str, shape (n_utterances,)
            Absolute paths of the sound files.
        target : ndarray of shape (n_utterances,), dtype object
            Phones, each a list of str.
        segments : ndarray of shape (n_utterances,), dtype object
            Each a list of (first sample, last sample + 1, phone). They may end before their
            recording does.
        words : ndarray of shape (n_utterances,), dtype object
            Each a list of (first sample, last sample + 1, word).
        text : ndarray of str, shape (n_utterances,)
            The sentence as it was to be read.
        sentence : ndarray of str, shape (n_utterances,)
            Names such as "sx116"; speakers share the sx sentences.
        speaker : ndarray of str, shape (n_utterances,)
            Names such as "fvmh0", in lower case.
        sex : ndarray of str, shape (n_utterances,)
            "f" or "m".
        dialect : ndarray of int, shape (n_utterances,)
            Region, 1 to 8.
        split : ndarray of str, shape (n_utterances,), or None
            "train" or "test"; None for the sample.
        sampling_rate : int
            16000 Hz.
        license : str
            The licence of the recordings.
        DESCR : str
            Description.

    Raises
    ------
    OSError
        When there is no such folder.
    ValueError
        When the folder holds no TIMIT, an annotation is missing or broken (the message names
        the file), the recordings are at another rate, or a parameter is wrong.

    See Also
    --------
    sklearn_speech.metrics.phone_error_rate : Judges what is recognised.

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
    folder = _find_folder(folder)
    utterances = _select(folder, find_utterances(folder), split, drop_sa)
    segments, words, texts = _read_annotations(folder, utterances)
    kept = [[s for s in each if not (drop_edge_silence and s[2] == EDGE)] for each in segments]
    is_full = any(u.split for u in utterances)
    speakers = np.array([u.speaker for u in utterances])
    return Bunch(
        data=_check_rates(folder, [u.path for u in utterances]),
        target=make_ragged([phone for _, _, phone in each] for each in _fold(kept, phones)),
        segments=_fold(segments, phones),
        words=make_ragged(words),
        text=np.array(texts),
        sentence=np.array([u.sentence for u in utterances]),
        speaker=speakers,
        sex=np.array([name[0] for name in speakers]),
        dialect=np.array([u.dialect for u in utterances]),
        split=np.array([u.split for u in utterances]) if is_full else None,
        sampling_rate=SAMPLING_RATE,
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


def _find_folder(folder):
    if folder is None:
        home = get_data_home()
        for name in ("timit", "timit_sample"):
            if (home / name).is_dir():
                return home / name
        raise OSError(
            f"neither timit nor timit_sample in {home}; name the corpus' place with folder=, or "
            f"the folder that holds it with the environment variable {DATA_HOME_VARIABLE}"
        )
    folder = Path(os.path.abspath(Path(folder).expanduser()))
    if not folder.is_dir():
        kind = "is a file, not a folder" if folder.exists() else "does not exist"
        raise OSError(f"folder {folder} {kind}")
    return folder


def _select(folder, utterances, split, drop_sa):
    if not utterances:
        raise ValueError(
            f"folder {folder} holds no TIMIT: expected sound files such as "
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
            raise ValueError(f"{folder} has none but sa sentences, and drop_sa=True")
    return utterances


def _read_annotations(folder, utterances):
    rows, problems = [], []
    for utterance in utterances:
        paths = utterance.annotations
        try:
            segments = read_segments(paths[".phn"], TIMIT_PHONES)
            rows.append((segments, read_segments(paths[".wrd"]), read_text(paths[".txt"])))
        except ValueError as error:
            problems.append(str(error))
    raise_all(folder, problems)
    return zip(*rows)


def _fold(segments, phones):
    """Segments with their phones folded; those of removed phones are left out."""
    if phones == len(TIMIT_PHONES):
        return make_ragged(segments)
    become = {phone: fold_phones([[phone]], folding=phones)[0] for phone in TIMIT_PHONES}
    return make_ragged(
        [(start, end, folded) for start, end, phone in each for folded in become[phone]]
        for each in segments
    )


def _check_rates(folder, paths):
    wrong = header_rates(paths) - {SAMPLING_RATE}
    if wrong:
        raise ValueError(
            f"{folder} has recordings at {sorted(wrong)} Hz: expected {SAMPLING_RATE} Hz, in whose "
            "samples the annotations count"
        )
    return np.array(paths)
