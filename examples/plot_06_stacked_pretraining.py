"""
Pretraining without labels
==========================

Labels are expensive, recordings are not. A stacked autoencoder is trained layer by layer
to reconstruct spectrograms, without labels. Its encoder then initialises the first layers
of a classifier, which is trained on a few labelled clips. This example trains the same
network on the same labels from random weights and from pretrained weights, and tests both
on a held-out speaker. Whether pretraining helps depends on the network and the number of
labels: ``benchmarks/pretraining.py`` measures it over all speakers, several seeds and
fractions of labels.

When run as a script, it prints the accuracies and writes ``stacked_pretraining.png``
and ``stacked_reconstruction.png`` to the working directory.
"""

# %%
# The recordings
# --------------

import warnings

import numpy as np

from sklearn_speech import AudioReader, MelSpectrogram, PadOrTrim
from sklearn_speech.datasets import fetch_fsdd, make_spoken_digits

try:
    speech = fetch_fsdd(verbose=1)
    source = "Free Spoken Digit Dataset"
    waveforms = AudioReader(sample_rate=8000).fit_transform(speech.data)
except OSError as error:
    speech = make_spoken_digits(n_speakers=4, n_takes=2, sample_rate=8000, random_state=0)
    source = "SYNTHETIC digits"
    waveforms = speech.data
    warnings.warn(
        f"no real recordings ({error}): using SYNTHETIC digits, which are much easier",
        stacklevel=1,
    )
digits, speakers = np.asarray(speech.target), np.asarray(speech.speaker)
print(f"{source}: {len(waveforms)} clips of {len(set(speakers))} speakers")

# %%
# Spectrograms
# ------------
# Mel spectrograms with 64 bands and 64 frames, as in the published system. One speaker is
# held out.

from sklearn.pipeline import make_pipeline

front_end = make_pipeline(
    PadOrTrim(n_times=8000),
    MelSpectrogram(8000, n_fft=512, win_length=256, hop_length=126, n_mels=64),
)
images = front_end.fit_transform(waveforms)
held_out = speakers == speakers[-1]
train, test = images[~held_out], images[held_out]

# %%
# Stacked training
# ----------------
# Each stage is trained to reconstruct the output of the stage before it, which is frozen.
# The training curve has gaps between the stages: they reconstruct different targets, so
# their losses cannot be compared.

from sklearn_speech import ConvAutoencoder

layers = {"kernel_size": 6, "stride": 2, "padding": "valid", "batch_norm": False}
autoencoder = ConvAutoencoder(
    3,
    n_filters=[16, 32, 32],
    mirror="kernel",
    max_epochs=16 if source.startswith("SYNTHETIC") else 8,  # more epochs for fewer clips
    batch_size=16 if source.startswith("SYNTHETIC") else 32,
    random_state=0,
    **layers,
).fit(train)
print(f"{autoencoder.n_codes_} values per clip; score on the held-out speaker: "
      f"{autoencoder.score(test):.1f} (minus squared dB)")  # fmt: skip

# %%
# Few labels
# ----------
# Four clips of each digit have a label. ``FrozenEstimator`` reuses the fitted autoencoder.
# An autoencoder that is not frozen would be fitted inside ``fit``, on all clips, including
# those with a missing label (-1).

from sklearn.frozen import FrozenEstimator
from skorch.callbacks import Callback

from sklearn_speech import SpectrogramCNNClassifier

N_LABELS, N_EPOCHS = 4, 48
SEEDS = (0, 1) if source.startswith("SYNTHETIC") else (0, 1, 2)


class ByEpoch(Callback):
    """Accuracy on the held-out speaker by epoch, for the plot only."""

    def __init__(self):
        self.accuracy = []

    def on_epoch_end(self, net, **kwargs):
        if len(net.history_) % 4 == 0:
            self.accuracy.append(np.mean(net.predict(test) == digits[held_out]))


def few_labels(seed):
    """Positions of the labelled clips."""
    rng = np.random.default_rng(seed)
    of_digit = [np.flatnonzero(digits[~held_out] == d) for d in np.unique(digits)]
    return np.concatenate([rng.choice(clips, N_LABELS, replace=False) for clips in of_digit])


def curve(seed, pretrained):
    """Accuracy by epoch of one training run."""
    clips, watch = few_labels(seed), ByEpoch()
    training = {"max_epochs": N_EPOCHS, "batch_size": 16, "lr": 0.001, "head": "flatten"}
    if pretrained:
        network = SpectrogramCNNClassifier(0, pretrainer=FrozenEstimator(autoencoder), **training)
    else:
        network = SpectrogramCNNClassifier(
            3, n_filters=[16, 32, 32], pool_size=1, input_norm="batch", **layers, **training
        )
    network.set_params(random_state=seed, callbacks=[("watch", watch)])
    network.fit(train[clips], digits[~held_out][clips])
    return watch.accuracy


curves = {
    name: np.array([curve(seed, pretrained) for seed in SEEDS])
    for name, pretrained in (("random layers", False), ("pretrained layers", True))
}
for name, accuracy in curves.items():
    last = accuracy[:, -1]
    print(f"{name}: {last.mean():.3f} (seeds: {', '.join(f'{a:.3f}' for a in last)})")

# %%
# Results
# -------

import matplotlib.pyplot as plt

from sklearn_speech.inspection import ReconstructionDisplay, TrainingCurveDisplay

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
TrainingCurveDisplay.from_estimator(autoencoder, ax=left)
left.set_title("Autoencoder, stage by stage")
epochs = 4 * np.arange(1, 1 + accuracy.shape[1])
for name, accuracy in curves.items():
    (line,) = right.plot(epochs, accuracy.mean(0), label=name)
    right.fill_between(epochs, accuracy.min(0), accuracy.max(0), color=line.get_color(), alpha=0.2)
right.axhline(1 / len(np.unique(digits)), color="grey", linestyle=":", label="chance")
right.set(xlabel="Epoch", ylabel="Accuracy, held-out speaker", ylim=(0, 1))
right.set_title(f"{N_LABELS} labels per digit; mean and range of {len(SEEDS)} seeds")
right.legend(frameon=False)
figure.suptitle(source)
figure.savefig("stacked_pretraining.png", dpi=120)

shown = [int(np.flatnonzero(digits[held_out] == digit)[0]) for digit in range(4)]
display = ReconstructionDisplay.from_estimator(
    make_pipeline(*[step for _, step in front_end.steps], autoencoder),
    waveforms[held_out][shown],
    names=[f"digit {digit}" for digit in digits[held_out][shown]],
)
display.figure_.savefig("stacked_reconstruction.png", dpi=120)
print("pictures: stacked_pretraining.png, stacked_reconstruction.png")
