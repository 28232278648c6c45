"""The training engine: seeds, losses by hand, early stopping, and steps that train nothing."""

import signal
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from skorch.callbacks import Callback

from sklearn_speech import TrainableFrontEnd
from sklearn_speech.feature_extraction import MelSpectrogram, SpectrogramScaler
from sklearn_speech.utils.validation import make_ragged
from tests.base.toy import LABELS, Spy, numbered, quick, toy_spectrograms, weights

X, y, speakers = toy_spectrograms()
codes = torch.from_numpy(np.searchsorted(LABELS, y))

#: One plain step of gradient descent on all clips at once, to be repeated by hand.
ONE_STEP = {
    "optimizer": "sgd", "lr": 0.1, "lr_schedule": "constant", "weight_decay": 0.0,
    "batch_size": -1, "max_epochs": 1,
}  # fmt: skip


def untrained(net):
    """The same net before its first step, in training mode."""
    return clone(net).set_params(max_epochs=0).fit(X, y).module_.train()


def after_one_step(net, loss):
    """Weights after a step of gradient descent on ``loss(logits, module)``."""
    module = untrained(net)
    loss(module(torch.from_numpy(X)), module).backward()
    moved = [p.detach() - net.lr * p.grad for p in module.parameters()]
    return torch.cat([p.ravel() for p in moved]).numpy()


def rng_states():
    return torch.get_rng_state(), np.random.get_state()  # noqa: NPY002


def same_states(a, b):
    return torch.equal(a[0], b[0]) and all(np.array_equal(x, z) for x, z in zip(a[1], b[1]))


# Seeds


def test_the_seed_decides_weights_and_predictions():
    first, again, other = (quick(random_state=seed, dropout=0.3).fit(X, y) for seed in (0, 0, 1))
    assert np.array_equal(weights(first), weights(again))
    assert np.array_equal(first.predict_proba(X), again.predict_proba(X))
    assert not np.allclose(weights(first), weights(other))


def test_a_generator_as_seed_moves_on_from_fit_to_fit():
    net = quick(random_state=np.random.RandomState(0))
    assert not np.allclose(weights(net.fit(X, y)), weights(clone(net).fit(X, y)))


def test_fit_and_predict_leave_the_global_generators_alone():
    before = rng_states()
    net = quick(dropout=0.3, early_stopping=True).fit(X, y, groups=speakers)
    assert same_states(rng_states(), before)
    net.predict_proba(X)
    net.partial_fit(X, y)
    assert same_states(rng_states(), before)


def test_without_a_seed_the_one_of_numpy_is_drawn_from():
    def trained(seed):
        np.random.seed(seed)  # noqa: NPY002
        return weights(quick(random_state=None).fit(X, y))

    assert np.array_equal(trained(3), trained(3))
    assert not np.allclose(trained(3), trained(4))


# The loss, by hand


def test_one_step_is_that_of_a_hand_written_loop():
    net = quick(**ONE_STEP)
    expected = after_one_step(net, lambda logits, _: F.cross_entropy(logits, codes))
    np.testing.assert_allclose(weights(net.fit(X, y)), expected, atol=1e-6)
    assert net.history_[0, "train_loss"] == pytest.approx(
        F.cross_entropy(untrained(net)(torch.from_numpy(X)), codes).item()
    )


@pytest.mark.parametrize(
    ("class_weight", "of_classes"),
    [({"no": 5.0}, [5.0, 1.0, 1.0]), ({"no": 2, "up": 0.5, "yes": 0}, [2.0, 0.5, 0.0])],
    ids=["one", "all"],
)
def test_class_weight_weighs_the_loss(class_weight, of_classes):
    net = quick(**ONE_STEP, class_weight=class_weight, batch_norm=False, input_norm=None)
    expected = after_one_step(
        net.set_params(class_weight=None),
        lambda logits, _: F.cross_entropy(logits, codes, weight=torch.tensor(of_classes)),
    )
    net.set_params(class_weight=class_weight).fit(X, y)
    np.testing.assert_allclose(weights(net), expected, atol=1e-6)


