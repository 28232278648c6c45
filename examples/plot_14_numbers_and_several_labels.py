"""
Numbers, and several labels at once
===================================

Not every question about speech has a single label as its answer. The pitch of a voice and the
duration of a word are numbers, which a regressor predicts. Words that are spoken at the same time
are several labels, which a classifier accepts in the same form as scikit-learn's
``MLPClassifier``. All test speakers are new to the networks.

When run as a script, this example prints scores and writes ``numbers.png`` and
``several_labels.png`` to the working directory. All speech is SYNTHETIC, so the true numbers are
known. ``benchmarks/targets.py`` measures the networks on recordings.
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

from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from sklearn_speech import MelSpectrogram, PadOrTrim, SpectrogramCNNRegressor

features = make_pipeline(
    PadOrTrim(n_times=rate),
    MelSpectrogram(sample_rate=rate, n_mels=40, n_fft=512, hop_length=128),
)
X = features.fit_transform(speech.data)
regressor = SpectrogramCNNRegressor(
    n_layers=3, max_epochs=10, batch_size=32, loss="huber", random_state=0
)
predicted = cross_val_predict(regressor, X, numbers, groups=speech.speaker, cv=GroupKFold(3))

for name, true, said in zip(("pitch", "duration"), numbers.T, predicted.T):
    print(f"{name}: R2 of {r2_score(true, said):.2f}, all held-out clips together")

# %%
# R2 compares the errors with the variance of the true numbers. A single speaker has a constant
# pitch, for which R2 is undefined, so the errors by speaker are in Hz.

import matplotlib.pyplot as plt
from matplotlib.ticker import AutoLocator, MaxNLocator
from sklearn.metrics import PredictionErrorDisplay, mean_absolute_error

for name in np.unique(speech.speaker):
    own = speech.speaker == name
    hertz, duration = mean_absolute_error(numbers[own], predicted[own], multioutput="raw_values")
    kind = speech.speaker_info[name]["kind"]
    print(
        f"  {name}, a {kind:5s}: {hertz:5.1f} Hz of {pitch[own][0]:3.0f}, {1000 * duration:3.0f} ms"
    )

fig, axes = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
kinds = [speech.speaker_info[name]["kind"] for name in speech.speaker]
colors = {"man": "C0", "woman": "C1", "child": "C2"}
for ax, column, unit in zip(axes, range(2), ("pitch (Hz)", "duration (s)")):
    PredictionErrorDisplay.from_predictions(
        numbers[:, column], predicted[:, column], kind="actual_vs_predicted", ax=ax,
        scatter_kwargs={"color": [colors[kind] for kind in kinds], "alpha": 0.6, "s": 14},
    )  # fmt: skip
    ax.xaxis.set_major_locator(AutoLocator())
    ax.yaxis.set_major_locator(AutoLocator())
    ax.set(xlabel=f"predicted {unit}", ylabel=f"true {unit}", title=f"{unit}, new speakers")
    for kind, color in colors.items():
        ax.scatter([], [], color=color, label=kind, s=14)
    ax.legend()
fig.savefig("numbers.png", dpi=120)

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
    MelSpectrogram(sample_rate=rate, n_mels=40),
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
# How well each digit is recognised beside another one, and the probabilities of a few clips.

probabilities = classifier.predict_proba(test)
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
precision = average_precision_score(truth, probabilities, average=None)
left.bar(list(digits), precision, label="network")
left.bar(list(digits), truth.mean(axis=0), color="0.6", label="chance")
left.set(xlabel="digit", ylabel="average precision", ylim=(0, 1), title="Each digit, 300 pairs")
left.legend(loc="lower right")
few = slice(0, 20)
image = right.imshow(probabilities[few].T, vmin=0, vmax=1, cmap="Blues", aspect="auto")
clip, digit = np.nonzero(truth[few])
right.scatter(clip, digit, marker="o", facecolors="none", edgecolors="C3", s=60)
right.set(xlabel="clip", ylabel="digit", title="Probabilities; circles: spoken digits")
right.xaxis.set_major_locator(MaxNLocator(integer=True))
fig.colorbar(image, ax=right)
fig.savefig("several_labels.png", dpi=120)
