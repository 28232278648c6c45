"""
Front ends
==========

A front end converts a waveform to a time-frequency representation, the usual input of a
network. This library has three front ends, with several ways to scale their values. All
of them can be inverted to a waveform. This example measures the loss of information in
decibels.

When run as a script, it prints these values and writes ``front_ends.png``,
``scalings.png`` and ``back_to_sound.png`` to the working directory.
"""

# %%
# One word
# --------

import warnings

import numpy as np

from sklearn_speech import AudioReader
from sklearn_speech.datasets import fetch_fsdd, make_spoken_digits

RATE = 8000
try:
    speech = fetch_fsdd(verbose=1)
    source = "Free Spoken Digit Dataset"
    seven = np.flatnonzero(speech.target == 7)[0]
    word = AudioReader(sample_rate=RATE).fit_transform(speech.data[[seven]])[0]
except OSError as error:
    speech = make_spoken_digits(n_speakers=1, n_takes=1, sample_rate=RATE, random_state=3)
    source, seven = "SYNTHETIC digits", 7
    word = speech.data[seven]
    warnings.warn(f"no real recordings ({error}): using a SYNTHETIC word", stacklevel=1)
print(f"{source}: a 'seven' of {len(word) / RATE:.2f} s, spoken by {speech.speaker[seven]}")

# %%
# Three front ends
# ----------------
# ``Spectrogram`` has all bins of the Fourier transform, 31 Hz apart here.
# ``MelSpectrogram`` sums them over bands that become wider with frequency, like the
# critical bands of hearing. ``MFCC`` describes the spectrum of each frame by a few cosine
# coefficients. The first coefficient is the overall level.

import matplotlib.pyplot as plt

from sklearn_speech import MFCC, MelSpectrogram, Spectrogram
from sklearn_speech.inspection import SpectrogramDisplay, WaveformDisplay

clip = word[np.newaxis]
front_ends = {
    "Spectrogram": Spectrogram(RATE, random_state=0).fit(clip),
    "MelSpectrogram, 40 bands": MelSpectrogram(RATE, n_mels=40, random_state=0).fit(clip),
    "MFCC, 13 coefficients": MFCC(RATE, n_mfcc=13, random_state=0).fit(clip),
}

figure = plt.figure(figsize=(13, 6.5), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=(2, 3))
whole, close = above.subplots(1, 2)
WaveformDisplay(word, sample_rate=RATE).plot(ax=whole)
loudest = int(np.argmax(np.convolve(np.square(word), np.ones(200), "valid")))
some = slice(loudest, loudest + 200)
WaveformDisplay(word[some], sample_rate=RATE).plot(ax=close)
whole.axvspan(some.start / RATE, some.stop / RATE, color="tab:orange", alpha=0.4)
whole.set_title("Waveform")
close.set(title="The loudest 25 ms", xlabel="Time within the 25 ms (s)")
for axes, (name, front_end) in zip(below.subplots(1, 3), front_ends.items()):
    SpectrogramDisplay.from_estimator(front_end, word, ax=axes)
    n_bands, n_frames = front_end.transform(clip)[0].shape
    axes.set_title(f"{name}: {n_bands} x {n_frames} numbers")
figure.suptitle(source)
figure.savefig("front_ends.png", dpi=110)

# %%
# Scaling
# -------
# The same word is shown at its original level and 30 dB softer, as if spoken from further
# away. Without scaling, the energies of the soft word are close to zero. ``"log"`` adds a
# constant before the logarithm, which masks low energies. ``"db"``, the default, has a
# floor 80 dB below the maximum of each clip: the soft word differs from the loud one only
# by a constant 30 dB. ``normalize="band"`` removes this difference too.

soft = word * 10 ** (-30 / 20)
scalings = {
    "scaling=None (energy)": {"scaling": None},
    'scaling="log"': {"scaling": "log"},
    'scaling="db" (default)': {"scaling": "db"},
    'scaling="db", normalize="band"': {"scaling": "db", "normalize": "band"},
}
figure, grid = plt.subplots(2, 4, figsize=(14, 5.5), layout="constrained", sharex=True)
print("The word compared with itself 30 dB softer:")
for column, (name, scaling) in zip(grid.T, scalings.items()):
    mel = MelSpectrogram(RATE, n_mels=40, **scaling).fit(clip)
    loud_picture, soft_picture = mel.transform(np.stack([word, soft]))
    alike = np.corrcoef(loud_picture.ravel(), soft_picture.ravel())[0, 1]
    gap = np.abs(loud_picture - soft_picture).mean() / loud_picture.std()
    print(f"  {name:32s} correlation {alike:.3f}, mean gap {gap:.2f} standard deviations")
    ends = {"vmin": min(loud_picture.min(), soft_picture.min()), "vmax": loud_picture.max()}
    for axes, picture in zip(column, (loud_picture, soft_picture)):
        unit = "dB" if name.endswith("(default)") else ""
        SpectrogramDisplay(picture, unit=unit).plot(ax=axes, dynamic_range=None, **ends)
    column[0].set(title=name, xlabel="")
