"""Convolutional network on raw samples, as a regressor."""

from ..base import BaseSpeechRegressor
from ..base._waveform_cnn import WaveformCNNParameters


class WaveformCNNRegressor(WaveformCNNParameters, BaseSpeechRegressor):
    """Convolutional network that predicts numbers from waveforms, without a spectrogram.

    Targets are, for example, pitch, speaking rate or age: one number per clip or several.
    The network is that of
    :class:`~sklearn_speech.classification.WaveformCNNClassifier`. It cannot predict loudness
    with ``equal_loudness=True``.

    Parameters
    ----------
    **kwargs
        Parameters of the network and of training, see
        :class:`~sklearn_speech.base.BaseSpeechRegressor` and
        :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    n_outputs_ : int
        Number of targets per clip.
    target_scaler_ : StandardScaler
        Mean and standard deviation of the targets of the training clips.
    module_ : WaveformCNNNet
        The network; input of shape (n_clips, n_times), output standardised targets.
    pretrainer_ : FrozenEstimator or network
        Network whose layers this one started from; present if a pretrainer is set.
    n_features_in_ : int
        Number of samples of a clip, if all clips have the same length.
    history_ : skorch.history.History
        Loss of the standardised targets, learning rate and duration in seconds of each
        epoch.

    See Also
    --------
    sklearn_speech.classification.WaveformCNNClassifier : The same network for labels.

    References
    ----------
    J. Lee, J. Park, K. L. Kim and J. Nam, "Sample-level deep convolutional neural
    networks for music auto-tagging using raw waveforms", SMC 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech.regression import WaveformCNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> seconds, hertz = np.arange(2000) / 8000, np.linspace(200, 2000, 32)
    >>> X = np.sin(2 * np.pi * hertz[:, None] * seconds + rng.uniform(0, 6, size=(32, 1)))
    >>> reg = WaveformCNNRegressor(n_layers=2, n_filters=8, random_state=0).fit(X, hertz)
    >>> bool(reg.score(X, hertz) > 0.8)
    True
    """
