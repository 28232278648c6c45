"""The result of check_speaker_leakage."""

import os
from collections import Counter
from collections.abc import Iterable
from html import escape
from typing import Any, NamedTuple

#: Kinds of leaks, in the order in which reports list them.
KINDS = (
    "speaker on both sides",
    "copy under two speakers",
    "copy on both sides",
    "text on both sides",
)

#: Number of rows of each kind in a printed report.
MAX_SHOWN = 4


class Leak(NamedTuple):
    """One row of a :class:`LeakageReport`."""

    kind: str
    i: int
    j: int
    path_i: str | None
    path_j: str | None
    speaker_i: object
    speaker_j: object
    similarity: float
    identical: bool
    folds: tuple


class LeakageReport:
    """Leaks that :func:`check_speaker_leakage` found.

    Parameters
    ----------
    leaks : list of Leak
        One row per leak.
    n_clips, n_speakers, n_folds : int
        Numbers of clips, speakers and folds that were checked.
    threshold : float
        Similarity from which two clips count as copies.
    silent, short : list of int
        Clips with one constant value, which are not compared, and clips shorter than 0.1 s, for
        which only identical copies are found.
    texts_checked : bool
        Whether texts were given.

    Attributes
    ----------
    n_leaks : int
        Number of rows.
    counts : dict of str to int
        Rows of each kind.

    Notes
    -----
    Each leak is a named tuple: `kind`; `i` and `j`, the positions of two clips
    in X, and `path_i`, `path_j` where X are files; `speaker_i`, `speaker_j`;
    `similarity` in [0, 1] and `identical` (every sample equal) for copies, NaN
    and False otherwise; `folds`, the numbers of all splits with the leak; i and j are on
    different sides in the first of them. A speaker or a text on both sides is one row, however
    many clips it has.
    """

    def __init__(
        self,
        leaks: list[Leak],
        *,
        n_clips: int,
        n_speakers: int,
        n_folds: int,
        threshold: float,
        silent: list[int],
        short: list[int],
        texts_checked: bool,
    ) -> None:
        self.leaks = leaks
        self.n_clips = n_clips
        self.n_speakers = n_speakers
        self.n_folds = n_folds
        self.threshold = threshold
        self.silent = silent
        self.short = short
        self.texts_checked = texts_checked

    @property
    def n_leaks(self) -> int:
        """Number of leaks."""
        return len(self.leaks)

    @property
    def counts(self) -> dict[str, int]:
        """Number of leaks of each kind."""
        counts = Counter(leak.kind for leak in self.leaks)
        return {kind: counts[kind] for kind in KINDS}

    def to_frame(self) -> Any:
        """Return the leaks as a data frame with one row per leak.

        Returns
        -------
        frame : pandas.DataFrame
            Its columns are kind, i, j, path_i, path_j, speaker_i, speaker_j, similarity,
            identical and folds.
        """
        import pandas as pd

        return pd.DataFrame(self.leaks, columns=list(Leak._fields))

    def _summary(self):
        leaks = "1 leak" if self.n_leaks == 1 else f"{self.n_leaks} leaks"
        return (
            f"{leaks} in {self.n_clips} clips of {self.n_speakers} speakers, {self.n_folds} folds"
        )

    def _count_rows(self):
        return [
            (kind, "not checked" if kind == KINDS[3] and not self.texts_checked else str(count))
            for kind, count in self.counts.items()
        ]

    def _shown(self):
        return [
            leak
            for kind in KINDS
            for leak in [leak for leak in self.leaks if leak.kind == kind][:MAX_SHOWN]
        ]

    def _folder(self):
        """Return the common folder of all shown files, which is left out of their rows."""
        paths = [path for leak in self._shown() for path in (leak.path_i, leak.path_j) if path]
        folders = {os.path.dirname(path) for path in paths}
        try:
            return os.path.commonpath(folders) if folders else ""
        except ValueError:  # absolute and relative paths, or several drives
            return ""

    def _rows(self):
        folder = self._folder()
        for leak in self._shown():
            clips = [
                str(index) if path is None else (os.path.relpath(path, folder) if folder else path)
                for index, path in ((leak.i, leak.path_i), (leak.j, leak.path_j))
            ]
            alike = "" if leak.similarity != leak.similarity else f"{leak.similarity:.3f}"
            speakers = dict.fromkeys((str(leak.speaker_i), str(leak.speaker_j)))
            folds = ", ".join(map(str, leak.folds[:6])) + (", ..." if len(leak.folds) > 6 else "")
            yield (
                leak.kind,
                " | ".join(clips),
                " | ".join(speakers),
                "identical" if leak.identical else alike,
                folds,
            )

    def _notes(self):
        if folder := self._folder():
            yield f"files are in {folder}"
        if hidden := self.n_leaks - len(self._shown()):
            yield f"{hidden} more rows: see to_frame()"
        if self.silent:
            yield f"{len(self.silent)} silent clips were not compared"
        if self.short:
            yield f"only identical copies are found for {len(self.short)} clips shorter than 0.1 s"

    def __repr__(self) -> str:
        lines = [f"LeakageReport: {self._summary()}"]
        lines += [f"  {kind:<24}{count:>12}" for kind, count in self._count_rows()]
        if self.leaks:
            table = [("kind", "clips", "speakers", "similarity", "folds"), *self._rows()]
            widths = [max(map(len, column)) for column in zip(*table)]
            lines.append("")
            lines += [
                "  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip()
                for row in table
            ]
        return "\n".join([*lines, *(f"  ({note})" for note in self._notes())])

    def _repr_html_(self):
        def table(rows: Iterable[Iterable[str]], tag: str) -> str:
            return "".join(
                "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>"
                for row in rows
            )

        leaks = ""
        if self.leaks:
            header = table([("kind", "clips", "speakers", "similarity", "folds")], "th")
            leaks = f"<table>{header}{table(self._rows(), 'td')}</table>"
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._notes())
        return (
            f"<div><p><b>{escape(self._summary())}</b></p>"
            f"<table>{table(self._count_rows(), 'td')}</table>{leaks}{notes}</div>"
        )
