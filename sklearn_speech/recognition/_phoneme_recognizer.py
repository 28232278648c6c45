"""Recognition of phone sequences, trained without phone times."""

import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal, Self

import torch
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning

from ..base import BaseSpeechNet
from ..base._batches import ClipDataset
from ..base._callbacks import Named
from ..base._training_clips import DatasetPair
from ..modules.ctc import CTCCriterion
from ..modules.phoneme_net import ENCODERS, PhonemeNet
from ..utils.parameters import SET
from ..utils.sklearn_private import Interval, StrOptions
from ._decoding import greedy_decode
from ._language_model import PhoneNGram
from ._recognition import RecognitionMixin
from ._targets import TargetsMixin, codes_of
from ._timing import TimingMixin
from ._valid_phone_error_rate import ValidPhoneErrorRate


class PhonemeRecognizer(TargetsMixin, RecognitionMixin, TimingMixin, BaseSpeechNet):
    """Recognise the phone sequence of speech of any length.

    A network estimates the posterior of each phone, and of blank, in each frame.
    Connectionist temporal classification (CTC) sums over all alignments of a phone
    sequence with the frames of a clip, so that training needs the sequence only, not
    the times of its phones.

    Parameters
    ----------
    encoder : {"conv-lstm", "linear-lstm", "bcresnet"}, default="conv-lstm"
        Layers before the linear output layer: convolutions and a bidirectional LSTM,
        the LSTM alone, or BC-ResNet and an LSTM.
    hidden_units : int, default=None
        Units of each direction of the LSTM. None means 128 after convolutions,
        otherwise 32.
    n_lstm_layers : int, default=1
        Number of LSTM layers.
    n_conv_layers : int, default=2
        Number of convolutional layers of "conv-lstm". Each halves the number of bands.
    n_filters : int or list of int, default=32
        Filters of each convolutional layer.
    time_stride : int, default=2
        Number of input frames per output frame of "conv-lstm".
    tau : float, default=1
        Width multiplier of "bcresnet".
    variant : {"paper", "reference"}, default="paper"
        Variant of "bcresnet", see
        :class:`~sklearn_speech.classification.BCResNetClassifier`.
    dropout : float, default=0.2
        Dropout before and after the LSTM layers, or within BC-ResNet.
    input_norm : {None, "batch", "clip", "band"}, default="band"
        Normalisation of the input. None: no normalisation; "batch": by the statistics
        of each band over the training clips; "clip": by the mean and standard deviation
        of each clip; "band": like "clip", but with the mean over time of each band
        subtracted.
    segment_model : bool, default=False
        Whether ``fit`` also trains, after the network, an acoustic model of each phone.
        ``align`` uses it to find phone boundaries.
    decoder : {"greedy", "beam"}, default="greedy"
        "greedy" decodes the single most probable path; "beam" searches for the most
        probable sequence with a beam of `beam_width` prefixes.
    beam_width : int, default=16
        Number of prefixes that the beam search keeps after each frame.
    language_model : int, default=None
        Order of a phone n-gram that ``fit`` estimates from the training sequences and
        the beam search uses. None uses no language model.
    language_model_weight : float, default=0.5
        Factor of the language model's log probabilities.
    insertion_bonus : float, default=0.0
        Added to the log probability of a sequence for each of its phones, in the beam
        search.
    frame_period : float, default=0.01
        Time between the frames of spectrograms, in seconds, from which ``align``
        computes times. With `frontend`, the hop length of the front end is used instead.
    lr : float, default=0.003
        Largest learning rate.
    max_epochs : int, default=40
        Number of passes over the training clips.
    batch_size : int, default=16
        Clips per training step. Clips of similar length share a batch.
    gradient_clip : float, default=1.0
        Largest norm of the whole gradient; None does not clip.
    **kwargs
        Training parameters and `frontend`, see
        :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    phones_ : ndarray of shape (n_phones,)
        Phones, sorted.
    language_model_ : PhoneNGram
        Present when `language_model` is set.
    segment_model_ : SegmentModel
        Present when `segment_model` is True.
    module_ : PhonemeNet or FrontEndNet
        The network. It returns logits of shape (n_clips, n_out_frames, n_phones + 1),
        blank first.
    n_features_in_ : int
        Number of bands of spectrograms, or samples of waveforms of one length.
    history_ : skorch.history.History
        Loss, learning rate and duration in seconds of each epoch; ``valid_per`` is the
        phone error rate of greedy decoding on the validation clips.

    See Also
    --------
    sklearn_speech.metrics.phone_error_rate : The metric of recognised sequences.
    sklearn_speech.datasets.make_connected_digits : Strings of digits with their phones.

    Notes
    -----
    Clips are waveforms when `frontend` is set, otherwise spectrograms. Clips of
    different lengths are given as a 1-D object array with one array per clip.

    A sequence needs one output frame for each phone, and one more for each phone that
    equals the phone before it. "conv-lstm" has one output frame for `time_stride` input
    frames. Clips without phones are allowed and train the network to output blank.

    The loss of a clip is divided by its number of phones.

    References
    ----------
    A. Graves, S. Fernandez, F. Gomez and J. Schmidhuber, "Connectionist temporal
    classification: labelling unsegmented sequence data with recurrent neural
    networks", ICML 2006.

    Examples
    --------
    >>> from sklearn_speech import MelSpectrogram, PhonemeRecognizer
    >>> from sklearn_speech.datasets import make_spoken_digits
    >>> speech = make_spoken_digits(2, 3, digits=[2, 6], random_state=0)
    >>> recognizer = PhonemeRecognizer(
    ...     frontend=MelSpectrogram(8000), hidden_units=32, lr=0.01, batch_size=4,
    ...     random_state=0,
    ... )
    >>> recognizer.fit(speech.data, speech.phones).predict(speech.data[:1])[0]
    ['t', 'uw']
    """

    module_class = PhonemeNet

    # outputs of two batches differ in length, so that skorch cannot concatenate them
    use_caching = False

    _needs = {
        "beam_width": ("decoder", ("beam",)),
        "insertion_bonus": ("decoder", ("beam",)),
        "language_model": ("decoder", ("beam",)),
        "language_model_weight": ("language_model", SET),
        "n_conv_layers": ("encoder", ("conv-lstm",)),
        "n_filters": ("encoder", ("conv-lstm",)),
        "time_stride": ("encoder", ("conv-lstm",)),
        "tau": ("encoder", ("bcresnet",)),
        "variant": ("encoder", ("bcresnet",)),
        "frame_period": ("frontend", (None,)),
    }

    _parameter_constraints = {
        **BaseSpeechNet._parameter_constraints,
        "encoder": [StrOptions(set(ENCODERS))],
        "hidden_units": [Interval(Integral, 1, None, closed="left"), None],
        "n_lstm_layers": [Interval(Integral, 1, None, closed="left")],
        "n_conv_layers": [Interval(Integral, 1, None, closed="left")],
        "n_filters": [Interval(Integral, 1, None, closed="left"), list],
        "time_stride": [Interval(Integral, 1, None, closed="left")],
        "tau": [Interval(Real, 0.25, None, closed="left")],
        "variant": [StrOptions({"paper", "reference"})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "input_norm": [StrOptions({"batch", "clip", "band"}), None],
        "segment_model": ["boolean"],
        "decoder": [StrOptions({"greedy", "beam"})],
        "beam_width": [Interval(Integral, 1, None, closed="left")],
        "language_model": [Interval(Integral, 1, None, closed="left"), None],
        "language_model_weight": [Interval(Real, 0, None, closed="left")],
        "insertion_bonus": [Interval(Real, None, None, closed="neither")],
        "frame_period": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        encoder: Literal["conv-lstm", "linear-lstm", "bcresnet"] = "conv-lstm",
        *,
        hidden_units: int | None = None,
        n_lstm_layers: int = 1,
        n_conv_layers: int = 2,
        n_filters: int | list[int] = 32,
        time_stride: int = 2,
        tau: float = 1,
        variant: Literal["paper", "reference"] = "paper",
        dropout: float = 0.2,
        input_norm: Literal["batch", "clip", "band"] | None = "band",
        segment_model: bool = False,
        decoder: Literal["greedy", "beam"] = "greedy",
        beam_width: int = 16,
        language_model: int | None = None,
        language_model_weight: float = 0.5,
        insertion_bonus: float = 0.0,
        frame_period: float = 0.01,
        lr: float = 0.003,
        max_epochs: int = 40,
        batch_size: int = 16,
        gradient_clip: float | None = 1.0,
        **kwargs: Any,
    ):
        super().__init__(
            lr=lr,
            max_epochs=max_epochs,
            batch_size=batch_size,
            gradient_clip=gradient_clip,
            **kwargs,
        )
        self.encoder = encoder
        self.hidden_units = hidden_units
        self.n_lstm_layers = n_lstm_layers
        self.n_conv_layers = n_conv_layers
        self.n_filters = n_filters
        self.time_stride = time_stride
        self.tau = tau
        self.variant = variant
        self.dropout = dropout
        self.input_norm = input_norm
        self.segment_model = segment_model
        self.decoder = decoder
        self.beam_width = beam_width
        self.language_model = language_model
        self.language_model_weight = language_model_weight
        self.insertion_bonus = insertion_bonus
        self.frame_period = frame_period

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.target_tags.required = True
        tags.target_tags.one_d_labels = False
        return tags

    def initialize_criterion(self) -> Self:
        """Set the criterion: the CTC loss of each clip."""
        self.criterion_ = CTCCriterion()
        return self

    @property
    def _default_callbacks(self) -> Named:
        return [*super()._default_callbacks, ("valid_per", ValidPhoneErrorRate())]

    def _train(self, data: DatasetPair, lr_schedule: str, continuing: bool) -> None:
        if self.language_model is not None:
            if not (continuing and hasattr(self, "language_model_")):
                self.language_model_ = PhoneNGram(self.language_model, len(self.phones_))
            self.language_model_.fit(codes_of(data.train.targets))
        super()._train(data, lr_schedule, continuing)
        if self.max_epochs and not continuing:
            self._warn_if_all_blank(data.train)
        self.__dict__.pop("segment_model_", None)
        if self.segment_model:
            self._fit_segments(data.train)

    def _warn_if_all_blank(self, data: ClipDataset) -> None:
        """Warn of underfitting: CTC training starts with a phase of blank outputs only."""
        with_phones = [i for i, codes in enumerate(codes_of(data.targets)) if codes]
        if 2 * len(with_phones) < len(data):
            return  # no phones is the right answer for most clips
        few = data.subset(torch.tensor(with_phones[: self.batch_size]))
        if not any(map(greedy_decode, self._infer_clips(few))):
            warnings.warn(
                f"after {len(self.history_)} epochs the network finds no phones in any of "
                f"{len(few)} training clips; CTC training starts with blank outputs only: use "
                f"more epochs (max_epochs={self.max_epochs}), smaller batches "
                f"(batch_size={self.batch_size}) or another learning rate (lr={self.lr:g})",
                ConvergenceWarning,
                stacklevel=6,
            )

    def fit(
        self,
        X: ArrayLike,
        y: Any,
        *,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        X_val: ArrayLike | None = None,
        y_val: Any = None,
    ) -> Self:
        """Train the network, then the language model and segment model if they are set.

        Parameters
        ----------
        X : array-like
            With `frontend`, waveforms: a 1-D object array with one array of shape
            (n_times,) per clip, or an array of shape (n_clips, n_times). Otherwise
            spectrograms: one array of shape (n_bands, n_frames) per clip, or an array of
            shape (n_clips, n_bands, n_frames).
        y : list or 1-D object array of sequences of str, of shape (n_clips,)
            The phones of each clip, in order.
        groups : array-like of shape (n_clips,), default=None
            Speaker of each clip. The validation split of early stopping keeps the clips
            of a speaker together; groups have no other use.
        sample_weight : array-like of shape (n_clips,), default=None
            Weight of each clip in the loss.
        X_val, y_val : array-like, default=None
            Validation clips and their phones, instead of a part of X.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            When a clip has fewer frames than its phones need, `y_val` has phones that
            `y` does not have, or `y` has no phones.
        """
        return super().fit(
            X, y, groups=groups, sample_weight=sample_weight, X_val=X_val, y_val=y_val
        )

    def partial_fit(
        self,
        X: ArrayLike,
        y: Any,
        phones: Sequence[str] | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        classes: None = None,
    ) -> Self:
        """Train for `max_epochs` further epochs at a constant learning rate, as in skorch.

        Parameters
        ----------
        X : array-like, one array of shape (n_times,) or (n_bands, n_frames) per clip
            As in ``fit``.
        y : list or 1-D object array of sequences of str, of shape (n_clips,)
            The phones of each clip.
        phones : list of str, default=None
            All phones of this and later calls; needed in the first call if y lacks some.
        sample_weight : array-like of shape (n_clips,), default=None
            Weight of each clip in the loss.
        classes : None
            A parameter of all networks of skorch, which has no meaning here.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If `classes` is not None.
        """
        self._refuse_classes(classes)
        return super().partial_fit(X, y, phones, sample_weight=sample_weight)
