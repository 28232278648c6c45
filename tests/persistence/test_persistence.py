"""Files of estimators: what comes back, what is refused, and that nothing in them runs."""

import json
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import sklearn
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    LabelEncoder,
    OneHotEncoder,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.svm import SVC
from skorch.callbacks import (
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    GradientNormClipping,
    LRScheduler,
    TrainEndCheckpoint,
)

import sklearn_speech.classification
from sklearn_speech import TrainableFrontEnd
from sklearn_speech.augmentation import AddNoise, BackgroundNoise, SpecAugment
from sklearn_speech.base import BaseSpeechNet
from sklearn_speech.classification import SpectrogramCNNClassifier
from sklearn_speech.feature_extraction import (
    MFCC,
    MelSpectrogram,
    Spectrogram,
    SpectrogramScaler,
    SpeechEmbedding,
)
from sklearn_speech.persistence import load, save
from sklearn_speech.pretraining import ConvAutoencoder
from sklearn_speech.utils.validation import make_ragged
from tests.persistence.forging import an_object, forge, holding, read_header


class Holder(BaseEstimator):
    """An estimator that has one parameter."""

    def __init__(self, value=None):
        self.value = value


class Centre(TransformerMixin, BaseEstimator):
    """A transformer that this library does not know."""

    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0)
        return self

    def transform(self, X):
        return X - self.mean_


def minus(X):
    return -X


@pytest.fixture
def path(tmp_path):
    return tmp_path / "estimator.safetensors"


def numbers(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 4))
    return X, np.array(["no", "yes"])[(X[:, 0] + 0.3 * X[:, 1] > 0).astype(int)]


def spectrograms(n_clips=12, n_bands=6, n_frames=8):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n_clips, n_bands, n_frames)), np.resize(["no", "yes"], n_clips)


def small_net(**parameters):
    settings = {"n_layers": 1, "n_filters": 2, "max_epochs": 2, "random_state": 0}
    return SpectrogramCNNClassifier(**{**settings, **parameters})


def again(value, path):
    """`value`, saved as a parameter and loaded."""
    save(Holder(value), path, trusted=[Holder])
    return load(path, trusted=[Holder]).value


def same(a, b):
    assert type(a) is type(b)
    if isinstance(a, np.ndarray) and a.dtype == object:
        assert a.shape == b.shape
        for x, y in zip(a.flat, b.flat):
            same(x, y)
    elif isinstance(a, (np.ndarray, np.generic)):
        assert a.dtype == b.dtype and a.shape == b.shape
        assert a.tobytes() == b.tobytes()
    elif isinstance(a, dict):
        same(list(a.items()), list(b.items()))
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            same(x, y)
    elif isinstance(a, float):
        assert struct.pack("d", a) == struct.pack("d", b)
    elif isinstance(a, complex):
        same([a.real, a.imag], [b.real, b.imag])
    else:
        assert a == b


# What comes back


SKLEARN = [
    make_pipeline(StandardScaler(), PCA(2), SVC(random_state=0)),
    make_pipeline(SelectKBest(f_classif, k=2), LogisticRegression()),
    make_pipeline(FunctionTransformer(np.arctan), FeatureUnion([("a", PCA(2))]), GaussianNB()),
    make_pipeline(
        ColumnTransformer(
            [("a", StandardScaler(), [0]), ("b", "passthrough", slice(1, 3))], remainder=PCA(1)
        ),
        LinearDiscriminantAnalysis(),
    ),
    make_pipeline(QuantileTransformer(n_quantiles=9), KNeighborsClassifier(algorithm="brute")),
    CalibratedClassifierCV(SVC(), cv=2),
    CalibratedClassifierCV(GaussianNB(), cv=2, method="isotonic"),
    VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft"),
    StackingClassifier([("a", GaussianNB())], LogisticRegression(), cv=2),
    GridSearchCV(
        LogisticRegression(),
        [{"C": [0.1, 1.0]}, {"class_weight": ["balanced", None]}],
        cv=StratifiedKFold(2, shuffle=True, random_state=np.random.RandomState(1)),
        scoring=make_scorer(accuracy_score),
    ),
    OneVsRestClassifier(LogisticRegression()),
    MLPClassifier(3, max_iter=400, tol=1e-2, random_state=0),
    RidgeClassifierCV(),
]


