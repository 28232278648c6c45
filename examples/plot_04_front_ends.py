"""
What a network sees of a word
=============================

No network here reads air pressure as such: a front end turns it into a picture first.
There are three of them, and a few ways to write down how loud a place of the picture is.
All lead back to sound, and how much is lost on the way can be said in decibels.

Run as a script, this prints those decibels and writes ``front_ends.png``,
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
    warnings.warn(f"no real recordings ({error}): a SYNTHETIC word is shown", stacklevel=1)
print(f"{source}: a 'seven' of {len(word) / RATE:.2f} s, spoken by {speech.speaker[seven]}")

# %%
# Three front ends
# ----------------
# ``Spectrogram`` keeps all bins of the Fourier transform, 31 Hz apart here.
# ``MelSpectrogram`` sums them in bands that grow wider as they rise, as those of the ear
# do. ``MFCC`` describes the shape of such a column of bands by a few cosines; the first
# of them is the loudness.

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
close.set(title="25 ms of it, where it is loudest", xlabel="Time within the 25 ms (s)")
for axes, (name, front_end) in zip(below.subplots(1, 3), front_ends.items()):
    SpectrogramDisplay.from_estimator(front_end, word, ax=axes)
    n_bands, n_frames = front_end.transform(clip)[0].shape
    axes.set_title(f"{name}: {n_bands} x {n_frames} numbers")
figure.suptitle(source)
figure.savefig("front_ends.png", dpi=110)

# %%
# Loud and soft
# -------------
# The same word, once as it was and once 30 dB softer, as if spoken from further away.
# Plain energies of the soft word all but vanish. ``"log"`` adds a constant before the
# logarithm, in which soft places drown. ``"db"``, the default, has its floor 80 dB below
# the loudest place of the same clip: the soft word is the loud one, 30 dB lower all over.
# ``normalize="band"`` takes that away too.

soft = word * 10 ** (-30 / 20)
scalings = {
    "scaling=None (energy)": {"scaling": None},
    'scaling="log"': {"scaling": "log"},
    'scaling="db" (default)': {"scaling": "db"},
    'scaling="db", normalize="band"': {"scaling": "db", "normalize": "band"},
}
figure, grid = plt.subplots(2, 4, figsize=(14, 5.5), layout="constrained", sharex=True)
print("Between the word and itself 30 dB softer:")
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
for axes, name in zip(grid[:, 0], ("as it was", "30 dB softer")):
    axes.set_ylabel(f"{name}\nMel band")
for axes in grid[:, 1:].flat:
    axes.set_ylabel("")
figure.suptitle(f"{source}: one word at two levels, with one colour scale a column")
figure.savefig("scalings.png", dpi=110)

# %%
# How long it takes
# -----------------
# What is usually written by hand is a loop over the clips. All clips at once, with the same
# result but for rounding, take a fraction of that; ``benchmarks/front_ends.py`` measures it
# with care, this only shows it.

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
    compute()  # what is prepared once is not counted
    began = time.perf_counter()
    results.append(compute())
    seconds[name] = time.perf_counter() - began
    print(f"{name:22s} {1e3 * seconds[name]:6.0f} ms for {len(clips)} clips")
by_hand, at_once = seconds.values()
gap = np.abs(results[0] - results[1]).max() / results[0].max()
print(f"{by_hand / at_once:.1f} times as fast here, once; largest difference {gap:.0e} of the peak")

# %%
# And back
# --------
# ``inverse_transform`` finds a waveform that has the given features. Phases are guessed;
# what a front end did not keep is gone: the bands forget single harmonics, the cosines
# forget bands. The measure is the mean distance to the original in dB of mel energy, over
# all places less than 60 dB below the loudest one, beside the level of the whole.

judge = MelSpectrogram(RATE, n_mels=40).fit(clip)
truth = judge.transform(clip)[0]
heard = truth > truth.max() - 60
sounds = {"Original": word}
for name, front_end in front_ends.items():
    sound = front_end.inverse_transform(front_end.transform(clip))[0]
    error = np.abs(judge.transform(sound[np.newaxis])[0] - truth)[heard].mean()
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
# To be listened to
# -----------------

import soundfile

for name, sound in sounds.items():
    path = f"seven_{name.split(',')[0].replace(' ', '_').lower()}.wav"
    soundfile.write(path, np.clip(sound, -1, 1), RATE)
    print("sound:", path)
print("pictures: front_ends.png, scalings.png, back_to_sound.png")