for axes, name in zip(grid[:, 0], ("original", "30 dB softer")):
    axes.set_ylabel(f"{name}\nMel band")
for axes in grid[:, 1:].flat:
    axes.set_ylabel("")
figure.suptitle(f"{source}: one word at two levels, with one colour scale per column")
figure.savefig("scalings.png", dpi=110)

# %%
# Speed
# -----
# With librosa, features are usually computed in a loop over clips. ``MelSpectrogram``
# processes all clips together, with the same result up to rounding, in a fraction of the
# time. This is a rough comparison; ``benchmarks/front_ends.py`` measures it accurately.

import time

import librosa

clips = np.tile(np.resize(word, RATE), (200, 1)).astype(np.float32)
settings = {"n_fft": 256, "hop_length": 80, "n_mels": 40}
mel = MelSpectrogram(RATE, scaling=None, **settings).fit(clips)
seconds, results = {}, []
for name, compute in {
    "librosa, clip by clip": lambda: np.stack(
        [librosa.feature.melspectrogram(y=c, sr=RATE, **settings) for c in clips]
    ),
    "MelSpectrogram": lambda: mel.transform(clips),
}.items():
    compute()  # warm-up: one-time preparations are not timed
    began = time.perf_counter()
    results.append(compute())
    seconds[name] = time.perf_counter() - began
    print(f"{name:22s} {1e3 * seconds[name]:6.0f} ms for {len(clips)} clips")
by_hand, at_once = seconds.values()
gap = np.abs(results[0] - results[1]).max() / results[0].max()
print(f"{by_hand / at_once:.1f} times as fast here; largest difference {gap:.0e} of the peak")

# %%
# Inversion
# ---------
# ``inverse_transform`` finds a waveform with the given features. It estimates the phases.
# Information that a front end discards is lost: mel bands do not resolve single
# harmonics, and cepstral coefficients do not resolve single bands. The error is the mean
# absolute difference of mel energy in dB, over all values less than 60 dB below the
# maximum. The difference in overall level is printed too.

mel_energies = MelSpectrogram(RATE, n_mels=40).fit(clip)
truth = mel_energies.transform(clip)[0]
audible = truth > truth.max() - 60
sounds = {"Original": word}
for name, front_end in front_ends.items():
    sound = front_end.inverse_transform(front_end.transform(clip))[0]
    error = np.abs(mel_energies.transform(sound[np.newaxis])[0] - truth)[audible].mean()
    level = 10 * np.log10(np.square(sound).sum() / np.square(word).sum())
    sounds[f"from {name}"] = sound
    print(f"from {name}: mel error {error:.2f} dB, level {level:+.2f} dB")

figure, grid = plt.subplots(
    2, 4, figsize=(15, 5.5), layout="constrained", sharex=True, height_ratios=(1, 2)
)
WaveformDisplay(list(sounds.values()), sample_rate=RATE, names=list(sounds)).plot(ax=grid[0])
for axes, sound in zip(grid[1], sounds.values()):
    SpectrogramDisplay.from_waveform(sound, sample_rate=RATE, ax=axes, colorbar=axes is grid[1, 3])
for axes in grid[:, 1:].flat:
    axes.set_ylabel("")
grid[0, -1].set_xlabel("")  # the panels below have the same axis
figure.suptitle(source)
figure.savefig("back_to_sound.png", dpi=110)

# %%
# Sound files
# -----------

import soundfile

for name, sound in sounds.items():
    path = f"seven_{name.split(',')[0].replace(' ', '_').lower()}.wav"
    soundfile.write(path, np.clip(sound, -1, 1), RATE)
    print("sound:", path)
print("pictures: front_ends.png, scalings.png, back_to_sound.png")
