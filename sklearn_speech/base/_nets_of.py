"""The networks that an estimator holds."""

from sklearn.pipeline import Pipeline

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
    for name, part in _parts(estimator):
        for inner, net in nets_of(part).items():
            found[", ".join(filter(None, (name, inner)))] = net
    return found


def _parts(estimator):
    """Names and estimators inside of an ensemble or of what wraps one estimator."""
    if hasattr(estimator, "named_estimators_"):
        return list(estimator.named_estimators_.items())
    if hasattr(estimator, "estimators_"):
        return [(str(i), part) for i, part in enumerate(estimator.estimators_)]
    if not hasattr(estimator, "get_params"):
        return []
    parts = []
    for value in estimator.get_params(deep=False).values():
        if isinstance(value, (list, tuple)):
            parts += [pair for pair in value if isinstance(pair, tuple) and _is_named(pair)]
        elif _is_estimator(value):
            parts.append(("", value))
    return parts


def _is_named(pair):
    return len(pair) == 2 and isinstance(pair[0], str) and _is_estimator(pair[1])


def _is_estimator(thing):
    return hasattr(thing, "fit") and not isinstance(thing, type)
