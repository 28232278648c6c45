import optuna
import pytest

from sklearn_speech.model_selection import FoldPruner


def study_of(direction, *reports):
    study = optuna.create_study(direction=direction, pruner=FoldPruner({1: 1 / 2, 2: 1 / 4}))
    trials = []
    for values in reports:
        trials.append(study.ask())
        for step, value in enumerate(values, start=1):
            trials[-1].report(value, step)
    return study, trials


def test_a_share_of_all_that_have_begun_goes_on():
    _, trials = study_of("maximize", [0.1], [0.4], [0.2], [0.3])
    assert [trial.should_prune() for trial in trials] == [True, False, True, False]


def test_behind_a_later_step_it_is_still_a_share_of_all_that_have_begun():
    _, trials = study_of("maximize", [0.1], [0.4, 0.3], [0.2], [0.3, 0.6])
    assert [trials[i].should_prune() for i in (1, 3)] == [True, False]


def test_where_the_best_is_the_least():
    _, trials = study_of("minimize", [0.1], [0.4], [0.2], [0.3])
    assert [trial.should_prune() for trial in trials] == [False, True, False, True]


def test_equals_go_on_together():
    _, trials = study_of("maximize", [0.5], [0.5], [0.5])
    assert not any(trial.should_prune() for trial in trials)


def test_a_trial_alone_goes_on_and_other_steps_are_never_judged():
    _, trials = study_of("maximize", [0.1, 0.1, 0.1], [0.9, 0.9, 0.9])
    assert not trials[0].should_prune()  # by its third step
    _, (trial,) = study_of("maximize", [0.1])
    assert not trial.should_prune()


def test_one_goes_on_where_the_first_step_was_never_reported():
    study = optuna.create_study(direction="maximize", pruner=FoldPruner({2: 1 / 2, 4: 1 / 4}))
    trials = [study.ask() for _ in range(4)]
    for trial, value in zip(trials, [0.1, 0.4, 0.2, 0.3]):
        trial.report(value, 4)  # a fold without a look inside
    assert [trial.should_prune() for trial in trials] == [True, False, True, True]


def test_trials_that_failed_do_not_count():
    study, trials = study_of("maximize", [0.1], [0.9], [0.9], [0.9])
    for trial in trials[1:]:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    assert not trials[0].should_prune()


@pytest.mark.parametrize("shares", [{0: 0.5}, {1: 0}, {1: 1.5}])
def test_shares_that_are_none(shares):
    with pytest.raises(ValueError, match="shares of FoldPruner must map steps"):
        FoldPruner(shares)