@pytest.mark.parametrize("estimator", SKLEARN, ids=lambda e: type(e).__name__)
def test_scikit_learn_predicts_the_same_bits_after_loading(estimator, path):
    X, y = numbers()
    estimator = clone(estimator).fit(X, y)
    save(estimator, path)
    loaded = load(path)
    new = numbers(1)[0]
    for method in ("predict", "predict_proba", "decision_function"):
        if hasattr(estimator, method):
            assert getattr(estimator, method)(new).tobytes() == (
                getattr(loaded, method)(new).tobytes()
            )
    assert loaded.get_params(deep=False).keys() == estimator.get_params(deep=False).keys()
    assert type(clone(loaded)) is type(estimator)


def test_encoders_and_mixtures_come_back(path):
    X, y = numbers()
    for labels in (y, y.astype(object)):
        encoder = LabelEncoder().fit(labels)
        save(encoder, path)
        same(load(path).transform(y), encoder.transform(y))
        same(load(path).classes_, encoder.classes_)
    hot = OneHotEncoder(sparse_output=False).fit(y[:, None].astype(object))
    save(hot, path)
    same(load(path).transform(y[:3, None]), hot.transform(y[:3, None]))
    mixture = GaussianMixture(2, random_state=0).fit(X)
    save(mixture, path)
    same(load(path).score_samples(X), mixture.score_samples(X))


def test_a_loaded_search_keeps_its_results(path):
    X, y = numbers()
    search = GridSearchCV(
        LogisticRegression(), [{"C": [0.1, 1.0]}, {"class_weight": [None, "balanced"]}], cv=2
    ).fit(X, y)
    save(search, path)
    loaded = load(path)
    assert loaded.cv_results_.keys() == search.cv_results_.keys()
    mine, theirs = search.cv_results_["param_C"], loaded.cv_results_["param_C"]
    assert isinstance(theirs, np.ma.MaskedArray)
    assert mine.tolist() == theirs.tolist()
    assert loaded.best_params_ == search.best_params_


def test_what_was_one_object_is_one_object_again(path):
    X, y = numbers()
    voting = VotingClassifier([("a", LogisticRegression())]).fit(X, y)
    save(voting, path)
    loaded = load(path)
    assert loaded.named_estimators_["a"] is loaded.estimators_[0]
    shared = np.arange(3.0)
    first, second = again([shared, shared], path)
    assert first is second


def test_what_holds_itself_is_refused(path):
    circle = []
    circle.append({"inside": circle})
    with pytest.raises(TypeError, match=r"cannot save Holder\.value.*it contains itself"):
        save(Holder(circle), path, trusted=[Holder])


VALUES = [
    None, True, -1, 2**63 - 1, 2**63, -(2**200), 10**5000, 0.1, -0.0, float("nan"), float("inf"),
    -float("inf"), 5e-324, "", "ü\udc80\0", b"\xff\0", 1 - 2j, complex(-0.0, float("nan")),
    (), (1, (2.0, "x")), ("name", 1), [], [[1], None], {}, {1: "int", "1": "str", (2, None): 3.0},
    {np.int64(4): 0, True: 1}, {1, "a"}, frozenset({2.5}), slice(1, None, 2), range(0, 9, 2),
    np.float64(0.1), np.float32("nan"), np.int8(-3), np.bool_(True), np.str_("é"),
    np.datetime64("2020-01-01T01", "h"), np.longdouble(1) / 3, np.complex64(1j),
    np.dtype("f4"), np.dtype(object), np.dtype(">i2"), np.float32, int, np.log1p,
    Path("a") / "b.wav", torch.device("cuda", 1), torch.optim.SGD,
    torch.optim.lr_scheduler.StepLR,
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_values_of_parameters_come_back_exactly(value, path):
    same(again(value, path), value)


ARRAYS = [
    np.array(3.5), np.array(3, np.uint64), np.array("text"), np.zeros((0, 3)),
    np.zeros((2, 0), "U3"),
    np.arange(6, dtype=np.float16).reshape(2, 3), np.array([True, False]), np.array([np.nan, -0.0]),
    np.array(["a", "größer", ""]), np.array([b"a", b""]), np.arange(4, dtype=">f8"),
    np.arange(3, dtype=np.complex128) * 1j, np.arange(3, dtype=np.longdouble) / 3,
    np.array(["2020-01-01", "NaT"], dtype="M8[D]"), np.array([1, 2], "m8[25us]"),
    np.array(["x", None, 3, np.float64(2)], dtype=object), np.array(None, dtype=object),
    np.empty((2, 0), dtype=object), make_ragged([np.zeros(2), np.ones((1, 3), np.float32)]),
    make_ragged([np.zeros(2), np.zeros(2)]), np.arange(12.0)[::3], np.broadcast_to(1.5, (2, 2)),
]  # fmt: skip


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{a.shape}")
def test_arrays_come_back_exactly(array, path):
    same(again(array, path), array)


@settings(max_examples=30, deadline=None)
@given(
    array=hnp.arrays(
        st.one_of(hnp.scalar_dtypes(), hnp.unicode_string_dtypes()),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3),
    ),
    seed=st.integers(0, 99),
)
def test_any_array_comes_back_with_its_bits_and_axes(array, seed, tmp_path_factory):
    array = array.transpose(np.random.default_rng(seed).permutation(array.ndim))
    same(again(array, tmp_path_factory.mktemp("arrays") / "array"), array)


