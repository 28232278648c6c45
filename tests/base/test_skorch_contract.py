"""An estimator that is a skorch net keeps skorch's word: every member and callback is decided."""

import inspect
import io
from unittest.mock import MagicMock

import numpy as np
import pytest
import skorch.callbacks
import torch
from skorch import NeuralNet, NeuralNetClassifier
from skorch import callbacks as cb
from skorch.dataset import Dataset
from skorch.helper import predefined_split
from skorch.utils import noop
from torch.utils.data import DataLoader

from sklearn_speech.base._parameters import SKORCH_PARAMETERS
from sklearn_speech.classification import SpectrogramCNNClassifier
from sklearn_speech.modules.spectrogram_cnn import SpectrogramCNNNet
from sklearn_speech.utils.sklearn_private import InvalidParameterError
from tests.base.toy import LABELS, quick, toy_spectrograms, weights

X, y, speakers = toy_spectrograms()
codes = np.searchsorted(LABELS, y)
VALID = {"X_val": X[:20], "y_val": codes[:20]}

# Members

VARIABLE = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)

#: Members of skorch's classifier that do what they do in skorch, each called by a fit or a
#: prediction where skorch calls it.
HOOKS = {
    "check_data", "check_is_fitted", "check_training_readiness", "evaluation_step", "fit_loop",
    "forward_iter", "get_all_learnable_params", "get_dataset", "get_default_callbacks",
    "get_iterator", "get_loss", "get_params_for", "get_params_for_optimizer",
    "get_split_datasets", "get_train_step_accumulator", "infer", "initialize",
    "initialize_callbacks", "initialize_criterion", "initialize_history", "initialize_module",
    "initialize_optimizer", "initialize_virtual_params", "notify", "on_batch_begin",
    "on_batch_end", "on_epoch_begin", "on_epoch_end", "on_grad_computed", "on_train_begin",
    "on_train_end", "run_single_epoch", "train_step", "train_step_single", "validation_step",
}  # fmt: skip

#: Members that a user calls; tested here or in the files of this folder.
CALLED = {
    "classes_", "fit", "forward", "get_metadata_routing", "get_params", "history",
    "load_params", "partial_fit", "predict", "predict_proba", "save_params", "score",
    "set_fit_request", "set_params", "set_partial_fit_request", "set_score_request",
    "trim_for_prediction",
}  # fmt: skip

#: Helpers of skorch itself, inherited as they are, and plain values.
INHERITED = {
    "cuda_dependent_attributes_", "init_context_", "initialized_instance", "prefixes_",
    "torch_compile",
}  # fmt: skip


def public(thing):
    return {name for name in dir(thing) if not name.startswith("_")}


def test_every_public_member_of_skorch_is_decided():
    decided = HOOKS | CALLED | INHERITED
    assert public(NeuralNetClassifier) - decided == set(), "new members of skorch: decide"
    assert decided - public(NeuralNetClassifier) == set(), "gone from skorch"


@pytest.mark.parametrize("name", sorted(HOOKS | CALLED))
def test_members_take_the_arguments_that_they_take_in_skorch(name):
    theirs, ours = (getattr(kind, name) for kind in (NeuralNetClassifier, SpectrogramCNNClassifier))
    if not callable(theirs):
        return
    ours = inspect.signature(ours).parameters
    if any(parameter.kind == parameter.VAR_KEYWORD for parameter in ours.values()):
        return
    named = [p for p in inspect.signature(theirs).parameters.values() if p.kind not in VARIABLE]
    assert [p.name for p in named if p.name not in ours and not p.name.startswith("_")] == []


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_overridden_in_a_subclass_is_called(name):
    calls = []

    def overridden(self, *args, **kwargs):
        calls.append(name)
        return getattr(super(kind, self), name)(*args, **kwargs)

    kind = type("Spied", (SpectrogramCNNClassifier,), {name: overridden})
    net = kind(n_layers=1, n_filters=4, max_epochs=1, callbacks=[cb.Callback()], random_state=0)
    net.fit(X, y, X_val=X, y_val=y).predict(X)
    assert calls


def test_an_overridden_loss_is_the_one_that_is_minimised():
    class Doubled(SpectrogramCNNClassifier):
        def get_loss(self, *args, **kwargs):
            return 2 * super().get_loss(*args, **kwargs)

    options = {
        "n_layers": 1, "n_filters": 4, "optimizer": "sgd", "lr_schedule": "constant",
        "weight_decay": 0.0, "max_epochs": 2, "random_state": 0,
    }  # fmt: skip
    doubled = Doubled(lr=0.01, **options).fit(X, y)
    plain = SpectrogramCNNClassifier(lr=0.02, **options).fit(X, y)
    np.testing.assert_allclose(weights(doubled), weights(plain), atol=1e-6)
    assert doubled.history[0, "train_loss"] == pytest.approx(2 * plain.history[0, "train_loss"])


