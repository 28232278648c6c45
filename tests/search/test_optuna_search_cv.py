import contextlib
import logging
import sqlite3
import warnings

import joblib
import numpy as np
import optuna
import pandas as pd
import pytest
import soundfile
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import GridSampler, QMCSampler, RandomSampler
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone, is_classifier
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_speech.audio import AudioReader, PadOrTrim
from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.model_selection import OptunaSearchCV, cross_validate_by_speaker
from sklearn_speech.model_selection._unlabelled import unlabelled_clips

SPACE = {"C": FloatDistribution(1e-3, 10.0, log=True)}
CS = [0.001, 0.01, 0.1, 1.0]


@pytest.fixture
def table():
    X, y = make_classification(48, 6, flip_y=0.2, random_state=0)
    return X, np.array(["no", "yes"])[y], np.repeat(["a", "b", "c", "d"], 12)


def grid():
    return {
        "param_distributions": {"C": CategoricalDistribution(CS)},
        "sampler": GridSampler({"C": CS}),
        "pruner": optuna.pruners.NopPruner(),
    }


class Fragile(ClassifierMixin, BaseEstimator):
    """Fails to fit at given strengths; its score is its strength."""

    def __init__(self, strength=0.0, fails_at=()):
        self.strength = strength
        self.fails_at = fails_at

    def fit(self, X, y):
        if self.strength in self.fails_at:
            raise ArithmeticError("too strong")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        return self.strength


class StopAfterFirstFold(optuna.pruners.BasePruner):
    """Prunes every trial with a number of at least `first`."""

    def __init__(self, first=1):
        self.first = first

    def prune(self, study, trial):
        return trial.number >= self.first


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [OptunaSearchCV(LogisticRegression(), SPACE, n_trials=2, cv=2, random_state=0)]
)
def test_passes_the_estimator_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("scoring", [None, "neg_log_loss", ["accuracy", "f1_macro"]])
def test_results_equal_grid_search_over_the_same_settings(table, scoring):
    X, y, speakers = table
    options = dict(scoring=scoring, cv=GroupKFold(3), return_train_score=True)
    options["refit"] = "f1_macro" if isinstance(scoring, list) else True
    ours = OptunaSearchCV(LogisticRegression(), **grid(), n_trials=99, **options)
    ours.fit(X, y, groups=speakers)
    order = [params["C"] for params in ours.cv_results_["params"]]
    assert sorted(order) == CS
    theirs = GridSearchCV(LogisticRegression(), {"C": order}, **options)
    theirs.fit(X, y, groups=speakers)
    for name, values in theirs.cv_results_.items():
        if name != "params" and "time" not in name:
            np.testing.assert_array_equal(ours.cv_results_[name], values, err_msg=name)
    means = {name for name in theirs.cv_results_ if name.startswith("mean_test_")}
    own = {"n_folds_run", "pruned", *(f"partial_{name}" for name in means)}
    assert ours.cv_results_.keys() - theirs.cv_results_.keys() == own
    for name in means:
        np.testing.assert_allclose(ours.cv_results_[f"partial_{name}"], ours.cv_results_[name])
    assert ours.best_params_ == theirs.best_params_ and ours.best_score_ == theirs.best_score_
    assert ours.best_index_ == theirs.best_index_ and ours.multimetric_ == theirs.multimetric_
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.score(X, y) == theirs.score(X, y)


def test_a_space_may_depend_on_drawn_values(table):
    def space(trial):
        params = {"kernel": trial.suggest_categorical("kernel", ["linear", "poly"])}
        if params["kernel"] == "poly":
            params["degree"] = trial.suggest_int("degree", 2, 4)
        return params

    search = OptunaSearchCV(SVC(), space, n_trials=8, cv=2, random_state=0).fit(*table[:2])
    degree = search.cv_results_["param_degree"]
    kernel = search.cv_results_["param_kernel"]
    np.testing.assert_array_equal(np.ma.getmaskarray(degree), kernel == "linear")
    assert set(kernel) == {"linear", "poly"}