def test_memory_order_comes_back(path):
    array = np.random.default_rng(0).normal(size=(2, 3, 4))
    for axes in [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)]:
        back = again(array.transpose(axes), path)
        assert back.strides == array.transpose(axes).strides
        assert back.flags.writeable


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.bool])
def test_tensors_come_back(dtype, path):
    tensor = torch.arange(6).reshape(2, 3).to(dtype).t()
    back = again(tensor, path)
    assert back.dtype == dtype and torch.equal(back, tensor)


def test_random_states_go_on_with_the_numbers_that_come_next(path):
    state = np.random.RandomState(3)
    state.normal()
    back = again(state, path)
    same(back.normal(size=700), state.normal(size=700))
    assert again(np.random.mtrand._rand, path) is np.random.mtrand._rand


def test_metadata_requests_come_back(path):
    with sklearn.config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        save(scaler, path)
        loaded = load(path)
        assert loaded.get_metadata_routing().fit.requests == {"sample_weight": True}


# Nets


NETS = {
    "plain": {},
    "two layers": {"n_layers": 2, "n_filters": [2, 3], "head": "flatten", "kernel_size": (3, 1)},
    "options": {
        "optimizer": torch.optim.SGD,
        "optimizer__momentum": 0.9,
        "iterator_train__drop_last": True,
        "batch_size": 4,
        "class_weight": "balanced",
        "l2": 1e-4,
    },
    "augmented": {"augment": [SpecAugment()]},
    "early": {"early_stopping": True, "validation_fraction": 0.4},
    "callbacks": {
        "callbacks": [
            EpochScoring("accuracy", name="acc"),
            ("early", EarlyStopping(monitor="train_loss")),
            LRScheduler("StepLR", step_size=1),
            GradientNormClipping(1.0),
        ],
        "lr_schedule": "constant",
    },
}


@pytest.mark.parametrize("name", NETS)
def test_nets_predict_the_same_bits_after_loading(name, path):
    X, y = spectrograms()
    net = small_net(**NETS[name]).fit(X, y, X_val=X, y_val=y)
    save(net, path)
    state = torch.get_rng_state()
    loaded = load(path)
    assert torch.equal(torch.get_rng_state(), state)
    same(loaded.predict_proba(X), net.predict_proba(X))
    same(loaded.predict(X), net.predict(X))
    # what was recorded of single batches would fill the file
    assert list(loaded.history_) == [{**epoch, "batches": []} for epoch in net.history_]
    assert type(loaded.history_) is type(net.history_)
    assert loaded.get_params(deep=False).keys() == net.get_params(deep=False).keys()
    if name not in ("augmented", "callbacks"):  # reprs of objects name their addresses
        assert repr(loaded) == repr(net)
    loaded.partial_fit(X, y)
    assert len(loaded.history_) == 2 * len(net.history_)
    clone(loaded).fit(X, y, X_val=X, y_val=y)
    pickle.loads(pickle.dumps(loaded))


def test_a_net_on_waveforms_with_trained_front_end_comes_back_in_its_pipeline(path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(8, 800)), np.repeat([3, 5], 4)
    net = small_net(
        frontend=TrainableFrontEnd(
            MelSpectrogram(sample_rate=8000, n_mels=8), train="both", random_mel=True, lr=0.1
        ),
        augment=[AddNoise(), BackgroundNoise([rng.normal(size=900)]), SpecAugment()],
    )
    clf = make_pipeline(FunctionTransformer(), net).fit(X, y)
    save(clf, path)
    loaded = load(path)
    same(loaded.predict_proba(X), clf.predict_proba(X))
    assert str(loaded[-1].augment) == str(clf[-1].augment)
    same(loaded[-1].augment[1].clips[0], clf[-1].augment[1].clips[0])


