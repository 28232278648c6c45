"""Usual pipelines, put together with one sampling rate and one duration in every step."""

from numbers import Real

from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from ..audio import AudioReader, PadOrTrim
from ..feature_extraction import MelSpectrogram


def make_speech_pipeline(
    classifier, *, sample_rate=16000, duration=1.0, features="auto", memory=None, verbose=False
):
    """From paths of sound files to labels: read, bring to one length, extract, classify.

    Parameters
    ----------
    classifier : estimator
        The last step. Cloned.
    sample_rate : int, default=16000
        To which files are resampled, in Hz.
    duration : float or None, default=1.0
        Length of every clip, in seconds: longer ones lose their end, shorter ones
        are padded with silence. None leaves lengths as they are.
    features : "auto", transformer or None, default="auto"
        What turns waveforms into spectrograms; cloned. "auto" is
        ``MelSpectrogram(sample_rate=sample_rate)``, or nothing where the
        classifier reads waveforms or has a front end inside. None is nothing.
    memory : str or joblib.Memory, default=None
        Where fitted steps are cached, see :func:`sklearn.pipeline.make_pipeline`.
    verbose : bool, default=False
        Whether to tell how long each step takes.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Takes paths.

    Raises
    ------
    ValueError
        When a part has been given another sampling rate.

    Examples
    --------
    >>> from sklearn_speech import SpectrogramCNNClassifier, make_speech_pipeline
    >>> pipeline = make_speech_pipeline(SpectrogramCNNClassifier(), sample_rate=8000)
    >>> [name for name, _ in pipeline.steps]
    ['audioreader', 'padortrim', 'melspectrogram', 'spectrogramcnnclassifier']
    >>> pipeline["padortrim"].n_times
    8000
    """
    if not isinstance(sample_rate, Real) or sample_rate <= 0:
        raise ValueError(f"sample_rate={sample_rate!r}: expected a positive number of Hz")
    if duration is not None and (not isinstance(duration, Real) or duration <= 0):
        raise ValueError(f"duration={duration!r}: expected a positive number of seconds, or None")
    steps = [AudioReader(sample_rate=sample_rate)]
    if duration is not None:
        steps.append(PadOrTrim(n_times=max(1, round(duration * sample_rate))))
    if isinstance(features, str):
        if features != "auto":
            raise ValueError(f"features={features!r}: expected 'auto', a transformer or None")
        features = None if _takes_waveforms(classifier) else MelSpectrogram(sample_rate=sample_rate)
    if features is not None:
        steps.append(clone(features))
    steps.append(clone(classifier))
    for step in steps:
        _check_rates(step, sample_rate)
    return make_pipeline(*steps, memory=memory, verbose=verbose)


def _takes_waveforms(classifier):
    return (
        getattr(classifier, "reads", None) == "waveform"
        or getattr(classifier, "frontend", None) is not None
    )


def _check_rates(step, sample_rate):
    """Refuse a step, or a part of one, made for another sampling rate."""
    parts = {type(step).__name__: getattr(step, "sample_rate", None)}
    for name, value in step.get_params(deep=False).items():
        for i, part in enumerate(value if isinstance(value, (list, tuple)) else [value]):
            place = f"{name}[{i}]" if isinstance(value, (list, tuple)) else name
            if not isinstance(part, type):
                parts[f"{type(step).__name__}({place}={type(part).__name__})"] = getattr(
                    part, "sample_rate", None
                )
    for place, rate in parts.items():
        if isinstance(rate, Real) and rate != sample_rate:
            raise ValueError(
                f"{place} has sample_rate={rate}, but the pipeline has sample_rate={sample_rate}; "
                "give both the same"
            )
