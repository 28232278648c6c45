"""Result of compare_by_speaker."""

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from ..utils.tables import html_table, score_cell, text_table
from ._score_ranges import score_range
from ._statistics import (
    MAX_EXACT,
    adjust_p_values,
    deviation_of,
    mean_interval,
    mean_of,
    paired_p_value,
)


class SpeakerComparison:
    """Scores of several pipelines on the same held-out speakers, side by side.

    Returned by :func:`compare_by_speaker`.

    Parameters
    ----------
    names : list of str
        Names of the pipelines.
    speakers : ndarray of shape (n_speakers,)
    scores : ndarray of shape (n_speakers, n_pipelines)
    metric : str
        Name of the metric in tables.
    undefined : ndarray of bool of shape (n_speakers,), default=None
        Speakers that the metric has no value for, which means and tests leave out. None: all
        have one.

    Attributes
    ----------
    names, speakers, scores, metric, undefined
        As given; `undefined` is an array in any case.
    tests : list of dict
        One for each pair of pipelines: ``first``, ``second``, ``difference`` (mean over
        speakers of first minus second), its 95 % interval ``low`` and ``high``,
        ``better`` (speakers on which the first is better), ``worse``, ``p_value``,
        ``p_adjusted`` (Holm, over all pairs) and ``method``.
    """

    def __init__(
        self,
        names: list[str],
        speakers: npt.NDArray[Any],
        scores: npt.NDArray[Any],
        metric: str,
        *,
        undefined: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self.names = names
        self.speakers = speakers
        self.scores = scores
        self.metric = metric
        self.undefined = np.zeros(len(scores), dtype=bool) if undefined is None else undefined
        self._counted = scores[~self.undefined]
        if len(self._counted) < 2:
            raise ValueError(
                f"{metric} has a value for {len(self._counted)} of {len(speakers)} speakers only, "
                "since the targets of each of the others are too much alike: a comparison needs "
                "at least two; choose a metric that one target is enough for, such as "
                "'accuracy' or 'neg_mean_absolute_error'"
            )
        self.tests = [self._test(a, b) for a, b in combinations(range(len(names)), 2)]
        for test, p in zip(self.tests, adjust_p_values([t["p_value"] for t in self.tests])):
            test["p_adjusted"] = float(p)

    def _test(self, a, b):
        differences = self._counted[:, a] - self._counted[:, b]
        least, largest = score_range(self.metric)
        low, high = mean_interval(differences, within=(least - largest, largest - least))
        p_value, method = paired_p_value(differences)
        return {
            "first": self.names[a],
            "second": self.names[b],
            "difference": float(differences.mean()),
            "low": low,
            "high": high,
            "better": int((differences > 0).sum()),
            "worse": int((differences < 0).sum()),
            "p_value": p_value,
            "method": method,
        }

    def difference(self, first: str, second: str) -> npt.NDArray[Any]:
        """Return the score of one pipeline minus that of another for each speaker.

        Parameters
        ----------
        first, second : str
            Names of pipelines.

        Returns
        -------
        difference : ndarray of shape (n_speakers,)
        """
        for name in (first, second):
            if name not in self.names:
                raise ValueError(f"no pipeline is named {name!r}: expected one of {self.names}")
        a, b = self.names.index(first), self.names.index(second)
        return self.scores[:, a] - self.scores[:, b]

    def to_frame(self) -> Any:
        """Return a data frame with one row per speaker and one column per pipeline.

        Returns
        -------
        frame : pandas.DataFrame
        """
        import pandas as pd

        index = pd.Index(self.speakers, name="speaker")
        return pd.DataFrame(self.scores, index=index, columns=self.names)

    def _rows(self):
        body = [
            [str(speaker), *(score_cell(score, undefined and np.isnan(score)) for score in row)]
            for speaker, row, undefined in zip(self.speakers, self.scores, self.undefined)
        ]
        columns = self._counted.T
        foot = [
            ["mean", *(f"{mean_of(column):.3f}" for column in columns)],
            ["standard deviation", *(f"{deviation_of(column):.3f}" for column in columns)],
        ]
        return [f"speaker ({self.metric})", *self.names], body, foot

    def _notes(self):
        lines = []
        for test in self.tests:
            text = (
                f"{test['first']} - {test['second']}: {test['difference']:+.3f} "
                f"({test['low']:+.3f} to {test['high']:+.3f}), better on {test['better']} and "
                f"worse on {test['worse']} of {len(self._counted)} speakers, "
                f"p = {test['p_value']:.3f}"
            )
            if len(self.tests) > 1:
                text += f", {test['p_adjusted']:.3f} adjusted for {len(self.tests)} comparisons"
            lines.append(text)
        if self.undefined.any():
            lines.append(
                f"{self.metric} is undefined for {self.undefined.sum()} of {len(self.speakers)} "
                "speakers, which means and tests leave out"
            )
        return lines + self.caveat.split("\n")

    @property
    def caveat(self) -> str:
        """Limits of the p-values, as text."""
        n = len(self._counted)
        method = self.tests[0]["method"]
        text = f"Tests are over {n} speakers ({method}), not over clips, which are not independent."
        if n <= MAX_EXACT:
            least = 2.0 ** (1 - n)
            text += (
                f"\nWith {n} speakers no p-value can be below {least:.2g}; a large p-value does "
                "not show that there is no difference."
            )
        return text

    def __repr__(self) -> str:
        header, body, foot = self._rows()
        return text_table(header, body, foot, self._notes())

    def _repr_html_(self):
        header, body, foot = self._rows()
        return html_table(header, body, foot, self._notes())
