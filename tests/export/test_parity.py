"""What a file answers is what the estimator answers, for every public estimator."""

import warnings

import numpy as np
import pytest

from sklearn_speech import to_onnx
from sklearn_speech.utils.validation import make_ragged
from tests.export.cases import (
    N_TIMES,
    NOT_EXPORTABLE,
    RATE,
    all_estimators,
    as_pipeline,
    exported,
    targets,
    waveforms,
)

pytest.importorskip("onnxscript", reason="the extra onnx is not installed")

METHODS = ("predict_proba", "predict_log_proba", "predict", "transform")

pytestmark = [
    pytest.mark.filterwarnings("ignore:after 1 epochs the network finds no phones"),
    pytest.mark.filterwarnings("ignore:sample_rate=8000 Hz is below"),
]


@pytest.fixture(params=[name for name in all_estimators() if name not in NOT_EXPORTABLE])
def case(request):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return exported(request.param)


def same(found, expected, tolerance=1e-4):
    for a, b in zip(found, expected, strict=True):
        if np.asarray(b).dtype.kind in "fc":
            scale = max(1.0, np.abs(b).max())
            np.testing.assert_allclose(a, b, atol=tolerance * scale)
        else:
            assert np.array_equal(a, b)


def test_every_method_answers_as_the_estimator_does(case):
    pipeline, _, model = case
    X = waveforms(4, seed=1)
    compared = 0
    for method in METHODS:
        if hasattr(model, method):
            found, expected = getattr(model, method)(X), getattr(pipeline, method)(X)
            assert np.shape(found) == np.shape(expected)
            same(found, expected)
            compared += 1
    assert compared


def test_clips_of_other_lengths_answer_as_the_estimator_does_or_are_refused_by_both(case):
    pipeline, _, model = case
    method = next(m for m in METHODS if hasattr(model, m))
    clips = make_ragged(waveforms(1, n, seed=2)[0] for n in (N_TIMES + 77, N_TIMES, N_TIMES + 77))
    if model.n_times_ is None:
        same(getattr(model, method)(clips), getattr(pipeline, method)(clips))
        return
    with pytest.raises(ValueError, match=rf"clip 0 of X has {N_TIMES + 77} samples"):
        getattr(model, method)(clips)
    with pytest.raises(ValueError):
        getattr(pipeline, method)(clips)


def test_the_batch_around_a_clip_does_not_change_its_answer(case):
    _, _, model = case
    method = next(m for m in METHODS if hasattr(model, m))
    X = waveforms(5, seed=3)
    together = getattr(model, method)(X)
    alone = [getattr(model, method)(X[i : i + 1])[0] for i in range(5)]
    same(alone, together, tolerance=1e-5)


@pytest.mark.parametrize("name", NOT_EXPORTABLE)
def test_what_cannot_be_exported_is_refused_by_name(name, tmp_path):
    pipeline = as_pipeline(all_estimators()[name])
    if name != "AudioReader":  # it takes files, and learns nothing
        pipeline.fit(waveforms(), targets(pipeline))
    with pytest.raises(ValueError, match=NOT_EXPORTABLE[name]):
        to_onnx(pipeline, tmp_path / "model.onnx", sample_rate=RATE)
    assert not list(tmp_path.iterdir())


def test_an_autoencoder_gives_back_what_inverse_transform_makes_of_its_codes():
    pipeline, _, model = exported("ConvAutoencoder")
    X = waveforms(3, seed=4)
    codes = pipeline.transform(X)
    n_frames = pipeline[0].transform(X).shape[2]
    same(model.reconstruct(X), pipeline[-1].inverse_transform(codes, n_frames=n_frames))