def test_a_training_step_written_as_in_skorchs_documentation_works_on_ragged_and_weighted_clips():
    class Own(SpectrogramCNNClassifier):
        def train_step_single(self, batch, **fit_params):
            self._set_training(True)
            Xi, yi = batch
            y_pred = self.infer(Xi, **fit_params)
            loss = self.get_loss(y_pred, yi, X=Xi, training=True)
            loss.backward()
            return {"loss": loss, "y_pred": y_pred}

    clips = np.empty(48, dtype=object)
    clips[:] = [clip[:, : 4 + i % 6] for i, clip in enumerate(X)]
    options = {"n_layers": 1, "n_filters": 4, "max_epochs": 2, "random_state": 0}
    weight = np.linspace(0.5, 2, 48)
    own, ours = (
        kind(**options).fit(clips, y, sample_weight=weight)
        for kind in (Own, SpectrogramCNNClassifier)
    )
    assert np.array_equal(weights(own), weights(ours))


def test_steps_and_loops_may_be_called_directly():
    net = quick(max_epochs=0).fit(X, codes)
    batch = (torch.from_numpy(X[:16]), torch.from_numpy(codes[:16]))
    loss = net.validation_step(batch)["loss"].item()
    stepped = net.train_step(batch)
    assert stepped["y_pred"].shape == (16, 3)
    assert net.validation_step(batch)["loss"].item() < loss
    assert torch.equal(net.evaluation_step(batch), net.forward(X[:16]))
    net.history.new_epoch()
    net.run_single_epoch(
        net.get_iterator(net.get_dataset(X, codes)), training=True, prefix="train",
        step_fn=net.train_step,
    )  # fmt: skip
    assert net.history[-1, "train_batch_count"] == 3
    net.fit_loop(X, codes, epochs=2)
    assert len(net.history) == 3


def test_a_net_trimmed_for_prediction_predicts_and_trains_no_more():
    net = quick().fit(X, y)
    before = net.predict_proba(X)
    net.trim_for_prediction()
    assert np.array_equal(net.predict_proba(X), before)
    for train in (net.fit, net.partial_fit):
        with pytest.raises(skorch.exceptions.SkorchTrainingImpossibleError):
            train(X, y)


def test_datasets_of_skorch_are_taken_as_by_skorch():
    net = quick().fit(Dataset(X, y), None)
    assert np.array_equal(weights(net), weights(quick().fit(X, y)))
    assert np.array_equal(net.predict(Dataset(X, y)), net.predict(X))

    class Nameless(torch.utils.data.Dataset):
        def __len__(self):
            return 3

    with pytest.raises(TypeError, match="Nameless without the attributes X and y"):
        quick().fit(Nameless(), None)


# Parameters


def parameters(kind):
    signature = inspect.signature(kind.__init__).parameters.values()
    return {p.name for p in signature if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)} - {"self"}


def test_every_parameter_of_skorch_is_taken_or_refused_by_name():
    theirs = parameters(NeuralNet) | parameters(NeuralNetClassifier)
    ours = parameters(SpectrogramCNNClassifier)
    assert theirs - ours == set(SKORCH_PARAMETERS)
    for name, instead in SKORCH_PARAMETERS.items():
        with pytest.raises(TypeError) as caught:
            quick(**{name: None})
        assert name in str(caught.value) and instead in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("n_layer", "n_layers"), ("lr_scheduler", "lr_schedule"), ("front_end", "frontend")],
)
def test_a_misspelt_parameter_is_an_error_at_once_that_names_the_nearest(wrong, right):
    with pytest.raises(TypeError, match=f"{wrong!r}; did you mean '{right}'"):
        SpectrogramCNNClassifier(**{wrong: 3})


# Callbacks


def nets(callbacks, **options):
    """A net of this library and a stock one, the same module, weights and data."""
    settings = {"optimizer": "sgd", "lr": 0.05, "batch_size": 16, "max_epochs": 5, **options}
    net = quick(
        **settings, weight_decay=0.0, lr_schedule="constant", iterator_train__shuffle=False,
        callbacks=callbacks(), device="auto",
    )  # fmt: skip
    start = quick(**{**settings, "max_epochs": 0}).fit(X, codes)
    sizes = {f"module__{k}": v for k, v in start.get_params_for("module").items()}
    stock = NeuralNetClassifier(
        SpectrogramCNNNet,
        **sizes,
        criterion=torch.nn.CrossEntropyLoss,
        **{**settings, "optimizer": torch.optim.SGD},
        train_split=predefined_split(Dataset(X[:20], codes[:20].astype(np.int64))),
        callbacks=callbacks(),
        callbacks__print_log=None,
        verbose=0,
    )
    stock.initialize()
    stock.module_.load_state_dict(start.module_.state_dict())
    return net, stock


