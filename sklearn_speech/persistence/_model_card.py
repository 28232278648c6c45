"""What a saved model was trained on, as a table to read."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from html import escape
from numbers import Integral, Real
from typing import Any

#: Most classes and speakers that a table names.
_N_SHOWN = 20


@dataclass(kw_only=True, repr=False)
class ModelCard:
    """What a model was trained on, and how well it does on speakers never heard before.

    Give one to :func:`save` with what you know; :func:`read_model_card` shows it
    without loading the model.

    Parameters
    ----------
    description : str, default=None
        Anything a reader should know: purpose, source and licence of the recordings,
        limits.
    n_clips, n_speakers : int, default=None
        Clips and speakers that the model was fitted on.
    scores : SpeakerScores or dict of str to dict of str to float, default=None
        Scores by held-out speaker: what
        :func:`~sklearn_speech.model_selection.cross_validate_by_speaker` returned, or the
        score of each speaker by metric. Kept as such a dict; None stands for NaN.
    sample_rate : float, default=None
        Sample rate of the clips, in Hz. ``save`` finds it in the steps of a pipeline.
    duration : float, default=None
        Duration of a clip, in seconds. ``save`` finds it if all clips have the same length.
    classes : list of str, default=None
        ``save`` takes those of the estimator.
    estimator : str, default=None
        The estimator as it is printed; set by ``save``.
    parameters : dict of str to str, default=None
        All parameters as they are printed; set by ``save``.
    versions : dict of str to str, default=None
        Versions of the installed packages; set by ``save``.
    date : str, default=None
        When the file was written, in UTC (ISO 8601); set by ``save``.

    Examples
    --------
    >>> from sklearn_speech.persistence import ModelCard
    >>> ModelCard(n_clips=3000, n_speakers=6, scores={"accuracy": {"ada": 0.9, "bob": 0.8}})
    clips               3000
    speakers            6
    accuracy            0.850, mean of 2 held-out speakers
        ada             0.900
        bob             0.800
    """

    description: str | None = None
    n_clips: int | None = None
    n_speakers: int | None = None
    scores: dict | None = None
    sample_rate: float | None = None
    duration: float | None = None
    classes: list | None = None
    estimator: str | None = None
    parameters: dict | None = None
    versions: dict | None = None
    date: str | None = None

    def __post_init__(self) -> None:
        if hasattr(self.scores, "speaker_scores"):
            self.scores = _scores_by_speaker(self.scores)
        for name, kinds, expected in _KINDS:
            value = getattr(self, name)
            if value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
                raise TypeError(f"{name}={value!r:.100}: expected {expected}")
        for name, speakers in (self.scores or {}).items():
            known = isinstance(speakers, dict) and all(
                score is None or isinstance(score, Real) for score in speakers.values()
            )
            if not known:
                raise TypeError(f"scores[{name!r:.100}]: expected the score of each speaker")

    def __repr__(self) -> str:
        lines = [(name, value) for name, value in self._rows()]
        return "\n".join(f"{name:<20}{value}".rstrip() for name, value in lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name).replace('    ', '&emsp;')}</th>"
            f"<td style='text-align:left'>{escape(value)}</td></tr>"
            for name, value in self._rows()
        )
        parameters = "".join(
            f"<tr><td>{escape(str(name))}</td><td>{escape(str(value))}</td></tr>"
            for name, value in (self.parameters or {}).items()
        )
        details = f"<details><summary>Parameters</summary><table>{parameters}</table></details>"
        return f"<table>{rows}</table>{details if parameters else ''}"

    def _rows(self) -> Iterator[tuple[str, str]]:
        """Names and values of the known fields."""
        if self.description:
            yield "description", self.description
        if self.estimator:
            yield "estimator", " ".join(self.estimator.split())
        if self.classes:
            yield "classes", f"{len(self.classes)}: {_some(map(str, self.classes))}"
        for name, value in (("clips", self.n_clips), ("speakers", self.n_speakers)):
            if value is not None:
                yield name, str(value)
        if self.sample_rate is not None:
            yield "sample rate", f"{self.sample_rate:g} Hz"
        if self.duration is not None:
            yield "duration", f"{self.duration:g} s"
        for metric, speakers in (self.scores or {}).items():
            known = [score for score in speakers.values() if score is not None]
            mean = f"{sum(known) / len(known):.3f}" if known else "unknown"
            who = "held-out speaker" if len(known) == 1 else "held-out speakers"
            yield str(metric), f"{mean}, mean of {len(known)} {who}"
            for speaker, score in list(speakers.items())[:_N_SHOWN]:
                yield f"    {speaker}", "unknown" if score is None else f"{score:.3f}"
            if len(speakers) > _N_SHOWN:
                yield "    ...", ""
        if self.versions:
            yield "versions", ", ".join(f"{name} {v}" for name, v in self.versions.items())
        if self.date:
            yield "saved", self.date

    def as_dict(self) -> dict[str, Any]:
        """The known fields, as values that JSON can hold.

        Returns
        -------
        known : dict of str to object
        """
        return {name: value for name, value in asdict(self).items() if value is not None}


#: Names of fields, their types, and the names of these types in errors.
_KINDS = (
    ("description", str, "text"),
    ("n_clips", Integral, "a whole number"),
    ("n_speakers", Integral, "a whole number"),
    ("scores", dict, "SpeakerScores, or scores of speakers by metric"),
    ("sample_rate", Real, "a number of Hz"),
    ("duration", Real, "a number of seconds"),
    ("classes", list, "a list"),
    ("estimator", str, "text"),
    ("parameters", dict, "a dict"),
    ("versions", dict, "a dict"),
    ("date", str, "text"),
)


def _scores_by_speaker(scores: Any) -> dict[str, dict[str, float | None]]:
    return {
        # an estimator's own score has the name of its metric, such as accuracy
        scores.labels[metric] if metric == "score" else metric: {
            str(speaker): None if math.isnan(score) else float(score)
            for speaker, score in zip(scores.speakers, scores.speaker_scores(metric))
        }
        for metric in scores.metrics
    }


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:_N_SHOWN]) + (", ..." if len(names) > _N_SHOWN else "")
