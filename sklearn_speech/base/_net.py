"""skorch's NeuralNet made to keep scikit-learn's contract."""

import warnings
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.utils.validation import check_consistent_length
from skorch import NeuralNet

from ..modules.weight_init import INITIALIZERS
from ..utils.device import resolve_device
from ..utils.interrupts import interrupts_stop_the_run
from ..utils.random import draw_seed, torch_seed
from ..utils.sklearn_private import Interval, Options, StrOptions, safe_indexing
from ..utils.tensors import as_tensor
from ..utils.validation import check_spectrograms, check_waveforms, is_ragged
from ._batches import BatchIterator, ClipDataset
from ._building import NetworkBuilding
from ._inference import NetworkInference
from ._parameters import SpeechNetParameters
from ._schedule import OPTIMIZERS, SCHEDULES
from ._training import split_for_early_stopping, train


class BaseSpeechNet(SpeechNetParameters, NetworkBuilding, NetworkInference, NeuralNet):
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
    l1, l2 : float, default=0.0
        Weights of the sums of absolute and squared weights in the loss; biases
        and normalisation are left out.
    early_stopping : bool, default=False
        Whether to put a part of the training clips aside, stop when the loss on
        it no longer falls, and return to the best weights. The part is split
        off by speaker where ``groups`` is given to ``fit``.
    validation_fraction : float, default=0.15
        Size of that part, of the clips or, with ``groups``, of the speakers.
    n_iter_no_change : int, default=5
        Epochs without improvement after which training stops.
    augment : list of augmentations, default=None
        Applied to training batches only, in this order; see
        ``sklearn_speech.augmentation``.
    frontend : transformer, default=None
        A front end such as :class:`~sklearn_speech.feature_extraction.MelSpectrogram`
        to put inside the network, which then takes waveforms.
    train_frontend : {None, "mel", "stft", "both"}, default=None
        What of the front end is trained with the network.
    frontend_lr : float, default=None
        Largest learning rate of the front end; None is `lr`.
    filterbank : {"free", "triangular", "gaussian", "rectangular"}, default="free"
        Whether every weight of the mel filters is trained by itself, or a centre
        and a width for each filter of this shape.
    random_mel : bool, default=False
        Begin with random mel filters.
    masked_bins : (int, int), default=None
        Bins of the Fourier transform that the network does not hear: first, and
        one after the last.
    iterator_train, iterator_valid : callable
        What cuts batches; ``iterator_train__shuffle=False``,
        ``iterator_train__drop_last=True`` and ``iterator_train__sampler`` are
        understood.
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

    # parameters of skorch that have one value here
    module = None
    criterion = None
    dataset = ClipDataset
    train_split = None
    predict_nonlinearity = "auto"
    compile = False
    use_caching = False  # skorch would cache outputs of augmented, shuffled batches
    torch_load_kwargs = None

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
        "train_frontend": [StrOptions({"mel", "stft", "both"}), None],
        "frontend_lr": [Interval(Real, 0, None, closed="neither"), None],
        "filterbank": [StrOptions({"free", "triangular", "gaussian", "rectangular"})],
        "random_mel": ["boolean"],
        "masked_bins": [tuple, list, None],
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
        train_frontend=None,
        frontend_lr=None,
        filterbank="free",
        random_mel=False,
        masked_bins=None,
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
        self.train_frontend = train_frontend
        self.frontend_lr = frontend_lr
        self.filterbank = filterbank
        self.random_mel = random_mel
        self.masked_bins = masked_bins
        self.iterator_train = iterator_train
        self.iterator_valid = iterator_valid
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.mixed_precision = mixed_precision
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
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
        """Targets as a tensor; None where there are none."""
        return None

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

    def get_dataset(self, X, y=None):
        """The clips as a dataset; a dataset is taken as it is."""
        if isinstance(X, torch.utils.data.Dataset):
            return X
        return ClipDataset(self._check_X(X, reset=False))

    def get_iterator(self, dataset, training=False):
        """What cuts `dataset` into batches."""
        name = "iterator_train" if training else "iterator_valid"
        options = self.get_params_for(name)
        options.setdefault("batch_size", self.batch_size)
        if options["batch_size"] == -1:
            options["batch_size"] = max(len(dataset), 1)
        iterator = getattr(self, name)
        if training and iterator is BatchIterator:
            options.setdefault("shuffle", "sampler" not in options)
            options.setdefault("join_single", True)
        return iterator(dataset, **options)

    # Fitting

    def fit(self, X, y=None, *, groups=None, sample_weight=None, X_val=None, y_val=None):
        """Train the network.

        Parameters
        ----------
        X : array-like
            Clips; see "What flows" of the estimator.
        y : array-like of shape (n_clips,)
            Targets.
        groups : array-like of shape (n_clips,), default=None
            Speaker of each clip. Keeps speakers apart in the split of early
            stopping; nothing else uses it.
        sample_weight : array-like of shape (n_clips,), default=None
            Weight of each clip in the loss.
        X_val, y_val : array-like, default=None
            Clips and targets to measure each epoch on, instead of a part of X.

        Returns
        -------
        self : object
        """
        return self._fit(
            X, y, groups=groups, sample_weight=sample_weight, X_val=X_val, y_val=y_val,
            going_on=self.warm_start and self.initialized_,
        )  # fmt: skip

    def fit_loop(self, X, y=None, epochs=None, **fit_params):
        """Go on training for `epochs` more epochs, or `max_epochs`; see skorch."""
        return self._fit(X, y, going_on=self.initialized_, epochs=epochs, schedule="constant",
                         **fit_params)  # fmt: skip

    def _fit(self, X, y, *, groups=None, sample_weight=None, X_val=None, y_val=None,
             going_on=False, epochs=None, schedule=None, classes=None):  # fmt: skip
        self._validate_params()
        if self.early_stopping and self.lr_schedule == "swa":
            raise ValueError(
                "lr_schedule='swa' ends with the mean of the weights of many steps, "
                "early_stopping=True with those of one epoch: choose one of the two"
            )
        data = self._dataset(X, y, sample_weight, classes=classes, reset=not going_on)
        valid = None
        if X_val is not None:
            if y_val is None and y is not None:
                raise ValueError("X_val is given without y_val")
            valid = self._dataset(X_val, y_val, reset=False)
        if groups is not None:
            check_consistent_length(X, groups)
        data, groups = _without_zero_weights(data, groups)
        with torch_seed(draw_seed(self.random_state), resolve_device(self.device)):
            if valid is None and self.early_stopping and schedule is None:
                data, valid = split_for_early_stopping(
                    data, groups, self.validation_fraction, self._stratify(data)
                )
            if not going_on:
                self.initialize()
            self.notify("on_train_begin", X=X, y=y)
            try:
                epochs = self.max_epochs if epochs is None else epochs
                self._train(data, valid, epochs, schedule or self.lr_schedule, going_on)
            except KeyboardInterrupt:
                if interrupts_stop_the_run():
                    raise
                warnings.warn(
                    f"training interrupted in epoch {len(self.history_)}; the weights reached so "
                    "far are kept",
                    UserWarning,
                    stacklevel=3,
                )
                if self.history_ and "train_loss" not in self.history_[-1]:
                    del self.history_[-1]  # curves are of whole epochs
            self.notify("on_train_end", X=X, y=y)
        return self

    def _train(self, data, valid, epochs, schedule, going_on):
        """Train the initialised net, in one stage here."""
        train(self, data, valid, epochs, schedule)

    def _dataset(self, X, y, sample_weight=None, *, classes=None, reset):
        X = self._check_X(X, reset=reset)
        targets = self._check_y(y, reset=reset, classes=classes)
        if targets is not None:
            check_consistent_length(X, targets)
        weight = self._check_weight(sample_weight, targets, len(X))
        return ClipDataset(X, targets, weight, getattr(self, "classes_", None))

    def _stratify(self, data):
        return None

    def epoch_scores(self, means):
        """What ``history_`` keeps of the clips put aside.

        Parameters
        ----------
        means : dict of str to float
            Sums of ``valid_loss`` and of ``batch_scores``, over the number of clips.

        Returns
        -------
        scores : dict of str to float
        """
        return means

    def __setstate__(self, state):
        # skorch maps tensors from the device in `device` to one that is there, but "auto" is
        # none; what a net was fitted on is in `device_`
        asked = state["device"]
        super().__setstate__({**state, "device": state.get("device_", "cpu")})
        if "device_" in state:
            self.device_ = torch.device(self.device)
        self.device = asked


def _without_zero_weights(data, groups):
    """Clips of weight 0 must reach neither batch norm nor the scale of the loss."""
    weight = data.sample_weight
    if weight is None or bool((weight > 0).all()):
        return data, groups
    kept = torch.nonzero(weight > 0)[:, 0]
    data = data.subset(kept)
    data.sample_weight = data.sample_weight / data.sample_weight.mean()
    return data, None if groups is None else safe_indexing(groups, kept.numpy())
