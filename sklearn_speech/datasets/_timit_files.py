"""Find and read the files of TIMIT in its two layouts."""

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

#: Longest extension first: "SA1.WAV.wav" is a copy of "SA1.WAV" in a more common format.
SOUND_EXTENSIONS = (".wav.wav", ".wav")

ANNOTATION_EXTENSIONS = (".phn", ".wrd", ".txt")

#: First sample, last sample + 1, label.
Segment = tuple[int, int, str]

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
    annotations: dict[str, str] = field(compare=False)  # by extension


def find_utterances(folder: Path) -> list[Utterance]:
    """Return all utterances below a folder, sorted; the case of names does not matter.

    Parameters
    ----------
    folder : Path
        Folder that contains ``TRAIN`` and ``TEST``, or the speakers of the sample, at any depth.

    Returns
    -------
    utterances : list of Utterance

    Raises
    ------
    OSError
        If a folder cannot be opened.
    ValueError
        If an utterance exists twice or lacks an annotation.
    """
    found: dict[tuple[str, str], Utterance] = {}
    problems = []
    for parent, folders, names in os.walk(folder, followlinks=True, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        place = Path(os.path.relpath(parent, folder.parent)).as_posix().lower()
        match = next(filter(None, (p.fullmatch(place) for p in SPEAKER_FOLDERS)), None)
        if match is None:
            continue
        speaker = match.groupdict()
        for sentence, (path, annotations, lacking) in _sentences(parent, names).items():
            key = (speaker["speaker"], sentence)
            if key in found:
                problems.append(f"{path} is the same utterance as {found[key].path}")
            elif lacking:
                problems.append(f"{path} has no {' and no '.join(lacking)} beside it")
            found[key] = Utterance(
                speaker.get("split", ""), int(speaker["dialect"]), *key, path, annotations
            )
    raise_all(folder, problems)
    return sorted(found.values())


def _raise(error: OSError) -> None:
    raise error


def _sentences(
    parent: str, names: Iterable[str]
) -> dict[str, tuple[str, dict[str, str], list[str]]]:
    """Yield path, annotations and missing extensions of each sentence in a speaker's folder."""
    actual = {name.lower(): os.path.join(parent, name) for name in sorted(names)}
    sentences: dict[str, tuple[str, dict[str, str], list[str]]] = {}
    for extension in SOUND_EXTENSIONS:
        for name in actual:
            sentence = name.removesuffix(extension)
            if sentence == name or sentence in sentences or not SENTENCE.fullmatch(sentence):
                continue
            annotations = {
                e: actual[sentence + e] for e in ANNOTATION_EXTENSIONS if sentence + e in actual
            }
            lacking = [e for e in ANNOTATION_EXTENSIONS if e not in annotations]
            sentences[sentence] = (actual[name], annotations, lacking)
    return sentences


def read_segments(path: str, symbols: Collection[str] | None = None) -> list[Segment]:
    """Read the lines "start end label" of a ``.phn`` or ``.wrd`` file.

    Parameters
    ----------
    path : str
        The file.
    symbols : collection of str or None, default=None
        Allowed labels; None allows any.

    Returns
    -------
    segments : list of (int, int, str)
        First sample, last sample + 1, label.

    Raises
    ------
    ValueError
        If a line has another form; the message names file and line.
    """
    segments = []
    for number, line in enumerate(_read(path).splitlines(), start=1):
        if not line.strip():
            continue
        parts = line.split()
        if len(parts) != 3 or not (parts[0].isdecimal() and parts[1].isdecimal()):
            raise ValueError(
                f"{path}, line {number}: {line!r:.80}; expected 'start end label' with two "
                "sample numbers"
            )
        start, end, label = int(parts[0]), int(parts[1]), parts[2]
        if end < start:
            raise ValueError(f"{path}, line {number}: the segment {line!r} ends before it starts")
        if symbols is not None and label not in symbols:
            raise ValueError(
                f"{path}, line {number}: {label!r} is not one of TIMIT's {len(symbols)} phones"
            )
        segments.append((start, end, label))
    if not segments:
        raise ValueError(f"{path} contains no segment")
    return segments


def read_text(path: str) -> str:
    """Read the sentence of a ``.txt`` file, which follows two sample numbers.

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
        If the file has another form; the message names it.
    """
    parts = _read(path).split(maxsplit=2)
    if len(parts) != 3 or not (parts[0].isdecimal() and parts[1].isdecimal()):
        raise ValueError(f"{path}: expected 'start end sentence', got {' '.join(parts)!r:.80}")
    return parts[2].strip()


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file: {error}") from error


def raise_all(folder: Path, problems: list[str]) -> None:
    """Raise an error that lists the first problems of files below a folder, if there are any."""
    if problems:
        more = [f"  ... and {len(problems) - 5} more"] if len(problems) > 5 else []
        shown = "\n".join([f"  {problem}" for problem in problems[:5]] + more)
        raise ValueError(f"{folder} has {len(problems)} broken utterances:\n{shown}")