class Recorder(cb.Callback):
    """Notes in which order it is called, and with what."""

    def __init__(self):
        self.calls_ = []

    def initialize(self):
        self.calls_ = []
        return self

    def note(self, name, **kwargs):
        self.calls_.append((name, sorted(kwargs)))

    def on_train_begin(self, net, **kwargs):
        self.note("on_train_begin", **kwargs)

    def on_train_end(self, net, **kwargs):
        self.note("on_train_end", **kwargs)

    def on_epoch_begin(self, net, **kwargs):
        self.note("on_epoch_begin", **kwargs)

    def on_epoch_end(self, net, **kwargs):
        self.note("on_epoch_end", **kwargs)

    def on_batch_begin(self, net, **kwargs):
        self.note("on_batch_begin", **kwargs)

    def on_batch_end(self, net, **kwargs):
        self.note("on_batch_end", **kwargs)

    def on_grad_computed(self, net, **kwargs):
        self.note("on_grad_computed", **kwargs)


def scale(module_parameter):
    module_parameter.data.mul_(0.5)


def mocked(kind, **options):
    return kind(MagicMock(), **options)


#: For each callback of skorch, lists of it to be compared with a stock net; or a reason.
CALLBACKS = {
    "BatchScoring": [
        lambda: [cb.BatchScoring("accuracy", name="score", lower_is_better=False)],
        lambda: [cb.BatchScoring("accuracy", name="score", on_train=True)],
        lambda: [cb.BatchScoring("neg_log_loss", name="score", use_caching=False)],
    ],
    "Callback": [lambda: [cb.Callback()]],
    "Checkpoint": [
        lambda: [cb.Checkpoint(monitor="valid_acc_best", load_best=True, dirname="kept")],
        lambda: [cb.Checkpoint(monitor="valid_loss_best", load_best=True, dirname="kept")],
    ],
    "EarlyStopping": [
        lambda: [cb.EarlyStopping(patience=1, threshold=10.0, sink=noop)],
        lambda: [
            cb.EarlyStopping(
                monitor="valid_acc", lower_is_better=False, patience=1, load_best=True, sink=noop
            )
        ],
    ],
    "EpochScoring": [
        lambda: [cb.EpochScoring("accuracy", name="score", lower_is_better=False)],
        lambda: [cb.EpochScoring("neg_log_loss", name="score", use_caching=False)],
        lambda: [cb.EpochScoring("accuracy", name="score", on_train=True)],
        lambda: [cb.EpochScoring(None, name="score", lower_is_better=False)],
    ],
    "EpochTimer": [lambda: [("timer", cb.EpochTimer())]],
    "Freezer": [lambda: [cb.Freezer("stages.*")]],
    "GradientNormClipping": [lambda: [cb.GradientNormClipping(0.05)]],
    "Initializer": [lambda: [cb.Initializer("dense.*", fn=scale)]],
    "InputShapeSetter": "sizes are learned from the data",
    "LRScheduler": [
        lambda: [cb.LRScheduler("StepLR", step_size=2, gamma=0.1)],
        lambda: [cb.LRScheduler("WarmRestartLR", max_lr=0.05)],
        lambda: [cb.LRScheduler("CosineAnnealingLR", T_max=15, step_every="batch")],
        lambda: [cb.LRScheduler("ReduceLROnPlateau", monitor="valid_loss", patience=0)],
    ],
    "LoadInitState": "tested below",
    "MlflowLogger": [lambda: [mocked(cb.MlflowLogger, client=MagicMock())]],
    "NeptuneLogger": "takes no net apart from its attributes; neptune is not installed",
    "ParamMapper": [lambda: [cb.ParamMapper("dense.*", fn=scale, at=2)]],
    "PassthroughScoring": [lambda: [("again", cb.PassthroughScoring("valid_loss"))]],
    "PrintLog": [lambda: [("log", cb.PrintLog(sink=noop))]],
    "ProgressBar": [lambda: [cb.ProgressBar(detect_notebook=False)]],
    "SacredLogger": [lambda: [mocked(cb.SacredLogger)]],
    "TensorBoard": [lambda: [mocked(cb.TensorBoard)]],
    "TrainEndCheckpoint": [lambda: [cb.TrainEndCheckpoint(dirname="kept")]],
    "Unfreezer": [lambda: [cb.Freezer("stages.*"), cb.Unfreezer("stages.*", at=3)]],
    "WandbLogger": [lambda: [mocked(cb.WandbLogger, save_model=False)]],
    "WarmRestartLR": "a policy of LRScheduler, no callback",
}


def test_every_callback_of_skorch_is_decided():
    assert set(CALLBACKS) == set(skorch.callbacks.__all__)


