"""The networks in an estimator."""

from typing import Any

from sklearn.pipeline import Pipeline

from ..utils.parts import parts_of
from ._net import BaseSpeechNet


def nets_of(estimator: Any) -> dict[str, BaseSpeechNet]:
    """Find the networks in an estimator: itself, its last step, or the members of an ensemble.

    Parameters
    ----------
    estimator : estimator
        Fitted or not. In a fitted ensemble, its fitted networks are found, otherwise
        the networks that it was given.

    Returns
    -------
    nets : dict of str to BaseSpeechNet
        The keys are the names in the ensemble, or numbers if it has no names;
        ``""`` for a single network. Empty if there are no networks.

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
    found: dict[str, BaseSpeechNet] = {}
    for name, part in parts_of(estimator, fitted=True):
        # if a parameter such as `estimator` holds one estimator, its name is left out
        name = "" if getattr(estimator, name or "_", None) is part else name
        for inner, net in nets_of(part).items():
            found[", ".join(filter(None, (name, inner)))] = net
    return found