@pytest.mark.parametrize(
    "make",
    [lambda: RandomSampler(seed=0), lambda: QMCSampler(seed=0), lambda: GridSampler({"C": CS})],
)
@pytest.mark.filterwarnings("ignore:.*QMCSampler:UserWarning")
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_n_jobs_changes_nothing_for_samplers_that_do_not_learn(table, make):
    space = grid()["param_distributions"] if isinstance(make(), GridSampler) else SPACE
    runs = []
    for n_jobs in (1, 3):
        with joblib.parallel_config("threading"):
            search = OptunaSearchCV(
                LogisticRegression(), space, n_trials=4, cv=2, sampler=make(), n_jobs=n_jobs
            ).fit(*table[:2])
        runs.append(search.cv_results_)
    assert runs[0]["params"] == runs[1]["params"] and len(runs[0]["params"]) == 4
    np.testing.assert_array_equal(runs[0]["split1_test_score"], runs[1]["split1_test_score"])


def test_tpe_warns_that_n_jobs_changes_its_sequence(table):
    search = OptunaSearchCV(LogisticRegression(), SPACE, n_trials=2, n_jobs=2, cv=2)
    with joblib.parallel_config("threading"), pytest.warns(UserWarning, match="TPESampler"):
        search.fit(*table[:2])


def test_worker_processes_give_the_same_scores(table):
    runs = [
        OptunaSearchCV(LogisticRegression(), **grid(), n_trials=4, cv=2, n_jobs=n_jobs).fit(
            *table[:2]
        )
        for n_jobs in (1, 2)
    ]
    np.testing.assert_array_equal(*(run.cv_results_["mean_test_score"] for run in runs))


def test_results_depend_on_the_seed_and_not_on_earlier_fits(table):
    search = OptunaSearchCV(LogisticRegression(), SPACE, n_trials=13, cv=2, random_state=3)
    drawn = [search.fit(*table[:2]).cv_results_["params"] for _ in range(2)]
    assert drawn[0] == drawn[1]
    other = clone(search).set_params(random_state=4).fit(*table[:2])
    assert other.cv_results_["params"] != drawn[0]
    search = OptunaSearchCV(
        LogisticRegression(), SPACE, n_trials=3, cv=2, sampler=RandomSampler(seed=0)
    )
    assert search.fit(*table[:2]).best_params_ == search.fit(*table[:2]).best_params_


def test_pruned_trials_have_nan_rank_last_and_are_never_best(table):
    search = OptunaSearchCV(
        Fragile(),
        {"strength": FloatDistribution(0.0, 1.0)},
        n_trials=4,
        cv=3,
        pruner=StopAfterFirstFold(2),
        sampler=RandomSampler(seed=1),
    ).fit(*table[:2])
    results = search.cv_results_
    np.testing.assert_array_equal(results["n_folds_run"], [3, 3, 1, 1])
    np.testing.assert_array_equal(results["pruned"], [False, False, True, True])
    np.testing.assert_array_equal(np.isnan(results["mean_test_score"]), results["pruned"])
    np.testing.assert_array_equal(np.isnan(results["split1_test_score"]), results["pruned"])
    assert not np.isnan(results["split0_test_score"]).any()
    assert (results["rank_test_score"][2:] == 3).all() and search.best_index_ < 2
    assert np.isfinite(results["mean_fit_time"]).all()
    partial = np.where(results["pruned"], results["split0_test_score"], results["mean_test_score"])
    np.testing.assert_allclose(results["partial_mean_test_score"], partial)
    states = [trial.state.name for trial in search.study_.trials]
    assert states == ["COMPLETE", "COMPLETE", "PRUNED", "PRUNED"]