def test_transformers_and_ragged_clips_come_back(path):
    rng = np.random.default_rng(0)
    X = make_ragged([rng.normal(size=n) for n in (800, 900, 1000, 850)])
    clf = make_pipeline(
        MelSpectrogram(sample_rate=8000, n_mels=8, normalize="band"),
        SpectrogramScaler(),
        small_net(),
    ).fit(X, [0, 1, 0, 1])
    save(clf, path)
    same(load(path).predict_proba(X), clf.predict_proba(X))


@pytest.mark.parametrize("name", sklearn_speech.classification.__all__)
def test_every_classifier_of_the_library_comes_back(name, path):
    cls = getattr(sklearn_speech.classification, name)
    given = (LogisticRegression(), [AddNoise()]) if name == "AugmentedClassifier" else ()
    clf = cls(*given)
    if isinstance(clf, BaseSpeechNet):
        clf.set_params(max_epochs=1, random_state=0)
    shapes = {"waveform": (6, 400), "spectrogram": (6, 20, 12), "table": (6, 20)}
    shape = shapes[getattr(clf, "reads", "table")]
    X, y = np.random.default_rng(0).normal(size=shape), np.repeat(["no", "yes"], 3)
    fitted = clf.fit(X, y)
    save(fitted, path)
    method = "predict_proba" if hasattr(fitted, "predict_proba") else "decision_function"
    same(getattr(load(path), method)(X), getattr(fitted, method)(X))


MEL = MelSpectrogram(8000, n_mels=8)
FRONT_ENDS = {
    "sines": TrainableFrontEnd(MEL, train="both"),
    "shapes": TrainableFrontEnd(MEL, filterbank="gaussian"),
    "cepstrum": TrainableFrontEnd(MFCC(8000, n_mfcc=6, deltas=2), train="mel"),
    "long transform": Spectrogram(8000, n_fft=8192, win_length=200),
    "named window": MelSpectrogram(8000, n_mels=8, window=("kaiser", 8.0)),
    "given window": MelSpectrogram(8000, n_mels=8, window=np.hanning(200)),
}


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_nets_with_every_kind_of_front_end_come_back(name, path):
    X, y = np.random.default_rng(0).normal(size=(6, 800)), np.repeat(["no", "yes"], 3)
    net = small_net(frontend=FRONT_ENDS[name]).fit(X, y)
    save(net, path)
    loaded = load(path)
    same(loaded.predict_proba(X), net.predict_proba(X))
    assert repr(loaded.frontend) == repr(net.frontend)


@pytest.mark.parametrize("frozen", [True, False])
def test_nets_that_begin_with_an_autoencoder_come_back(frozen, path):
    X, y = spectrograms(n_bands=12, n_frames=20)
    coder = ConvAutoencoder(n_layers=1, n_filters=2, max_epochs=1, random_state=0)
    net = small_net(pretrainer=FrozenEstimator(coder.fit(X)) if frozen else coder).fit(X, y)
    save(net, path)
    same(load(path).predict_proba(X), net.predict_proba(X))


def test_weights_that_are_nan_draw_a_warning(path):
    net = small_net().fit(*spectrograms())
    with torch.no_grad():
        next(net.module_.parameters()).fill_(torch.nan)
    save(net, path)
    with pytest.warns(UserWarning, match="SpectrogramCNNClassifier holds NaN"):
        load(path)


def test_where_to_write_is_not_saved_and_said_so(path):
    pipeline = make_pipeline(StandardScaler(), memory="cache")
    with pytest.warns(UserWarning, match="memory of Pipeline is saved as None"):
        save(pipeline, path)
    assert load(path).memory is None and pipeline.memory == "cache"


@pytest.mark.parametrize("callback", [Checkpoint(), TrainEndCheckpoint()], ids=["each", "last"])
def test_callbacks_that_write_files_are_refused_unless_they_are_trusted(callback, path, tmp_path):
    callback.dirname = str(tmp_path / "checkpoints")
    net = small_net(callbacks=[callback])
    with pytest.raises(TypeError, match=r"callbacks\[0\].*Checkpoint"):
        save(net, path)
    save(net, path, trusted=[type(callback)])
    assert type(load(path, trusted=[type(callback)]).callbacks[0]) is type(callback)


def test_unfitted_nets_come_back_unfitted(path):
    save(small_net(lr=0.5), path)
    loaded = load(path)
    assert loaded.lr == 0.5 and not loaded.initialized_
    loaded.fit(*spectrograms())


