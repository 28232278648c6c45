"""Broadcasting-residual network, as a classifier."""

from numbers import Real

from ..base import BaseSpeechClassifier
from ..modules.bc_resnet import BCResNetNet
from ..utils.sklearn_private import Interval, StrOptions


class BCResNetClassifier(BaseSpeechClassifier):
    """Broadcasting-residual network that classifies spectrograms of any length.

    BC-ResNet convolves maps of bands and frames over frequency only, and the
    average of all bands over time, which makes it small: 9,232 parameters for
    twelve words. Any number of mel bands will do.

    Parameters
    ----------
    tau : float, default=1
        Width: stages have 8, 12, 16 and 20 times `tau` channels. The paper has 1,
        1.5, 2, 3, 6 and 8, which is 9 to 321 thousand parameters.
    variant : {"paper", "reference"}, default="paper"
        The published network, or that of the trainable front ends' reference
        system: no batch norm and ReLU after the first convolution and after the
        last but one, other biases.
    dropout : float, default=0.1
        Probability of dropping a channel at the end of each block.
    transition_dropout : float, default=None
        The same in blocks that change the number of channels. None is `dropout`
        in the paper's variant and 0.5 in the reference's.
    input_norm : {None, "batch", "clip", "band"}, default="clip"
        What makes input comparable: nothing, as in the paper, statistics of each
        band over the training clips, mean and deviation of each clip, or the same
        with the mean over time of each band of each clip taken away.
    lr : float, default=0.01
        Largest learning rate.
    max_epochs : int, default=30
        Passes over the training clips.
    **kwargs
        Settings of training, see :class:`~sklearn_speech.base.BaseSpeechClassifier`
        and :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    module_ : BCResNetNet or FrontEndNet
        The network: (n_clips, n_bands, n_frames) in, logits out.
    n_features_in_ : int
        Number of bands.
    history_ : skorch.history.History
        Loss, learning rate and seconds by epoch.

    See Also
    --------
    SpectrogramCNNClassifier : Plain convolutions: more parameters, faster steps.

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

    module_class = BCResNetNet

    _parameter_constraints = {
        **BaseSpeechClassifier._parameter_constraints,
        "tau": [Interval(Real, 0.25, None, closed="left")],
        "variant": [StrOptions({"paper", "reference"})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "transition_dropout": [Interval(Real, 0, 1, closed="left"), None],
        "input_norm": [StrOptions({"batch", "clip", "band"}), None],
    }

    def __init__(
        self,
        tau=1,
        *,
        variant="paper",
        dropout=0.1,
        transition_dropout=None,
        input_norm="clip",
        lr=0.01,
        max_epochs=30,
        **kwargs,
    ):
        super().__init__(lr=lr, max_epochs=max_epochs, **kwargs)
        self.tau = tau
        self.variant = variant
        self.dropout = dropout
        self.transition_dropout = transition_dropout
        self.input_norm = input_norm
