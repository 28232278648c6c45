from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_speech import SpectrogramLinearClassifier
from sklearn_speech.base import nets_of


def net(max_epochs=1):
    return SpectrogramLinearClassifier(max_epochs=max_epochs, random_state=0)


def test_a_network_is_its_own():
    alone = net()
    assert nets_of(alone) == {"": alone}
    assert nets_of(make_pipeline(StandardScaler(), alone)) == {"": alone}


def test_of_a_fitted_ensemble_the_fitted_networks_are_found():
    X, y = [[0.0, 1], [1, 0], [0, 2], [2, 0]], [0, 1, 0, 1]
    vote = VotingClassifier([("a", net()), ("line", LogisticRegression()), ("b", net(2))])
    assert [n.initialized_ for n in nets_of(vote).values()] == [False, False]
    found = nets_of(vote.fit(X, y))
    assert list(found) == ["a", "b"]
    assert [len(n.history_) for n in found.values()] == [1, 2]
    bag = BaggingClassifier(net(), n_estimators=2, random_state=0)
    assert list(nets_of(bag)) == [""]
    assert list(nets_of(bag.fit(X, y))) == ["0", "1"]


def test_what_wraps_a_network_gives_it_and_what_has_none_gives_none():
    wrapped = make_pipeline(CalibratedClassifierCV(VotingClassifier([("a", net())])))
    assert list(nets_of(wrapped)) == ["a"]
    assert nets_of(LogisticRegression()) == {}
    assert nets_of("passthrough") == {}
