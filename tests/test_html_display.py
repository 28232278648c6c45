"""scikit-learn's HTML display explains every parameter and attribute, and shows no others."""

import inspect
import re

import numpy as np
import pytest
from numpydoc.docscrape import ClassDoc
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

import sklearn_speech
from sklearn_speech.base import BaseSpeechNet
from tests.estimators import ESTIMATORS
from tests.members import REQUIRED

PUBLIC = [
    cls
    for cls in (getattr(sklearn_speech, name) for name in dir(sklearn_speech))
    if inspect.isclass(cls) and issubclass(cls, BaseEstimator)
]
NETS = [net for net in ESTIMATORS if isinstance(net, BaseSpeechNet)]

pytestmark = pytest.mark.skipif(
    not hasattr(BaseEstimator, "_get_fitted_attr_html"),
    reason="shown since scikit-learn 1.9",
)


def rows(html):
    """Names in the tables of an estimator's display, and those that have a tooltip."""
    cells = re.findall(r'<td class="param">(.*?)</td>', html, re.DOTALL)
    name = re.compile(r"^\s*(?:<a[^>]*>)?\s*(\w+)", re.DOTALL)
    shown = {name.match(cell)[1]: "param-doc-description" in cell for cell in cells}
    return set(shown), {name for name, explained in shown.items() if explained}


def documented(cls, section):
    entries = ClassDoc(cls, config={"show_class_members": False})[section]
    return {name for entry in entries for name in entry.name.split(", ")}


@pytest.mark.parametrize("cls", PUBLIC)
def test_each_parameter_has_a_tooltip(cls):
    required = [p.name for p in inspect.signature(cls).parameters.values() if p.default is p.empty]
    estimator = cls(**{name: REQUIRED.get(name) for name in required})
    html = estimator._get_params_html(deep=False, doc_link=estimator._get_doc_link())
    shown, explained = rows(html._repr_html_())
    assert explained == shown == set(estimator.get_params(deep=False))


@pytest.mark.parametrize("net", NETS, ids=lambda net: type(net).__name__)
def test_a_fitted_network_shows_the_attributes_that_it_documents(net):
    net = clone(net).set_params(max_epochs=1)
    X = np.random.default_rng(0).normal(size=(12, 20)).astype(np.float32)
    check_is_fitted(net.fit(X, np.tile([0, 1], 6)))
    shown = rows(net._repr_html_())[0] - set(net.get_params(deep=False))
    optional = {"pretrainer_", "multilabel_"}
    attributes = documented(type(net), "Attributes")
    assert shown <= attributes
    assert attributes - optional <= shown
    assert not shown & {"optimizer_", "criterion_", "callbacks_", "initialized_", "prefixes_"}


def test_a_subclass_of_a_user_is_explained_too():
    class Own(sklearn_speech.SpectrogramCNNClassifier):
        """Own settings.

        Parameters
        ----------
        size : int, default=3
            Its size.
        **kwargs
            As of the base class.
        """

        def __init__(self, size=3, **kwargs):
            super().__init__(**kwargs)
            self.size = size

    shown, explained = rows(Own()._repr_html_())
    assert {"size", "n_filters", "lr"} <= shown == explained