def test_the_pruner_sees_running_means_over_folds(table):
    seen = []

    class Watch(optuna.pruners.BasePruner):
        def prune(self, study, trial):
            seen.append(dict(trial.intermediate_values))
            return False

    search = OptunaSearchCV(LogisticRegression(), SPACE, n_trials=1, cv=3, pruner=Watch())
    results = search.fit(*table[:2]).cv_results_
    scores = [results[f"split{k}_test_score"][0] for k in range(3)]
    assert seen == [
        {1: scores[0]},
        {1: scores[0], 2: pytest.approx(np.mean(scores[:2]))},
    ]


def test_successive_halving_uses_folds_as_its_resource(table):
    values = [0.9, 0.1, 0.2, 0.3]
    study = optuna.create_study(
        direction="maximize",
        pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3),
    )
    for value in values:
        study.enqueue_trial({"strength": value})
    search = OptunaSearchCV(
        Fragile(), {"strength": FloatDistribution(0.0, 1.0)}, n_trials=4, cv=4, study=study
    ).fit(*table[:2])
    np.testing.assert_array_equal(search.cv_results_["n_folds_run"], [4, 1, 1, 1])


def test_the_default_pruner_continues_the_best_quarter_and_then_the_best_eighth(table):
    X, y, _ = table
    strengths = [*np.linspace(0.1, 0.9, 17).round(2).tolist(), 0.95, 0.97, 0.99]
    finished = []
    search = OptunaSearchCV(
        Fragile(), {"strength": CategoricalDistribution(strengths)}, n_trials=len(strengths),
        sampler=GridSampler({"strength": strengths}, seed=1), cv=KFold(5), refit=False,
        callbacks=[lambda study, trial: finished.append(trial.number)],
    ).fit(X, y)  # fmt: skip
    results = search.cv_results_
    # the rule: ten trials in parallel, then one at a time, each ranked among all started trials
    drawn = np.asarray(results["param_strength"], dtype=float)
    expected = np.ones(len(drawn), dtype=int)
    groups = [range(10), *([i] for i in range(10, len(drawn)))]
    for group in groups:
        started = drawn[: max(group) + 1]
        second = [i for i in group if (started > drawn[i]).sum() < np.ceil(len(started) / 4)]
        reached = {*np.flatnonzero(expected > 1), *second}
        better = {i: sum(drawn[j] > drawn[i] for j in reached) for i in second}
        expected[second] = [5 if better[i] < np.ceil(len(started) / 8) else 2 for i in second]
    assert results["n_folds_run"].tolist() == expected.tolist()
    assert set(expected) == {1, 2, 5}
    assert search.best_params_ == {"strength": 0.99}
    # trials pruned after their first fold end before any trial completes
    first = finished.index(int(np.flatnonzero(expected[:10] == 5)[0]))
    assert {i for i in range(10) if expected[i] == 1} <= set(finished[:first])


def counting_space(n_running):
    """A space that records how many trials are running at each draw."""

    def space(trial):
        if isinstance(trial, optuna.Trial):
            running = [optuna.trial.TrialState.RUNNING]
            n_running.append(len(trial.study.get_trials(states=running)))
        return {"strength": trial.suggest_float("strength", 0.0, 1.0)}

    return space


@pytest.mark.parametrize("options", [
    {"sampler": optuna.samplers.TPESampler(n_startup_trials=2, seed=0)},
    {"timeout": 1000.0},
    {"pruner": optuna.pruners.MedianPruner()},
], ids=["learning", "timeout", "pruner"])  # fmt: skip
def test_trials_run_one_at_a_time_where_parallel_trials_would_be_wasteful(table, options):
    n_running = []
    OptunaSearchCV(
        Fragile(),
        counting_space(n_running),
        n_trials=6,
        cv=2,
        refit=False,
        random_state=0,
        **options,
    ).fit(*table[:2])
    assert n_running == [1] * 6


def test_trials_run_one_at_a_time_when_features_fill_the_memory(table, monkeypatch):
    n_running = []
    search = OptunaSearchCV(
        Fragile(), counting_space(n_running), n_trials=6, cv=2, refit=False, random_state=0
    )
    search.fit(*table[:2])
    assert n_running == [1, 2, 3, 1, 1, 1]
    n_running.clear()
    monkeypatch.setattr("sklearn_speech.search._run.Task.memory_is_full", True)
    search.fit(*table[:2])
    assert n_running == [1] * 6


