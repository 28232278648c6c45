"""Stopped and resumed searches, with processes that are really killed."""

import errno
import multiprocessing
import os
import resource
import signal
import socket
import sqlite3
import threading
import time
import uuid
import warnings
from itertools import pairwise

import numpy as np
import optuna
import pytest
import soundfile
from optuna.distributions import FloatDistribution
from optuna.samplers import GridSampler, RandomSampler
from optuna.trial import TrialState
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sqlalchemy.engine import make_url

from sklearn_speech.model_selection import OptunaSearchCV, cross_validate_by_speaker
from sklearn_speech.search import _ledger as ledgers
from sklearn_speech.search import _owner as owners
from sklearn_speech.search import _storage as storages
from sklearn_speech.search import _study as studies
from sklearn_speech.search._journal import RepairingJournalBackend
from sklearn_speech.search._space import as_space
from sklearn_speech.search._stored_trials import HEARTBEAT, RECORD

SPACE = {"strength": FloatDistribution(0.0, 1.0)}


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return rng.normal(size=(24, 2)), np.tile([0, 1], 12), np.repeat([0, 1, 2], 8)


class Logged(ClassifierMixin, BaseEstimator):
    """Logs each fit, and hangs in the fit whose number is in the variable HANGS_AT."""

    def __init__(self, strength=0.0, log=None, hangs_at=None):
        self.strength = strength
        self.log = log
        self.hangs_at = hangs_at

    def fit(self, X, y):
        fits = read(self.log)
        with open(self.log, "a") as file:
            file.write(f"{self.strength!r} {len(X)}\n")
        if os.environ.get("HANGS_AT") == str(len(fits)):
            time.sleep(300)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X))

    def score(self, X, y):
        return self.strength


def read(log):
    if not log.exists():
        return []
    return [float(line.split()[0]) for line in log.read_text().splitlines()]


def begin_elsewhere(study, n_trials, machine="elsewhere"):
    """Begin a trial owned by another machine or, without `machine`, by an ended process."""
    trial = ledgers.TrialLedger(study, n_trials).begin(as_space(SPACE)).trial
    record = trial.user_attrs[RECORD]
    here = record["owner"][0]
    owner = [machine or here, 2**22 + 1, 1, uuid.uuid4().hex]
    trial.set_user_attr(RECORD, record | {"owner": owner})
    return trial


def fit(search, table, hangs_at=None):
    os.environ.pop("HANGS_AT", None)
    if hangs_at is not None:
        os.environ["HANGS_AT"] = str(hangs_at)
    X, y, speakers = table
    return search.fit(X, y, groups=speakers)


def start(search, table, hangs_at=None):
    process = multiprocessing.get_context("fork").Process(
        target=fit, args=(search, table, hangs_at)
    )
    process.start()
    return process


def wait_for(condition):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def search(storage, tmp_path):
    return OptunaSearchCV(
        Logged(log=tmp_path / "log"),
        SPACE,
        n_trials=4,
        cv=GroupKFold(3),
        storage=storage,
        study_name=uuid.uuid4().hex,
        random_state=0,
        pruner=optuna.pruners.NopPruner(),
        refit=False,
    )


def test_a_killed_search_resumes_where_it_stopped(search, table, tmp_path):
    log = tmp_path / "log"
    process = start(search, table, 7)  # the second fold of the third trial
    wait_for(lambda: len(read(log)) == 8)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    began = time.monotonic()
    fit(search, table)
    assert time.monotonic() - began < 60  # on the same machine a dead owner is detected at once
    results = search.cv_results_
    values = [params["strength"] for params in results["params"]]
    assert len(values) == 4 and (results["n_folds_run"] == 3).all()
    np.testing.assert_allclose(results["mean_test_score"], values)
    fits = read(log)
    assert len(fits) == 4 * 3 + 1  # only the killed fit was repeated
    assert {fits.count(value) for value in values} == {3, 4} and fits[7] in values
    states = [trial.state for trial in search.study_.trials]
    assert states.count(TrialState.FAIL) == 1 and states.count(TrialState.COMPLETE) == 4
    again = fit(clone(search), table)  # finished trials are not run again
    assert len(read(log)) == 13
    np.testing.assert_array_equal(again.cv_results_["mean_test_score"], results["mean_test_score"])
    more = fit(clone(search).set_params(n_trials=5), table)
    assert len(more.cv_results_["params"]) == 5 and len(read(log)) == 16


