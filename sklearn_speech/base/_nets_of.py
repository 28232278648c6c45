"""The networks that an estimator holds."""

from sklearn.pipeline import Pipeline

from ..utils.parts import parts_of
from ._net import BaseSpeechNet


def nets_of(estimator):
    """Networks of an estimator: itself, its last step's, or those of an ensemble.

    Parameters
    ----------
    estimator : estimator
        Fitted or not. Of a fitted ensemble the fitted networks are found, of one
        that is not fitted those that it was given.

    Returns
    -------
    nets : dict of str to BaseSpeechNet
        By the names that the ensemble gives them, or numbers where it gives none;
        ``""`` for a network that is alone. Empty where there is none.

    Examples
    --------
    >>> from sklearn.ensemble import VotingClassifier
    >>> from sklearn_speech import BCResNetClassifier
    >>> list(nets_of(VotingClassifier([("narrow", BCResNetClassifier())])))
    ['narrow']
    """
    if isinstance(estimator, BaseSpeechNet):
        return {"": estimator}
    if isinstance(estimator, Pipeline):
        return nets_of(estimator[-1])
    found = {}
    for name, part in parts_of(estimator, fitted=True):
        # a parameter that holds one estimator, such as `estimator`, has no name of its own
        name = "" if getattr(estimator, name or "_", None) is part else name
        for inner, net in nets_of(part).items():
            found[", ".join(filter(None, (name, inner)))] = net
    return found