def test_a_search_with_only_pruned_trials_is_an_error(table):
    search = OptunaSearchCV(
        LogisticRegression(), SPACE, n_trials=2, cv=2, pruner=StopAfterFirstFold(0)
    )
    with pytest.raises(ValueError, match="pruner stopped"):
        search.fit(*table[:2])


STRENGTHS = {"strength": CategoricalDistribution([0.1, 0.2, 0.3])}


def strengths(**options):
    sampler = GridSampler({"strength": [0.1, 0.2, 0.3]})
    every_fold = {"pruner": optuna.pruners.NopPruner(), "sampler": sampler, "cv": 2, "n_trials": 3}
    return {"param_distributions": STRENGTHS, **every_fold, **options}


def test_a_failing_setting_costs_one_fit_and_the_search_continues(table):
    search = OptunaSearchCV(Fragile(fails_at=(0.3,)), **strengths())
    with pytest.warns() as caught:
        search.fit(*table[:2])
    assert {w.category for w in caught} == {FitFailedWarning}
    results = search.cv_results_
    failing = np.asarray(results["param_strength"] == 0.3, dtype=bool)
    assert np.isnan(results["mean_test_score"][failing]).all()
    np.testing.assert_array_equal(results["n_folds_run"], np.where(failing, 1, 2))
    assert search.best_params_ == {"strength": 0.2}
    assert [t.state.name for t in search.study_.trials].count("FAIL") == 1


def test_error_score_may_be_a_number_or_raise(table):
    with pytest.warns(FitFailedWarning):
        search = OptunaSearchCV(Fragile(fails_at=(0.3,)), **strengths(error_score=-1.0))
        results = search.fit(*table[:2]).cv_results_
    assert results["mean_test_score"].min() == -1.0 and (results["n_folds_run"] == 2).all()
    search.set_params(error_score="raise")
    with pytest.raises(ArithmeticError, match="too strong"):
        search.fit(*table[:2])
    search.set_params(error_score=np.nan, estimator__fails_at=(0.1, 0.2, 0.3))
    with pytest.raises(ValueError, match="All the 3 fits failed"):
        search.fit(*table[:2])


def test_scoring_and_refit_may_be_callables(table):
    def scoring(estimator, X, y):
        return {"a": estimator.strength, "b": -estimator.strength}

    search = OptunaSearchCV(Fragile(fails_at=(0.1,)), **strengths(scoring=scoring, refit="b"))
    with pytest.warns(FitFailedWarning):
        search.fit(*table[:2])
    assert search.best_params_ == {"strength": 0.2} and search.best_score_ == -0.2
    assert np.isnan(search.cv_results_["mean_test_a"]).sum() == 1
    search.set_params(refit=lambda results: int(results["rank_test_a"].argmin()))
    with pytest.warns(FitFailedWarning):
        search.fit(*table[:2])
    assert search.best_params_ == {"strength": 0.3} and not hasattr(search, "best_score_fixed")
    search.set_params(refit=True)
    with pytest.warns(FitFailedWarning), pytest.raises(ValueError, match="multi-metric"):
        search.fit(*table[:2])


def test_the_search_optimises_the_refit_metric(table):
    search = OptunaSearchCV(
        LogisticRegression(), SPACE, n_trials=1, cv=2, scoring=["accuracy", "neg_log_loss"],
        refit="neg_log_loss",
    ).fit(*table[:2])  # fmt: skip
    assert search.study_.best_value == search.cv_results_["mean_test_neg_log_loss"][0]


