from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_speech.feature_extraction import (
    MFCC,
    MelSpectrogram,
    Spectrogram,
    SpectrogramScaler,
)


@parametrize_with_checks([MFCC(), MelSpectrogram(), Spectrogram(), SpectrogramScaler()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)
