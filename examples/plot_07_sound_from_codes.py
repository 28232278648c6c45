"""
Sound out of a code
===================

An autoencoder squeezes each clip into 768 numbers. The way back leads through its
decoder to a mel spectrogram, and through the inverse of the front end to a
waveform that can be listened to: ``pipeline.inverse_transform(codes)``. The speaker
was never heard in training.

Two things are lost on the way, and they are told apart here: what the mel
spectrogram itself forgets (phases, and the fine structure inside a band), and what
the code forgets. ``benchmarks/autoencoder_sound.py`` asks a classifier how much of
the words survives.

Run as a script, this writes ``sound_from_codes.png``, ``sound_spectrograms.png``,
``sound_training.png`` and four wav files to the working directory.
"""

# %%
# The recordings
# --------------

import warnings

import numpy as np

from sklearn_speech import AudioReader
from sklearn_speech.datasets import fetch_fsdd, make_spoken_digits

RATE = 8000
try:
    speech = fetch_fsdd(verbose=1)
    source = "Free Spoken Digit Dataset"
    waveforms = AudioReader(sample_rate=RATE).fit_transform(speech.data)
except OSError as error:
    speech = make_spoken_digits(n_speakers=4, n_takes=4, sample_rate=RATE, random_state=0)
    source = "SYNTHETIC digits"
    waveforms = speech.data
    warnings.warn(
        f"no real recordings ({error}): going on with SYNTHETIC digits, which are much easier",
        stacklevel=1,
    )
digits, speakers = np.asarray(speech.target), np.asarray(speech.speaker)
held_out = speakers == speakers[-1]
print(f"{source}: {len(waveforms)} clips of {len(set(speakers))} speakers")

# %%
# From waveforms to codes
# -----------------------
# Short windows and few bands do not tell the harmonics of a voice apart, which would
# fill the code without making a word clearer. Few layers with wide kernels keep more
# of a clip than many narrow ones.

from sklearn.pipeline import make_pipeline

from sklearn_speech import ConvAutoencoder, MelSpectrogram, PadOrTrim

pipeline = make_pipeline(
    PadOrTrim(n_times=8064),
    MelSpectrogram(RATE, n_fft=256, hop_length=128, n_mels=48, top_db=60, random_state=0),
    ConvAutoencoder(
        2,
        n_filters=[32, 16],
        kernel_size=[8, 5],
        stride=[4, 2],
        training="joint",
        max_epochs=30 if source.startswith("SYNTHETIC") else 15,
        batch_size=16 if source.startswith("SYNTHETIC") else 32,
        lr=0.01,
        random_state=0,
    ),
).fit(waveforms[~held_out])

clip = pipeline[:1].transform(waveforms[held_out][:1])
codes = pipeline.transform(clip)
print(f"{clip.shape[1]} samples became {codes.shape[1]} numbers")

# %%
# And back
# --------
# ``PadOrTrim`` has nothing to undo, so the way back is that of the steps after it.

through_code = pipeline[1:].inverse_transform(codes)[0]
mel = pipeline[1]
through_mel = mel.inverse_transform(mel.transform(clip))[0]
sounds = {
    "original": clip[0],
    "mel spectrogram and back": through_mel,
    "code and back": through_code,
}

# %%
# A published system
# ------------------
# The recipe ``dsp-autoencoder`` makes 768 numbers of a second too, by small kernels and
# pooling, out of pictures that are stretched between 0 and 1: so the range of each clip
# is kept beside its code for the way back. It reads sound at 22,050 Hz.

import soundfile
import soxr

from sklearn_speech import make_recipe

OTHER = 22050
published = make_recipe("dsp-autoencoder", reads="waveforms", random_state=0)
if not source.startswith("SYNTHETIC"):
    published.set_params(convautoencoder__max_epochs=20)
resampled = [soxr.resample(waveform, RATE, OTHER) for waveform in waveforms]
published.fit([waveform for waveform, out in zip(resampled, held_out) if not out])
features, autoencoder = published[:-1], published[-1]
heard = soxr.resample(clip[0], RATE, OTHER)[np.newaxis]
S, ranges = features.transform(heard), features[-1].clip_ranges(features[0].transform(heard))
rebuilt = features[-1].inverse_transform(autoencoder.reconstruct(S), ranges)[0]
print(f"published: {autoencoder.n_codes_} numbers; squared error of the pictures "
      f"{np.mean(np.square(autoencoder.reconstruct(S) - S)):.4f}")  # fmt: skip
soundfile.write("sound_published_system.wav", np.clip(rebuilt, -1, 1), OTHER)
sounds["published system"] = soxr.resample(rebuilt, OTHER, RATE)[: clip.shape[1]]

# %%
# How far the sounds are from the original, in dB of mel energy, over what lies less
# than 60 dB below its loudest place. What comes of a code is too soft: a decoder that
# is not sure gives the mean of decibels, and that is less than the mean of energies.

levels = {name: mel.transform(sound[None])[0] for name, sound in sounds.items()}
loud = levels["original"] > levels["original"].max() - 60
for name in list(sounds)[1:]:
    error = np.abs(levels[name] - levels["original"])[loud].mean()
    level = 10 * np.log10(np.square(sounds[name]).sum() / np.square(clip[0]).sum())
    print(f"{name}: mel error {error:.2f} dB, level {level:+.2f} dB")

# %%
# Input beside reconstruction, and waveforms
# ------------------------------------------

import matplotlib.pyplot as plt

from sklearn_speech.inspection import (
    ReconstructionDisplay,
    SpectrogramDisplay,
    TrainingCurveDisplay,
    WaveformDisplay,
)

heard = waveforms[held_out]
chosen = [int(np.flatnonzero(digits[held_out] == digit)[0]) for digit in range(4)]
figure = plt.figure(figsize=(11, 10), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=(3, 2.4))
ReconstructionDisplay.from_estimator(
    pipeline,
    heard[chosen],
    names=[f"digit {digit}" for digit in digits[held_out][chosen]],
    ax=above.subplots(3, 4),
)
WaveformDisplay(
    list(sounds.values()), sample_rate=RATE, names=list(sounds)
).plot(ax=below.subplots(4, 1, sharex=True))  # fmt: skip
figure.suptitle(f"{source}: a speaker never heard in training")
figure.savefig("sound_from_codes.png", dpi=120)

# %%
# Spectrograms of the sounds themselves, on finer bins than those that were coded.

figure, axes = plt.subplots(1, 4, figsize=(15, 3.4), layout="constrained", sharey=True)
for panel, (name, sound) in zip(axes, sounds.items()):
    SpectrogramDisplay.from_waveform(sound, sample_rate=RATE, ax=panel)
    panel.set_title(name)
figure.savefig("sound_spectrograms.png", dpi=120)

# %%
# How the two learned: the published one by the cross-entropy of its pictures, ours by
# squared errors of decibels, so that the scales do not compare.

figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for panel, (name, network) in zip(axes, {"ours": pipeline[-1], "published": autoencoder}.items()):
    TrainingCurveDisplay.from_estimator(network, ax=[panel], panels=["loss"])
    panel.set_title(name)
figure.suptitle(source)
figure.savefig("sound_training.png", dpi=120)

# %%
# To be listened to
# -----------------

for name, sound in list(sounds.items())[:3]:
    path = f"sound_{name.replace(' ', '_')}.wav"
    soundfile.write(path, np.clip(sound, -1, 1), RATE)
    print("sound:", path)
print("sound: sound_published_system.wav")
print("pictures: sound_from_codes.png, sound_spectrograms.png, sound_training.png")