def test_nested_search_holds_speakers_out_with_routing_off_and_on(table):
    X, y, speakers = table
    search = OptunaSearchCV(
        LogisticRegression(), SPACE, n_trials=2, cv=LeaveOneGroupOut(), random_state=0
    )
    off = cross_validate_by_speaker(search, X, y, speakers, return_estimator=True)
    assert [fitted.n_splits_ for fitted in off["estimator"]] == [3, 3, 3, 3]
    with config_context(enable_metadata_routing=True):
        on = cross_validate(
            search, X, y, cv=LeaveOneGroupOut(), params={"groups": speakers}, return_estimator=True
        )
    assert [fitted.n_splits_ for fitted in on["estimator"]] == [3, 3, 3, 3]
    np.testing.assert_array_equal(off["test_score"], on["test_score"])


def test_weights_reach_fit_and_score(table):
    X, y, _ = table
    weight = np.where(y == "yes", 1.0, 0.0)
    dummy = DummyClassifier(strategy="most_frequent")
    scorer = make_scorer(accuracy_score)
    with config_context(enable_metadata_routing=True):
        search = OptunaSearchCV(
            dummy.set_fit_request(sample_weight=True),
            lambda trial: {},
            n_trials=1,
            cv=2,
            scoring=scorer.set_score_request(sample_weight=True),
        ).fit(X, y, sample_weight=weight)
    assert search.best_score_ == 1.0 and set(search.predict(X)) == {"yes"}


class Count(TransformerMixin, BaseEstimator):
    """A front end that counts the clips that it transforms."""

    _treats_clips_alone = True
    n_seen = 0

    def __init__(self, width=1):
        self.width = width

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        type(self).n_seen += len(X)
        return np.asarray(X)[:, : self.width]


Ours = type("Ours", (Count,), {"__module__": "sklearn_speech.feature_extraction._ours"})
Second = type("Second", (Count,), {"__module__": "sklearn_speech.feature_extraction._second"})


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_each_front_end_setting_is_computed_once_per_clip(table, n_jobs):
    X, y, _ = table
    model = make_pipeline(Second(6), Ours(), StandardScaler(), LogisticRegression())
    space = {"ours__width": CategoricalDistribution([2, 5]), "logisticregression__C": SPACE["C"]}
    Ours.n_seen = Second.n_seen = 0
    with joblib.parallel_config("threading"):
        search = OptunaSearchCV(
            model, space, n_trials=9, cv=4, sampler=RandomSampler(seed=0), n_jobs=n_jobs
        ).fit(X, y)
    assert len({params["ours__width"] for params in search.cv_results_["params"]}) == 2
    assert Ours.n_seen == 2 * len(X)  # two settings; folds, trials and the final fit share them
    assert Second.n_seen == len(X)  # the step before has one setting
    Ours.n_seen = 0
    np.testing.assert_array_equal(
        search.predict(X), clone(model).set_params(**search.best_params_).fit(X, y).predict(X)
    )


def test_sharing_features_changes_no_score(table):
    X, y, _ = table
    runs = []
    for kind in (Ours, Count):
        search = OptunaSearchCV(
            make_pipeline(kind(), StandardScaler(), LogisticRegression()),
            {f"{kind.__name__.lower()}__width": IntDistribution(1, 6)},
            n_trials=5, cv=3, random_state=0,
        ).fit(X, y)  # fmt: skip
        runs.append(search)
    np.testing.assert_array_equal(*(run.cv_results_["mean_test_score"] for run in runs))
    np.testing.assert_array_equal(*(run.predict_proba(X) for run in runs))


def test_a_custom_scorer_gets_the_original_clips(table):
    X, y, _ = table
    widths = []

    def scoring(estimator, X, y):
        widths.append(X.shape[1])
        return estimator.score(X, y)

    model = make_pipeline(Ours(2), LogisticRegression())
    OptunaSearchCV(model, lambda trial: {}, n_trials=1, cv=2, scoring=scoring).fit(X, y)
    assert widths == [6, 6]


