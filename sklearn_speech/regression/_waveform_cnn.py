"""Convolutional network on raw samples, as a regressor."""

from ..base import BaseSpeechRegressor
from ..base._waveform_cnn import WaveformCNNParameters


class WaveformCNNRegressor(WaveformCNNParameters, BaseSpeechRegressor):
    """Convolutional network that predicts numbers from waveforms, without a spectrogram.

    How high, how fast, how old: one number a clip or several. The network is that of
    :class:`~sklearn_speech.classification.WaveformCNNClassifier`. With ``equal_loudness=True``
    it cannot tell how loud a clip is.

    Parameters
    ----------
    **kwargs
        Settings of the network and of training, see
        :class:`~sklearn_speech.base.BaseSpeechRegressor` and
        :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    n_outputs_ : int
        Numbers a clip.
    target_scaler_ : StandardScaler
        Mean and deviation of the targets of the training clips.
    module_ : WaveformCNNNet
        The network: (n_clips, n_times) in, standardised numbers out.
    n_features_in_ : int
        Number of samples, where all clips have the same.
    history_ : skorch.history.History
        Losses of standardised targets, learning rate and seconds by epoch.

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
