"""
From samples to frequencies
===========================

A recording is a row of numbers, so many a second. Which numbers, depends on the sampling
rate at which it is read; what is in them, the Fourier transform tells. This is the lesson
that tutorials of speech classification begin with, with two corrections: lengths are
samples over rate, and the first bin of a transform is number 0.

Run as a script, this prints lengths and peaks, and writes ``samples.png`` and
``frequencies.png`` to the working directory.
"""

# %%
# One word, read at two rates
# ---------------------------
# At its own rate, and resampled to 22,050 Hz, which some libraries do unasked. The word
# lasts as long; there are more numbers, and nothing new in them.

import warnings
from pathlib import Path

import numpy as np
import soundfile

from sklearn_speech import AudioReader
from sklearn_speech.datasets import fetch_fsdd, make_spoken_digits

try:
    speech = fetch_fsdd(verbose=1)
    source, path = "Free Spoken Digit Dataset", speech.data[0]
except OSError as error:
    speech = make_spoken_digits(n_speakers=1, n_takes=1, digits=[0], random_state=0)
    source, path = "SYNTHETIC digits", "0_synthetic_0.wav"
    soundfile.write(path, speech.data[0], speech.sample_rate)
    warnings.warn(f"no real recordings ({error}): a SYNTHETIC word is read", stacklevel=1)
own = soundfile.info(str(path)).samplerate
words = {rate: AudioReader(sample_rate=rate).fit_transform([path])[0] for rate in (22050, own)}
print(f"{source}: {Path(path).name}")
for rate, word in words.items():
    print(f"  {rate} Hz: {len(word)} samples, {len(word)} / {rate} = {len(word) / rate:.3f} s")

# %%
# The whole of it, and two hundred samples
# ----------------------------------------

import matplotlib.pyplot as plt

from sklearn_speech.inspection import SpectrogramDisplay, WaveformDisplay

word = words[22050]
start = min(4000, len(word) - 200)
figure, (above, below) = plt.subplots(2, 1, figsize=(9, 5), layout="constrained")
WaveformDisplay(word, sample_rate=22050).plot(ax=above)
above.set_title(Path(path).name)
below.plot(np.arange(start, start + 200), word[start : start + 200], ".-", markersize=3)
below.set(xlabel="Sample", ylabel="Amplitude", title=f"Samples {start} to {start + 200}")
figure.suptitle(source)
figure.savefig("samples.png", dpi=110)

# %%
# What is in a sum of cosines
# ---------------------------
# A hundred points of three cosines that go round once, twice and four times as fast. In
# 100 points they go round 3.18, 6.37 and 12.73 times, so that their peaks lie in the bins
# 3, 6 and 13 of the Fourier transform. Who counts bins from 1 finds 4, 7 and 14.

from scipy.signal import find_peaks

t = np.arange(0, 20, 0.2)
sums = {
    "cos t": np.cos(t),
    "2 cos 2t": 2 * np.cos(2 * t),
    "cos t + 2 cos 2t + 8 cos 4t": np.cos(t) + 2 * np.cos(2 * t) + 8 * np.cos(4 * t),
}
figure, grid = plt.subplots(4, 2, figsize=(10, 9), layout="constrained")
for (left, right), (name, values) in zip(grid, sums.items()):
    magnitudes = np.abs(np.fft.fft(values))[:50]
    peaks, _ = find_peaks(magnitudes)
    found = ", ".join(f"bin {p}: {magnitudes[p]:.0f}" for p in peaks)
    print(f"  {name:28s} {found}")
    left.plot(t, values)
    left.set(title=name, xlabel="t")
    right.stem(magnitudes, basefmt=" ", markerfmt=" ")
    right.plot(peaks, magnitudes[peaks], "o", color="tab:red")
    right.set(title=f"Magnitude of its Fourier transform: {found}", xlabel="Bin")
    right.title.set_fontsize(9)

# %%
# And in a word
# -------------
# The same, for every ten milliseconds of the word, in decibels below the loudest place,
# with frequencies evenly spaced. At 22,050 Hz the upper part is empty where the recording
# was made at 8,000: the higher rate has invented nothing.

for axes, (rate, waveform) in zip(grid[3], words.items()):
    SpectrogramDisplay.from_waveform(waveform, sample_rate=rate, ax=axes, colorbar=False)
    axes.set_title(f"{Path(path).name} at {rate} Hz")
figure.suptitle(source)
figure.savefig("frequencies.png", dpi=110)
print("pictures: samples.png, frequencies.png")
