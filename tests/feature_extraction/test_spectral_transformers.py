from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_speech.feature_extraction import MelSpectrogram


@parametrize_with_checks([MelSpectrogram()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)
