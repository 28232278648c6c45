import optuna
import pytest

from sklearn_speech.model_selection import FoldPruner


def make_study(direction, *reports):
    study = optuna.create_study(direction=direction, pruner=FoldPruner({1: 1 / 2, 2: 1 / 4}))
    trials = []
    for values in reports:
        trials.append(study.ask())
        for step, value in enumerate(values, start=1):
            trials[-1].report(value, step)
    return study, trials


def test_a_share_of_all_started_trials_continues():
    _, trials = make_study("maximize", [0.1], [0.4], [0.2], [0.3])
    assert [trial.should_prune() for trial in trials] == [True, False, True, False]


def test_shares_at_later_steps_count_all_started_trials():
    _, trials = make_study("maximize", [0.1], [0.4, 0.3], [0.2], [0.3, 0.6])
    assert [trials[i].should_prune() for i in (1, 3)] == [True, False]


def test_minimisation_keeps_the_lowest_values():
    _, trials = make_study("minimize", [0.1], [0.4], [0.2], [0.3])
    assert [trial.should_prune() for trial in trials] == [False, True, False, True]


def test_tied_trials_all_continue():
    _, trials = make_study("maximize", [0.5], [0.5], [0.5])
    assert not any(trial.should_prune() for trial in trials)


def test_a_single_trial_is_never_pruned_nor_is_any_at_steps_without_a_share():
    _, trials = make_study("maximize", [0.1, 0.1, 0.1], [0.9, 0.9, 0.9])
    assert not trials[0].should_prune()  # the third step has no share
    _, (trial,) = make_study("maximize", [0.1])
    assert not trial.should_prune()


def test_the_best_trial_continues_when_the_first_step_was_not_reported():
    study = optuna.create_study(direction="maximize", pruner=FoldPruner({2: 1 / 2, 4: 1 / 4}))
    trials = [study.ask() for _ in range(4)]
    for trial, value in zip(trials, [0.1, 0.4, 0.2, 0.3]):
        trial.report(value, 4)  # a fold without reports of epochs
    assert [trial.should_prune() for trial in trials] == [True, False, True, True]


def test_failed_trials_do_not_count():
    study, trials = make_study("maximize", [0.1], [0.9], [0.9], [0.9])
    for trial in trials[1:]:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    assert not trials[0].should_prune()


@pytest.mark.parametrize("shares", [{0: 0.5}, {1: 0}, {1: 1.5}])
def test_invalid_shares_are_refused(shares):
    with pytest.raises(ValueError, match="shares of FoldPruner must map steps"):
        FoldPruner(shares)
