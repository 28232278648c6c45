"""Convolutional network on raw samples, as a classifier."""

from ..base import BaseSpeechClassifier
from ..base._waveform_cnn import WaveformCNNParameters


class WaveformCNNClassifier(WaveformCNNParameters, BaseSpeechClassifier):
    """Convolutional network that classifies waveforms of any length, without a spectrogram.

    A strided convolution replaces the spectrogram; stages of convolution, batch norm,
    ReLU and pooling follow. The default, with residual stages, suits words at 8 to
    16 kHz. With other parameters, it is a sample-level network.

    Parameters
    ----------
    **kwargs
        Training parameters, see :class:`~sklearn_speech.base.BaseSpeechClassifier`
        and :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    module_ : WaveformCNNNet
        The network; input of shape (n_clips, n_times), output logits.
    pretrainer_ : FrozenEstimator or network
        Network whose layers this one started from; present if a pretrainer is set.
    n_features_in_ : int
        Number of samples of a clip, if all clips have the same length.
    history_ : skorch.history.History
        Loss, learning rate and duration in seconds of each epoch.

    See Also
    --------
    WaveformMLPClassifier : Dense layers on the samples.

    References
    ----------
    J. Lee, J. Park, K. L. Kim and J. Nam, "Sample-level deep convolutional neural
    networks for music auto-tagging using raw waveforms", SMC 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech.classification import WaveformCNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> seconds, y = np.arange(2000) / 8000, np.repeat(["high", "low"], 4)
    >>> hertz = np.where(y == "high", 2000, 200)[:, None]
    >>> X = np.sin(2 * np.pi * hertz * seconds) + rng.normal(scale=0.1, size=(8, 2000))
    >>> clf = WaveformCNNClassifier(n_layers=2, n_filters=8, max_epochs=10, random_state=0)
    >>> clf.fit(X, y).predict(X[:2])
    array(['high', 'high'], dtype='<U4')
    """
