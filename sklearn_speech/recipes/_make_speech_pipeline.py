"""Standard pipeline with one sample rate and one duration for all steps."""

from typing import Literal

from joblib import Memory
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline, make_pipeline

from ..audio import PadOrTrim
from ..audio._pad_or_trim import KEPT
from ..base import nets_of
from ..feature_extraction import MelSpectrogram
from ..store import ClipStore
from ..utils.chain import check_chain, reads_tables
from ..utils.parallel import check_run_options
from ..utils.parts import final_step, sample_rates
from ._steps import check_rate, clips, in_samples, statistics_over_time


def make_speech_pipeline(
    classifier: BaseEstimator,
    *,
    sample_rate: int = 16000,
    duration: float | Literal["auto"] | None = "auto",
    features: BaseEstimator | Literal["auto"] | None = "auto",
    memory: str | Memory | ClipStore | None = None,
    verbose: bool = False,
) -> Pipeline:
    """Make a pipeline that reads files, pads or trims them, extracts features and classifies.

    Parameters
    ----------
    classifier : estimator
        Last step; it is cloned.
    sample_rate : int, default=16000
        Sample rate in Hz, to which files are resampled.
    duration : float, "auto" or None, default="auto"
        Length of all clips, in seconds. Longer clips are trimmed at the end, shorter
        clips are padded with silence. None keeps the length of each clip. "auto" is None for
        classifiers of scikit-learn; for others, the length is learned from the training clips,
        so that 95 % of them are not trimmed.
    features : "auto", transformer or None, default="auto"
        Transformer from waveforms to features; it is cloned. "auto" is
        ``MelSpectrogram(sample_rate=sample_rate)``, or None if the classifier reads waveforms
        or has its own front end. None adds no such step. For classifiers of scikit-learn, such
        as ``SVC``, spectrograms are converted to tables: mean, standard deviation, minimum and
        maximum of each band in three parts of each clip, standardised.
    memory : str, joblib.Memory, ClipStore or None, default=None
        A :class:`~sklearn_speech.store.ClipStore` becomes the first step (it is cloned), so that
        the pipeline takes more clips than fit into memory; without a folder, ``ClipStore()``
        is enough for ``predict``. Anything else is the cache of fitted steps that
        :func:`sklearn.pipeline.make_pipeline` has.
    verbose : bool, default=False
        Whether to print the duration of each step in ``fit``.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Unfitted; its input is paths of sound files, or recordings in another form that
        :class:`~sklearn_speech.audio.AudioReader` takes, such as ``[(samples, rate)]``.

    Raises
    ------
    ValueError
        If a step, or a part of a step, has another sample rate, or the classifier cannot read
        the output of the step before it.

    Examples
    --------
    >>> from sklearn_speech import SpectrogramCNNClassifier, make_speech_pipeline
    >>> pipeline = make_speech_pipeline(
    ...     SpectrogramCNNClassifier(), sample_rate=8000, duration=1.0
    ... )
    >>> [name for name, _ in pipeline.steps]
    ['audioreader', 'padortrim', 'melspectrogram', 'spectrogramcnnclassifier']
    >>> pipeline["padortrim"].n_times
    8000

    A classifier of scikit-learn, on statistics over time:

    >>> from sklearn.svm import SVC
    >>> [name for name, _ in make_speech_pipeline(SVC(C=10)).steps[2:]]
    ['temporalpooling', 'standardscaler', 'svc']
    """
    check_run_options("make_speech_pipeline", verbose=verbose)
    sample_rate = check_rate(sample_rate)
    by_table = reads_tables(classifier)
    if by_table and duration == "auto":
        duration = None  # padding would change the statistics
    if isinstance(duration, str):
        if duration != "auto":
            raise ValueError(
                f"duration={duration!r}: expected a positive number of seconds, 'auto' or None"
            )
        steps = [*clips("paths", sample_rate), PadOrTrim(quantile=KEPT)]
    else:
        steps = clips("paths", sample_rate, in_samples(duration, sample_rate, None))
    if isinstance(features, str):
        if features != "auto":
            raise ValueError(f"features={features!r}: expected 'auto', a transformer or None")
        features = None if _takes_waveforms(classifier) else MelSpectrogram(sample_rate=sample_rate)
    if features is not None:
        steps.append(clone(features))
    if by_table and getattr(final_step(features), "_gives", None) == "spectrograms":
        steps += statistics_over_time()
    steps.append(clone(classifier))
    for step in steps:
        _check_rates(step, sample_rate)
    check_chain(make_pipeline(*steps))
    if isinstance(memory, ClipStore):
        steps, memory = [clone(memory), *steps], None
    return make_pipeline(*steps, memory=memory, verbose=verbose)


def _takes_waveforms(classifier):
    return any(
        getattr(part, "reads", None) == "waveform" or getattr(part, "frontend", None) is not None
        for part in [classifier, *nets_of(classifier).values()]
    )


def _check_rates(step, sample_rate):
    """Raise an error if a step, or a part of it, has another sample rate."""
    for path, rate in sample_rates(step):
        if rate != sample_rate:
            place = type(step).__name__ + (f", in {path}," if path else "")
            raise ValueError(
                f"{place} has sample_rate={rate}, but the pipeline has sample_rate={sample_rate}; "
                "use the same sample rate for both"
            )
