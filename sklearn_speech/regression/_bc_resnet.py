"""Broadcasting-residual network on spectrograms, as a regressor."""

from ..base import BaseSpeechRegressor
from ..base._bc_resnet import BCResNetParameters


class BCResNetRegressor(BCResNetParameters, BaseSpeechRegressor):
    """Broadcasting-residual network that predicts numbers from spectrograms of any length.

    Targets are, for example, loudness, speaking rate or age: one number per clip or several.
    The network is that of
    :class:`~sklearn_speech.classification.BCResNetClassifier`.

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
    module_ : BCResNetNet or FrontEndNet
        The network; input of shape (n_clips, n_bands, n_frames), output standardised targets.
    pretrainer_ : FrozenEstimator or network
        Network whose layers this one started from; present if a pretrainer is set.
    n_features_in_ : int
        Number of bands.
    history_ : skorch.history.History
        Loss of the standardised targets, learning rate and duration in seconds of each
        epoch.

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
    >>> reg = BCResNetRegressor(max_epochs=15, batch_size=16, input_norm="batch", random_state=0)
    >>> bool(reg.fit(X, loudness).score(X, loudness) > 0.9)
    True
    """
