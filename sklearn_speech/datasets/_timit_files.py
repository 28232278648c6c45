"""Where TIMIT's files lie in the layouts it is passed on in, and what they say."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

#: Longest ending first: "SA1.WAV.wav" is a copy of "SA1.WAV" in a format that more programs read.
SOUND_ENDINGS = (".wav.wav", ".wav")

ANNOTATION_ENDINGS = (".phn", ".wrd", ".txt")

SENTENCE = re.compile(r"(?:sa|si|sx)\d+")
SPEAKER = re.compile(r"[fm][a-z]{3}\d")

#: "TRAIN/DR1/FCJF0" in the full corpus, "dr1-fvmh0" in the sample.
SPEAKER_FOLDERS = (
    re.compile(
        rf"(?:.*/)?(?P<split>train|test)/dr(?P<dialect>[1-8])/(?P<speaker>{SPEAKER.pattern})"
    ),
    re.compile(rf"(?:.*/)?dr(?P<dialect>[1-8])-(?P<speaker>{SPEAKER.pattern})"),
)


@dataclass(order=True)
class Utterance:
    """One sentence by one speaker."""

    split: str  # "train", "test" or, in the sample, ""
    dialect: int
    speaker: str
    sentence: str
    path: str = field(compare=False)
    annotations: dict = field(compare=False)  # ending -> path


def find_utterances(folder):
    """All utterances below a folder, in order, whatever the case of names.

    Parameters
    ----------
    folder : Path
        Folder that holds ``TRAIN`` and ``TEST``, or the speakers of the sample, at any depth.

    Returns
    -------
    utterances : list of Utterance

    Raises
    ------
    OSError
        When a folder cannot be opened.
    ValueError
        When an utterance is there twice or lacks an annotation.
    """
    found, problems = {}, []
    for parent, folders, names in os.walk(folder, followlinks=True, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        place = Path(os.path.relpath(parent, folder.parent)).as_posix().lower()
        match = next(filter(None, (p.fullmatch(place) for p in SPEAKER_FOLDERS)), None)
        if match is None:
            continue
        whose = match.groupdict()
        for sentence, (path, annotations, lacking) in _sentences(parent, names).items():
            key = (whose["speaker"], sentence)
            if key in found:
                problems.append(f"{path} is the same utterance as {found[key].path}")
            elif lacking:
                problems.append(f"{path} has no {' and no '.join(lacking)} beside it")
            found[key] = Utterance(
                whose.get("split", ""), int(whose["dialect"]), *key, path, annotations
            )
    raise_all(folder, problems)
    return sorted(found.values())


def _raise(error):
    raise error


def _sentences(parent, names):
    """Path, annotations and the endings of missing ones by sentence, in one speaker's folder."""
    actual = {name.lower(): os.path.join(parent, name) for name in sorted(names)}
    sentences = {}
    for ending in SOUND_ENDINGS:
        for name in actual:
            sentence = name.removesuffix(ending)
            if sentence == name or sentence in sentences or not SENTENCE.fullmatch(sentence):
                continue
            annotations = {e: actual.get(sentence + e) for e in ANNOTATION_ENDINGS}
            lacking = [e for e, path in annotations.items() if path is None]
            sentences[sentence] = (actual[name], annotations, lacking)
    return sentences


def read_segments(path, symbols=None):
    """Lines "start end label" of a ``.phn`` or ``.wrd`` file.

    Parameters
    ----------
    path : str
        The file.
    symbols : collection of str or None, default=None
        Labels that may occur; None lets any.

    Returns
    -------
    segments : list of (int, int, str)
        First sample, last sample + 1, label.

    Raises
    ------
    ValueError
        When a line is something else; the message names file and line.
    """
    segments = []
    for number, line in enumerate(_read(path).splitlines(), start=1):
        if not line.strip():
            continue
        parts = line.split()
        if len(parts) != 3 or not (parts[0].isdecimal() and parts[1].isdecimal()):
            raise ValueError(
                f"{path}, line {number}: {line!r:.80}; expected 'start end label' with two numbers "
                "of samples"
            )
        start, end, label = int(parts[0]), int(parts[1]), parts[2]
        if end < start:
            raise ValueError(f"{path}, line {number}: the segment {line!r} ends before it starts")
        if symbols is not None and label not in symbols:
            raise ValueError(
                f"{path}, line {number}: {label!r} is none of TIMIT's {len(symbols)} phones"
            )
        segments.append((start, end, label))
    if not segments:
        raise ValueError(f"{path} holds no segment")
    return segments


def read_text(path):
    """The sentence in a ``.txt`` file, which stands behind two numbers of samples.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    text : str

    Raises
    ------
    ValueError
        When the file holds something else; the message names it.
    """
    parts = _read(path).split(maxsplit=2)
    if len(parts) != 3 or not (parts[0].isdecimal() and parts[1].isdecimal()):
        raise ValueError(f"{path}: expected 'start end sentence', got {' '.join(parts)!r:.80}")
    return parts[2].strip()


def _read(path):
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text file: {error}") from error


def raise_all(folder, problems):
    """Report what is wrong with files below a folder, the first few by name."""
    if problems:
        more = [f"  ... and {len(problems) - 5} more"] if len(problems) > 5 else []
        shown = "\n".join([f"  {problem}" for problem in problems[:5]] + more)
        raise ValueError(f"{folder} has {len(problems)} broken utterances:\n{shown}")
