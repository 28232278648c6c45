"""
Augmentations of one word
=========================

Augmentation makes the training clips of a few speakers more diverse. It changes each
training batch at random, on the device of the network. This example shows one word
before and after each augmentation, and explains where each can be used.

When run as a script, it writes ``augmentations.png`` to the working directory.
"""

# %%
# One word
# --------
# The word is synthetic, so that the example needs no data set.

import torch

from sklearn_speech import MelSpectrogram, make_spoken_digits

RATE = 16000
speech = make_spoken_digits(n_speakers=1, n_takes=1, digits=[7], sample_rate=RATE, random_state=3)
print("SYNTHETIC word:", speech.target[0])
word = torch.from_numpy(speech.data[0])[None]
mel = MelSpectrogram(sample_rate=RATE, n_mels=64).fit(word.numpy())
picture = torch.from_numpy(mel.transform(word.numpy()))

# %%
# Augmentations of waveforms
# --------------------------
# These can be used in networks that read waveforms or contain a front end:
# ``SpectrogramCNNClassifier(frontend=MelSpectrogram(...), augment=[AddNoise()])``.

from sklearn_speech.augmentation import (
    AddNoise,
    BackgroundNoise,
    FrameShift,
    Gain,
    NoiseFloor,
    PitchShift,
    RandomEqualizer,
    RandomTrim,
    RoomReverb,
    SpecAugment,
    SpeedPerturb,
    TimeShift,
    TimeStretch,
    VocalTractWarp,
)

hum = torch.sin(torch.arange(RATE) * 2 * torch.pi * 300 / RATE)
on_waveforms = [
    AddNoise(snr_db=(10, 10)),
    BackgroundNoise([hum], snr_db=(5, 5)),
    Gain(),
    PitchShift(RATE),
    RoomReverb(RATE),
    SpeedPerturb(factor=(1.25, 1.25)),
    TimeShift(RATE),
]

# %%
# Augmentations of spectrograms
# -----------------------------
# These change the output of a front end, and take very little time. `Mixup`, which mixes
# two clips and their labels, and `FreqMixStyle`, which mixes the average spectra of two
# recordings, are not shown, because they need several clips.

on_spectrograms = [
    FrameShift(),
    NoiseFloor(depth_db=(45, 45)),
    RandomEqualizer(max_db=15),
    RandomTrim(top_db=(12, 12)),
    SpecAugment(),
    TimeStretch(factor=(0.8, 0.8)),
    VocalTractWarp(RATE, factor=(0.85, 0.85)),
]

# %%
# Before and after
# ----------------

import matplotlib.pyplot as plt

generator = torch.Generator().manual_seed(2)
panels = {"original": picture}
for augmentation in on_waveforms:
    changed, _ = augmentation(word, None, generator)
    panels[type(augmentation).__name__] = torch.from_numpy(mel.transform(changed.numpy()))
for augmentation in on_spectrograms:
    panels[type(augmentation).__name__] = augmentation(picture, None, generator)[0]

figure, grid = plt.subplots(4, 4, figsize=(14, 10), layout="constrained", sharex=True, sharey=True)
for axes, (name, panel) in zip(grid.flat, panels.items()):
    axes.imshow(
        panel[0].numpy(), origin="lower", aspect="auto", cmap="magma", interpolation="nearest",
        vmin=picture.max() - 70, vmax=picture.max(),
        extent=(0, panel.shape[2] * 0.01, 0, panel.shape[1]),  # a frame every 10 ms
    )  # fmt: skip
    axes.set_title(name)
for axes in grid.flat[len(panels) :]:
    axes.set_axis_off()
figure.supxlabel("Time (s)")
figure.supylabel("Mel band")
figure.savefig("augmentations.png", dpi=100)
print("picture: augmentations.png")
