"""Clips carry their sampling rate, and steps that expect another rate refuse them."""

import copy
import io
import pickle

import numpy as np
import pytest
import soundfile
from optuna.distributions import CategoricalDistribution
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_speech import (
    AudioReader,
    OptunaSearchCV,
    PadOrTrim,
    SpectrogramLinearClassifier,
    SpectrogramScaler,
    TrainableFrontEnd,
    VocalTractWarp,
    WaveformMLPClassifier,
    cross_validate_by_speaker,
)
from sklearn_speech.utils.rates import rate_of, with_rate
from tests.members import FRONT_END_CLASSES

RATE, OTHER = 16000, 8000
X = [(clip, RATE) for clip in np.random.default_rng(0).normal(scale=0.1, size=(8, 1600))]
Y = np.tile(["no", "yes"], 4)
SPEAKERS = np.repeat(["ann", "bob"], 4)


def linear(**parameters):
    return SpectrogramLinearClassifier(max_epochs=1, random_state=0, **parameters)


def pipelines(front_end, rate):
    """Every way in which clips reach a front end, or another part that has a rate."""
    front = front_end(sample_rate=rate)
    return {
        "a step": make_pipeline(AudioReader(RATE), front, linear()),
        "after PadOrTrim": make_pipeline(AudioReader(RATE), PadOrTrim(), front, linear()),
        "inside a network": make_pipeline(AudioReader(RATE), PadOrTrim(), linear(frontend=front)),
        "trained": make_pipeline(
            AudioReader(RATE), PadOrTrim(), linear(frontend=TrainableFrontEnd(front))
        ),
        "in a vote": make_pipeline(
            AudioReader(RATE), VotingClassifier([("a", linear(frontend=front))])
        ),
        "in a pipeline": make_pipeline(make_pipeline(AudioReader(RATE), PadOrTrim()), front),
        "an augmentation": make_pipeline(
            AudioReader(RATE),
            front_end(sample_rate=RATE),
            SpectrogramScaler(),
            linear(augment=[VocalTractWarp(sample_rate=rate)]),
        ),
    }


@pytest.mark.parametrize("way", pipelines(FRONT_END_CLASSES[0], OTHER))
@pytest.mark.parametrize("front_end", FRONT_END_CLASSES)
def test_fit_refuses_steps_with_different_rates(front_end, way):
    message = f"sample_rate={OTHER}, but the clips that it gets have sample_rate={RATE}"
    with pytest.raises(ValueError, match=message):
        pipelines(front_end, OTHER)[way].fit(X, Y)


@pytest.mark.parametrize("front_end", FRONT_END_CLASSES)
def test_predict_refuses_a_reader_that_was_set_to_another_rate_after_fit(front_end):
    for way in ("after PadOrTrim", "inside a network"):
        pipeline = pipelines(front_end, RATE)[way]
        pipeline.fit(X, Y).set_params(audioreader__sample_rate=OTHER)
        with pytest.raises(ValueError, match=f"the clips that it gets have sample_rate={OTHER}"):
            pipeline.predict(X)


def test_a_search_and_a_cross_validation_refuse_different_rates():
    pipeline = pipelines(FRONT_END_CLASSES[0], OTHER)["inside a network"]
    with pytest.raises(ValueError, match="in frontend, has sample_rate=8000"):
        cross_validate_by_speaker(pipeline, X, Y, SPEAKERS)
    space = {"spectrogramlinearclassifier__frontend__sample_rate": CategoricalDistribution([OTHER])}
    search = OptunaSearchCV(pipeline, space, n_trials=1, cv=GroupKFold(2), error_score="raise")
    with pytest.raises(ValueError, match="in frontend, has sample_rate=8000"):
        search.fit(X, Y, groups=SPEAKERS)


def test_an_intermediate_step_may_resample():
    half = FunctionTransformer(lambda clips: [np.array(clip[::2]) for clip in clips])
    net = WaveformMLPClassifier(max_epochs=1)
    pipeline = make_pipeline(AudioReader(RATE), half, PadOrTrim(), net)
    assert pipeline.fit(X, Y).predict(X).shape == Y.shape
    assert rate_of(pipeline[:-1].transform(X)) is None


def test_clips_of_unknown_rate_are_accepted():
    clips = np.stack([clip for clip, _ in X])
    front = FRONT_END_CLASSES[0](sample_rate=OTHER)
    assert rate_of(front.fit_transform(clips)) is None


@pytest.mark.parametrize(
    "copied",
    [
        lambda clips: clips[1:],
        lambda clips: clips[[2, 0]],
        copy.deepcopy,
        lambda clips: pickle.loads(pickle.dumps(clips)),
    ],
)
@pytest.mark.parametrize("ragged", [False, True])
def test_slices_and_copies_keep_their_rate(copied, ragged):
    clips = AudioReader(RATE).transform(X)
    clips = clips if ragged else PadOrTrim().fit_transform(clips)
    assert rate_of(copied(clips)) == RATE
    np.testing.assert_array_equal(copied(clips)[0], copied(np.asarray(clips))[0])


def test_with_rate_none_returns_the_clips_unchanged():
    clips = np.zeros((2, 3))
    assert with_rate(clips, None) is clips


def test_a_buffer_with_its_rate_gives_the_same_predictions_as_its_file():
    """Without its rate, a 44.1 kHz buffer in an 8 kHz pipeline would sound like a slow voice."""
    rng = np.random.default_rng(0)
    buffer = np.repeat(rng.normal(scale=0.1, size=4410), 5)
    file = io.BytesIO()
    soundfile.write(file, buffer, 44100, format="WAV", subtype="DOUBLE")
    front = FRONT_END_CLASSES[0](OTHER)
    pipeline = make_pipeline(AudioReader(OTHER), PadOrTrim(), front, linear()).fit(X, Y)
    np.testing.assert_allclose(
        pipeline.predict_proba([(buffer, 44100)]), pipeline.predict_proba([file]), atol=1e-6
    )