@pytest.mark.filterwarnings("ignore:n_times=800 cuts:UserWarning")
def test_paths_and_ragged_clips_are_searched(tmp_path):
    rng = np.random.default_rng(0)
    y = np.tile(["low", "high"], 8)
    clips = np.empty(16, dtype=object)
    for i in range(16):
        time = np.arange(900 + 40 * i) / 8000
        clips[i] = 0.3 * np.sin(2 * np.pi * (400 if y[i] == "low" else 2500) * time)
        clips[i] += 0.1 * rng.normal(size=len(time))
        soundfile.write(tmp_path / f"{i}.wav", clips[i], 8000)
    paths = [str(tmp_path / f"{i}.wav") for i in range(16)]
    speakers = np.repeat(["a", "b"], 8)
    tail = [
        PadOrTrim(n_times=800),
        MelSpectrogram(sample_rate=8000, n_fft=128),
        FunctionTransformer(np.mean, kw_args={"axis": 2}),
        LogisticRegression(),
    ]
    space = {"melspectrogram__n_mels": IntDistribution(4, 20)}
    for X, model in (
        (paths, make_pipeline(AudioReader(8000), *tail)),
        (clips, make_pipeline(*tail)),
    ):
        search = OptunaSearchCV(model, space, n_trials=2, cv=GroupKFold(2), random_state=0)
        search.fit(X, y, groups=speakers)
        assert search.best_score_ == 1.0
        np.testing.assert_array_equal(search.predict(X), y)
        assert list(search.best_estimator_.named_steps) == list(model.named_steps)


def test_callbacks_see_each_finished_trial_and_may_stop(table):
    seen = []

    def callback(study, trial):
        seen.append((trial.number, trial.state.name))
        if len(seen) == 3:
            study.stop()

    search = OptunaSearchCV(
        LogisticRegression(), SPACE, n_trials=9, cv=2, callbacks=[callback],
        pruner=optuna.pruners.NopPruner(),
    )  # fmt: skip
    search.fit(*table[:2])
    assert seen == [(0, "COMPLETE"), (1, "COMPLETE"), (2, "COMPLETE")]
    assert len(search.cv_results_["params"]) == 3


def test_one_trial_always_runs_and_none_starts_after_the_timeout(table):
    search = OptunaSearchCV(LogisticRegression(), SPACE, n_trials=50, timeout=1e-6, cv=2)
    assert len(search.fit(*table[:2]).cv_results_["params"]) == 1


def test_silent_by_default_with_a_progress_bar_when_verbose(table, capsys, caplog):
    search = OptunaSearchCV(LogisticRegression(), SPACE, n_trials=2, cv=2)
    optuna.logging.enable_propagation()
    try:
        with caplog.at_level(logging.INFO):
            search.fit(*table[:2])
    finally:
        optuna.logging.disable_propagation()
    assert capsys.readouterr() == ("", "") and not caplog.records
    search.set_params(verbose=1).fit(*table[:2])
    assert "best score" in capsys.readouterr().err


def test_a_search_has_the_type_of_its_estimator(table):
    search = OptunaSearchCV(LogisticRegression(), SPACE)
    assert is_classifier(search)
    search.set_params(estimator__fit_intercept=False, n_trials=1, cv=2).fit(*table[:2])
    assert search.best_estimator_.intercept_ == 0 and list(search.classes_) == ["no", "yes"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"param_distributions": {"C": [1, 2]}}, TypeError, r"CategoricalDistribution"),
        ({"param_distributions": lambda trial: 3}, TypeError, "dict of parameters by name"),
        ({"param_distributions": {"nope": SPACE["C"]}}, ValueError, "nope"),
        ({"n_trials": 0}, ValueError, "n_trials"),
        ({"timeout": -1}, ValueError, "timeout"),
        ({"pruner": "median"}, ValueError, "pruner"),
        ({"study": optuna.create_study()}, ValueError, "maximize"),
        (
            {"study": optuna.create_study(direction="maximize"), "sampler": RandomSampler()},
            ValueError,
            "study and sampler",
        ),
    ],
)  # fmt: skip
def test_errors_name_the_invalid_parameter(table, change, error, message):
    search = OptunaSearchCV(LogisticRegression(), SPACE, n_trials=2, cv=2).set_params(**change)
    with pytest.raises(error, match=message):
        search.fit(*table[:2])


