"""One linear layer on whole spectrograms, as a classifier."""

from ..base import BaseSpeechClassifier
from ..base._spectrogram_linear import SpectrogramLinearParameters


class SpectrogramLinearClassifier(SpectrogramLinearParameters, BaseSpeechClassifier):
    """Linear classifier of spectrograms of one length, which can train its front end.

    Logistic regression on all bands and frames. With a
    :class:`~sklearn_speech.feature_extraction.TrainableFrontEnd` as ``frontend``, it also
    learns mel filters or the Fourier basis: it is the smallest network that shows the
    effect of a trained front end.

    Parameters
    ----------
    **kwargs
        Training parameters, see :class:`~sklearn_speech.base.BaseSpeechClassifier`
        and :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    module_ : SpectrogramLinearNet or FrontEndNet
        The network; input of shape (n_clips, n_bands, n_frames), output logits.
    pretrainer_ : FrozenEstimator or network
        Network whose layers this one started from; present if a pretrainer is set.
    n_features_in_ : int
        Number of bands.
    history_ : skorch.history.History
        Loss, learning rate and duration in seconds of each epoch.

    See Also
    --------
    SpectrogramCNNClassifier : Recognises a sound at any position.

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