@pytest.mark.parametrize("changed", [{"n_filters": 3}, {"pool_type": "mean"}])
def test_a_net_whose_parameters_no_longer_describe_it_is_refused(changed, path):
    net = small_net().fit(*spectrograms()).set_params(**changed)
    with pytest.raises(ValueError, match="SpectrogramCNNClassifier: its parameters do not desc"):
        save(net, path)
    assert not path.exists()


def test_a_net_fitted_on_a_gpu_loads_without_one(path, monkeypatch):
    X, y = spectrograms()
    net = small_net().fit(X, y)
    expected = net.predict_proba(X)
    net.device_ = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    save(net, path)
    loaded = load(path)
    assert loaded.device_ == torch.device("cpu")
    same(loaded.predict_proba(X), expected)
    save(net.set_params(device="cuda"), path)
    with pytest.warns(UserWarning, match="no CUDA device"):
        loaded = load(path)
    assert loaded.device == "cuda"
    same(loaded.predict_proba(X), expected)


def test_weights_lie_in_the_file_under_their_names(path):
    net = small_net().fit(*spectrograms())
    save(make_pipeline(net), path)
    stored = load_file(path)
    for name, tensor in net.module_.state_dict().items():
        key = f"Pipeline.steps['spectrogramcnnclassifier'].module_.{name}"
        same(stored[key], tensor.numpy())


# What is refused at save


REFUSED = {
    "steps['bad'].func": FunctionTransformer(lambda X: X),
    "steps['bad'].func: ": FunctionTransformer(minus),
    "steps['bad'].func:": FunctionTransformer(os.system),
    "steps['bad']:": Centre(),
    "steps['bad'].components_": PCA(),
    "steps['bad'].callbacks[0].scoring": small_net(
        callbacks=[EpochScoring(lambda net, X, y: 0.0, name="x")]
    ),
    "steps['bad'].optimizer": small_net(optimizer=lambda p: torch.optim.SGD(p, 0.1)),
    "steps['bad'].augment[0]": small_net(augment=[Centre()]),
}


@pytest.mark.parametrize("where", REFUSED)
def test_the_error_names_the_step_that_cannot_be_saved(where, path):
    bad = clone(REFUSED[where], safe=False)
    if isinstance(bad, PCA):
        bad.components_ = csr_matrix(np.eye(2))
    pipeline = make_pipeline(StandardScaler(), bad)
    pipeline.steps[1] = ("bad", bad)
    with pytest.raises(TypeError) as error:
        save(pipeline, path)
    assert f"cannot save Pipeline.{where}" in str(error.value)
    assert list(path.parent.iterdir()) == []


def test_trees_are_refused_by_name(path):
    X, y = numbers()
    forest = RandomForestClassifier(2).fit(X, y)
    with pytest.raises(TypeError, match=r"Forest.*\.estimators_\[0\]\.tree_: .*_tree\.Tree"):
        save(forest, path)


@pytest.mark.parametrize(
    "value", [np.zeros(2, dtype=[("a", "f4")]), type("D", (dict,), {})(), iter([]), torch.nn.ReLU()]
)
def test_other_values_are_refused(value, path):
    with pytest.raises(TypeError, match=r"cannot save Holder\.value"):
        save(Holder(value), path, trusted=[Holder])


