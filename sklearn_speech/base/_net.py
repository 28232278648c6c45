"""Base of all networks: a skorch NeuralNet that follows the rules of scikit-learn."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_consistent_length
from skorch import NeuralNet
from skorch.utils import data_from_dataset, is_dataset

from ..modules.weight_init import INITIALIZERS
from ..utils.lazy_clips import LazyClips
from ..utils.sklearn_private import Interval, Options, StrOptions
from ..utils.tensors import as_tensor
from ..utils.validation import check_spectrograms, check_waveforms, is_ragged
from ..utils.values import check_finite, check_weights
from ._batches import Batches, BatchIterator, ClipDataset, split_inputs, with_collate_fn
from ._building import NetworkBuilding
from ._callbacks import Named, default_callbacks
from ._fitting import NetworkFitting
from ._inference import NetworkInference
from ._loop import NetworkLoop
from ._parameters import SpeechNetParameters
from ._schedule import OPTIMIZERS, SCHEDULES
from ._step import NetworkTraining


class BaseSpeechNet(
    SpeechNetParameters,
    NetworkBuilding,
    NetworkFitting,
    NetworkLoop,
    NetworkTraining,
    NetworkInference,
    NeuralNet,
):
    """Base of all networks: a skorch net that follows the rules of scikit-learn estimators.

    Subclasses set `module_class`, list the hyperparameters of the network in
    their own ``__init__``, and pass the rest to the ``__init__`` of this class. The
    features of skorch remain available: ``callbacks``, ``history``, ``partial_fit``,
    ``optimizer__*`` and ``iterator_train__*``.

    Parameters
    ----------
    lr : float, default=0.003
        Largest learning rate.
    max_epochs : int, default=20
        Number of passes over the training clips.
    batch_size : int, default=64
        Number of clips per training step.
    optimizer : {"adamw", "adam", "sgd", "rmsprop"} or class, default="adamw"
        Optimiser. Its options are set in the form ``optimizer__momentum=0.9``.
    weight_decay : float, default=0.01
        Weight decay of the optimiser.
    lr_schedule : {"one_cycle", "cosine", "constant", "swa"}, default="one_cycle"
        How the learning rate changes from step to step in ``fit``; ``partial_fit``
        keeps it constant. "one_cycle" rises, then falls; "cosine" falls. "swa" is
        stochastic weight averaging (Izmailov et al., 2018): the learning rate rises and
        stays high, and the final weights are the mean of the weights after each step of
        the second half; the statistics of batch norm are measured again for them. The
        recorded losses are those before averaging. "swa" cannot be combined with
        `early_stopping`, which returns to the weights of one epoch.
    weight_init : {"torch", "glorot_uniform", "lecun_normal"}, default="torch"
        Initial weights of convolutions and dense layers: those of torch, of Keras
        ("glorot_uniform") or of Chainer ("lecun_normal"). The last two set the biases to 0,
        so that the initial outputs of a network of ReLUs without normalisation are
        proportional to the amplitude of the input. Front ends and pretrained layers keep
        their weights.
    gradient_clip : float, default=None
        Largest norm of the whole gradient; None does not clip.
    l1 : float, default=0.0
        Factor of the sum of absolute weights, which is added to the training loss; biases
        and parameters of normalisation are excluded.
    l2 : float, default=0.0
        Factor of the sum of squared weights, which is added in the same way.
    early_stopping : bool, default=False
        Whether to split off a part of the training clips for validation, stop when the
        loss on it no longer falls, and return to the best weights. The split is by
        speaker if ``groups`` is given to ``fit``.
    validation_fraction : float, default=0.15
        Size of the validation part, as a fraction of the clips or, with ``groups``, of the
        speakers.
    n_iter_no_change : int, default=5
        Number of epochs without improvement after which training stops. Only used with
        `early_stopping`.
    augment : list of augmentations, default=None
        Augmentations of the training batches, applied in this order; see
        ``sklearn_speech.augmentation``.
    frontend : transformer or TrainableFrontEnd, default=None
        A front end such as :class:`~sklearn_speech.feature_extraction.MelSpectrogram`
        that becomes part of the network, which then takes waveforms. Wrap it in
        :class:`~sklearn_speech.feature_extraction.TrainableFrontEnd` to train it with the
        network.
    iterator_train : callable, default=BatchIterator
        Cuts training batches. Its options are ``iterator_train__shuffle``,
        ``iterator_train__drop_last`` and ``iterator_train__sampler``.
    iterator_valid : callable, default=BatchIterator
        Cuts batches for validation and prediction.
    callbacks : list of skorch callbacks, default=None
        Callbacks, in addition to those that record times and scores.
    warm_start : bool, default=False
        Whether ``fit`` continues with the present weights.
    mixed_precision : bool, default=False
        Whether to train in mixed precision with bfloat16; only on CUDA devices.
    device : {"auto", "cpu", "cuda"} or torch.device, default="auto"
        Device for computing. "auto" is the CUDA device if there is one, otherwise the CPU.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the order of clips, dropout and augmentation.
    verbose : int, default=0
        With 1, show a progress bar that disappears at the end; with 2, let it stay.
    **kwargs
        Options with a prefix, such as ``optimizer__momentum``.

    Attributes
    ----------
    module_ : torch.nn.Module
        The network. It takes the same input as ``fit``, as a float32 tensor.
    history_ : skorch.history.History
        Loss, learning rate and duration in seconds of each epoch.
    n_features_in_ : int
        Number of bands of spectrograms, or samples of waveforms of one length.
    input_shape_ : tuple
        Shape of a clip; None in place of the number of frames or samples if it varies.
    network_shape_ : tuple
        Shape of a clip after the front end, as the network receives it.
    device_ : torch.device
        Device that computes.
    """

    #: Class of the network.
    module_class: type | None = None
    #: Whether the loss supports mixtures of two targets.
    mixes_targets = False
    #: Input of ``fit`` if no front end is set: "spectrogram" or "waveform".
    reads: Literal["spectrogram", "waveform"] = "spectrogram"

    # fitted attributes
    n_features_in_: int
    input_shape_: tuple[int | None, ...]
    device_: torch.device
    module_: Any
    criterion_: Any
    optimizer_: Any

    # skorch sets these in __init__, where scikit-learn only allows parameters
    initialized_ = False
    history_: Any = None
    virtual_params_: dict[str, Any] = {}

    # parameters of skorch that have a fixed value here; see SKORCH_PARAMETERS
    module = None
    criterion = None
    dataset = ClipDataset
    train_split = None
    predict_nonlinearity = "auto"
    compile = False
    use_caching: Literal["auto"] | bool = "auto"
    torch_load_kwargs = None

    # n_iter_no_change needs it too, but the checks of scikit-learn set that alone
    _needs = {"validation_fraction": ("early_stopping", (True,))}

    # without this request, scikit-learn raises when groups are passed
    __metadata_request__fit = {"groups": True}

    _parameter_constraints = {
        "lr": [Interval(Real, 0, None, closed="neither")],
        "max_epochs": [Interval(Integral, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), Options(Integral, {-1})],
        "optimizer": [StrOptions(set(OPTIMIZERS)), type, callable],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "lr_schedule": [StrOptions(set(SCHEDULES))],
        "weight_init": [StrOptions({"torch", *INITIALIZERS})],
        "gradient_clip": [Interval(Real, 0, None, closed="neither"), None],
        "l1": [Interval(Real, 0, None, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "augment": [list, tuple, None],
        "callbacks": [list, StrOptions({"disable"}), None],
        "warm_start": ["boolean"],
        "mixed_precision": ["boolean"],
        "device": [str, torch.device],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        lr: float = 0.003,
        max_epochs: int = 20,
        batch_size: int = 64,
        optimizer: Literal["adamw", "adam", "sgd", "rmsprop"] | Callable[..., Any] = "adamw",
        weight_decay: float = 0.01,
        lr_schedule: Literal["one_cycle", "cosine", "constant", "swa"] = "one_cycle",
        weight_init: Literal["torch", "glorot_uniform", "lecun_normal"] = "torch",
        gradient_clip: float | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.15,
        n_iter_no_change: int = 5,
        augment: Sequence[Any] | None = None,
        frontend: Any = None,
        iterator_train: Callable[..., Any] = BatchIterator,
        iterator_valid: Callable[..., Any] = BatchIterator,
        callbacks: list[Any] | Literal["disable"] | None = None,
        warm_start: bool = False,
        mixed_precision: bool = False,
        device: str | torch.device = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        **kwargs: Any,
    ):
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.lr_schedule = lr_schedule
        self.weight_init = weight_init
        self.gradient_clip = gradient_clip
        self.l1 = l1
        self.l2 = l2
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.augment = augment
        self.frontend = frontend
        self.iterator_train = iterator_train
        self.iterator_valid = iterator_valid
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.mixed_precision = mixed_precision
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self._check_prefixed(kwargs)
        self.__dict__.update(kwargs)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = self._reads() == "spectrogram"
        return tags

    # Input

    def _reads(self) -> Literal["spectrogram", "waveform"]:
        """Input of ``fit``."""
        return self.reads if self.frontend is None else "waveform"

    def _check_X(self, X: Any, *, reset: bool) -> Any:
        """Check the clips, and convert them to a tensor, or a list of tensors if ragged.

        Clips in the store stay there if they are too large for the memory.
        """
        check = check_spectrograms if self._reads() == "spectrogram" else check_waveforms
        X = check(self, X, reset=reset, lazy=True)
        if isinstance(X, LazyClips):
            if reset:
                self.input_shape_ = (*X[0].shape[:-1], None) if X.ragged else X.shape[1:]
            return X
        ragged, wide = is_ragged(X), X[0].dtype == np.float64
        with np.errstate(over="ignore"):  # infinity is refused below
            X = [as_tensor(x, np.float32) for x in X] if ragged else as_tensor(X, np.float32)
        shape: tuple[int | None, ...] = (*X[0].shape[:-1], None) if ragged else tuple(X.shape[1:])
        if wide:
            check_finite(
                [x.numpy() for x in X] if ragged else X.numpy(),
                "the value in float32",
                f"{type(self).__name__} computes in float32, whose largest number is 3.4e38",
            )
        if reset:
            self.input_shape_ = shape
        return X

    def _check_y(self, y: Any, *, reset: bool, classes: Any = None) -> torch.Tensor | None:
        """Check the targets, and convert them to a tensor; None for a net without targets."""
        return None

    def _check_kinds(self, y: Any) -> Any:
        """Check targets of which some may be unlabelled, before these are left out."""
        return y

    def _scored(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
        """The clips that ``score`` counts, with their targets and weights."""
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, len(y))
        return X, y, sample_weight

    def _check_weight(
        self, sample_weight: Any, targets: torch.Tensor, n_clips: int
    ) -> torch.Tensor | None:
        """Weights of the clips, scaled to mean 1; None without weights."""
        if sample_weight is None:
            return None
        weight = check_weights(sample_weight, n_clips)
        return torch.from_numpy(weight / weight.mean()).float()

    def get_dataset(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        reset: bool = False,
    ) -> ClipDataset:
        """Check clips, targets and weights, and make a dataset of them.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...), dataset, or inputs of a batch
        y : array-like of shape (n_clips,), default=None
        sample_weight : array-like of shape (n_clips,), default=None
        classes : array-like of shape (n_classes,), default=None
            All labels, if y may lack some.
        reset : bool, default=False
            Whether to learn the sizes of the clips and the classes, as ``fit`` does, or to
            refuse any that differ from the known ones.

        Returns
        -------
        dataset : ClipDataset
            X itself, if it is one.
        """
        if isinstance(X, ClipDataset):
            return X
        if type(X) is dict:  # sparse matrices are mappings too
            return self._dataset_of_batch(X)
        if is_dataset(X):
            X, y = self._unpacked(X)
        X = self._check_X(X, reset=reset)
        targets = (
            None if y is None and not reset else self._check_y(y, reset=reset, classes=classes)
        )
        if targets is not None:
            check_consistent_length(X, targets)
        weight = None if targets is None else self._check_weight(sample_weight, targets, len(X))
        return ClipDataset(X, targets, weight, self._labels())

    def _unpacked(self, dataset: Any) -> tuple[Any, Any]:
        """Clips and targets of a dataset."""
        try:
            return data_from_dataset(dataset)
        except AttributeError as error:
            raise TypeError(
                f"X is a dataset of type {type(dataset).__name__} without the attributes X and y: "
                f"{type(self).__name__} checks all clips before training, so pass X and y as arrays"
            ) from error

    def _dataset_of_batch(self, X: Mapping[str, Any]) -> ClipDataset:
        if not {"x", "features"} & X.keys():
            raise ValueError(
                f"X is a dict with the keys {sorted(X, key=str)!r:.80}: expected an array of clips"
            )
        x, is_features, lengths = split_inputs(X)
        if lengths is not None:
            x = [clip[..., :n] for clip, n in zip(x.cpu(), lengths.tolist())]
        return ClipDataset(x, is_features=is_features)

    def _labels(self) -> Any:
        """Lookup of labels by targets; None if targets are not encoded."""
        return None

    def get_iterator(self, dataset: ClipDataset, training: bool = False) -> Batches:
        """Make an iterator that cuts a dataset into batches.

        Parameters
        ----------
        dataset : ClipDataset
        training : bool, default=False
            Whether to use `iterator_train` or `iterator_valid`.

        Returns
        -------
        iterator : iterable of (inputs, targets)
        """
        name = "iterator_train" if training else "iterator_valid"
        options = self.get_params_for(name)
        options.setdefault("batch_size", self.batch_size)
        if options["batch_size"] == -1:
            options["batch_size"] = max(len(dataset), 1)
        iterator = getattr(self, name)
        if training and iterator is BatchIterator:
            options.setdefault("shuffle", "sampler" not in options)
            options.setdefault("join_single", True)
        return iterator(dataset, **with_collate_fn(iterator, options))

    @property
    def _default_callbacks(self) -> Named:
        return default_callbacks()

    def __setstate__(self, state: dict[str, Any]) -> None:
        # skorch maps tensors from `device` to an available device, but "auto" is not a device;
        # `device_` is the device of the fit
        given = state["device"]
        super().__setstate__({**state, "device": state.get("device_", "cpu")})
        if "device_" in state:
            self.device_ = torch.device(self.device)
        self.device = given