def test_a_resumed_search_draws_the_same_as_an_uninterrupted_one(search, table, tmp_path):
    whole = fit(clone(search).set_params(storage=None, study_name=None, n_trials=13), table)
    for n_trials in (5, 13):
        parts = fit(clone(search).set_params(n_trials=n_trials), table)
    assert parts.cv_results_["params"] == whole.cv_results_["params"]


def fit_on_a_full_disk(search, table, path):
    """Fit while no file may grow far beyond the present size of the storage."""
    storages.MAX_WAIT = 0.2
    limit = path.stat().st_size + 3000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    warnings.simplefilter("ignore")
    try:
        fit(search, table)
    except storages.UNREACHABLE:
        os._exit(3)


@pytest.mark.parametrize("storage", ["sqlite", "journal"], indirect=True)
def test_a_full_disk_stops_a_search_and_loses_nothing(search, table, tmp_path):
    fit(search.set_params(n_trials=2), table)
    before = search.cv_results_
    path = next(tmp_path.glob("search.*"))
    process = multiprocessing.get_context("fork").Process(
        target=fit_on_a_full_disk, args=(clone(search).set_params(n_trials=60), table, path)
    )
    process.start()
    process.join(120)
    assert process.exitcode == 3
    n_trials = 6
    after = fit(clone(search).set_params(n_trials=n_trials), table).cv_results_
    assert len(after["params"]) == n_trials and after["params"][:2] == before["params"]
    values = [params["strength"] for params in after["params"]]
    np.testing.assert_allclose(after["mean_test_score"], values)


