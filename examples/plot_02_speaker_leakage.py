"""
How much a random split overestimates accuracy
==============================================

Clips of one speaker are similar: they share the voice, the microphone and the room,
and were often recorded on the same day. If a random split puts some of them in the
training set and others in the test set, the model is tested on voices that it was
trained on. This example scores one model on the same recordings with both kinds of
split, and reports the leakage.

When run as a script, it prints both scores and writes ``speaker_leakage.png`` to the
working directory.
"""

# %%
# The recordings
# --------------

import warnings

from sklearn_speech.datasets import fetch_fsdd, make_spoken_digits

try:
    speech = fetch_fsdd(verbose=1)
    source = "Free Spoken Digit Dataset"
except OSError as error:
    speech = make_spoken_digits(n_speakers=6, n_takes=5, sample_rate=8000, random_state=0)
    source = "SYNTHETIC digits"
    warnings.warn(
        f"no real recordings ({error}): using SYNTHETIC digits, which are much easier",
        stacklevel=1,
    )
print(f"{source}: {len(speech.data)} clips of {len(set(speech.speaker))} speakers")

# %%
# A simple model
# --------------
# A support vector machine on the mean and standard deviation over time of 20 cepstral
# coefficients.

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from sklearn_speech import MFCC, AudioReader


def statistics(clips):
    """Mean and standard deviation over time of each coefficient of each clip."""
    return np.array([np.concatenate([clip.mean(1), clip.std(1)]) for clip in clips])


model = make_pipeline(
    AudioReader(sample_rate=8000),
    MFCC(sample_rate=8000, n_mfcc=20),
    FunctionTransformer(statistics),
    StandardScaler(),
    SVC(C=10),
)
if source.startswith("SYNTHETIC"):  # the clips are waveforms, not files
    model = model[1:]

# %%
# Two kinds of split
# ------------------
# First a random split over clips, then cross-validation with held-out speakers.

from sklearn.model_selection import StratifiedKFold, cross_val_score

from sklearn_speech import check_speaker_leakage, cross_validate_by_speaker

random_split = StratifiedKFold(6, shuffle=True, random_state=0)
flattered = cross_val_score(model, speech.data, speech.target, cv=random_split)
honest = cross_validate_by_speaker(model, speech.data, speech.target, speech.speaker)
print(f"random split:      {flattered.mean():.3f}")
print(f"speakers held out: {honest.mean:.3f}")
print(honest)

# %%
# The leakage
# -----------
# With the random split, every speaker is in both the training and the test set. With
# held-out speakers there is no leakage, and no recording appears twice under different
# names.

rate = 8000 if source.startswith("SYNTHETIC") else None
leaks = check_speaker_leakage(
    speech.data, speech.target, speech.speaker, random_split, sample_rate=rate
)
clean = check_speaker_leakage(speech.data, speech.target, speech.speaker, None, sample_rate=rate)
print(f"leaks of the random split: {leaks.n_leaks}; of held-out speakers: {clean.n_leaks}")
print(leaks)

# %%
# Scores of each speaker
# ----------------------

import matplotlib.pyplot as plt

from sklearn_speech.inspection import SpeakerScoresDisplay

figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
SpeakerScoresDisplay.from_cv_results(honest, ax=axes)
axes.axvline(flattered.mean(), color="black", linestyle="--")
axes.annotate(
    f"random split: {flattered.mean():.3f}",
    (flattered.mean(), 0.5),
    xycoords=("data", "axes fraction"),
    xytext=(-4, 0),
    textcoords="offset points",
    rotation=90,
    ha="right",
    va="center",
)
axes.set_xlabel("Accuracy on the held-out speaker")
figure.suptitle(f"{source}: one model, two kinds of split")
figure.savefig("speaker_leakage.png", dpi=120)
print("picture: speaker_leakage.png")
