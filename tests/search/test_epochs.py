import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_speech.classification import SpectrogramLinearClassifier
from sklearn_speech.feature_extraction import SpectrogramScaler
from sklearn_speech.model_selection import OptunaSearchCV


class RecordingPruner(optuna.pruners.BasePruner):
    """Records the reports that it gets, and prunes trial `trial` at `step`."""

    def __init__(self, trial=None, step=None):
        self.trial = trial
        self.step = step
        self.seen = []

    def prune(self, study, trial):
        self.seen.append((trial.number, dict(trial.intermediate_values)))
        return trial.number == self.trial and max(trial.intermediate_values) >= self.step

    def __deepcopy__(self, memo):
        return self


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    y = np.tile(["a", "b", "c"], 10)
    X = rng.normal(size=(30, 4, 5)).astype(np.float32)
    X[:, 0] += np.unique(y, return_inverse=True)[1][:, None]
    return X, y


def search(pruner, **options):
    model = make_pipeline(
        SpectrogramScaler(),
        SpectrogramLinearClassifier(
            max_epochs=8, dropout=0.3, batch_size=8, device="cpu", random_state=0
        ),
    )
    space = {"spectrogramlinearclassifier__lr": FloatDistribution(1e-3, 1e-1, log=True)}
    options = {"n_trials": 2, "cv": 2, "random_state": 0, "prune_by_epoch": True} | options
    return OptunaSearchCV(model, space, pruner=pruner, **options)


@pytest.mark.parametrize("scoring", [None, ["neg_log_loss", "accuracy"]])
def test_reports_of_epochs_change_no_result(clips, scoring):
    refit = True if scoring is None else "accuracy"
    pruner = RecordingPruner()
    watched = search(pruner, scoring=scoring, refit=refit).fit(*clips)
    plain = clone(watched).set_params(prune_by_epoch=False).fit(*clips)
    for name, values in plain.cv_results_.items():
        if "time" not in name and name != "params":
            np.testing.assert_array_equal(watched.cv_results_[name], values, err_msg=name)
    np.testing.assert_array_equal(watched.predict_proba(clips[0]), plain.predict_proba(clips[0]))


def test_the_pruner_sees_a_running_mean_after_each_quarter_of_a_fold(clips):
    pruner = RecordingPruner()
    results = search(pruner, n_trials=1).fit(*clips).cv_results_
    steps = [max(values) for _, values in pruner.seen]
    assert steps == [1, 2, 3, 4, 5, 6, 7]  # at step 8 the trial is complete
    last = pruner.seen[-1][1]
    assert last[4] == results["split0_test_score"][0]
    # the mean of the first fold and a quarter of the second, whose accuracy is in [0, 1]
    assert abs(last[5] - last[4] / 2) <= 0.5


@pytest.mark.parametrize("error_score", [np.nan, "raise"])
def test_a_pruned_fold_does_not_count_as_run(clips, error_score):
    pruner = RecordingPruner(trial=1, step=6)
    fitted = search(pruner, error_score=error_score).fit(*clips)
    results = fitted.cv_results_
    np.testing.assert_array_equal(results["n_folds_run"], [2, 1])
    np.testing.assert_array_equal(results["pruned"], [False, True])
    assert np.isnan(results["mean_test_score"][1]) and fitted.best_index_ == 0
    assert pruner.seen[-1][0] == 1 and max(pruner.seen[-1][1]) == 6


def test_estimators_without_epochs_report_after_each_fold(clips):
    X, y = clips
    pruner = RecordingPruner()
    space = {"C": FloatDistribution(0.1, 1.0)}
    OptunaSearchCV(
        LogisticRegression(), space, n_trials=1, cv=2, pruner=pruner, prune_by_epoch=True
    ).fit(X[:, 0], y)
    assert [list(values) for _, values in pruner.seen] == [[4]]


def test_the_default_pruner_finds_a_best_trial_of_estimators_without_epochs(clips):
    X, y = clips[0].reshape(len(clips[1]), -1), clips[1]
    found = OptunaSearchCV(
        LogisticRegression(), {"C": FloatDistribution(1e-3, 1e3, log=True)}, n_trials=8, cv=3,
        random_state=0, prune_by_epoch=True,
    ).fit(X, y)  # fmt: skip
    assert found.cv_results_["n_folds_run"][found.best_index_] == 3
    assert found.best_score_ > 0.5