class Flat(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X.reshape(len(X), -1)


@pytest.mark.parametrize("shared", [True, False])
def test_a_setting_that_fails_in_a_shared_step_is_a_failed_fit(shared):
    X = np.random.default_rng(0).normal(size=(12, 1600))
    first = [] if shared else [FunctionTransformer()]
    pipeline = make_pipeline(
        *first, MelSpectrogram(8000, win_length=300, n_mels=10), Flat(), LogisticRegression()
    )
    sizes = [256, 512]  # the first is shorter than the window
    space = {"melspectrogram__n_fft": CategoricalDistribution(sizes)}
    search = OptunaSearchCV(
        pipeline, space, n_trials=2, cv=2, pruner=optuna.pruners.NopPruner(),
        sampler=GridSampler({"melspectrogram__n_fft": sizes}, seed=0),
    )  # fmt: skip
    for error_score in (np.nan, 0.0):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            search.set_params(error_score=error_score).fit(X, np.arange(12) % 2)
        assert any("longer than n_fft=256" in str(w.message) for w in caught)
        failed = search.cv_results_["param_melspectrogram__n_fft"] == 256
        scores = search.cv_results_["mean_test_score"]
        np.testing.assert_array_equal(scores[failed], [error_score])
        assert np.isfinite(scores[~failed]).all()
        assert search.best_params_ == {"melspectrogram__n_fft": 512}
    with pytest.raises(ValueError, match="win_length=300 is longer than n_fft=256"):
        clone(search).set_params(error_score="raise").fit(X, np.arange(12) % 2)


class Grouped(Fragile):
    """Records the groups that `fit` gets; its score tells whether they arrived."""

    def fit(self, X, y, groups=None):
        self.groups_ = None if groups is None else list(groups)
        return super().fit(X, y)

    def score(self, X, y):
        return float(self.groups_ is not None and len(self.groups_) == 36)


@pytest.mark.parametrize("wrap", [lambda e: e, make_pipeline], ids=["bare", "pipeline"])
def test_groups_reach_estimators_that_split_the_data_again(table, wrap):
    X, y, groups = table
    model = wrap(Grouped())
    prefix = "" if isinstance(model, Grouped) else "grouped__"
    space = {prefix + "strength": FloatDistribution(0, 1)}
    search = OptunaSearchCV(model, space, n_trials=1, cv=LeaveOneGroupOut())
    search.fit(X, y, groups=groups)
    assert search.best_score_ == 1
    final = search.best_estimator_ if prefix == "" else search.best_estimator_[-1]
    assert final.groups_ == list(groups)
    outer = cross_validate_by_speaker(clone(search), X, y, groups, return_estimator=True)
    for split, fitted in enumerate(outer["estimator"]):
        held_out = np.unique(groups)[split]
        best = fitted.best_estimator_
        assert set((best if prefix == "" else best[-1]).groups_) == set(groups) - {held_out}


class Labelled(Fragile):
    """Has a pretrainer, so that -1 means unlabelled; always predicts class 1."""

    def __init__(self, pretrainer=None, strength=0.0, fails_at=()):
        super().__init__(strength, fails_at)
        self.pretrainer = pretrainer

    def predict(self, X):
        return np.ones(len(X))


def test_unlabelled_clips_do_not_count_for_any_scoring():
    X, y = np.zeros((12, 1)), np.tile([1, -1, 1, 0], 3)
    groups = np.repeat(["a", "b", "c"], 4)
    space = {"strength": FloatDistribution(0, 1)}
    search = OptunaSearchCV(
        Labelled(pretrainer=StandardScaler()), space, n_trials=1, cv=LeaveOneGroupOut(),
        scoring="accuracy",
    )  # fmt: skip
    assert search.fit(X, y, groups=groups).best_score_ == pytest.approx(2 / 3)
    search.set_params(estimator__pretrainer=None)
    assert search.fit(X, y, groups=groups).best_score_ == pytest.approx(1 / 2)
    tried = {"pretrainer": {"none": None, "standard": StandardScaler()}}
    search.set_params(param_distributions=tried)
    assert search.fit(X, y, groups=groups).best_score_ == pytest.approx(2 / 3)


@pytest.mark.parametrize("form", [list, lambda y: np.array(y, dtype=object), pd.Series])
def test_unlabelled_clips_are_found_in_every_container(form):
    y = ["yes", -1, "no", "-1", -1.0, True]
    mask = unlabelled_clips(Labelled(pretrainer=StandardScaler()), form(y))
    assert mask.tolist() == [False, True, False, False, True, False]


@pytest.mark.parametrize("n_jobs", [1, 3, 8])
@pytest.mark.parametrize("pruner", [None, optuna.pruners.NopPruner()])
def test_a_grid_runs_once_even_with_more_trials_than_settings(table, n_jobs, pruner):
    search = OptunaSearchCV(
        LogisticRegression(), **grid() | {"pruner": pruner}, n_trials=20, cv=2, n_jobs=n_jobs
    )
    with joblib.parallel_config("threading"):
        search.fit(*table[:2])
    assert sorted(search.cv_results_["param_C"]) == CS


@pytest.mark.parametrize(
    "scoring", ["neg_log_loss", ["neg_log_loss", "neg_brier_score", "top_k_accuracy"]]
)
def test_scores_equal_cross_validation_when_held_out_clips_lack_a_class(scoring):
    """The metric gets all classes, as in ``cross_validate_by_speaker``."""
    rng = np.random.default_rng(0)
    speakers = np.repeat(["ann", "bob", "cem", "dan"], 12)
    y = np.arange(48) % 3
    y[:12] %= 2  # ann lacks a class
    y[-12:] = 0  # dan has only one class
    X = rng.normal(size=(48, 4)) + y[:, None]
    space = {"C": FloatDistribution(1.0, 1.0)}
    search = OptunaSearchCV(
        LogisticRegression(), space, n_trials=1, cv=LeaveOneGroupOut(), scoring=scoring,
        refit=False, sampler=RandomSampler(seed=0), error_score="raise",
    ).fit(X, y, groups=speakers)  # fmt: skip
    expected = cross_validate_by_speaker(LogisticRegression(), X, y, speakers, scoring=scoring)
    for name in [scoring] if isinstance(scoring, str) else scoring:
        key = "score" if isinstance(scoring, str) else name
        found = [search.cv_results_[f"split{i}_test_{key}"][0] for i in range(4)]
        np.testing.assert_allclose(found, expected[f"test_{key}"])


@pytest.mark.parametrize(
    "part", [range, list, lambda part: np.isin(np.arange(24), part)], ids=["range", "list", "mask"]
)
def test_splits_may_be_ranges_lists_or_masks(part):
    X, y = np.random.default_rng(0).normal(size=(24, 2)), np.arange(24) % 2
    positions = np.arange(12), np.arange(12, 24)
    parts = (range(12), range(12, 24)) if part is range else tuple(map(part, positions))
    space = {"C": FloatDistribution(0.1, 1.0)}
    scores = [
        OptunaSearchCV(LogisticRegression(), space, n_trials=1, cv=[split], random_state=0)
        .fit(X, y)
        .best_score_
        for split in (positions, parts)
    ]
    assert scores[0] == scores[1]


def test_the_error_names_a_database_of_another_optuna_version(tmp_path):
    url = f"sqlite:///{tmp_path / 'other.db'}"
    optuna.create_study(storage=url)
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = 'v0.9.0.a'")
        database.commit()
    search = OptunaSearchCV(LogisticRegression(), {"C": FloatDistribution(0.1, 1.0)}, storage=url)
    with pytest.raises(ValueError, match=r"other\.db' cannot be opened: The runtime optuna"):
        search.fit([[0.0], [1.0]] * 6, [0, 1] * 6)