def test_balanced_classes_weigh_alike_together():
    some = np.r_[0:48:3, 1:12:3, 2:6:3]  # 16 no, 4 up, 2 yes
    net = quick(**ONE_STEP, class_weight="balanced").fit(X[some], y[some])
    by_hand = quick(**ONE_STEP, class_weight={"no": 1 / 16, "up": 1 / 4, "yes": 1 / 2})
    np.testing.assert_allclose(weights(net), weights(by_hand.fit(X[some], y[some])), atol=1e-6)


def test_sample_weight_weighs_the_loss():
    weight = np.random.default_rng(0).uniform(0.5, 3, len(X))
    net = quick(**ONE_STEP).fit(X, y, sample_weight=weight)

    def loss(logits, _):
        each = F.cross_entropy(logits, codes, reduction="none")
        return (each * torch.from_numpy(weight).float()).sum() / weight.sum()

    np.testing.assert_allclose(weights(net), after_one_step(net, loss), atol=1e-6)


def test_both_weights_multiply():
    weight = np.random.default_rng(0).uniform(0.5, 3, len(X))
    net = quick(**ONE_STEP, class_weight={"no": 5}).fit(X, y, sample_weight=weight)
    joint = quick(**ONE_STEP).fit(X, y, sample_weight=weight * np.where(y == "no", 5, 1))
    np.testing.assert_allclose(weights(net), weights(joint), atol=1e-6)


def test_weights_are_relative():
    fits = [quick().fit(X, y, sample_weight=w) for w in (None, np.ones(48), np.full(48, 7.0), 2)]
    for net in fits[1:]:
        np.testing.assert_allclose(weights(net), weights(fits[0]), atol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"optimizer": "sgd"}, {"gradient_clip": 0.1}])
def test_clips_of_weight_zero_have_no_influence(settings):
    weight = np.ones(48)
    weight[::5] = 0
    broken = X.copy()
    broken[::5] *= 1e3
    net = quick(**settings).fit(broken, y, sample_weight=weight)
    without = quick(**settings).fit(X[weight > 0], y[weight > 0])
    np.testing.assert_allclose(weights(net), weights(without), atol=1e-5)


def test_clips_of_weight_zero_do_not_decide_when_to_stop():
    weight = np.ones(48)
    weight[::5] = 0
    spy = Spy()
    net = quick(early_stopping=True, validation_fraction=0.3, callbacks=[spy])
    net.fit(numbered(X), y, groups=speakers, sample_weight=weight)
    assert all(weight[spy.valid] > 0) and all(weight[spy.train] > 0)
    assert len(spy.valid) + len(spy.train) == np.count_nonzero(weight)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(48), "all values of sample_weight are zero"),
        (-np.ones(48), "sample_weight has negative values"),
        (np.full(48, np.nan), "sample_weight has .*NaN"),
        (np.ones(47), r"sample_weight has shape \(47,\); expected \(48,\)"),
    ],
)
def test_impossible_weights_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        quick().fit(X, y, sample_weight=weight)


def test_a_class_weight_of_no_class_is_refused():
    with pytest.raises(ValueError, match=r"class_weight names \['maybe'\]"):
        quick(class_weight={"maybe": 2}).fit(X, y)


def test_label_smoothing_is_that_of_torch():
    net = quick(**ONE_STEP, label_smoothing=0.3)
    expected = after_one_step(
        net, lambda logits, _: F.cross_entropy(logits, codes, label_smoothing=0.3)
    )
    np.testing.assert_allclose(weights(net.fit(X, y)), expected, atol=1e-6)


