"""Scikit-learn estimators for speech classification.

Speech clips in, scikit-learn estimators all the way, honest scores on speakers
never heard before. Public names load on first use, so that importing the
package costs neither torch, nor skorch, nor optuna.

From a folder of recordings to a model::

    from sklearn_speech import *

    speech = load_speech_folder("recordings", "{label}/{speaker}_{take}.wav")
    print(check_audio_files(speech.data))  # files that cannot be used, and why
    clf = make_speech_pipeline(SpectrogramCNNClassifier(random_state=0), sample_rate=16000)
    print(cross_validate_by_speaker(clf, speech.data, speech.target, speech.speaker))
    save(clf.fit(speech.data, speech.target), "model.safetensors")

    load("model.safetensors").predict([(samples, rate)])  # or paths of files

`list_recipes` names complete systems; `OptunaSearchCV` searches for settings; the displays of
`sklearn_speech.inspection` show clips, training and scores.
"""

import lazy_loader

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
