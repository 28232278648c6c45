"""Phone sequences of speech of any length, without knowing when each phone is said."""

import warnings
from numbers import Integral, Real

import torch
from sklearn.exceptions import ConvergenceWarning

from ..base import BaseSpeechNet
from ..metrics import phone_error_rate
from ..modules.ctc import CTCCriterion
from ..modules.phoneme_net import ENCODERS, PhonemeNet
from ..utils.parameters import SET
from ..utils.sklearn_private import Interval, StrOptions
from ..utils.validation import make_ragged
from ._decoding import beam_decode, greedy_decode
from ._language_model import PhoneNGram
from ._targets import TargetsMixin, codes_of, steps_of
from ._timing import TimingMixin
from ._valid_phone_error_rate import ValidPhoneErrorRate


class PhonemeRecognizer(TargetsMixin, TimingMixin, BaseSpeechNet):
    """Recogniser of phones: speech of any length in, sequences of phones out.

    A network names the phone of each frame, or blank; connectionist temporal
    classification (CTC) adds up all the ways in which a sequence can be said in the
    frames of a clip, so that nothing but the sequence itself must be known.

    Parameters
    ----------
    encoder : {"conv-lstm", "linear-lstm", "bcresnet"}, default="conv-lstm"
        What lies before the last, linear layer: layers of convolutions and a
        bidirectional LSTM, that LSTM alone, or BC-ResNet and an LSTM.
    hidden_units : int, default=None
        Of each direction of the LSTM. None is 128 after convolutions, else 32.
    n_lstm_layers : int, default=1
        Layers of the LSTM.
    n_conv_layers : int, default=2
        Layers of convolutions of "conv-lstm", each of which halves the bands.
    n_filters : int or list of int, default=32
        Filters of each of these layers.
    time_stride : int, default=2
        "conv-lstm" gives one frame for so many.
    tau : float, default=1
        Width of "bcresnet".
    variant : {"paper", "reference"}, default="paper"
        Of "bcresnet", see
        :class:`~sklearn_speech.classification.BCResNetClassifier`.
    dropout : float, default=0.2
        Around the layers of the LSTM, or inside of BC-ResNet.
    input_norm : {None, "batch", "clip", "band"}, default="band"
        What makes input comparable: nothing, statistics of each band over the
        training clips, mean and deviation of each clip, or the same with the mean
        over time of each band of each clip taken away.
    segment_model : bool, default=False
        Whether ``fit`` also learns, after the network, how each phone sounds: what
        ``align`` needs to know when it is said.
    decoder : {"greedy", "beam"}, default="greedy"
        The sequence of the single most probable path, or the most probable
        sequence, searched for among `beam_width` prefixes.
    beam_width : int, default=16
    language_model : int, default=None
        Order of an n-gram of phones, learned in ``fit`` from the training
        sequences, that the beam search takes into account; None is no such model.
    language_model_weight : float, default=0.5
        Factor of its logarithms.
    insertion_bonus : float, default=0.0
        Added to the logarithm of a sequence's probability for each phone; only for
        the beam search.
    frame_period : float, default=0.01
        Seconds from one frame to the next, where spectrograms are given: what
        ``align`` tells times by. With `frontend`, its own hop counts.
    lr : float, default=0.003
        Largest learning rate.
    max_epochs : int, default=40
        Passes over the training clips.
    batch_size : int, default=16
        Clips a step; those of similar length are put together.
    gradient_clip : float, default=1.0
        Largest norm of all gradients together; None does not clip.
    **kwargs
        Settings of training, and `frontend` with its settings, see
        :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    phones_ : ndarray of shape (n_phones,)
        Phones, sorted.
    language_model_ : PhoneNGram
        Where `language_model` is set.
    segment_model_ : SegmentModel
        Where `segment_model` is set.
    module_ : PhonemeNet or FrontEndNet
        The network: logits (n_clips, n_out_frames, n_phones + 1) out, blank first.
    n_features_in_ : int
        Number of bands of spectrograms, or samples of waveforms of one length.
    history_ : skorch.history.History
        Loss, learning rate and seconds by epoch; ``valid_per`` is the phone error
        rate of greedy decoding of the clips put aside.

    See Also
    --------
    sklearn_speech.metrics.phone_error_rate : Judges what is recognised.
    sklearn_speech.datasets.make_connected_digits : Sequences to learn from.

    Notes
    -----
    Clips are waveforms where `frontend` is set, else spectrograms; ragged ones, a
    1-D object array with an array a clip, may differ in length.

    A sequence needs as many frames as it has phones, and one more for each phone
    that follows itself; what comes out of the network counts, which for
    "conv-lstm" is every `time_stride`-th frame. A clip may have no phones at all:
    it teaches blank.

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

    # outputs of a batch are as long as its longest clip, which skorch could not put together
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
        encoder="conv-lstm",
        *,
        hidden_units=None,
        n_lstm_layers=1,
        n_conv_layers=2,
        n_filters=32,
        time_stride=2,
        tau=1,
        variant="paper",
        dropout=0.2,
        input_norm="band",
        segment_model=False,
        decoder="greedy",
        beam_width=16,
        language_model=None,
        language_model_weight=0.5,
        insertion_bonus=0.0,
        frame_period=0.01,
        lr=0.003,
        max_epochs=40,
        batch_size=16,
        gradient_clip=1.0,
        **kwargs,
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.target_tags.required = True
        tags.target_tags.one_d_labels = False
        return tags

    # Training

    def initialize_criterion(self):
        """CTC of each clip."""
        self.criterion_ = CTCCriterion()
        return self

    @property
    def _default_callbacks(self):
        return [*super()._default_callbacks, ("valid_per", ValidPhoneErrorRate())]

    def _train(self, data, lr_schedule, going_on):
        if self.language_model is not None:
            if not (going_on and hasattr(self, "language_model_")):
                self.language_model_ = PhoneNGram(self.language_model, len(self.phones_))
            self.language_model_.fit(codes_of(data.train.targets))
        super()._train(data, lr_schedule, going_on)
        if self.max_epochs and not going_on:
            self._warn_of_silence(data.train)
        vars(self).pop("segment_model_", None)
        if self.segment_model:
            self._fit_segments(data.train)

    def _warn_of_silence(self, data):
        """All blank is where CTC begins, and where too short a training ends."""
        with_phones = data.targets.any(dim=1).nonzero()[:, 0]
        if 2 * len(with_phones) < len(data):
            return  # silence is right for most
        few = data.subset(with_phones[: self.batch_size])
        if not any(map(greedy_decode, self._infer_clips(few))):
            warnings.warn(
                f"after {len(self.history_)} epochs the network still hears no phone in any of "
                f"{len(few)} training clips; CTC begins with silence: train for more epochs "
                f"(max_epochs={self.max_epochs}), in smaller batches "
                f"(batch_size={self.batch_size}) or with another learning rate (lr={self.lr:g})",
                ConvergenceWarning,
                stacklevel=6,
            )

    def fit(self, X, y, *, groups=None, sample_weight=None, X_val=None, y_val=None):
        """Train the network, and count phones where a language model is asked for.

        Parameters
        ----------
        X : array-like
            Ragged waveforms where `frontend` is set, a 1-D object array with one
            array (n_times,) a clip, or (n_clips, n_times); else spectrograms, one
            array (n_bands, n_frames) a clip, or (n_clips, n_bands, n_frames).
        y : list or 1-D object array of sequences of str, of shape (n_clips,)
            The phones of each clip, in order.
        groups : array-like of shape (n_clips,), default=None
            Speaker of each clip. Keeps speakers apart in the split of early
            stopping; nothing else uses it.
        sample_weight : array-like of shape (n_clips,), default=None
            Weight of each clip in the loss.
        X_val, y_val : array-like, default=None
            Clips and phones to measure each epoch on, instead of a part of X.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            When a clip has fewer frames than its phones need, `y_val` has phones that
            `y` has not, or there is no phone at all.
        """
        return super().fit(
            X, y, groups=groups, sample_weight=sample_weight, X_val=X_val, y_val=y_val
        )

    def partial_fit(self, X, y, phones=None, *, sample_weight=None):
        """Go on training for `max_epochs` epochs at a constant learning rate, as in skorch.

        Parameters
        ----------
        X : array-like, one array of shape (n_times,) or (n_bands, n_frames) a clip
            As in ``fit``.
        y : list or 1-D object array of sequences of str, of shape (n_clips,)
            The phones of each clip.
        phones : list of str, default=None
            All phones that will ever come; needed in the first call where y lacks some.
        sample_weight : array-like of shape (n_clips,), default=None

        Returns
        -------
        self : object
        """
        return super().partial_fit(X, y, phones, sample_weight=sample_weight)

    # Inference

    def _infer_clips(self, X):
        """Log posteriors of each clip, an ndarray each."""
        self.check_is_fitted()
        data = self.get_dataset(X)
        n_steps = steps_of(data)
        n_frames = self._out_frames(n_steps).tolist()
        # by length, so that little is padded; each is put where it belongs
        order = torch.argsort(n_steps, stable=True)
        outputs, done = [None] * len(data), 0
        for batch in self.forward_iter(data.subset(order)):
            for row in batch.float().log_softmax(2).numpy():
                i = int(order[done])
                outputs[i], done = row[: n_frames[i]], done + 1
        return outputs

    def predict_log_proba(self, X):
        """Logarithm of the posterior of blank and of each phone, frame by frame.

        Parameters
        ----------
        X : array-like, one array of shape (n_times,) or (n_bands, n_frames) a clip
            As in ``fit``.

        Returns
        -------
        log_posteriors : ndarray of shape (n_clips,), dtype object
            Each a float32 array (n_out_frames, n_phones + 1): blank, then the phones
            in the order of ``phones_``.
        """
        return make_ragged(self._infer_clips(X))

    @property
    def predict_proba(self):
        """There is none: posteriors are of frames, not of clips."""
        raise AttributeError(
            f"{type(self).__name__} has no predict_proba; predict_log_proba gives the posteriors "
            "of each frame"
        )

    def predict(self, X):
        """Phones of each clip.

        Parameters
        ----------
        X : array-like, one array of shape (n_times,) or (n_bands, n_frames) a clip
            As in ``fit``.

        Returns
        -------
        phones : ndarray of shape (n_clips,), dtype object
            Each a list of str.
        """
        posteriors = self._infer_clips(X)
        if self.decoder == "greedy":
            decoded = map(greedy_decode, posteriors)
        else:
            model = getattr(self, "language_model_", None) if self.language_model else None
            decoded = (
                beam_decode(
                    row, self.beam_width, model, self.language_model_weight, self.insertion_bonus
                )
                for row in posteriors
            )
        names = self.phones_.tolist()
        return make_ragged([names[code - 1] for code in codes] for codes in decoded)

    def score(self, X, y, sample_weight=None):
        """One minus the phone error rate of all clips together.

        Parameters
        ----------
        X : array-like, one array of shape (n_times,) or (n_bands, n_frames) a clip
            As in ``fit``.
        y : list or 1-D object array of sequences of str, of shape (n_clips,)
            True phones; those that were not among the training clips' count as errors.
        sample_weight : array-like of shape (n_clips,), default=None

        Returns
        -------
        score : float
            1 is perfect; below 0 where phones are added without need.
        """
        return 1.0 - phone_error_rate(y, self.predict(X), sample_weight=sample_weight)

    score.metric = "1 - phone error rate"  # what tables and axes call it
