"""
Resynthesis of sound from codes
===============================

An autoencoder encodes each clip as 768 values. Its decoder converts such a code to a mel
spectrogram, and the inverse of the front end converts this to a waveform:
``pipeline.inverse_transform(codes)``. The clips shown are of a held-out speaker.

Information is lost in two steps, which are measured separately here: the mel
spectrogram discards phases and the fine structure within a band, and the autoencoder
discards details of the mel spectrogram. ``benchmarks/autoencoder_sound.py`` measures
with a classifier how intelligible the words still are.

When run as a script, this example writes ``sound_from_codes.png``, ``sound_spectrograms.png``,
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
    speech = make_spoken_digits(n_speakers=4, n_takes=2, sample_rate=RATE, random_state=0)
    source = "SYNTHETIC digits"
    waveforms = speech.data
    warnings.warn(
        f"no real recordings ({error}): using SYNTHETIC digits, which are much easier",
        stacklevel=1,
    )
digits, speakers = np.asarray(speech.target), np.asarray(speech.speaker)
held_out = speakers == speakers[-1]
print(f"{source}: {len(waveforms)} clips of {len(set(speakers))} speakers")

# %%
# From waveforms to codes
# -----------------------
# Short windows and few bands do not resolve the harmonics of a voice, which would occupy
# much of the code without making a word clearer. A few layers with large kernels preserve
# more of a clip than many layers with small ones.

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
print(f"{clip.shape[1]} samples are encoded as {codes.shape[1]} values")

# %%
# From codes to waveforms
# -----------------------
# ``PadOrTrim`` has no inverse, so only the steps after it are inverted.

through_code = pipeline[1:].inverse_transform(codes)[0]
mel = pipeline[1]
through_mel = mel.inverse_transform(mel.transform(clip))[0]
sounds = {
    "original": clip[0],
    "from mel spectrogram": through_mel,
    "from code": through_code,
}

# %%
# A published system
# ------------------
# The recipe ``dsp-autoencoder`` also encodes one second as 768 values, with small kernels
# and pooling. It scales each spectrogram to the range 0 to 1, so that the original range
# is needed for resynthesis. Its sample rate is 22,050 Hz.

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
resampled_clip = soxr.resample(clip[0], RATE, OTHER)[np.newaxis]
S = features.transform(resampled_clip)
ranges = features[-1].clip_ranges(features[0].transform(resampled_clip))
rebuilt = features[-1].inverse_transform(autoencoder.reconstruct(S), ranges)[0]
print(f"published: {autoencoder.n_codes_} values; squared error of the spectrograms "
      f"{np.mean(np.square(autoencoder.reconstruct(S) - S)):.4f}")  # fmt: skip
soundfile.write("sound_published_system.wav", np.clip(rebuilt, -1, 1), OTHER)
sounds["published system"] = soxr.resample(rebuilt, OTHER, RATE)[: clip.shape[1]]

# %%
# The error is the mean absolute difference from the original in dB of mel energy, over all
# values less than 60 dB below the maximum. Sounds from codes are too soft: where the
# decoder is uncertain, it returns a mean of decibels, which is lower than the level of
# the mean energy.

levels = {name: mel.transform(sound[None])[0] for name, sound in sounds.items()}
loud = levels["original"] > levels["original"].max() - 60
for name in list(sounds)[1:]:
    error = np.abs(levels[name] - levels["original"])[loud].mean()
    level = 10 * np.log10(np.square(sounds[name]).sum() / np.square(clip[0]).sum())
    print(f"{name}: mel error {error:.2f} dB, level {level:+.2f} dB")

# %%
# Reconstructions and waveforms
# -----------------------------

import matplotlib.pyplot as plt

from sklearn_speech.inspection import (
    ReconstructionDisplay,
    SpectrogramDisplay,
    TrainingCurveDisplay,
    WaveformDisplay,
)

new_clips = waveforms[held_out]
chosen = [int(np.flatnonzero(digits[held_out] == digit)[0]) for digit in range(4)]
figure = plt.figure(figsize=(11, 10), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=(3, 2.4))
ReconstructionDisplay.from_estimator(
    pipeline,
    new_clips[chosen],
    names=[f"digit {digit}" for digit in digits[held_out][chosen]],
    ax=above.subplots(3, 4),
)
WaveformDisplay(
    list(sounds.values()), sample_rate=RATE, names=list(sounds)
).plot(ax=below.subplots(4, 1, sharex=True))  # fmt: skip
figure.suptitle(f"{source}: a held-out speaker")
figure.savefig("sound_from_codes.png", dpi=120)

# %%
# Spectrograms of the sounds, with a finer frequency resolution than that of the front end.

figure, axes = plt.subplots(1, 4, figsize=(15, 3.4), layout="constrained", sharey=True)
for panel, (name, sound) in zip(axes, sounds.items()):
    SpectrogramDisplay.from_waveform(sound, sample_rate=RATE, ax=panel)
    panel.set_title(name)
figure.savefig("sound_spectrograms.png", dpi=120)

# %%
# Training curves of both systems. The published system is trained with the cross-entropy of
# scaled spectrograms, ours with the squared error of decibels, so their losses cannot be
# compared.

figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for panel, (name, network) in zip(axes, {"ours": pipeline[-1], "published": autoencoder}.items()):
    TrainingCurveDisplay.from_estimator(network, ax=[panel], panels=["loss"])
    panel.set_title(name)
figure.suptitle(source)
figure.savefig("sound_training.png", dpi=120)

# %%
# Sound files
# -----------

for name, sound in list(sounds.items())[:3]:
    path = f"sound_{name.replace(' ', '_')}.wav"
    soundfile.write(path, np.clip(sound, -1, 1), RATE)
    print("sound:", path)
print("sound: sound_published_system.wav")
print("pictures: sound_from_codes.png, sound_spectrograms.png, sound_training.png")
