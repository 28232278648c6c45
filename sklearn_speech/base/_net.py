"""skorch's NeuralNet made to keep scikit-learn's contract."""

from numbers import Integral, Real

import numpy as np
import torch
from sklearn.utils.validation import check_consistent_length
from skorch import NeuralNet
from skorch.utils import data_from_dataset, is_dataset

from ..modules.weight_init import INITIALIZERS
from ..utils.sklearn_private import Interval, Options, StrOptions
from ..utils.tensors import as_tensor
from ..utils.validation import check_spectrograms, check_waveforms, is_ragged
from ._batches import BatchIterator, ClipDataset, collating, split_inputs
from ._building import NetworkBuilding
from ._callbacks import default_callbacks
from ._fitting import NetworkFitting
from ._inference import NetworkInference
from ._parameters import SpeechNetParameters
from ._schedule import OPTIMIZERS, SCHEDULES
from ._step import NetworkTraining


class BaseSpeechNet(
    SpeechNetParameters,
    NetworkBuilding,
    NetworkFitting,
    NetworkTraining,
    NetworkInference,
    NeuralNet,
):
    """A skorch net that scikit-learn can clone, validate, search and route to.

    Subclasses set `module_class`, list the hyperparameters of the network in
    their own ``__init__`` and hand the rest to this one. Everything that skorch
    offers works on: ``callbacks``, ``history``, ``partial_fit``,
    ``optimizer__*`` and ``iterator_train__*``.

    Parameters
    ----------
    lr : float, default=0.003
        Largest learning rate.
    max_epochs : int, default=20
        Passes over the training clips.
    batch_size : int, default=64
        Clips a step.
    optimizer : {"adamw", "adam", "sgd", "rmsprop"} or class, default="adamw"
        Its options are set as ``optimizer__momentum=0.9``.
    weight_decay : float, default=0.01
        Handed to the optimiser.
    lr_schedule : {"one_cycle", "cosine", "constant", "swa"}, default="one_cycle"
        How the learning rate changes from step to step of a fit; ``partial_fit``
        keeps it constant. "swa" raises it and holds it, and a fit ends with the
        mean of the weights after each step of its second half, and with statistics
        of batch norm that are measured for it (stochastic weight averaging;
        Izmailov et al., 2018). Losses of epochs are those of the weights before.
        It excludes `early_stopping`, which ends with the weights of one epoch.
    weight_init : {"torch", "glorot_uniform", "lecun_normal"}, default="torch"
        How weights of convolutions and dense layers begin: as torch begins them, or as
        Keras and Chainer do, with biases of 0, so that where nothing is normalised a
        network of ReLUs begins by answering quiet clips as it does loud ones. Front
        ends and pretrained layers begin as they are.
    gradient_clip : float, default=None
        Largest norm of all gradients together; None does not clip.
    l1 : float, default=0.0
        Factor of the sum of absolute weights, which is added to the loss of training; biases
        and normalisation are left out.
    l2 : float, default=0.0
        Factor of the sum of squared weights, likewise.
    early_stopping : bool, default=False
        Whether to put a part of the training clips aside, stop when the loss on
        it no longer falls, and return to the best weights. The part is split
        off by speaker where ``groups`` is given to ``fit``.
    validation_fraction : float, default=0.15
        Size of that part, of the clips or, with ``groups``, of the speakers.
    n_iter_no_change : int, default=5
        Epochs without improvement after which training stops. Only used with `early_stopping`.
    augment : list of augmentations, default=None
        Applied to training batches only, in this order; see
        ``sklearn_speech.augmentation``.
    frontend : transformer or TrainableFrontEnd, default=None
        A front end such as :class:`~sklearn_speech.feature_extraction.MelSpectrogram`
        to put inside the network, which then takes waveforms. Wrap it in
        :class:`~sklearn_speech.feature_extraction.TrainableFrontEnd` to train it with the
        network.
    iterator_train : callable, default=BatchIterator
        What cuts training batches. Its options ``iterator_train__shuffle=False``,
        ``iterator_train__drop_last=True`` and ``iterator_train__sampler`` are
        understood.
    iterator_valid : callable, default=BatchIterator
        What cuts batches of validation and prediction.
    callbacks : list of skorch callbacks, default=None
    warm_start : bool, default=False
        Whether ``fit`` goes on from the weights that are there.
    mixed_precision : bool, default=False
        Compute in bfloat16 where that pays; only on CUDA devices.
    device : {"auto", "cpu", "cuda"} or torch.device, default="auto"
        Where to compute; "auto" is a CUDA device where there is one.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, order of clips, dropout and augmentation.
    verbose : int, default=0
        Whether to show a progress bar.
    **kwargs
        Options with a prefix, such as ``optimizer__momentum``.

    Attributes
    ----------
    module_ : torch.nn.Module
        The network; takes what ``fit`` was given, as a float32 tensor.
    history_ : skorch.history.History
        Loss, learning rate and seconds by epoch.
    n_features_in_ : int
        Number of bands of spectrograms, or samples of waveforms of one length.
    input_shape_ : tuple
        Shape of a clip, with None for a free number of frames or samples.
    device_ : torch.device
    """

    #: The torch module that is trained.
    module_class: type | None = None
    #: Whether the loss can be that of two targets mixed.
    mixes_targets = False
    #: What ``fit`` takes when no front end is set: "spectrogram" or "waveform".
    reads = "spectrogram"

    # skorch sets these in __init__, where scikit-learn allows nothing but parameters
    initialized_ = False
    history_ = None
    virtual_params_: dict = {}

    # parameters of skorch that have one value here; see SKORCH_PARAMETERS
    module = None
    criterion = None
    dataset = ClipDataset
    train_split = None
    predict_nonlinearity = "auto"
    compile = False
    use_caching = "auto"
    torch_load_kwargs = None

    # n_iter_no_change needs it too, but scikit-learn's own checks set that one without it
    _needs = {"validation_fraction": ("early_stopping", (True,))}

    # scikit-learn raises when groups are passed that no-one requests
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
        lr=0.003,
        max_epochs=20,
        batch_size=64,
        optimizer="adamw",
        weight_decay=0.01,
        lr_schedule="one_cycle",
        weight_init="torch",
        gradient_clip=None,
        l1=0.0,
        l2=0.0,
        early_stopping=False,
        validation_fraction=0.15,
        n_iter_no_change=5,
        augment=None,
        frontend=None,
        iterator_train=BatchIterator,
        iterator_valid=BatchIterator,
        callbacks=None,
        warm_start=False,
        mixed_precision=False,
        device="auto",
        random_state=None,
        verbose=0,
        **kwargs,
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
        vars(self).update(kwargs)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = self._reads() == "spectrogram"
        return tags

    # Input

    def _reads(self):
        return self.reads if self.frontend is None else "waveform"

    def _check_X(self, X, *, reset):
        check = check_spectrograms if self._reads() == "spectrogram" else check_waveforms
        X = check(self, X, reset=reset)
        if is_ragged(X):
            X = [as_tensor(x, np.float32) for x in X]
            shape = (*X[0].shape[:-1], None)
        else:
            X = as_tensor(X, np.float32)
            shape = tuple(X.shape[1:])
        if reset:
            self.input_shape_ = shape
        return X

    def _check_y(self, y, *, reset, classes=None):
        """Targets as a tensor; None for a net that learns without them."""
        return None

    def _scored(self, X, y, sample_weight):
        """The clips that ``score`` compares, with their targets and weights."""
        return X, y, sample_weight

    def _check_weight(self, sample_weight, targets, n_clips):
        """Weights of the clips with mean 1, or None where all weigh the same."""
        if sample_weight is None:
            return None
        weight = np.asarray(sample_weight, dtype=np.float64)
        if weight.ndim == 0:
            weight = np.full(n_clips, float(weight))
        if weight.shape != (n_clips,):
            raise ValueError(
                f"sample_weight has shape {weight.shape}, expected ({n_clips},): one weight a clip"
            )
        if not np.isfinite(weight).all() or (weight < 0).any():
            raise ValueError("sample_weight holds negative values, NaN or infinity")
        if weight.sum() == 0:
            raise ValueError("all values of sample_weight are zero: there is nothing to learn from")
        return torch.from_numpy(weight / weight.mean()).float()

    def get_dataset(self, X, y=None, *, sample_weight=None, classes=None, reset=False):
        """Clips, targets and weights as a dataset, after all checks.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...), dataset, or inputs of a batch
        y : array-like of shape (n_clips,), default=None
        sample_weight : array-like of shape (n_clips,), default=None
        classes : array-like of shape (n_classes,), default=None
            All labels, where y may lack some.
        reset : bool, default=False
            Whether sizes and classes are learned, as in ``fit``, or must be those learned.

        Returns
        -------
        dataset : ClipDataset
            X itself, if that is one.
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

    def _unpacked(self, dataset):
        try:
            return data_from_dataset(dataset)
        except AttributeError as error:
            raise TypeError(
                f"X is a dataset of type {type(dataset).__name__} without the attributes X and y: "
                f"{type(self).__name__} checks all clips before it is trained, so pass X and y as "
                "arrays"
            ) from error

    def _dataset_of_batch(self, X):
        x, is_features, lengths = split_inputs(X)
        if lengths is not None:
            x = [clip[..., :n] for clip, n in zip(x.cpu(), lengths.tolist())]
        return ClipDataset(x, is_features=is_features)

    def _labels(self):
        """What targets are positions in; None where they are no positions."""
        return None

    def get_iterator(self, dataset, training=False):
        """What cuts a dataset into batches.

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
        return iterator(dataset, **collating(iterator, options))

    @property
    def _default_callbacks(self):
        return default_callbacks()

    def __setstate__(self, state):
        # skorch maps tensors from the device in `device` to one that is there, but "auto" is
        # none; the device that a net was fitted on is in `device_`
        given = state["device"]
        super().__setstate__({**state, "device": state.get("device_", "cpu")})
        if "device_" in state:
            self.device_ = torch.device(self.device)
        self.device = given