CASES = [
    pytest.param(make, id=f"{name}-{i}")
    for name, cases in CALLBACKS.items()
    if not isinstance(cases, str)
    for i, make in enumerate([*cases, lambda: [Recorder()]] if name == "Callback" else cases)
]


@pytest.mark.parametrize("make", CASES)
def test_callbacks_record_and_do_what_they_do_beside_a_stock_net(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    net, stock = nets(make)
    net.fit(X, codes, **VALID)
    stock.partial_fit(X, codes.astype(np.int64))
    assert len(net.history) == len(stock.history)
    for ours, theirs in zip(net.history, stock.history):
        for name in theirs.keys() - {"dur", "batches"}:
            assert ours[name] == pytest.approx(theirs[name], abs=1e-4), name
        for one, other in zip(ours["batches"], theirs["batches"]):
            assert one == pytest.approx(other, abs=1e-4)
    np.testing.assert_allclose(weights(net), weights(stock), atol=1e-5)
    for (_, ours), (_, theirs) in zip(net.callbacks_[-1:], stock.callbacks_[-1:]):
        if isinstance(ours, Recorder):
            assert ours.calls_ == theirs.calls_


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_a_checkpoint_is_the_start_of_another_fit(tmp_path, device):
    checkpoint = cb.Checkpoint(dirname=tmp_path, monitor=None)
    first = quick(callbacks=[checkpoint], device=device).fit(X, y)
    start = cb.LoadInitState(checkpoint)
    second = quick(callbacks=[start], device=device, random_state=1, max_epochs=0).fit(X, y)
    assert np.array_equal(weights(second), weights(first))
    assert len(second.history) == len(first.history)


@pytest.mark.parametrize("device", ["auto", "cpu", torch.device("cpu")])
def test_weights_are_loaded_whatever_the_device_is_called(device):
    file = io.BytesIO()
    net = quick(device=device).fit(X, y)
    net.save_params(f_params=file)
    file.seek(0)
    other = quick(device=device, random_state=1).fit(X, y)
    other.load_params(f_params=file)
    assert np.array_equal(weights(other), weights(net))
    assert other.device == device


def test_a_scheduler_of_skorch_beside_a_schedule_of_the_net_is_refused():
    for schedule in ("one_cycle", "cosine", "swa"):
        with pytest.raises(
            InvalidParameterError, match=r"LRScheduler .*set lr_schedule='constant'"
        ):
            quick(callbacks=[cb.LRScheduler("StepLR", step_size=1)], lr_schedule=schedule).fit(X, y)


def test_a_callback_that_sets_sizes_is_refused():
    with pytest.raises(InvalidParameterError, match="InputShapeSetter sets the sizes"):
        quick(callbacks=[cb.InputShapeSetter()]).fit(X, y)


@pytest.mark.parametrize("labels", [[10, 20, 30], ["no", "up", "yes"], [0.0, 1.0, 5.0]])
@pytest.mark.parametrize("iterator", [None, DataLoader])
def test_scores_of_callbacks_compare_labels_with_labels(labels, iterator):
    given = np.array(labels)[codes]
    options = {} if iterator is None else {"iterator_train": iterator, "iterator_valid": iterator}
    callbacks = [
        cb.BatchScoring("accuracy", name="of_batches", lower_is_better=False),
        cb.EpochScoring("accuracy", name="of_epochs", lower_is_better=False),
        cb.EpochScoring("accuracy", name="uncached", lower_is_better=False, use_caching=False),
    ]
    net = quick(callbacks=callbacks, **options).fit(X, given, X_val=X[:20], y_val=given[:20])
    expected = net.score(X[:20], given[:20])
    for name in ("of_batches", "of_epochs", "uncached", "valid_acc"):
        assert net.history[-1, name] == pytest.approx(expected), name
    assert net.history[-1, "valid_acc_best"] in (True, False)


@pytest.mark.parametrize("ragged", [False, True])
def test_weights_weigh_whatever_iterator_is_set(ragged):
    clips = X
    if ragged:
        clips = np.empty(48, dtype=object)
        clips[:] = [clip[:, : 4 + i % 6] for i, clip in enumerate(X)]
    options = {
        "class_weight": {"no": 5.0}, "iterator_train__shuffle": False, "batch_size": 48,
        "optimizer": "sgd",
    }  # fmt: skip
    weight = np.linspace(0.5, 2, 48)
    ours = quick(**options).fit(clips, y, sample_weight=weight)
    stock = quick(iterator_train=DataLoader, **options).fit(clips, y, sample_weight=weight)
    np.testing.assert_allclose(weights(ours), weights(stock), atol=1e-6)
    unweighted = quick(**{**options, "class_weight": None}).fit(clips, y)
    assert not np.allclose(weights(ours), weights(unweighted), atol=1e-4)
