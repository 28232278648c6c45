"""Fits side by side, fits that are interrupted, and other defaults of torch."""

import signal
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, EarlyStopping

from sklearn_speech import TrainableFrontEnd
from sklearn_speech.base import BaseSpeechNet
from sklearn_speech.classification import BCResNetClassifier, SpectrogramCNNClassifier
from sklearn_speech.feature_extraction import MelSpectrogram, SpectrogramScaler
from sklearn_speech.model_selection import cross_validate_by_speaker
from sklearn_speech.pretraining import ConvAutoencoder
from sklearn_speech.recognition import PhonemeRecognizer
from sklearn_speech.regression import SpectrogramCNNRegressor
from tests.base.toy import quick, toy_spectrograms, weights
from tests.estimators import ESTIMATORS, TAKES_NO_NUMBERS

X, y, speakers = toy_spectrograms()
NETS = [e for e in (*ESTIMATORS, TAKES_NO_NUMBERS[1][0]) if isinstance(e, BaseSpeechNet)]


# Threads


def settings():
    """Networks that draw at random in all ways that there are."""
    for seed in range(3):
        yield quick(dropout=0.4, random_state=seed)
        yield quick(early_stopping=True, validation_fraction=0.3, random_state=seed)
        yield quick(pretrainer=ConvAutoencoder(1, n_filters=3, max_epochs=1), random_state=seed)
        yield BCResNetClassifier(max_epochs=2, random_state=seed)


def fitted(net):
    return weights(clone(net).fit(X, y, groups=speakers))


def test_fits_in_several_threads_give_what_fits_in_sequence_give():
    every = list(settings())
    expected = [fitted(net) for net in every]
    before = torch.get_rng_state()
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(fitted, every))
    for one, other in zip(together, expected):
        assert np.array_equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
def test_cross_validation_gives_the_same_by_every_backend_of_joblib(backend):
    expected = cross_val_score(quick(dropout=0.3), X, y, cv=3)
    with joblib.parallel_config(backend, n_jobs=2):
        assert np.array_equal(cross_val_score(quick(dropout=0.3), X, y, cv=3), expected)


# Interrupts


class CtrlC(Callback):
    """Ctrl-C in the second epoch, once."""

    pressed = False

    def on_batch_end(self, net, training=None, **kwargs):
        if training and len(net.history) == 2 and not CtrlC.pressed:
            CtrlC.pressed = True
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def interrupted():
    CtrlC.pressed = False
    return quick(max_epochs=4, lr_schedule="constant", callbacks=[CtrlC()])


@pytest.mark.parametrize(
    "wrap", [lambda net: net, lambda net: make_pipeline(SpectrogramScaler(), net)]
)
def test_ctrl_c_in_a_plain_fit_keeps_the_weights_so_far(interrupted, wrap):
    with pytest.warns(UserWarning, match="training interrupted in epoch 2"):
        model = wrap(interrupted).fit(X, y)
    assert model.predict(X).shape == y.shape


@pytest.mark.parametrize(
    "fit",
    [
        lambda net: GridSearchCV(net, {"n_filters": [3, 4]}, cv=2).fit(X, y),
        lambda net: cross_val_score(net, X, y, cv=2),
        lambda net: VotingClassifier([("a", net), ("b", quick())]).fit(X, y),
        lambda net: CalibratedClassifierCV(net, cv=2).fit(X, y),
        lambda net: OneVsRestClassifier(net).fit(X.reshape(48, -1), y),
        lambda net: BaggingClassifier(net).fit(X.reshape(48, -1), y),
        lambda net: cross_validate_by_speaker(net, X, y, speakers, error_score=0.0),
        lambda net: joblib.Parallel(n_jobs=1)([joblib.delayed(clone(net).fit)(X, y)]),
    ],
    ids=["search", "cross-validation", "vote", "calibration", "reduction", "bag", "ours", "joblib"],
)  # fmt: skip
def test_ctrl_c_stops_a_run_of_many_fits(interrupted, fit):
    with pytest.raises(KeyboardInterrupt):
        fit(interrupted)
    assert CtrlC.pressed


def test_a_callback_that_ends_a_training_ends_no_search():
    stop = EarlyStopping(monitor="train_loss", patience=1, threshold=10.0, sink=lambda _: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = cross_val_score(quick(callbacks=[stop], max_epochs=9), X, y, cv=2)
    assert np.isfinite(scores).all()


# Other defaults of torch


@pytest.fixture
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_networks_compute_in_float32_whatever_torchs_default_is(float64):
    plain, waveforms = quick(dropout=0.2), np.repeat(X.reshape(48, -1), 10, axis=1)
    inside = quick(frontend=TrainableFrontEnd(MelSpectrogram(n_mels=6, n_fft=64), train="both"))
    for net, clips in ((plain, X), (inside, waveforms)):
        net.fit(clips, y)
        assert {p.dtype for p in net.module_.parameters()} == {torch.float32}
        assert net.predict_proba(clips).dtype == np.float32
    assert torch.get_default_dtype() == torch.float64
    torch.set_default_dtype(torch.float32)
    assert np.array_equal(weights(plain), weights(quick(dropout=0.2).fit(X, y)))


@pytest.mark.parametrize("estimator", NETS, ids=lambda net: type(net).__name__)
def test_a_seed_draws_the_same_weights_whatever_torchs_default_is(estimator, float64):
    clips, targets = X.reshape(48, -1)[:6, :16], np.arange(6) % 2
    if isinstance(estimator, PhonemeRecognizer):
        clips, targets = X[:6], [["a"], ["b"]] * 3
    networks = [clone(estimator).set_params(max_epochs=0, batch_size=3)]
    if isinstance(estimator, (SpectrogramCNNClassifier, SpectrogramCNNRegressor)):
        coder = ConvAutoencoder(n_layers=1, n_filters=2, max_epochs=1)
        front_end = TrainableFrontEnd(
            MelSpectrogram(n_mels=6, n_fft=32), train="mel", random_mel=True
        )
        networks.append(clone(networks[0]).set_params(pretrainer=coder, frontend=front_end))
    for net in networks:
        double = weights(clone(net).fit(clips, targets))
        torch.set_default_dtype(torch.float32)
        assert np.array_equal(double, weights(clone(net).fit(clips, targets)))
        torch.set_default_dtype(torch.float64)
