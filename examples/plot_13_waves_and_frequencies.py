"""
From samples to frequencies
===========================

A recording is a sequence of samples, at a given sample rate. The Fourier transform shows
which frequencies it contains. Tutorials of speech classification often start with this
topic. Two common errors are avoided here: the duration is the number of samples divided by
the sample rate, and the first bin of a Fourier transform is bin 0.

When run as a script, this example prints lengths and peaks, and writes ``samples.png``,
``frequencies.png`` and ``spectrograms.png`` to the working directory.
"""

# %%
# One word at two sample rates
# ----------------------------
# The word is read at its own sample rate, and resampled to 22,050 Hz, the default of some
# libraries. The duration is the same: resampling adds samples, but no information.

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
    warnings.warn(f"no real recordings ({error}): using a SYNTHETIC word", stacklevel=1)
own = soundfile.info(str(path)).samplerate
words = {rate: AudioReader(sample_rate=rate).fit_transform([path])[0] for rate in (22050, own)}
print(f"{source}: {Path(path).name}")
for rate, word in words.items():
    print(f"  {rate} Hz: {len(word)} samples, {len(word)} / {rate} = {len(word) / rate:.3f} s")

# %%
# The whole word and 200 samples
# ------------------------------

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
# The spectrum of a sum of cosines
# --------------------------------
# A hundred points of three cosines with frequencies in the ratio 1:2:4. In 100 points they
# have 3.18, 6.37 and 12.73 periods, so that their peaks are in bins 3, 6 and 13 of the
# Fourier transform. Counting bins from 1 would give 4, 7 and 14.

from scipy.signal import find_peaks

t = np.arange(0, 20, 0.2)
sums = {
    "cos t": np.cos(t),
    "2 cos 2t": 2 * np.cos(2 * t),
    "cos t + 2 cos 2t + 8 cos 4t": np.cos(t) + 2 * np.cos(2 * t) + 8 * np.cos(4 * t),
}
figure, grid = plt.subplots(3, 2, figsize=(10, 7), layout="constrained")
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
figure.savefig("frequencies.png", dpi=110)

# %%
# The spectrogram of a word
# -------------------------
# The spectrum of the word every ten milliseconds, in decibels relative to the maximum, on a
# linear frequency axis. For a recording at 8,000 Hz, the upper part is empty at 22,050 Hz:
# resampling adds no frequencies.

figure, grid = plt.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
for axes, (rate, waveform) in zip(grid, words.items()):
    SpectrogramDisplay.from_waveform(waveform, sample_rate=rate, ax=axes, colorbar=False)
    axes.set_title(f"{Path(path).name} at {rate} Hz")
figure.suptitle(source)
figure.savefig("spectrograms.png", dpi=110)
print("pictures: samples.png, frequencies.png, spectrograms.png")
