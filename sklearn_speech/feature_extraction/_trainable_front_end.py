"""A front end that is trained with the network that it is put into."""

from numbers import Integral, Real

from sklearn.base import BaseEstimator

from ..modules.embedding_front_end import EmbeddingFrontEnd
from ..modules.front_end import FrontEnd
from ..utils.parameters import SET, refuse_idle_parameters
from ..utils.sklearn_private import (
    DocumentedMixin,
    HasMethods,
    Interval,
    InvalidParameterError,
    StrOptions,
    validate_parameter_constraints,
)
from ._base import BaseSpectralTransformer
from ._speech_embedding import SpeechEmbedding


class TrainableFrontEnd(DocumentedMixin, BaseEstimator):
    """Front end of which a part is trained with a network: filters, transform, or encoder.

    Pass it as ``frontend=`` to a network of this library. It is not a transformer: it
    describes the initial front end inside the network, and which part of it is trained.

    Parameters
    ----------
    transformer : MelSpectrogram, MFCC, Spectrogram or SpeechEmbedding
        The front end as it is before training.
    train : {None, "mel", "stft", "both", "all"} or int, default="mel"
        What is trained of spectrograms: the mel filters, the sines and cosines of the Fourier
        transform, or both. None trains nothing, for a front end with `masked_bins`. What is
        trained of a SpeechEmbedding: "all" of its network, or a number of its last layers.
        Without augmentations, the output of the default encoder's layers before them is computed
        only once, so that few layers train much faster than all.
    lr : float, default=None
        Largest learning rate of the front end; None is that of the network.
    filterbank : {"free", "triangular", "gaussian", "rectangular"}, default="free"
        Whether every weight of the mel filters is trained by itself, or a centre and a width
        for each filter of this shape.
    random_mel : bool, default=False
        Start from random mel filters. Needs ``filterbank="free"``, and `train` to include the
        mel filters.
    masked_bins : (int, int), default=None
        Bins of the Fourier transform that the network does not receive: first, and one after
        the last.

    See Also
    --------
    MelSpectrogram : The usual `transformer`.

    References
    ----------
    K. W. Cheuk, H. Anderson, K. Agres and D. Herremans, "nnAudio: an on-the-fly GPU audio to
    spectrogram conversion toolbox using 1D convolutional neural networks", IEEE Access 8, 2020.

    Q. Fu, Z. Teng, J. White, M. Powell and D. Schmidt, "FastAudio: a learnable audio front-end
    for spoof speech detection", ICASSP 2022.

    Examples
    --------
    >>> from sklearn_speech import MelSpectrogram, SpectrogramLinearClassifier
    >>> from sklearn_speech.feature_extraction import TrainableFrontEnd
    >>> front_end = TrainableFrontEnd(MelSpectrogram(8000), train="mel", lr=1e-4)
    >>> clf = SpectrogramLinearClassifier(frontend=front_end)
    >>> clf.set_params(frontend__transformer__n_mels=20).frontend.transformer.n_mels
    20
    """

    _parameter_constraints = {
        "transformer": [HasMethods(["to_module"])],
        "train": [
            StrOptions({"mel", "stft", "both", "all"}),
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "lr": [Interval(Real, 0, None, closed="neither"), None],
        "filterbank": [StrOptions({"free", "triangular", "gaussian", "rectangular"})],
        "random_mel": ["boolean"],
        "masked_bins": [tuple, list, None],
    }

    _needs = {
        "lr": ("train", SET),
        "random_mel": ("train", ("mel", "both")),
    }

    def __init__(
        self,
        transformer: BaseSpectralTransformer | SpeechEmbedding,
        *,
        train: str | int | None = "mel",
        lr: float | None = None,
        filterbank: str = "free",
        random_mel: bool = False,
        masked_bins: tuple[int, int] | None = None,
    ) -> None:
        self.transformer = transformer
        self.train = train
        self.lr = lr
        self.filterbank = filterbank
        self.random_mel = random_mel
        self.masked_bins = masked_bins

    @property
    def sample_rate(self) -> float:
        """Sampling rate of the waveforms, in Hz: that of the transformer."""
        return self.transformer.sample_rate

    @property
    def scaling(self) -> str | None:
        """Scaling of the spectrograms: that of the transformer."""
        return getattr(self.transformer, "scaling", None)

    def to_module(self) -> FrontEnd | EmbeddingFrontEnd:
        """Make the front end a torch module, to be the first layer of a network.

        Returns
        -------
        module : FrontEnd or EmbeddingFrontEnd
            See :meth:`MelSpectrogram.to_module`.

        Raises
        ------
        InvalidParameterError
            When a parameter is invalid, or has no effect beside the others.
        """
        if isinstance(self.transformer, type):
            raise InvalidParameterError(
                f"transformer={self.transformer!r}: expected an instance, such as MelSpectrogram()"
            )
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), type(self).__name__
        )
        refuse_idle_parameters(self)
        layers: bool | int | None = True if self.train == "all" else None
        if isinstance(self.train, Integral):
            layers = int(self.train)
        if layers is not None:
            if not isinstance(self.transformer, SpeechEmbedding):
                raise InvalidParameterError(
                    f"train={self.train!r} is for SpeechEmbedding; "
                    f"{type(self.transformer).__name__} takes train='mel', 'stft' or 'both'"
                )
            return self.transformer.to_module(
                train=layers, filterbank=self.filterbank, masked_bins=self.masked_bins
            )
        return self.transformer.to_module(
            train_stft=self.train in ("stft", "both"),
            train_mel=self.train in ("mel", "both"),
            filterbank=self.filterbank,
            random_mel=self.random_mel,
            masked_bins=self.masked_bins,
        )
