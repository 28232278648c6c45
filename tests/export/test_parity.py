"""What a file answers is what the estimator answers, for every public estimator."""

import numpy as np
import pytest
import torch

from sklearn_speech import to_onnx
from sklearn_speech.export._checking import accepts, expected_answers
from sklearn_speech.export._converting import Converter, unwrapped
from sklearn_speech.export._describing import describe, without_readers
from sklearn_speech.modules import bc_resnet
from sklearn_speech.utils.parts import final_step
from sklearn_speech.utils.validation import make_ragged
from tests.export.cases import (
    N_TIMES,
    NOT_EXPORTABLE,
    RATE,
    WHOLE_FILES,
    all_estimators,
    as_pipeline,
    exported,
    fitted,
    waveforms,
)

pytest.importorskip("onnxscript", reason="the extra onnx is not installed")

METHODS = ("predict_proba", "predict_log_proba", "predict", "transform")

pytestmark = [
    pytest.mark.filterwarnings("ignore:after 1 epochs the network finds no phones"),
    pytest.mark.filterwarnings("ignore:sample_rate=8000 Hz is below"),
]

EXPORTABLE = [name for name in all_estimators() if name not in NOT_EXPORTABLE]


@pytest.fixture(autouse=True, scope="module")
def _few_blocks():
    """A BC-ResNet of one block of each kind, so that its export is quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bc_resnet, "STAGES", ((2, 2, 2),))
        yield


@pytest.fixture(
    params=[*WHOLE_FILES, pytest.param("SpeechEmbedding'", marks=pytest.mark.slow)],
)
def case(request):
    if request.param not in all_estimators():
        pytest.skip("the extra pretrained is not installed")
    return exported(request.param)


def same(found, expected, tolerance=1e-4):
    for a, b in zip(found, expected, strict=True):
        if np.asarray(b).dtype.kind in "fc" and np.size(b):
            scale = max(1.0, np.abs(b).max())
            np.testing.assert_allclose(a, b, atol=tolerance * scale)
        else:
            assert np.array_equal(a, b)


# the LSTM of the recogniser is a placeholder that only its file computes
@pytest.mark.parametrize("name", [name for name in EXPORTABLE if name != "PhonemeRecognizer"])
def test_what_is_given_to_the_exporter_answers_as_the_estimator_does(name):
    pipeline = without_readers(fitted(name))
    kind = describe(pipeline, pipeline, RATE).kind
    module = Converter().whole(pipeline, kind)
    for n_times in (N_TIMES, N_TIMES + 77):
        if n_times == N_TIMES or accepts(pipeline, kind, n_times):
            X = waveforms(4, n_times, seed=1)
            with torch.no_grad():
                found = module(torch.from_numpy(X))
            found = found if isinstance(found, tuple) else (found,)
            expected = expected_answers(pipeline, kind, X if n_times == N_TIMES else make_ragged(X))
            for a, b in zip(found, expected, strict=True):
                same(a.numpy().reshape(b.shape), b)


def test_the_network_of_every_estimator_is_in_a_whole_file():
    networks = {}
    for name in EXPORTABLE:
        parts = getattr(unwrapped(final_step(fitted(name))), "module_", torch.nn.Module()).modules()
        networks[name] = {type(part).__name__ for part in parts} - {"FrontEndNet"}
        networks[name] = {part for part in networks[name] if part.endswith("Net")}
    assert len(set.union(*networks.values())) >= 7
    in_files = [networks[name] for name in WHOLE_FILES if name in networks]
    assert set.union(*networks.values()) == set.union(*in_files)


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
    unfitted = as_pipeline(all_estimators()[name])
    pipeline = unfitted if name == "AudioReader" else fitted(name)
    with pytest.raises(ValueError, match=NOT_EXPORTABLE[name]):
        to_onnx(pipeline, tmp_path / "model.onnx", sample_rate=RATE)
    assert not list(tmp_path.iterdir())


def test_an_autoencoder_gives_back_what_inverse_transform_makes_of_its_codes():
    pipeline, _, model = exported("ConvAutoencoder")
    X = waveforms(3, seed=4)
    codes = pipeline.transform(X)
    n_frames = pipeline[0].transform(X).shape[2]
    same(model.reconstruct(X), pipeline[-1].inverse_transform(codes, n_frames=n_frames))
