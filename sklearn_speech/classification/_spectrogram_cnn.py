"""Convolutional network on spectrograms, as a classifier."""

from ..base import BaseSpeechClassifier
from ..base._spectrogram_cnn import SpectrogramCNNParameters


class SpectrogramCNNClassifier(SpectrogramCNNParameters, BaseSpeechClassifier):
    """Convolutional network that classifies spectrograms of any length.

    Layers of convolution, batch norm, ReLU, pooling and dropout are followed by
    pooling over the remaining time and frequency, and by dense layers. The default
    network has four layers and recognises short words of new speakers. With other
    parameters, it is one of the published networks for spoken digits.

    Parameters
    ----------
    **kwargs
        Training parameters, see :class:`~sklearn_speech.base.BaseSpeechClassifier`
        and :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    module_ : SpectrogramCNNNet or FrontEndNet
        The network; input of shape (n_clips, n_bands, n_frames), output logits.
    pretrainer_ : FrozenEstimator, network or ConvAutoencoder
        Network whose layers this one started from; present if a pretrainer is set.
    n_features_in_ : int
        Number of bands.
    history_ : skorch.history.History
        Loss, learning rate and duration in seconds of each epoch.

    See Also
    --------
    sklearn_speech.feature_extraction.MelSpectrogram : Computes the spectrograms.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech import SpectrogramCNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(8, 20, 30)), np.repeat(["no", "yes"], 4)
    >>> X[y == "yes", :10] += 3
    >>> clf = SpectrogramCNNClassifier(n_layers=2, max_epochs=20, random_state=0)
    >>> clf.fit(X, y).predict(X[:2])
    array(['no', 'no'], dtype='<U3')
    """
