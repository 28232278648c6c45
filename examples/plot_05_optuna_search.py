"""
A hyperparameter search with an honest score
============================================

How many layers and mel bands are best? Optuna tries settings and scores each of them on held-out
speakers. The score of the best setting is optimistic, because the setting was chosen by it.
Therefore, another speaker is held out of each search, and is used only to score its best setting.
This example shows both scores side by side.

When run as a script, it prints both scores, stores its trials in ``search.db``, so that an
interrupted run can continue, and writes ``optuna_search.png``. Both files are in the working
directory.
"""

# %%
# The recordings
# --------------

import warnings

from sklearn_speech.datasets import fetch_fsdd, make_spoken_digits

try:
    speech = fetch_fsdd(verbose=1)
    source, n_trials, max_epochs = "Free Spoken Digit Dataset", 20, 8
except OSError as error:
    speech = make_spoken_digits(
        n_speakers=4, n_takes=1, digits=range(5), sample_rate=8000, random_state=0
    )
    source, n_trials, max_epochs = "SYNTHETIC digits", 4, 3
    warnings.warn(
        f"no real recordings ({error}): using a few SYNTHETIC digits instead, whose scores say "
        "nothing about speech",
        stacklevel=1,
    )
print(f"{source}: {len(speech.data)} clips of {len(set(speech.speaker))} speakers")

# %%
# The search space
# ----------------
# :func:`~sklearn_speech.model_selection.suggest_search_space` suggests a space for each
# step of this library; this example needs only a part of it. Both the number of layers and the
# number of filters of each layer are drawn, so the space is a function of the trial.

from sklearn_speech import (
    MelSpectrogram,
    SpectrogramCNNClassifier,
    make_speech_pipeline,
    suggest_search_space,
)

pipeline = make_speech_pipeline(
    SpectrogramCNNClassifier(max_epochs=max_epochs, random_state=0),
    sample_rate=8000,
    duration=0.5,
    features=MelSpectrogram(sample_rate=8000),
)
if source.startswith("SYNTHETIC"):  # the clips are waveforms, so there are no files to read
    pipeline = pipeline[1:]
print("suggested space:", *suggest_search_space(pipeline), sep="\n  ")


def space(trial):
    """Return the parameters of the pipeline for an Optuna trial."""
    n_layers = trial.suggest_int("n_layers", 1, 3)
    filters = [trial.suggest_int(f"n_filters_{i}", 8, 24, step=8) for i in range(n_layers)]
    return {
        "melspectrogram__n_mels": trial.suggest_int("n_mels", 20, 50, step=10),
        "melspectrogram__hop_length": trial.suggest_categorical("hop_length", [80, 128]),
        "spectrogramcnnclassifier__n_layers": n_layers,
        "spectrogramcnnclassifier__n_filters": filters,
        "spectrogramcnnclassifier__lr": trial.suggest_float("lr", 1e-3, 1e-2, log=True),
    }


# %%
# Inner searches and an outer speaker
# -----------------------------------
# The inner folds are by speaker too. Each search has its own study, whose name is derived
# from its data. ``memory`` stores features, so the mel spectrograms of one outer fold are
# reused in the next.

import tempfile

from sklearn.model_selection import GroupKFold

from sklearn_speech import OptunaSearchCV, cross_validate_by_speaker

with tempfile.TemporaryDirectory() as features:
    search = OptunaSearchCV(
        pipeline,
        space,
        n_trials=n_trials,
        cv=GroupKFold(3),
        storage="sqlite:///search.db",
        memory=features,
        random_state=0,
    )
    scores = cross_validate_by_speaker(
        search, speech.data, speech.target, speech.speaker, return_estimator=True, verbose=1
    )

# %%
# The inner and the outer score
# -----------------------------
# The inner score is optimistic, because it was used to choose the setting. The outer score is
# that of a speaker whose clips were used neither in the search nor in training.

import numpy as np

best = np.array([fitted.best_score_ for fitted in scores["estimator"]])
print(scores)
for speaker, fitted in zip(scores.speakers, scores["estimator"]):
    print(f"without {speaker}:", fitted.study_.best_params)
print(f"best inner score, optimistic:          {best.mean():.3f}")
print(f"outer score on new speakers, honest:       {scores.mean:.3f}")

# %%
# Which parameters mattered
# -------------------------
# Optuna's own plots work with the study. This one shows the first search.

from optuna.visualization.matplotlib import plot_param_importances

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Optuna calls its matplotlib plots experimental
    left = plot_param_importances(scores["estimator"][0].study_)
figure = left.figure
figure.set_size_inches(12, 5)
left.set_position([0.12, 0.13, 0.36, 0.72])
right = figure.add_axes([0.6, 0.13, 0.36, 0.72])
right.barh(scores.speakers, scores["test_score"], color="tab:blue", label="outer score")
right.plot(best, range(len(best)), "kD", label="best inner score of the search")
right.set_xlim(0, 1.05)
right.set_xlabel("Accuracy")
right.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
figure.suptitle(source)
figure.savefig("optuna_search.png", dpi=120)
print("picture: optuna_search.png")
