"""What can be said of the steps of a pipeline before anything is computed."""

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from .parts import sample_rates, walk
from .rates import compare_rates


def check_chain(estimator: Any) -> None:
    """Refuse a pipeline whose steps do not fit together.

    Steps after one that is not of this library are not looked at: it may change rate and form.

    Parameters
    ----------
    estimator : estimator instance
        Anything but a pipeline is accepted.

    Raises
    ------
    ValueError
        When steps have different sampling rates, or when an estimator that reads tables
        follows a step whose output is no table.
    """
    if not isinstance(estimator, Pipeline):
        return
    rate, before = None, None
    for _, step in estimator.steps:
        if rate is None:
            rate = next((found for path, found in sample_rates(step) if not path), None)
        else:
            compare_rates(step, rate)
        gives = getattr(before, "_gives", None)
        if gives in ("spectrograms", "waveforms") and reads_tables(step):
            raise ValueError(
                f"{type(step).__name__} reads tables, but {type(before).__name__} gives {gives}, "
                f"which are 3-D or ragged; put {_BETWEEN[gives]} between them"
            )
        if not type(step).__module__.startswith("sklearn_speech."):
            return
        before = step


#: What makes a table of the output of a step.
_BETWEEN = {
    "spectrograms": "TemporalPooling",
    "waveforms": "a front end such as MelSpectrogram, and TemporalPooling,",
}


def reads_tables(estimator: Any) -> bool:
    """Whether this is an estimator of scikit-learn that takes 2-D arrays of numbers only.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from sklearn_speech import SpectrogramCNNClassifier, TemporalPooling
    >>> [reads_tables(e) for e in (SVC(), TemporalPooling(), SpectrogramCNNClassifier())]
    [True, False, False]
    """
    if not type(estimator).__module__.startswith("sklearn."):
        return False
    if any(not type(part).__module__.startswith("sklearn.") for _, part in walk(estimator)):
        return False
    tags = get_tags(estimator)
    return not (tags.no_validation or tags.input_tags.three_d_array)