def test_what_is_nested_without_end_is_refused(path):
    deep = []
    for _ in range(2000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        save(Holder(deep), path, trusted=[Holder])


@pytest.mark.parametrize("estimator", [StandardScaler, 3, None])
def test_only_estimators_are_saved(estimator, path):
    with pytest.raises(TypeError, match="expected an estimator instance"):
        save(estimator, path)


def test_a_failed_save_leaves_the_older_file(path, monkeypatch):
    save(StandardScaler(), path)
    before = path.read_bytes()

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        save(PCA(), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


# Trust


def test_foreign_classes_are_loaded_only_where_they_are_trusted(path):
    X, _ = numbers()
    clf = make_pipeline(Centre(), FunctionTransformer(minus)).fit(X)
    save(clf, path, trusted=[__name__])
    with pytest.raises(ValueError, match=f"{path.name}.*Centre is a name outside.*trusted"):
        load(path)
    with pytest.raises(ValueError, match="minus"):
        load(path, trusted=[Centre])
    for trusted in ([__name__], __name__, [Centre, f"{__name__}.minus"]):
        same(load(path, trusted=trusted).transform(X), clf.transform(X))


def test_a_prefix_ends_at_a_dot(path):
    save(Centre(), path, trusted=[Centre])
    with pytest.raises(ValueError, match="trusted"):
        load(path, trusted=[__name__[:-1]])
    with pytest.raises(TypeError, match="trusted holds 3"):
        load(path, trusted=[3])


def test_nets_of_users_come_back_where_they_are_trusted(path):
    class Own(SpectrogramCNNClassifier):
        pass

    X, y = spectrograms()
    net = Own(n_layers=1, n_filters=2, max_epochs=1).fit(X, y)
    with pytest.raises(TypeError, match="cannot save Own"):
        save(net, path)
    save(net, path, trusted=[Own])
    same(load(path, trusted=[Own]).predict_proba(X), net.predict_proba(X))


# Hostile and broken files


FORBIDDEN = [
    "os.system", "posix.system", "nt.system", "subprocess.Popen", "builtins.eval", "builtins.exec",
    "builtins.__import__", "builtins.getattr", "operator.methodcaller", "functools.partial",
    "pickle.loads", "joblib.load", "numpy.load", "numpy.fromfile", "numpy.save", "torch.load",
    "torch.hub.load", "importlib.import_module", "sklearn.utils._joblib.joblib.load",
    "sklearn.utils.estimator_checks.check_estimator", "sklearn.datasets.fetch_openml",
    "sklearn.datasets.load_files", "sklearn.utils.parallel.delayed", "sklearn.os.system",
    "sklearn.base.os", "sklearn.utils.fixes.sp", "skorch.utils.import", "skorch.net.pickle.loads",
    "skorch.net.NeuralNet", "skorch.NeuralNetClassifier", "skorch.callbacks.MlflowLogger",
    "skorch.callbacks.LoadInitState", "skorch.llm.ZeroShotClassifier", "skorch.hf.HfHubStorage",
    "skorch.utils._TorchLoadUnpickler", "sklearn.tests.test_base.MyEstimator",
        "sklearn.conftest.os",
    "sklearn.experimental.enable_halving_search_cv", "sklearn.tree._tree.Tree", "torch.nn.Linear",
    "sklearn_speech.persistence.load", "sklearn_speech.datasets.fetch_fsdd", "sklearn", "", "..os",
    "sklearn..os", "sklearnevil.Thing", "antigravity.geohash", "__main__.x", "sklearn.__class__",
    "sklearn.base.BaseEstimator.__init__", "sklearn.metrics.os", "numpy.os", "numpy.ndarray",
    "torch.optim.os", "torch.optim.Optimizer.__init__",
]  # fmt: skip


@pytest.fixture
def alarm(monkeypatch):
    """Fails the test when a shell is called or a module outside is imported."""
    rung = []
    for module, name in [(os, "system"), (os, "popen"), (pickle, "loads"), (pickle, "load")]:
        monkeypatch.setattr(module, name, lambda *args, **kwargs: rung.append(args))
    yield rung
    assert rung == []


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_file_can_name_neither_functions_nor_foreign_classes(name, path, alarm):
    for tree in (an_object(name, x=1), {"value": name}, holding({"value": name})):
        forge(path, tree)
        with pytest.raises(ValueError, match=rf"{path.name} cannot be loaded"):
            load(path)


def test_a_module_named_in_a_file_is_not_imported(path, tmp_path, monkeypatch):
    (tmp_path / "planted.py").write_text("raise SystemExit('imported')\n")
    (tmp_path / "sklearn_planted.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("planted.Thing", "sklearn_planted.Thing"):
        for tree in (an_object(name), {"value": name}):
            forge(path, tree)
            with pytest.raises(ValueError, match="cannot be loaded"):
                load(path)


@pytest.mark.parametrize(
    "node",
    [
        {"__reduce__": ["os.system", "true"]}, {"call": "os.system"}, {"py/reduce": []}, {},
        {"list": [], "tuple": []}, {"ref": 7}, {"ref": -1}, {"ref": "0"}, {"ref": True},
        {"array": {"name": "missing"}}, {"array": {}}, {"array": 3}, {"tuple": 3}, {"int": 5},
        {"int": "zz"}, {"float": "0.5"}, {"dict": [[1]]}, {"dict": [[[], 1]]}, {"set": [[1]]},
        {"objects": {"shape": [10**12], "items": []}}, {"objects": {"shape": [-1], "items": [1]}},
        {"objects": {"shape": [1.0], "items": [1]}},
        {"objects": {"shape": [0, 10**30], "items": []}},
        {"scalar": ["O", "0000000000000000"]}, {"scalar": ["<f8", "00"]},
        {"scalar": ["<U1", "ffffffff"]},
        {"dtype": "O8"}, {"dtype": "(9,)f8"}, {"dtype": "f8,f8"}, {"dtype": {"names": []}},
        {"bytes": "x"}, {"complex": []}, {"range": ["a", 1, 1]}, {"device": "nowhere"},
        {"masked": [1]}, {"path": 3}, {"random_state": {"dict": []}},
        {"tensor": {"name": "bytes"}},
        {"slice": [1]}, {"value": ["os.system"]}, {"object": "os.system"},
        {"object": {"class": []}},
    ],
    ids=lambda node: json.dumps(node)[:40],
)  # fmt: skip
def test_nodes_that_save_does_not_write_are_errors(node, path, alarm):
    stored = {"bytes": np.frombuffer(b"12", dtype="S2")[:0].view(np.uint8)}
    if node == {"tensor": {"name": "bytes"}}:
        node["tensor"]["dtype"], node["tensor"]["shape"] = "<U1", [0]
    forge(path, holding(node), stored)
    with pytest.raises(ValueError, match=rf"{path.name} cannot be loaded"):
        load(path)


@pytest.mark.parametrize(
    "header",
    [
        {"dtype": "|O8", "shape": [1]}, {"dtype": "O", "shape": [1]},
        {"dtype": "<f8", "shape": [-1]},
        {"dtype": "<f8", "shape": [10**20]}, {"dtype": "<f8", "shape": [2]},
        {"dtype": "V8", "shape": [1]},
        {"dtype": "<f8", "shape": [True]}, {"dtype": "<f8"}, {"dtype": "<U2", "shape": [1]},
        {"axes": [1]}, {"axes": [0, 0]}, {"axes": "0"}, {"axes": [-1]},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_headers_that_do_not_fit_their_arrays_are_errors(header, path):
    stored = {"a": np.full(8, 255, dtype=np.uint8)}
    forge(path, holding({"array": {"name": "a", **header}}), stored)
    with pytest.raises(ValueError, match=rf"{path.name} cannot be loaded"):
        load(path)


@pytest.mark.parametrize("position", [-1, 625, 10**9, True])
def test_a_random_state_cannot_point_outside_its_memory(position, path):
    save(MLPClassifier(random_state=np.random.RandomState(0)), path)
    header, arrays = read_header(path), load_file(path)
    text = header["estimator"]
    assert '["pos",624]' in text
    text = text.replace('["pos",624]', f'["pos",{json.dumps(position)}]')
    forge(path, text, arrays)
    with pytest.raises(ValueError, match="random state is at position"):
        load(path)


@pytest.mark.parametrize("name", ["transform", "fit", "__class__", "__reduce__", "__dict__"])
def test_a_file_cannot_replace_what_a_class_does(name, path):
    tree = an_object("sklearn.preprocessing.FunctionTransformer", **{name: {"value": "numpy.exp"}})
    forge(path, tree)
    with pytest.raises(ValueError, match=f"{name} of FunctionTransformer is not an attribute"):
        load(path)


def edited_net(path, edit):
    save(small_net().fit(*spectrograms()), path)
    tree = json.loads(read_header(path)["estimator"])
    edit(tree["object"])
    forge(path, tree, load_file(path))


@pytest.mark.parametrize(
    "name", ["module_class", "module", "criterion", "dataset", "_parameter_constraints", "module_"]
)
def test_a_file_cannot_choose_what_a_net_builds(name, path):
    edited_net(path, lambda net: net["state"].update({name: {"value": "torch.optim.SGD"}}))
    with pytest.raises(ValueError, match=f"{name} of SpectrogramCNNC.* is not an attribute"):
        load(path)


@pytest.mark.parametrize(
    "state",
    [
        {"optimizer": {"value": "numpy.exp"}}, {"optimizer": {"value": "builtins.print"}},
        {"n_filters": 10**9}, {"n_filters": -1}, {"n_layers": 2},
        {"input_shape_": {"tuple": [9, 9]}},
        {"input_shape_": {"tuple": [10**9, 10**9]}, "network_shape_": {"tuple": [10**9, 10**9]}},
        {"callbacks": [{"value": "builtins.print"}]}, {"kernel_size": "3"}, {"lr": "x"},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_a_net_that_does_not_fit_its_weights_is_an_error(state, path, capsys):
    edited_net(path, lambda net: net["state"].update(state))
    with pytest.raises(ValueError, match=f"{path.name} cannot be loaded"):
        load(path)
    assert capsys.readouterr().out == ""


def test_nodes_nested_without_end_are_an_error(path):
    for depth in (200, 100_000):
        forge(path, '{"tuple":[' * depth + "1" + "]}" * depth)
        with pytest.raises(ValueError, match="cannot be loaded"):
            load(path)


@pytest.mark.parametrize("text", ["", "{", "NaN", "[NaN]", "1" * 5000, "3", "null", "[]", '"x"'])
def test_a_header_that_is_no_estimator_is_an_error(text, path):
    forge(path, text)
    with pytest.raises(ValueError, match=f"{path.name} cannot be loaded"):
        load(path)


def test_cut_off_and_foreign_files_are_errors_that_name_the_file(path):
    save(make_pipeline(StandardScaler()).fit(numbers()[0]), path)
    content = path.read_bytes()
    for size in (0, 4, 8, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(ValueError, match=f"{path.name} cannot be loaded"):
            load(path)
    path.write_bytes(pickle.dumps(StandardScaler()))
    with pytest.raises(ValueError, match=f"{path.name} cannot be loaded"):
        load(path)
    save_file({"a": np.zeros(2)}, path)
    with pytest.raises(ValueError, match=f"{path.name} .*lacks the mark"):
        load(path)
    forge(path, "3", format_version="99")
    with pytest.raises(ValueError, match="format version '99'"):
        load(path)


def test_a_file_or_folder_that_is_not_there_is_named(path):
    with pytest.raises(FileNotFoundError, match=path.name):
        load(path)
    with pytest.raises(IsADirectoryError, match=path.parent.name):
        load(path.parent)


@pytest.mark.parametrize("changed", range(60))
def test_no_changed_byte_of_the_header_does_more_than_raise_an_error(changed, path, alarm):
    X, y = numbers()
    save(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y), path)
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(changed)
    content[rng.integers(8, int.from_bytes(content[:8], "little"))] ^= 1 << rng.integers(7)
    path.write_bytes(content)
    try:
        estimator = load(path)
    except (ValueError, UserWarning):
        return
    assert hasattr(estimator, "get_params")


@pytest.mark.parametrize("package", ["sklearn_speech", "scikit-learn"])
def test_another_version_draws_a_warning(package, path):
    save(StandardScaler(), path)
    header = read_header(path)
    versions = json.loads(header["versions"])
    assert versions.keys() == {"sklearn_speech", "scikit-learn", "skorch", "torch", "numpy"}
    forge(path, header["estimator"], versions=json.dumps({**versions, package: "0.0.1"}))
    with pytest.warns(UserWarning, match=f"{path.name} was saved with {package} 0.0.1, but"):
        load(path)
    forge(path, header["estimator"], versions=json.dumps({**versions, "numpy": "1.0"}))
    load(path)


def test_the_header_lists_the_classes(path):
    save(make_pipeline(StandardScaler(), FunctionTransformer(np.exp)), path)
    assert json.loads(read_header(path)["classes"]) == [
        "numpy.exp",
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing.FunctionTransformer",
        "sklearn.preprocessing.StandardScaler",
    ]


def test_selectors_of_columns_come_back(path):
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame({"a": [1.0, 2.0, 4.0], "b": ["x", "y", "x"]})
    columns = ColumnTransformer(
        [
            ("n", StandardScaler(), make_column_selector(dtype_include=np.number)),
            ("t", OneHotEncoder(), ["b"]),
        ]
    ).fit(X)
    save(columns, path)
    same(load(path).transform(X), columns.transform(X))
    same(load(path).get_feature_names_out(), columns.get_feature_names_out())


def test_parameters_that_an_older_file_lacks_have_their_defaults(path):
    edited_net(path, lambda net: net["state"].pop("weight_init"))
    X, y = spectrograms()
    expected = small_net().fit(X, y)
    loaded = load(path)
    assert loaded.weight_init == expected.weight_init
    np.testing.assert_array_equal(loaded.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("kind", [str, Path])
def test_an_encoder_is_read_from_disk_only_where_the_caller_trusts_its_file(kind, tmp_path):
    encoder, path = tmp_path / "encoder.onnx", tmp_path / "embedding.safetensors"
    embedding = SpeechEmbedding(encoder=kind(encoder))
    save(make_pipeline(embedding, StandardScaler()), path)
    for trusted in ((), [str(encoder)], [Path("/other.onnx")]):
        if trusted == [str(encoder)]:
            with pytest.raises(TypeError, match="expected dotted names, classes and paths"):
                load(path, trusted=trusted)
            continue
        with pytest.raises(ValueError, match=r"is a file that would be read.*pass trusted=\[path"):
            load(path, trusted=trusted)
    loaded = load(path, trusted=[encoder])
    assert loaded[0].encoder == kind(encoder)
