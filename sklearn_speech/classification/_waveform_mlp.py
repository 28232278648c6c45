"""Dense layers on raw samples, as a classifier."""

from numbers import Integral, Real

from ..base import BaseSpeechClassifier
from ..modules.waveform_mlp import WaveformMLPNet
from ..utils.sklearn_private import Interval


class WaveformMLPClassifier(BaseSpeechClassifier):
    """Multi-layer perceptron that classifies waveforms of one length.

    What a word says does not depend on where in the clip it begins, which dense
    layers on samples must learn anew for each sample: use it as the baseline
    that it was published as, and expect little of new speakers.

    Parameters
    ----------
    hidden_units : int or list of int, default=128
        Widths of the hidden layers, each followed by ReLU.
    dropout : float, default=0.0
        After each hidden layer.
    equal_loudness : bool, default=True
        Whether each clip is first brought to the same loudness.
    lr : float, default=0.001
        Largest learning rate.
    **kwargs
        Settings of training, see :class:`~sklearn_speech.base.BaseSpeechClassifier`
        and :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    module_ : WaveformMLPNet
        The network: (n_clips, n_times) in, logits out.
    n_features_in_ : int
        Number of samples.
    history_ : skorch.history.History
        Loss, learning rate and seconds by epoch.

    See Also
    --------
    WaveformCNNClassifier : Convolutions, for which it does not matter when a word begins.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech.classification import WaveformMLPClassifier
    >>> seconds, y = np.arange(800) / 8000, np.repeat(["high", "low"], 4)
    >>> hertz = np.where(y == "high", 2000, 200)[:, None]
    >>> X = np.sin(2 * np.pi * hertz * seconds)
    >>> clf = WaveformMLPClassifier(max_epochs=10, random_state=0)
    >>> clf.fit(X, y).predict(X[:2])
    array(['high', 'high'], dtype='<U4')
    """

    module_class = WaveformMLPNet
    reads = "waveform"

    _parameter_constraints = {
        **BaseSpeechClassifier._parameter_constraints,
        "hidden_units": [Interval(Integral, 1, None, closed="left"), list, tuple],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "equal_loudness": ["boolean"],
    }

    def __init__(self, hidden_units=128, *, dropout=0.0, equal_loudness=True, lr=0.001, **kwargs):
        super().__init__(lr=lr, **kwargs)
        self.hidden_units = hidden_units
        self.dropout = dropout
        self.equal_loudness = equal_loudness
