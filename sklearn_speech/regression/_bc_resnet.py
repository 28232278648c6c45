"""Broadcasting-residual network on spectrograms, as a regressor."""

from ..base import BaseSpeechRegressor
from ..base._bc_resnet import BCResNetParameters


class BCResNetRegressor(BCResNetParameters, BaseSpeechRegressor):
    """Broadcasting-residual network that predicts numbers from spectrograms of any length.

    How loud, how fast, how old: one number a clip or several. The network is that of
    :class:`~sklearn_speech.classification.BCResNetClassifier`.

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
    module_ : BCResNetNet or FrontEndNet
        The network: (n_clips, n_bands, n_frames) in, standardised numbers out.
    n_features_in_ : int
        Number of bands.
    history_ : skorch.history.History
        Losses of standardised targets, learning rate and seconds by epoch.

    See Also
    --------
    sklearn_speech.classification.BCResNetClassifier : The same network for labels.

    References
    ----------
    B. Kim, S. Chang, J. Lee and D. Sung, "Broadcasted residual learning for
    efficient keyword spotting", Interspeech 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech.regression import BCResNetRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, loudness = rng.normal(size=(32, 20, 30)), np.linspace(40, 80, 32)
    >>> X[:, :10] += 0.1 * loudness[:, None, None]
    >>> reg = BCResNetRegressor(max_epochs=40, input_norm="batch", random_state=0).fit(X, loudness)
    >>> bool(reg.score(X, loudness) > 0.9)
    True
    """
