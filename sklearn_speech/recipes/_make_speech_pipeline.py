"""Usual pipelines, put together with one sampling rate and one duration in every step."""

from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from ..audio import PadOrTrim
from ..audio._pad_or_trim import KEPT
from ..base import nets_of
from ..feature_extraction import MelSpectrogram
from ..utils.parts import sample_rates
from ._catalogue import check_rate, clips, in_samples


def make_speech_pipeline(
    classifier, *, sample_rate=16000, duration="auto", features="auto", memory=None, verbose=False
):
    """From paths of sound files to labels: read, bring to one length, extract, classify.

    Parameters
    ----------
    classifier : estimator
        The last step. Cloned.
    sample_rate : int, default=16000
        To which files are resampled, in Hz.
    duration : float, "auto" or None, default="auto"
        Length of every clip, in seconds: longer ones lose their end, shorter ones
        are padded with silence. "auto" is learned from the training clips: the length that
        leaves 95 % of them whole. None leaves lengths as they are.
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
    >>> pipeline = make_speech_pipeline(
    ...     SpectrogramCNNClassifier(), sample_rate=8000, duration=1.0
    ... )
    >>> [name for name, _ in pipeline.steps]
    ['audioreader', 'padortrim', 'melspectrogram', 'spectrogramcnnclassifier']
    >>> pipeline["padortrim"].n_times
    8000
    """
    sample_rate = check_rate(sample_rate)
    if isinstance(duration, str):
        if duration != "auto":
            raise ValueError(f"duration={duration!r}: expected 'auto', seconds or None")
        steps = [*clips("paths", sample_rate), PadOrTrim(quantile=KEPT)]
    else:
        steps = clips("paths", sample_rate, in_samples(duration, sample_rate, None))
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
    return any(
        getattr(part, "reads", None) == "waveform" or getattr(part, "frontend", None) is not None
        for part in [classifier, *nets_of(classifier).values()]
    )


def _check_rates(step, sample_rate):
    """Refuse a step, or a part of one, that was given another sampling rate."""
    for path, rate in sample_rates(step):
        if rate != sample_rate:
            place = type(step).__name__ + (f", in {path}," if path else "")
            raise ValueError(
                f"{place} has sample_rate={rate}, but the pipeline has sample_rate={sample_rate}; "
                "give both the same"
            )