@pytest.mark.parametrize("penalty", [{"l1": 0.02}, {"l2": 0.05}, {"l1": 0.01, "l2": 0.03}])
def test_penalties_are_on_weights_but_not_on_biases_or_normalisation(penalty):
    net = quick(**ONE_STEP, **penalty)

    def loss(logits, module):
        matrices = [p for n, p in module.named_parameters() if n.endswith("weight") and p.dim() > 1]
        assert len(matrices) == 2
        return F.cross_entropy(logits, codes) + sum(
            penalty.get("l1", 0) * m.abs().sum() + penalty.get("l2", 0) * (m * m).sum()
            for m in matrices
        )

    np.testing.assert_allclose(weights(net.fit(X, y)), after_one_step(net, loss), atol=1e-6)


def test_gradient_clipping_bounds_the_step():
    net = quick(**ONE_STEP, gradient_clip=0.01).fit(X, y)
    start = torch.cat([p.detach().ravel() for p in untrained(net).parameters()]).numpy()
    assert np.linalg.norm(weights(net) - start) == pytest.approx(0.1 * 0.01, rel=1e-3)


# Learning rates and optimisers


def rates_of(**parameters):
    """Learning rates of each step of a fit of 10 epochs of 3 steps."""
    seen = []

    class Watch(Callback):
        def on_batch_end(self, net, training=None, **kwargs):
            seen.append([group["lr"] for group in net.optimizer_.param_groups])

    net = quick(max_epochs=10, callbacks=[Watch()], **parameters).fit(X, y)
    assert net.optimizer_.param_groups[0]["lr"] == net.lr  # for partial_fit to go on with
    return np.array(seen)[:, 0]


def rates_of_torch(schedule, n_steps, **options):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.03)
    schedule = schedule(optimizer, **options)
    rates = []
    for _ in range(n_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


def test_cosine_is_that_of_torch():
    expected = rates_of_torch(torch.optim.lr_scheduler.CosineAnnealingLR, 30, T_max=30)
    np.testing.assert_allclose(rates_of(lr_schedule="cosine"), expected, atol=1e-12)


def test_one_cycle_is_that_of_torch():
    # torch rises until step pct_start * total_steps - 1, and ends on step total_steps - 1
    expected = rates_of_torch(
        torch.optim.lr_scheduler.OneCycleLR, 30,
        max_lr=0.03, total_steps=31, pct_start=10 / 31, div_factor=25, final_div_factor=400,
        cycle_momentum=False,
    )  # fmt: skip
    np.testing.assert_allclose(rates_of(lr_schedule="one_cycle"), expected, atol=1e-12)


def test_a_constant_rate_is_constant():
    assert set(rates_of(lr_schedule="constant")) == {0.03}


def test_the_rate_of_averaging_rises_as_in_one_cycle_and_stays():
    rates = rates_of(lr_schedule="swa")
    np.testing.assert_array_equal(rates[:10], rates_of(lr_schedule="one_cycle")[:10])
    assert set(rates[10:]) == {0.03}


@pytest.mark.parametrize(
    "inside",
    [{}, {"frontend": TrainableFrontEnd(MelSpectrogram(n_mels=6, n_fft=64), train="both")}],
)
@pytest.mark.parametrize("broken_off_after", [None, 11, 3])
def test_averaging_ends_with_the_mean_of_the_second_half(inside, broken_off_after):
    seen = []

    class Watch(Callback):
        def on_batch_end(self, net, training=None, **kwargs):
            seen.append({k: v.double() for k, v in net.module_.state_dict().items()})
            if len(seen) == broken_off_after:
                raise KeyboardInterrupt

    clips = np.repeat(X.reshape(48, -1), 10, axis=1) if inside else X
    net = quick(max_epochs=6, lr_schedule="swa", callbacks=[Watch()], **inside)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.fit(clips, y)
    later = seen[9:] or seen[-1:]  # 18 steps; broken off before, nothing is averaged
    for name, value in net.module_.named_parameters():
        mean = torch.stack([state[name] for state in later]).mean(0)
        torch.testing.assert_close(value.double(), mean, rtol=1e-5, atol=1e-6, msg=name)
        if name.endswith("dense.0.weight"):
            assert not torch.equal(later[-1][name], seen[0][name])


@pytest.mark.parametrize("batch_size", [16, -1])
def test_batch_norm_is_measured_for_averaged_weights(batch_size):
    net = quick(lr_schedule="swa", input_norm="batch", max_epochs=8, batch_size=batch_size)
    net.fit(X, y)
    stage, x = net.module_.stages[0], torch.from_numpy(X)
    with torch.no_grad():
        maps = stage.conv(net.module_.input_norm(x)[:, None])
    for norm, values in ((net.module_.input_norm.norm, x), (stage.norm, maps)):
        seen = values.transpose(0, 1).flatten(1)
        torch.testing.assert_close(norm.running_mean, seen.mean(1), rtol=0.02, atol=0.02)
        torch.testing.assert_close(norm.running_var, seen.var(1), rtol=0.1, atol=0.02)
        assert norm.momentum == 0.1


def test_averaging_and_early_stopping_exclude_each_other():
    with pytest.raises(ValueError, match=r"lr_schedule='swa'.*early_stopping=True"):
        quick(lr_schedule="swa", early_stopping=True).fit(X, y, groups=speakers)


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        ("adamw", torch.optim.AdamW), ("adam", torch.optim.Adam), ("sgd", torch.optim.SGD),
        ("rmsprop", torch.optim.RMSprop), (torch.optim.Adagrad, torch.optim.Adagrad),
    ],
)  # fmt: skip
def test_optimisers_go_by_name_or_class(optimizer, expected):
    net = quick(optimizer=optimizer, max_epochs=8, weight_decay=0.004).fit(X, y)
    assert type(net.optimizer_) is expected
    assert net.optimizer_.param_groups[0]["weight_decay"] == 0.004
    assert net.history_[-1, "train_loss"] < net.history_[0, "train_loss"]


