"""Recordings labelled by their file names."""

import os
import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from sklearn.utils import Bunch

from ..audio._given_paths import printable
from ..audio._reading import header_rates
from ..utils.paths import absolute_path
from ..utils.sklearn_private import StrOptions, validate_parameter_constraints
from ..utils.text import normalize_name
from ._file_pattern import FilePattern

#: Extensions of files that count as recordings.
EXTENSIONS = frozenset(
    ".aif .aifc .aiff .au .caf .flac .mp3 .oga .ogg .opus .rf64 .snd .sph .w64 .wav .wave".split()
)

#: Extensions of recordings, such as those of mobile phones, that libsndfile cannot decode.
UNDECODABLE = frozenset(".3gp .aac .amr .m4a .mka .mp4 .webm .wma".split())


def load_speech_folder(
    folder: str | os.PathLike[str],
    pattern: str | re.Pattern[str],
    *,
    labels: Iterable[str] | None = None,
    on_unmatched: Literal["warn", "raise", "ignore"] = "warn",
) -> Bunch:
    """Load recordings whose file names contain their labels and speakers.

    Parameters
    ----------
    folder : str or os.PathLike
        Folder of the recordings. Its sub-folders and links to folders are searched
        too. Files and folders whose names begin with a dot are skipped.
    pattern : str or re.Pattern
        Form of the paths below `folder`, such as
        ``"{label}_{speaker}_{take}.wav"`` or
        ``"{label}/{speaker}_nohash_{take}.wav"``. ``{label}`` is required; any
        other names may be used. ``{name}`` matches one or more characters other than "/", ``*``
        matches any characters other than "/", and a leading ``**/`` matches folders of any
        depth. The extension is matched in any case. For other forms, pass a compiled regular
        expression with named groups, which must match the whole path below `folder`. Paths and
        fields are converted to Unicode form NFC.
    labels : list of str or None, default=None
        Keep only recordings with these labels; None keeps all.
    on_unmatched : {"warn", "raise", "ignore"}, default="warn"
        How to report recordings that the pattern does not match, or matches in more than one
        way (in the first pattern above, the label of "turn_on_bob_1.wav" is ambiguous), formats
        that cannot be decoded, such as M4A, and folders that cannot be opened. All of these are
        always left out and listed in ``unmatched``.

    Returns
    -------
    speech : sklearn.utils.Bunch
        data : ndarray of str, shape (n_clips,)
            Absolute paths, sorted.
        target : ndarray of str, shape (n_clips,)
            Labels.
        speaker : ndarray of str, shape (n_clips,), or None
            Speakers; None if the pattern has no ``{speaker}``.
        sample_rate : int or None
            In Hz, from the headers of the files; None if they differ, or no header can be read.
        unmatched : list of str
            Paths, below `folder`, of recordings that the pattern does not match in
            exactly one way or whose format cannot be decoded, and of folders that
            cannot be opened.
        take and others : ndarray of shape (n_clips,)
            One entry for each other field of the pattern, under its name:
            ``take`` as int if all its values are digits (18 at most), the others as
            str.

    Raises
    ------
    OSError
        If the folder does not exist.
    ValueError
        If the pattern cannot be used, no recording matches it, or no recording has one of
        `labels`.

    Warns
    -----
    UserWarning
        When recordings do not match, with ``on_unmatched="warn"``.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np, soundfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("yes_ann_0.wav", "no_ann_0.wav", "no_bob_1.wav"):
    ...         soundfile.write(f"{folder}/{name}", np.zeros(800), 8000)
    ...     speech = load_speech_folder(folder, "{label}_{speaker}_{take}.wav")
    >>> speech.target, speech.speaker, speech.take, speech.sample_rate
    (array(['no', 'no', 'yes'], ...), array(['ann', 'bob', 'ann'], ...), array([0, 1, 0]), 8000)
    """
    validate_parameter_constraints(
        {"on_unmatched": [StrOptions({"warn", "raise", "ignore"})]},
        {"on_unmatched": on_unmatched},
        "load_speech_folder",
    )
    file_pattern = FilePattern(pattern)
    folder = absolute_path(folder, "folder")
    if not folder.is_dir():
        kind = "is a file, not a folder" if folder.exists() else "does not exist"
        raise OSError(f"folder {folder} {kind}")
    paths, undecodable, closed = _recordings(folder)
    if not paths and not undecodable and not closed:
        raise ValueError(
            f"folder {folder} contains no recordings (files that end in "
            f"{', '.join(sorted(EXTENSIONS))})"
        )
    matched: list[tuple[str, dict[str, str]]] = []
    unmatched: dict[str, str | None] = {}
    for path in paths:
        fields, problem = file_pattern.match(path)
        if fields is None:
            unmatched[path] = problem
        else:
            matched.append((path, fields))
    action = on_unmatched if matched else "raise"
    _report_left_out(
        closed, "folders", folder, action, "cannot be opened", "change their permissions"
    )
    _report_left_out(
        undecodable, "recordings", folder, action, "are in formats that cannot be decoded",
        "convert them to WAV or FLAC",
    )  # fmt: skip
    _report_unmatched(unmatched, len(paths), folder, file_pattern, action)
    chosen = _select(matched, labels)
    data = [str(folder / path) for path, _ in chosen]
    columns = {
        name: np.array([fields[name] for _, fields in chosen]) for name in file_pattern.fields
    }
    if "take" in columns and all(_is_int(take) for take in columns["take"]):
        columns["take"] = columns["take"].astype(int)
    rates = header_rates(data)
    return Bunch(
        data=np.array(data),
        target=columns.pop("label"),
        speaker=columns.pop("speaker", None),
        sample_rate=rates.pop() if len(rates) == 1 else None,
        unmatched=[*unmatched, *undecodable, *closed],
        **columns,
    )