class Proxy:
    """A proxy of a server; shutting it closes all connections."""

    def __init__(self, host, port):
        self.server = host, port
        self.open, self.refused, self.connections = True, 0, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if not self.open:
                self.refused += 1
                client.close()
                continue
            upstream = socket.create_connection(self.server)
            self.connections += [client, upstream]
            for a, b in ((client, upstream), (upstream, client)):
                threading.Thread(target=self._forward, args=(a, b), daemon=True).start()

    def _forward(self, source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def shut(self):
        self.open = False
        for end in self.connections:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.shut()
        self.listener.close()
        for end in self.connections:
            end.close()


@pytest.mark.parametrize("storage", ["postgresql"], indirect=True)
def test_an_outage_of_the_server_only_delays_a_search(search, table, storage, tmp_path):
    url = make_url(storage)
    proxy = Proxy(url.host, url.port or 5432)
    search.set_params(
        storage=url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
    )

    def interrupt_the_server(log=tmp_path / "log"):
        wait_for(lambda: len(read(log)) >= 4)  # in the second trial
        proxy.shut()
        wait_for(lambda: proxy.refused >= 3)
        proxy.open = True

    thread = threading.Thread(target=interrupt_the_server)
    thread.start()
    try:
        with pytest.warns(UserWarning, match="unreachable"):
            fit(search, table)
        thread.join()
        values = [params["strength"] for params in search.cv_results_["params"]]
        np.testing.assert_allclose(search.cv_results_["mean_test_score"], values)
        fits = read(tmp_path / "log")
        assert len(values) == 4 and len(fits) == 4 * 3  # nothing was fitted twice
    finally:
        thread.join(10)
        proxy.close()


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_a_database_locked_by_another_process_only_delays_a_search(
    search, table, tmp_path, monkeypatch
):
    monkeypatch.setattr(storages, "SQLITE_TIMEOUT", 0.05)
    fit(search.set_params(n_trials=1), table)

    def lock():
        wait_for(lambda: len(read(tmp_path / "log")) >= 4)
        connection = sqlite3.connect(tmp_path / "search.db", timeout=30, isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(1)
        connection.close()

    thread = threading.Thread(target=lock)
    thread.start()
    with pytest.warns(UserWarning, match="database is locked"):
        fit(search.set_params(n_trials=4), table)
    thread.join()
    assert len(search.cv_results_["params"]) == 4 and len(read(tmp_path / "log")) == 4 * 3


def test_processes_share_a_study_and_its_number_of_trials(search, table, tmp_path):
    search.set_params(n_trials=9)
    others = [start(search, table) for _ in range(2)]
    fit(search, table)
    for process in others:
        process.join(120)
        assert process.exitcode == 0
    values = [params["strength"] for params in search.cv_results_["params"]]
    assert len(values) == len(set(values)) == 9
    fits = read(tmp_path / "log")
    assert len(fits) == 9 * 3 and all(fits.count(value) == 3 for value in values)
    complete = [t for t in search.study_.trials if t.state == TrialState.COMPLETE]
    assert len(complete) == 9


@pytest.mark.parametrize("storage", ["journal"], indirect=True)
class TestOnAJournal:
    def test_trials_of_another_machine_without_a_heartbeat_are_taken_over(
        self, search, table, monkeypatch
    ):
        monkeypatch.setattr(owners, "HEARTBEAT_TIMEOUT", 0.3)
        fit(search.set_params(n_trials=1), table)
        begin_elsewhere(search.study_, 2)
        fit(search.set_params(n_trials=2), table)
        assert [t.state.name for t in search.study_.trials] == ["COMPLETE", "FAIL", "COMPLETE"]
        assert search.study_.trials[1].params == search.study_.trials[2].params

    def test_trials_of_another_machine_with_a_heartbeat_are_left_alone(
        self, search, table, monkeypatch
    ):
        monkeypatch.setattr(owners, "HEARTBEAT_TIMEOUT", 0.3)
        study = fit(search.set_params(n_trials=1), table).study_
        trial = begin_elsewhere(study, 2)
        ledger = ledgers.TrialLedger(study, 2)
        for beat in range(6):
            progress = ledger.update()
            assert progress.others_run and progress.n_left == 0
            trial.set_user_attr(HEARTBEAT, beat)
            time.sleep(0.1)

    def test_a_running_trial_has_a_heartbeat(self, search, table, monkeypatch):
        monkeypatch.setattr(owners, "HEARTBEAT_INTERVAL", 0.02)
        study = fit(search.set_params(n_trials=1), table).study_
        with ledgers.TrialLedger(study, 2) as ledger:
            trial = ledger.begin(as_space(SPACE)).trial
            wait_for(lambda: study.trials[1].user_attrs.get(HEARTBEAT, 0) > 2)
            ledger.tell(trial, TrialState.COMPLETE, 0.0)

    def test_parameters_that_always_kill_the_process_are_given_up(self, search, table):
        study = fit(search.set_params(n_trials=1), table).study_
        for _ in range(ledgers.MAX_TRIES):
            trial = begin_elsewhere(study, 2, machine=None)
            ledgers.TrialLedger(study, 2).update()
        assert ledgers.TrialLedger(study, 2).update().n_left == 0
        tried = [t for t in study.trials if t.params == trial.params]
        assert [t.state for t in tried] == [TrialState.FAIL] * 3
        with pytest.warns(FitFailedWarning, match="ended 3 times while this fold ran"):
            fit(search.set_params(n_trials=2), table)
        assert search.cv_results_["params"] == [study.trials[0].params, trial.params]

    def test_an_interrupted_trial_is_run_again(self, search, table, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(Logged, "score", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt()))
            with pytest.raises(KeyboardInterrupt):
                fit(search, table)
        fit(search, table)
        states = [trial.state.name for trial in search.study_.trials]
        assert states == ["FAIL"] + 4 * ["COMPLETE"]
        assert len(search.cv_results_["params"]) == 4

    def test_a_grid_that_was_interrupted_is_completed(self, search, table, monkeypatch):
        values = [0.1, 0.2, 0.3]
        search.set_params(sampler=GridSampler({"strength": values}), n_trials=9)
        score = Logged.score

        def interrupted(self, X, y):
            if self.strength == 0.2:
                raise KeyboardInterrupt
            return score(self, X, y)

        with monkeypatch.context() as patch:
            patch.setattr(Logged, "score", interrupted)
            with pytest.raises(KeyboardInterrupt):
                fit(search, table)
        fit(search, table)
        assert sorted(p["strength"] for p in search.cv_results_["params"]) == values

    def test_a_given_sampler_does_not_repeat_draws_after_a_stop(self, search, table):
        search.set_params(sampler=RandomSampler(seed=0), n_trials=3)
        fit(search, table)
        fit(search.set_params(n_trials=6), table)
        assert len({p["strength"] for p in search.cv_results_["params"]}) == 6

    def test_an_outage_of_the_storage_only_delays_a_search(self, search, table, monkeypatch):
        write, calls = RepairingJournalBackend.append_logs, []

        def unreliable(self, logs):
            calls.append(logs)
            if len(calls) % 7 == 0:
                raise OSError(errno.EIO, "Input/output error")
            write(self, logs)

        fit(search.set_params(n_trials=1), table)
        monkeypatch.setattr(RepairingJournalBackend, "append_logs", unreliable)
        with pytest.warns(UserWarning, match="unreachable"):
            fit(search.set_params(n_trials=3), table)
        values = [params["strength"] for params in search.cv_results_["params"]]
        np.testing.assert_allclose(search.cv_results_["mean_test_score"], values)
        assert len(values) == 3 and len(calls) > 14

    def test_a_permanent_outage_of_the_storage_is_an_error_and_loses_nothing(
        self, search, table, monkeypatch
    ):
        fit(search.set_params(n_trials=2), table)
        monkeypatch.setattr(storages, "MAX_WAIT", 0.1)
        with monkeypatch.context() as patch:
            write, calls = RepairingJournalBackend.append_logs, []

            def full(self, logs):
                calls.append(logs)
                if len(calls) > 9:
                    raise OSError(errno.ENOSPC, "No space left on device")
                write(self, logs)

            patch.setattr(RepairingJournalBackend, "append_logs", full)
            with pytest.warns(UserWarning), pytest.raises(OSError, match="No space left"):
                fit(search.set_params(n_trials=4), table)
        fit(search, table)
        assert len(search.cv_results_["params"]) == 4


def test_an_incomplete_record_is_dropped_from_a_journal(tmp_path):
    path = str(tmp_path / "journal")
    whole = [{"op_code": 0, "a": 1}, {"op_code": 1, "b": "x" * 9000}]
    RepairingJournalBackend(path).append_logs(whole)
    with open(path, "ab") as file:
        file.write(b'{"c": "' + b"y" * 5000)  # a process is killed while it writes
    journal = RepairingJournalBackend(path)
    with open(path, "ab") as file:
        file.write(b'{"d"')  # another one
    journal.append_logs([{"op_code": 2}])
    assert list(RepairingJournalBackend(path).read_logs(0)) == [*whole, {"op_code": 2}]


@pytest.mark.parametrize("incomplete", [b"", b'{"op_', b'{"op_code":0,"wor'])
def test_a_journal_may_begin_with_an_incomplete_record(incomplete, tmp_path):
    path = tmp_path / "journal"
    path.write_bytes(incomplete)
    RepairingJournalBackend(str(path)).append_logs([{"op_code": 2}])
    assert path.read_bytes() == b'{"op_code":2}\n'


@pytest.mark.parametrize("content", [b'{"a": 1}', b"SQLite format 3\0" + bytes(range(256)), b"x"])
def test_other_files_are_refused_and_left_unchanged(content, table, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    X, y, groups = table
    with pytest.raises(ValueError, match=r"not an Optuna journal.*sqlite:///"):
        linear(storage=path).fit(X, y, groups=groups)
    assert path.read_bytes() == content


def test_a_full_disk_leaves_a_journal_as_it_was(tmp_path, monkeypatch):
    path = str(tmp_path / "journal")
    journal = RepairingJournalBackend(path)
    journal.append_logs([{"op_code": 1}])

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            journal.append_logs([{"op_code": 2}])
    assert list(RepairingJournalBackend(path).read_logs(0)) == [{"op_code": 1}]


def linear(**options):
    space = {"C": FloatDistribution(0.01, 1.0)}
    options = {"n_trials": 1, "cv": GroupKFold(3), "random_state": 0} | options
    return OptunaSearchCV(LogisticRegression(), space, **options)


@pytest.mark.parametrize(
    ("differs", "message"),
    [
        ("X", "X, y, groups or the files"),
        ("y", "X, y, groups or the files"),
        ("groups", "X, y, groups or the files; in the folds"),
        ("folds", "the folds"),
        ("scoring", "the scoring"),
        ("estimator", "the estimator"),
        ("steps", "prune_by_epoch"),
    ],
)
def test_a_study_refuses_other_data_and_settings(table, tmp_path, differs, message):
    X, y, groups = table
    search = linear(storage=tmp_path / "journal", study_name="mine").fit(X, y, groups=groups)
    if differs == "X":
        X = X + 1e-9
    elif differs == "y":
        y = y[::-1]
    elif differs == "groups":
        groups = np.roll(groups, 1)
    else:
        change = {
            "folds": {"cv": GroupKFold(2)},
            "scoring": {"scoring": "f1"},
            "estimator": {"estimator__max_iter": 200},
            "steps": {"prune_by_epoch": True},
        }
        search.set_params(**change[differs])
    with pytest.raises(ValueError, match=message):
        search.set_params(n_trials=2).fit(X, y, groups=groups)


def test_a_given_study_is_bound_to_its_search_and_clones_do_not_write_to_it(table):
    X, y, groups = table
    study = optuna.create_study(direction="maximize")
    search = linear(study=study).fit(X, y, groups=groups)
    assert search.study_ is study and len(study.trials) == 1
    clone(search).set_params(n_trials=3).fit(X, y, groups=groups)
    assert len(study.trials) == 1
    with pytest.raises(ValueError, match="another search"):
        search.fit(X + 1, y, groups=groups)
    search.set_params(n_trials=3).fit(X, y, groups=groups)
    assert len(study.trials) == 3


def test_each_outer_fold_has_its_own_study(table, tmp_path):
    X, y, speakers = table
    path = tmp_path / "journal"
    for _ in range(2):
        search = linear(storage=path, cv=LeaveOneGroupOut(), n_trials=2, study_name="mine-{data}")
        cross_validate_by_speaker(search, X, y, speakers)
    summaries = optuna.get_all_study_summaries(storages.open_storage(path))
    assert len(summaries) == 3 and {s.n_trials for s in summaries} == {2}
    assert all(s.study_name.startswith("mine-") for s in summaries)


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_the_heartbeat_of_an_optuna_storage_is_recorded(table, tmp_path, monkeypatch):
    monkeypatch.setattr(owners, "HEARTBEAT_INTERVAL", 0.02)
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/search.db", heartbeat_interval=60)
    study = linear(storage=storage).fit(table[0], table[1], groups=table[2]).study_
    beats = []
    record = type(study._storage).record_heartbeat
    monkeypatch.setattr(
        type(study._storage),
        "record_heartbeat",
        lambda self, trial_id: (beats.append(trial_id), record(self, trial_id)),
    )
    with ledgers.TrialLedger(study, 2) as ledger:
        trial = ledger.begin(as_space({"C": FloatDistribution(0.01, 1.0)})).trial
        wait_for(lambda: trial._trial_id in beats)
        ledger.tell(trial, TrialState.COMPLETE, 0.0)


def test_a_study_is_bound_to_weights_values_of_choices_and_files(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 2)), np.arange(12) % 2
    storage = str(tmp_path / "journal")

    def search(choice, **params):
        space = {"scale": {"x": choice}}
        model = Pipeline([("scale", "passthrough"), ("model", LogisticRegression())])
        options = {"storage": storage, "study_name": "one", "n_trials": 1, "cv": 2}
        return OptunaSearchCV(model, space, **options).fit(X, y, **params)

    weights = np.ones(12)
    search("passthrough", model__sample_weight=weights)
    search("passthrough", model__sample_weight=weights)
    with pytest.raises(ValueError, match="it differs in the arguments of fit"):
        search("passthrough", model__sample_weight=2 * weights)
    with pytest.raises(ValueError, match="it differs in the values behind the labels of choices"):
        search(StandardScaler(), model__sample_weight=weights)

    paths = [tmp_path / f"{i}.wav" for i in range(2)]
    descriptions = []
    for samples in (np.zeros(80), np.zeros(90), np.ones(90) / 2):
        for path in paths:
            soundfile.write(path, samples, 8000)
        arguments = [str(path) for path in paths], y[:2], None, [], "accuracy", [], {}, False
        descriptions.append(studies.describe(LogisticRegression(), *arguments))
    for one, other in pairwise(descriptions):
        assert [key for key in one if one[key] != other[key]] == ["data"]


def exponential_space(base):
    return lambda trial: {"C": base ** trial.suggest_float("exponent", -1, 1)}


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            {"C": FloatDistribution(0.1, 1), "l1_ratio": FloatDistribution(0, 0)},
            {"C": FloatDistribution(0.1, 1)},
            "it has 'l1_ratio', which param_distributions no longer contains",
        ),
        (
            {"C": FloatDistribution(0.1, 1)},
            {"C": FloatDistribution(0.1, 1), "l1_ratio": FloatDistribution(0, 0)},
            "'l1_ratio' is not found",
        ),
        ({"C": FloatDistribution(0.1, 1)}, {"C": FloatDistribution(2, 3)}, "is outside"),
        (exponential_space(10.0), exponential_space(2.0), "meant other parameters"),
    ],
)
@pytest.mark.filterwarnings("ignore:The value .* is out of the range")
def test_a_study_refuses_another_space_before_it_runs_a_trial(
    before, after, message, table, tmp_path
):
    X, y, groups = table
    search = linear(storage=tmp_path / "journal", n_trials=2, study_name="one")
    search.set_params(param_distributions=before).fit(X, y, groups=groups)
    n_bytes = (tmp_path / "journal").stat().st_size
    for n_trials in (2, 4):
        search.set_params(param_distributions=after, n_trials=n_trials)
        with pytest.raises(ValueError, match=message):
            search.fit(X, y, groups=groups)
    assert (tmp_path / "journal").stat().st_size < n_bytes + 500  # opening writes a few bytes
    search.set_params(param_distributions=before).fit(X, y, groups=groups)
    assert len(search.cv_results_["params"]) == 4