def test_an_optimiser_that_evaluates_the_loss_again_works():
    net = quick(optimizer=torch.optim.LBFGS, lr=0.5, lr_schedule="constant", batch_size=-1)
    assert net.fit(X, y).history_[-1, "train_loss"] < net.history_[0, "train_loss"]


def test_options_reach_the_optimiser():
    net = quick(optimizer="sgd", optimizer__momentum=0.7, optimizer__nesterov=True).fit(X, y)
    group = net.optimizer_.param_groups[0]
    assert (group["momentum"], group["nesterov"]) == (0.7, True)


def test_a_group_of_weights_may_have_its_own_rate():
    groups = [("dense.*", {"lr": 0.3})]
    net = quick(optimizer__param_groups=groups, lr_schedule="constant").fit(X, y)
    assert [group["lr"] for group in net.optimizer_.param_groups] == [0.3, 0.03]


# Early stopping and validation


def shuffled_labels(seed=1):
    return np.random.default_rng(seed).permutation(y)


def loss_of(net, X, y):
    positions = np.searchsorted(net.classes_, y)
    return -net.predict_log_proba(X)[np.arange(len(y)), positions].mean()


def test_the_best_weights_are_restored():
    net = quick(early_stopping=True, n_iter_no_change=3, max_epochs=40, lr_schedule="constant")
    net.fit(X, y, X_val=X[:20], y_val=shuffled_labels()[:20])
    losses = net.history_[:, "valid_loss"]
    assert len(losses) == net.best_epoch_ + 3 < 40
    assert net.best_epoch_ == np.argmin(losses) + 1
    assert loss_of(net, X[:20], shuffled_labels()[:20]) == pytest.approx(min(losses), abs=1e-5)
    assert losses[-1] > min(losses) + 1e-3


def test_without_early_stopping_validation_only_looks_on():
    net = quick().fit(X, y, X_val=X[:20], y_val=y[:20])
    assert np.array_equal(weights(net), weights(quick().fit(X, y)))
    assert net.history_[-1, "valid_loss"] == pytest.approx(loss_of(net, X[:20], y[:20]), abs=1e-5)
    assert net.history_[-1, "valid_acc"] == pytest.approx(net.score(X[:20], y[:20]))


