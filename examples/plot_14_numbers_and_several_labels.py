"""
Numbers, and several labels at once
===================================

Not every question about speech has a single label as its answer. The pitch of a voice and the
duration of a word are numbers, which a regressor predicts. Words that are spoken at the same time
are several labels, which a classifier accepts in the same form as scikit-learn's
``MLPClassifier``. All test speakers are new to the networks.

When run as a script, this example prints scores and writes ``numbers.png``,
``label_report.png`` and ``several_labels.png`` to the working directory. All speech is SYNTHETIC,
because then the true numbers are known. ``benchmarks/targets.py`` measures the networks on
recordings.
"""

# %%
# Two numbers per word
# --------------------
# The synthesiser knows the pitch of each voice in Hz, and when each word begins and ends.

import numpy as np

from sklearn_speech import make_spoken_digits

speech = make_spoken_digits(12, 2, random_state=0)
rate = speech.sample_rate
pitch = np.array([speech.speaker_info[name]["f0"] for name in speech.speaker])
words = [[s for s in segments if s[2] != "h#"] for segments in speech.segments]
seconds = np.array([(word[-1][1] - word[0][0]) / rate for word in words])
numbers = np.column_stack([pitch, seconds])
print(f"SYNTHETIC digits: {len(numbers)} clips of {len(speech.speaker_info)} speakers")

# %%
# Spectrograms with narrow bands show the pitch. One network predicts both numbers. It
# standardises them internally, so that Hz do not count more than seconds, and converts its
# predictions back.

from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline

from sklearn_speech import (
    MelSpectrogram,
    PadOrTrim,
    SpectrogramCNNRegressor,
    cross_validate_by_speaker,
)

features = make_pipeline(
    PadOrTrim(n_times=rate),
    MelSpectrogram(sample_rate=rate, n_mels=40, n_fft=512, hop_length=256),
)
X = features.fit_transform(speech.data)
regressor = SpectrogramCNNRegressor(
    n_layers=3, max_epochs=10, batch_size=32, loss="huber", random_state=0
)

# %%
# R2 compares the errors with the variance of the true numbers. A single speaker has a constant
# pitch, so R2 is undefined for each of them. The table says so, and gives the R2 of all clips
# together. The errors by speaker are in Hz and in seconds.

import warnings

from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import make_scorer, mean_absolute_error

scoring = {
    "r2": "r2",
    "pitch, -Hz": make_scorer(mean_absolute_error, greater_is_better=False, multioutput=[1, 0]),
    "duration, -s": make_scorer(mean_absolute_error, greater_is_better=False, multioutput=[0, 1]),
}
with warnings.catch_warnings():
    warnings.simplefilter("ignore", UndefinedMetricWarning)  # the table says it too
    scores = cross_validate_by_speaker(
        regressor, X, numbers, speech.speaker, cv=GroupKFold(3), scoring=scoring
    )
print(scores)

# %%
# The predictions for the held-out speakers, one colour per speaker. If all points of a speaker
# are on one side of the line, the network takes the voice for a lower or a higher one.

from sklearn_speech import SpeakerPredictionErrorDisplay

display = SpeakerPredictionErrorDisplay.from_cv_results(
    scores, target_names=["pitch (Hz)", "duration (s)"]
)
display.figure_.suptitle("SYNTHETIC digits, new speakers")
display.figure_.savefig("numbers.png", dpi=120)

# %%
# Two words at once
# -----------------
# Each clip is the sum of two clips with one digit each. ``MultiLabelBinarizer`` converts the sets
# of digits to a matrix with one column per digit. Training and test clips have different speakers.

from sklearn.preprocessing import MultiLabelBinarizer

digits = range(6)
speech = make_spoken_digits(12, 2, digits=digits, random_state=1)
waves = PadOrTrim(n_times=rate).fit_transform(speech.data)
waves = 0.1 * waves / np.sqrt((waves**2).mean(axis=1, keepdims=True))  # all equally loud
unheard = np.isin(speech.speaker, np.unique(speech.speaker)[-3:])


def overlaid(chosen, n_pairs, seed):
    """Return sums of pairs of clips, and the sets of their digits."""
    rng = np.random.default_rng(seed)
    pairs = rng.choice(np.flatnonzero(chosen), (n_pairs, 2))
    return waves[pairs].sum(axis=1), [set(pair) for pair in speech.target[pairs].tolist()]


train, train_digits = overlaid(~unheard, 400, 0)
test, test_digits = overlaid(unheard, 300, 1)
binarizer = MultiLabelBinarizer().fit([digits])
labels, truth = binarizer.transform(train_digits), binarizer.transform(test_digits)
print(f"the first pair: {test_digits[0]}, as a row: {truth[0]}")

# %%
# The classifier is the same as for single labels. With a matrix, it learns each column with
# binary cross-entropy and predicts a probability for each label. scikit-learn's scorers accept
# these predictions.

from sklearn.metrics import average_precision_score, get_scorer

from sklearn_speech import SpectrogramCNNClassifier

classifier = make_pipeline(
    MelSpectrogram(sample_rate=rate, n_mels=40, hop_length=256),
    SpectrogramCNNClassifier(n_layers=3, max_epochs=12, batch_size=32, random_state=0),
).fit(train, labels)
for name in ("average_precision", "roc_auc", "accuracy"):
    print(f"{name}: {get_scorer(name)(classifier, test, truth):.2f}")
print("spoken and recognised digits:")
for true, found in list(zip(test_digits, binarizer.inverse_transform(classifier.predict(test))))[
    :5
]:
    print(f"  {sorted(true)} {[int(digit) for digit in found]}")

# %%
# How well each digit is recognised beside another one: precision, recall and F1 of each label.

from sklearn_speech import ClassReportDisplay

report = ClassReportDisplay.from_estimator(classifier, test, truth, display_labels=list(digits))
report.figure_.savefig("label_report.png", dpi=120)

# %%
# The average precision over all thresholds, and the probabilities of a few clips.

import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator

probabilities = classifier.predict_proba(test)
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
precision = average_precision_score(truth, probabilities, average=None)
left.bar(list(digits), precision, label="network")
left.plot(list(digits), truth.mean(axis=0), "_k", markersize=28, label="by chance")
left.set(xlabel="digit", ylabel="average precision", ylim=(0, 1.2), title="Each digit, 300 pairs")
left.legend(loc="upper right", ncols=2, frameon=False)
few = slice(0, 20)
image = right.imshow(probabilities[few].T, vmin=0, vmax=1, cmap="Blues", aspect="auto")
clip, digit = np.nonzero(truth[few])
right.scatter(clip, digit, marker="o", facecolors="none", edgecolors="C3", s=60)
right.set(xlabel="clip", ylabel="digit", title="Probabilities; circles: spoken digits")
right.xaxis.set_major_locator(MaxNLocator(integer=True))
fig.colorbar(image, ax=right)
fig.savefig("several_labels.png", dpi=120)
