"""What scikit-learn and skorch offer around an estimator works on the networks."""

import io
import pickle

import joblib
import numpy as np
import pytest
import sklearn
import torch
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_html_repr
from sklearn.utils.fixes import parse_version
from skorch import NeuralNetClassifier
from skorch.callbacks import Checkpoint, EarlyStopping, EpochScoring, Freezer, LRScheduler

from sklearn_speech.classification import SpectrogramCNNClassifier
from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.modules.spectrogram_cnn import SpectrogramCNNNet
from tests.base.toy import LABELS, quick, toy_spectrograms, weights

X, y, speakers = toy_spectrograms()


def test_pickle_and_joblib_keep_predictions_and_go_on_alike(tmp_path):
    net = quick(callbacks=[EpochScoring("accuracy", on_train=True)]).fit(X, y)
    joblib.dump(net, tmp_path / "net.joblib")
    copies = [pickle.loads(pickle.dumps(net)), joblib.load(tmp_path / "net.joblib")]
    for copy in copies:
        assert np.array_equal(copy.predict_proba(X), net.predict_proba(X))
        assert copy.get_params(deep=False).keys() == net.get_params(deep=False).keys()
        assert copy.history_[:, "train_loss"] == net.history_[:, "train_loss"]
    start = pickle.dumps(net)
    ahead = [weights(pickle.loads(start).partial_fit(X, y)) for _ in range(2)]
    assert np.array_equal(*ahead)
    np.testing.assert_allclose(ahead[0], weights(net.partial_fit(X, y)), atol=1e-6)


@pytest.mark.parametrize("device", ["auto", "cpu", torch.device("cpu")])
def test_device_survives_pickling_as_it_was_asked_for(device):
    net = quick(device=device).fit(X, y)
    copy = pickle.loads(pickle.dumps(net))
    assert copy.device == device
    assert copy.device_ == net.device_
    assert pickle.loads(pickle.dumps(quick(device=device))).device == device


def test_pickling_leaves_no_trace_of_the_data():
    wide = np.zeros((48, 6, 2000), np.float32)
    wide[:, :, :9] = X
    assert len(pickle.dumps(quick().fit(wide, y))) < 100_000 < wide.nbytes


def test_weights_are_saved_and_loaded_as_in_skorch():
    net, file = quick().fit(X, y), io.BytesIO()
    net.save_params(f_params=file)
    file.seek(0)
    other = quick(random_state=1).fit(X, y)
    other.load_params(f_params=file)
    assert np.array_equal(other.predict_proba(X), net.predict_proba(X))


# Callbacks of skorch


@pytest.mark.parametrize("on_train", [True, False])
def test_scores_of_epochs_are_those_of_score(on_train):
    callback = EpochScoring("accuracy", lower_is_better=False, name="acc", on_train=on_train)
    net = quick(callbacks=[callback], max_epochs=5).fit(X, y, X_val=X[:20], y_val=y[:20])
    accuracies = net.history_[:, "acc"]
    expected = net.score(X, y) if on_train else net.score(X[:20], y[:20])
    assert accuracies[-1] == pytest.approx(expected)
    assert net.history_[int(np.argmax(accuracies)), "acc_best"]


def test_scores_without_a_name_are_those_of_the_net():
    net = quick(callbacks=[EpochScoring(None, lower_is_better=False)])
    net.fit(X, y, X_val=X[:20], y_val=y[:20])
    assert net.history_[-1, "score"] == pytest.approx(net.score(X[:20], y[:20]))


@pytest.mark.parametrize("monitor", ["valid_loss_best", None])
def test_checkpoints_are_written_and_loaded(tmp_path, monitor):
    checkpoint = Checkpoint(dirname=tmp_path, monitor=monitor, load_best=True)
    rng = np.random.default_rng(1)
    net = quick(callbacks=[checkpoint], max_epochs=20, lr_schedule="constant")
    net.fit(X, y, X_val=X, y_val=rng.permutation(y))
    losses = net.history_[:, "valid_loss"]
    best = min(losses) if monitor else losses[-1]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "criterion.pt", "history.json", "optimizer.pt", "params.pt",
    ]  # fmt: skip
    rng = np.random.default_rng(1)
    codes = np.searchsorted(LABELS, rng.permutation(y))
    loss = -net.predict_log_proba(X)[np.arange(48), codes].mean()
    assert loss == pytest.approx(best, abs=1e-5)


def test_the_best_epoch_so_far_is_marked():
    net = quick(max_epochs=9, lr_schedule="constant").fit(X, y, X_val=X[:20], y_val=y[:20])
    for column in ("train_loss", "valid_loss"):
        lowest = np.minimum.accumulate([np.inf, *net.history_[:, column]])
        expected = (np.array(net.history_[:, column]) < lowest[:-1]).tolist()
        assert net.history_[:, f"{column}_best"] == expected


def test_early_stopping_of_skorch_stops():
    callback = EarlyStopping(monitor="train_loss", patience=2, threshold=10.0, sink=lambda _: None)
    net = quick(callbacks=[callback], max_epochs=20)
    net.fit(X, y)
    assert len(net.history_) == 3