def test_the_loss_of_clips_put_aside_is_weighted_like_that_of_the_others():
    weight = {LABELS[0]: 1.0, LABELS[1]: 5.0, LABELS[2]: 0.0}
    net = quick(class_weight=weight).fit(X, y, X_val=X[:20], y_val=y[:20])
    each = -net.predict_log_proba(X[:20])[range(20), np.searchsorted(net.classes_, y[:20])]
    expected = np.average(each, weights=[weight[label] for label in y[:20]])
    assert net.history_[-1, "valid_loss"] == pytest.approx(expected, abs=1e-5)
    assert abs(expected - each.mean()) > 1e-3


def test_a_validation_set_reaches_the_net_through_a_pipeline():
    with config_context(enable_metadata_routing=True):
        net = quick().set_fit_request(X_val=True, y_val=True)
        steps = [("scale", SpectrogramScaler()), ("net", net)]
        pipeline = Pipeline(steps, transform_input=["X_val"]).fit(
            X, y, X_val=5 + 9 * X[:20], y_val=y[:20]
        )
        net = pipeline[-1]
        transformed = pipeline[0].transform(5 + 9 * X[:20])
    expected = loss_of(net, transformed, y[:20])
    assert net.history_[-1, "valid_loss"] == pytest.approx(expected, abs=1e-5)


def test_validation_clips_need_labels_that_are_known():
    with pytest.raises(ValueError, match="X_val is given without y_val"):
        quick().fit(X, y, X_val=X)
    with pytest.raises(ValueError, match=r"labels \['maybe'\], which are not among"):
        quick().fit(X, y, X_val=X[:2], y_val=["no", "maybe"])
    with pytest.raises(ValueError, match="5 features"):
        quick().fit(X, y, X_val=X[:, :5], y_val=y)


# Steps that train nothing


def test_a_batch_larger_than_the_data_with_drop_last_is_an_error():
    with pytest.raises(ValueError, match=r"48 clips do not fill one batch of batch_size=100"):
        quick(batch_size=100, iterator_train__drop_last=True).fit(X, y)


@pytest.mark.parametrize("settings", [{"lr": 1e30, "optimizer": "sgd"}, {"l2": 1e39}])
def test_a_loss_that_is_no_number_is_an_error(settings):
    with pytest.raises(ValueError, match=r"training diverged.*lower lr="):
        quick(**settings, input_norm=None, batch_norm=False).fit(X, y)


