"""One linear layer on whole spectrograms, as a classifier."""

from numbers import Real

from ..base import BaseSpeechClassifier
from ..modules.spectrogram_linear import SpectrogramLinearNet
from ..utils.sklearn_private import Interval, StrOptions


class SpectrogramLinearClassifier(BaseSpeechClassifier):
    """Linear classifier of spectrograms of one length, which can train its front end.

    Logistic regression on all bands and frames. With ``frontend`` and
    ``train_frontend`` mel filters and Fourier basis are learned with it: the
    smallest network in which a trained front end shows what it is worth.

    Parameters
    ----------
    dropout : float, default=0.0
        Of bands and frames.
    input_norm : {None, "batch", "clip", "band"}, default="clip"
        What makes input comparable: nothing, statistics of each band over the
        training clips, mean and deviation of each clip, or the same with the
        mean over time of each band of each clip taken away.
    lr : float, default=0.01
        Largest learning rate.
    **kwargs
        Settings of training, see :class:`~sklearn_speech.base.BaseSpeechClassifier`
        and :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    module_ : SpectrogramLinearNet or FrontEndNet
        The network: (n_clips, n_bands, n_frames) in, logits out.
    n_features_in_ : int
        Number of bands.
    history_ : skorch.history.History
        Loss, learning rate and seconds by epoch.

    See Also
    --------
    SpectrogramCNNClassifier : Recognises a sound whenever it comes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech.classification import SpectrogramLinearClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(8, 20, 30)), np.repeat(["no", "yes"], 4)
    >>> X[y == "yes", :10] += 3
    >>> SpectrogramLinearClassifier(random_state=0).fit(X, y).predict(X[:2])
    array(['no', 'no'], dtype='<U3')
    """

    module_class = SpectrogramLinearNet

    _parameter_constraints = {
        **BaseSpeechClassifier._parameter_constraints,
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "input_norm": [StrOptions({"batch", "clip", "band"}), None],
    }

    def __init__(self, dropout=0.0, *, input_norm="clip", lr=0.01, **kwargs):
        super().__init__(lr=lr, **kwargs)
        self.dropout = dropout
        self.input_norm = input_norm