def _recordings(folder: Path) -> tuple[list[str], list[str], list[str]]:
    """Return the sorted paths of recordings, undecodable recordings and unreadable folders."""
    found: list[str] = []
    closed: list[str] = []

    def cannot_open(error: OSError) -> None:
        closed.append(Path(error.filename).relative_to(folder).as_posix())

    for parent, folders, names in os.walk(folder, followlinks=True, onerror=cannot_open):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and not _leads_back(folder, parent, name)
        ]
        found += [
            (Path(parent) / name).relative_to(folder).as_posix()
            for name in names
            if not name.startswith(".")
        ]
    recordings, undecodable = (
        sorted(path for path in found if os.path.splitext(path)[1].lower() in extensions)
        for extensions in (EXTENSIONS, UNDECODABLE)
    )
    return recordings, undecodable, sorted(closed)


def _leads_back(folder: Path, parent: str, name: str) -> bool:
    """Whether a folder is a link to one of its parents, which would cause an endless loop."""
    path = Path(parent) / name
    if not path.is_symlink():
        return False
    parents = [Path(parent), *Path(parent).parents]
    parents = parents[: parents.index(folder) + 1]
    return any(each.resolve().is_relative_to(path.resolve()) for each in parents)


def _is_int(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18  # fits into int64


def _report_left_out(
    paths: list[str], kind: str, folder: Path, action: str, problem: str, advice: str
) -> None:
    if not paths or action == "ignore":
        return
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    message = (
        f"{len(paths)} {kind} below {folder} {problem}, and are left out "
        f"({printable(', '.join(paths[:3]))}{more}): {advice}"
    )
    if action == "raise":
        raise ValueError(message)
    warnings.warn(message, UserWarning, stacklevel=3)


def _report_unmatched(
    unmatched: dict[str, str | None],
    n_paths: int,
    folder: Path,
    file_pattern: FilePattern,
    on_unmatched: str,
) -> None:
    if not unmatched or on_unmatched == "ignore":
        return
    shown = [
        f"  {printable(path)}" + (f" ({problem})" if problem else "")
        for path, problem in list(unmatched.items())[:5]
    ]
    if len(unmatched) > 5:
        shown.append(f"  ... and {len(unmatched) - 5} more")
    ambiguous = sum(problem is not None for problem in unmatched.values())
    message = (
        f"{len(unmatched)} of {n_paths} recordings below {folder} do not match "
        f"{file_pattern.pattern!r}"
        + (f" in exactly one way ({ambiguous} in more than one)" if ambiguous else "")
        + ":\n"
        + "\n".join(shown)
    )
    if on_unmatched == "raise":
        raise ValueError(message)
    warnings.warn(message, UserWarning, stacklevel=3)


def _select(
    matched: Sequence[tuple[str, dict[str, str]]], labels: Iterable[str] | None
) -> Sequence[tuple[str, dict[str, str]]]:
    if labels is None:
        return matched
    if isinstance(labels, str):
        raise ValueError(f"labels={labels!r}: expected a list, such as [{labels!r}]")
    wanted = {normalize_name(str(label)) for label in labels}
    present = {fields["label"] for _, fields in matched}
    if not wanted or wanted - present:
        raise ValueError(
            f"labels={sorted(wanted)}: no recording has {sorted(wanted - present) or 'no label'}; "
            f"labels present: {sorted(present)}"
        )
    return [(path, fields) for path, fields in matched if fields["label"] in wanted]