class Interrupt(Callback):
    """Ctrl-C in an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_begin(self, net, training=None, **kwargs):
        if training and len(net.history_) == self.epoch:
            signal.raise_signal(signal.SIGINT)


def test_interrupted_training_keeps_its_weights():
    net = quick(max_epochs=9, callbacks=[Interrupt(4)], lr_schedule="constant")
    with pytest.warns(UserWarning, match="training interrupted in epoch"):
        net.fit(X, y)
    three = quick(max_epochs=3, lr_schedule="constant").fit(X, y)
    assert np.array_equal(weights(net), weights(three))
    assert np.array_equal(net.predict_proba(X), three.predict_proba(X))
    assert not net.module_.training
    assert net.history_[:, "train_loss"] == three.history_[:, "train_loss"]


def test_interrupted_training_goes_back_to_the_best_weights_and_the_whole_rate():
    valid = {"X_val": X[:20], "y_val": shuffled_labels()[:20]}
    net = quick(max_epochs=30, callbacks=[Interrupt(9)], early_stopping=True, n_iter_no_change=20)
    with pytest.warns(UserWarning, match="training interrupted in epoch"):
        net.fit(X, y, **valid)
    losses = net.history_[:, "valid_loss"]
    assert loss_of(net, X[:20], valid["y_val"]) == pytest.approx(min(losses), abs=1e-5)
    assert net.optimizer_.param_groups[0]["lr"] == net.lr


# Going on


def test_partial_fit_goes_on_at_a_constant_rate():
    net = quick(max_epochs=2)
    for _ in range(8):
        net.partial_fit(X, y)
    assert len(net.history_) == 16
    assert set(net.history_[:, "lr"]) == {0.03}
    assert net.history_[-1, "train_loss"] < 0.5 * net.history_[0, "train_loss"]
    assert net.score(X, y) > 0.9


def test_partial_fit_may_begin_without_all_classes():
    some = y != "up"
    net = quick(max_epochs=4).partial_fit(X[some], y[some], classes=LABELS)
    assert net.classes_.tolist() == LABELS.tolist()
    net.partial_fit(X, y)
    with pytest.raises(ValueError, match=r"labels \['maybe'\], which are not among the classes"):
        net.partial_fit(X[:2], ["no", "maybe"])
    with pytest.raises(ValueError, match="5 features"):
        net.partial_fit(X[:, :5], y)


def test_fit_forgets_and_partial_fit_after_it_does_not():
    net = quick().fit(X, y)
    start = weights(net)
    assert np.array_equal(weights(net.fit(X, y)), start)
    net.partial_fit(X, y)
    assert len(net.history_) == 6
    assert not np.array_equal(weights(net), start)
    assert len(net.fit(X, y).history_) == 3


def test_warm_start_goes_on():
    cold, warm = quick(max_epochs=2), quick(max_epochs=2, warm_start=True)
    for _ in range(6):
        cold.fit(X, y)
        warm.fit(X, y)
    assert len(cold.history_) == 2 and len(warm.history_) == 12
    assert loss_of(warm, X, y) < 0.7 * loss_of(cold, X, y)
    kept = weights(warm)
    warm.set_params(max_epochs=0).fit(X, y)
    assert np.array_equal(weights(warm), kept)


def test_a_new_rate_reaches_the_optimiser_that_partial_fit_goes_on_with():
    net = quick(optimizer="sgd").fit(X, y)
    net.set_params(lr=1e-12, optimizer__momentum=0.5)
    group = net.optimizer_.param_groups[0]
    assert (group["lr"], group["momentum"]) == (1e-12, 0.5)
    start = weights(net)
    np.testing.assert_allclose(weights(net.partial_fit(X, y)), start, atol=1e-8)


def test_partial_fit_puts_nothing_aside():
    net = quick(early_stopping=True, validation_fraction=0.3).partial_fit(X, y)
    assert np.array_equal(weights(net), weights(quick().partial_fit(X, y)))


# Progress


def test_history_holds_the_curves():
    net = quick().fit(X, y)
    columns = {"epoch", "train_loss", "train_loss_best", "lr", "dur"}
    assert columns <= set(net.history_[-1]) and "valid_loss" not in net.history_[-1]
    assert net.history_[:, "epoch"] == [1, 2, 3]
    net.fit(X, y, X_val=X, y_val=y)
    assert {"valid_loss", "valid_loss_best", "valid_acc"} <= set(net.history_[-1])
    assert net.history is net.history_


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_progress_goes_to_stderr_and_only_when_asked(capfd, verbose):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick(verbose=verbose).fit(X, y, X_val=X, y_val=y)
    out, err = capfd.readouterr()
    assert out == ""
    assert bool(err) == bool(verbose)
    if verbose:
        assert "loss" in err and "valid_acc" in err and "0/3" in err


@pytest.mark.parametrize("form", [np.asarray, make_ragged], ids=["array", "ragged"])
def test_locked_arrays_are_learned_from_as_others(form):
    X, y, _ = toy_spectrograms()
    X = np.array(X, dtype=np.float32)
    expected = quick().fit(form(X), y).predict_proba(form(X))
    X.setflags(write=False)
    np.testing.assert_array_equal(quick().fit(form(X), y).predict_proba(form(X)), expected)