def test_ranges_may_be_widened(table, tmp_path):
    X, y, groups = table
    search = linear(storage=tmp_path / "journal", n_trials=2, study_name="one")
    search.fit(X, y, groups=groups)
    search.set_params(param_distributions={"C": FloatDistribution(0.001, 100)}, n_trials=3)
    assert len(search.fit(X, y, groups=groups).cv_results_["params"]) == 3


def broken_databases(folder):
    (folder / "text.db").write_text("no database " * 100)
    (folder / "empty").mkdir()
    return {
        f"sqlite:///{folder}/text.db": "damaged or not a database",
        f"sqlite:///{folder}/nowhere/search.db": "check that the folder exists",
        f"sqlite:///{folder}/empty": "check that the folder exists",
        str(folder / "nowhere" / "journal"): "No such file",
    }


@pytest.mark.parametrize("i", range(4))
def test_the_error_for_a_storage_that_cannot_be_opened_names_a_remedy(i, table, tmp_path):
    X, y, groups = table
    location, remedy = list(broken_databases(tmp_path).items())[i]
    began = time.monotonic()
    with pytest.raises(OSError, match=remedy) as caught:
        linear(storage=location).fit(X, y, groups=groups)
    assert repr(location) in str(caught.value)
    assert time.monotonic() - began < 5


