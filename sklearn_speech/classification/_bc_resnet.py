"""Broadcasting-residual network, as a classifier."""

from ..base import BaseSpeechClassifier
from ..base._bc_resnet import BCResNetParameters


class BCResNetClassifier(BCResNetParameters, BaseSpeechClassifier):
    """Broadcasting-residual network that classifies spectrograms of any length.

    BC-ResNet convolves its feature maps over frequency only, and their mean over all
    bands over time. This makes it small: 9,232 parameters for twelve words. The number
    of mel bands is free.

    Parameters
    ----------
    **kwargs
        Training parameters, see :class:`~sklearn_speech.base.BaseSpeechClassifier`
        and :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    module_ : BCResNetNet or FrontEndNet
        The network; input of shape (n_clips, n_bands, n_frames), output logits.
    pretrainer_ : FrozenEstimator or network
        Network whose layers this one started from; present if a pretrainer is set.
    n_features_in_ : int
        Number of bands.
    history_ : skorch.history.History
        Loss, learning rate and duration in seconds of each epoch.

    See Also
    --------
    SpectrogramCNNClassifier : Ordinary convolutions: more parameters, faster steps.

    References
    ----------
    B. Kim, S. Chang, J. Lee and D. Sung, "Broadcasted residual learning for
    efficient keyword spotting", Interspeech 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech.classification import BCResNetClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(8, 20, 30)), np.repeat(["no", "yes"], 4)
    >>> X[y == "yes", :10] += 3
    >>> clf = BCResNetClassifier(max_epochs=10, random_state=0)
    >>> clf.fit(X, y).predict(X[:2])
    array(['no', 'no'], dtype='<U3')
    """