def test_a_scheduler_of_skorch_sets_a_rate_that_is_constant_otherwise():
    callback = LRScheduler(policy="StepLR", step_size=1, gamma=0.5)
    net = quick(callbacks=[callback], lr_schedule="constant").fit(X, y)
    np.testing.assert_allclose(net.history_[:, "lr"], [0.03, 0.015, 0.0075])


def test_layers_may_be_frozen():
    net = quick(callbacks=[Freezer("stages.*")])
    start = clone(net).set_params(max_epochs=0).fit(X, y).module_.stages[0].state_dict()
    end = net.fit(X, y).module_.stages[0].state_dict()
    for name in ("conv.weight", "conv.bias"):
        assert torch.equal(start[name], end[name])


def test_callbacks_are_parameters():
    net = quick(callbacks=[("acc", EpochScoring("accuracy", on_train=True, name="a"))])
    net.set_params(callbacks__acc__name="b").fit(X, y)
    assert "b" in net.history_[-1] and "a" not in net.history_[-1]
    net = quick(callbacks=net.callbacks, callbacks__acc=None).fit(X, y)
    assert "acc" not in dict(net.callbacks_)
    assert quick(callbacks="disable").fit(X, y).callbacks_ == []


# What scikit-learn builds on


def test_a_search_finds_the_depth():
    search = GridSearchCV(quick(max_epochs=8), {"n_layers": [0, 2]}, cv=3, error_score="raise")
    search.fit(X, y)
    assert search.best_params_ == {"n_layers": 2}
    assert search.score(X, y) > 0.9
    assert len(search.best_estimator_.module_.stages) == 2


def test_probabilities_are_calibrated():
    net = CalibratedClassifierCV(quick(max_epochs=8), cv=3).fit(X, y)
    np.testing.assert_allclose(net.predict_proba(X).sum(1), 1)
    assert net.score(X, y) > 0.9
    frozen = CalibratedClassifierCV(FrozenEstimator(quick().fit(X, y)))
    assert frozen.fit(X, y).predict(X).shape == y.shape


def test_ensembles_and_reductions_take_networks():
    one_by_one = OneVsRestClassifier(quick(max_epochs=8)).fit(X.reshape(48, -1), y)
    assert one_by_one.predict(X.reshape(48, -1)).shape == y.shape
    voting = VotingClassifier([("a", quick()), ("b", quick(random_state=1))], voting="soft")
    both = [quick().fit(X, y), quick(random_state=1).fit(X, y)]
    np.testing.assert_allclose(
        voting.fit(X, y).predict_proba(X),
        np.mean([net.predict_proba(X) for net in both], axis=0),
    )


def test_cross_validation_gives_each_fold_a_network_of_its_own():
    scores = cross_val_score(quick(max_epochs=8), X, y, cv=3)
    assert scores.mean() > 0.6
    assert np.array_equal(scores, cross_val_score(quick(max_epochs=8), X, y, cv=3))
    proba = cross_val_predict(quick(max_epochs=8), X, y, cv=3, method="predict_proba")
    assert (LABELS[proba.argmax(1)] == y).mean() == pytest.approx(scores.mean())


def test_importance_of_bands_may_be_permuted():
    flat = X[:, :, 0]
    net = quick(n_layers=0, head="flatten", max_epochs=12).fit(flat, y)
    found = permutation_importance(net, flat, y, n_repeats=2, random_state=0)
    assert found.importances_mean.shape == (6,)


def test_the_estimator_is_drawn_with_its_front_end():
    net = quick(frontend=MelSpectrogram(sample_rate=8000))
    html = estimator_html_repr(make_pipeline(net))
    assert "SpectrogramCNNClassifier" in html and "MelSpectrogram" in html
    assert net._repr_html_()
    assert repr(SpectrogramCNNClassifier(lr=0.1)) == "SpectrogramCNNClassifier(lr=0.1)"


@pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.9"),
    reason="scikit-learn shows fitted attributes since 1.9",
)
def test_the_html_of_a_fitted_net_shows_what_was_learned_and_no_books_of_skorch():
    html = estimator_html_repr(quick().fit(X, y))
    for shown in ("classes_", "module_", "history_", "n_features_in_"):
        assert shown in html
    for hidden in ("virtual_params_", "prefixes_", "cuda_dependent_attributes_", "init_context_"):
        assert hidden not in html


# The other way round


def test_the_module_works_in_a_stock_skorch_net():
    codes = np.searchsorted(LABELS, y)
    stock = NeuralNetClassifier(
        SpectrogramCNNNet,
        module__n_bands=6, module__n_frames=9, module__n_classes=3, module__n_layers=1,
        criterion=torch.nn.CrossEntropyLoss, optimizer=torch.optim.Adam, lr=0.03,
        max_epochs=12, batch_size=16, train_split=None, verbose=0,
    )  # fmt: skip
    assert stock.fit(X, codes).score(X, codes) > 0.9


def test_a_parameter_of_callbacks_that_are_not_there_is_refused():
    with pytest.raises(TypeError, match=r"callbacks__early__patience sets a callback.*=None"):
        quick(callbacks__early__patience=3).fit(X, y)