def test_the_error_names_a_database_damaged_during_a_search_at_once(table, tmp_path):
    X, y, groups = table
    path = tmp_path / "search.db"

    def damage(study, trial):
        path.write_bytes(b"not a database" * 1000)

    search = linear(storage=f"sqlite:///{path}", n_trials=3, callbacks=[damage])
    began = time.monotonic()
    with pytest.raises(OSError, match="damaged or not a database") as caught:
        search.fit(X, y, groups=groups)
    assert f"sqlite:///{path}" in str(caught.value) and time.monotonic() - began < 20


def test_passwords_stay_out_of_messages(table):
    url = "postgresql+psycopg://user:secret@127.0.0.1:1/db"
    assert "secret" not in storages.name_of(url) and "user" in storages.name_of(url)


@pytest.mark.parametrize("storage", ["sqlite", "journal"], indirect=True)
def test_no_trial_of_a_dead_process_stays_running(search, table):
    study = fit(search.set_params(n_trials=1), table).study_
    begin_elsewhere(study, 2, machine=None)
    fit(search.set_params(n_trials=2), table)
    states = [trial.state for trial in search.study_.trials]
    assert states == [TrialState.COMPLETE, TrialState.FAIL, TrialState.COMPLETE]
    params = [trial.params for trial in search.study_.trials]
    assert params[1] == params[2]
