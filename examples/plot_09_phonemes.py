"""
Phones of connected speech
==========================

A phone recogniser is trained on sequences of phones without their times. This example
trains one on strings of digits, measures its phone error rate on new speakers, and then
aligns phones with the recordings to find their times.

When run as a script, it prints the phone error rate and some phone strings, and writes
``phone_training.png``, ``posteriorgram.png``, ``phone_confusions.png`` and
``phone_alignment.png`` to the working directory.
"""

# %%
# Strings of digits
# -----------------
# Each string joins a few recordings of one speaker, with pauses between them. Each
# recording is used once. The times of phones are known for synthetic speech; for real
# recordings, only the times of digits are known.

import warnings

import numpy as np

from sklearn_speech import fetch_fsdd, make_spoken_digits
from sklearn_speech.datasets import make_connected_digits

RATE = 8000
try:
    speech = make_connected_digits(fetch_fsdd(verbose=1), n_clips_per_speaker=80, random_state=0)
    source, options = "Free Spoken Digit Dataset", {"max_epochs": 25}
except OSError as error:
    single = make_spoken_digits(n_speakers=5, n_takes=12, digits=range(5), random_state=0)
    speech = make_connected_digits(single, n_clips_per_speaker=25, n_digits=(1, 3), random_state=0)
    source = "SYNTHETIC digits"  # few clips: a smaller network and more steps
    options = {"max_epochs": 30, "batch_size": 4, "lr": 0.01, "n_filters": 16, "dropout": 0.1}
    warnings.warn(
        f"no real recordings ({error}): using SYNTHETIC digits, which are much easier",
        stacklevel=1,
    )
held_out = np.isin(speech.speaker, np.unique(speech.speaker)[[0, -1]])
print(f"{source}: {(~held_out).sum()} training strings, {held_out.sum()} of 2 new speakers")
print(f"  digits {speech.digits[0]} are phones {' '.join(speech.target[0])}")

# %%
# The recogniser
# --------------
# The network has convolutions and a bidirectional recurrent layer, and is trained with
# CTC. One more speaker is held out for early stopping. ``segment_model=True`` also fits an
# acoustic model of each phone, which ``align`` needs for accurate times.

from sklearn_speech import MelSpectrogram, PhonemeRecognizer, phone_error_rate

recognizer = PhonemeRecognizer(
    frontend=MelSpectrogram(sample_rate=RATE),
    hidden_units=32 if source.startswith("SYNTHETIC") else 64,
    early_stopping=True,
    n_iter_no_change=options["max_epochs"],
    segment_model=True,
    random_state=0,
    **options,
)
recognizer.fit(speech.data[~held_out], speech.target[~held_out], groups=speech.speaker[~held_out])
recognised = recognizer.predict(speech.data[held_out])
true = speech.target[held_out]
print(f"phone error rate on new speakers: {phone_error_rate(true, recognised):.3f}")
for speaker in np.unique(speech.speaker[held_out]):
    own = speech.speaker[held_out] == speaker
    print(f"  {speaker}: {phone_error_rate(true[own], recognised[own]):.3f}")
for i in range(3):
    print(f"true:       {' '.join(true[i])}\nrecognised: {' '.join(recognised[i])}")

# %%
# Training curves
# ---------------

import matplotlib.pyplot as plt

from sklearn_speech.inspection import (
    PhoneConfusionDisplay,
    PosteriorgramDisplay,
    SpectrogramDisplay,
    TrainingCurveDisplay,
)

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
TrainingCurveDisplay.from_estimator(recognizer, ax=left)
left.set_ylabel("CTC loss per phone")
rates = [row["valid_per"] for row in recognizer.history_]
right.plot(np.arange(1, len(rates) + 1), rates, color="tab:orange")
right.set(xlabel="Epoch", ylabel="Phone error rate, validation", ylim=(0, None))
figure.suptitle(source)
figure.savefig("phone_training.png", dpi=110)

# %%
# Posteriors
# ----------
# Posteriors of one clip of a new speaker, with the true phones (synthetic speech) or digits
# (recordings) above. With CTC, the network outputs a phone in a few frames near it, and
# blank in all other frames.

clip = int(np.flatnonzero(held_out)[np.argmin([abs(len(p) - 10) for p in true])])
known = speech.digit_segments if speech.segments is None else speech.segments
truth = [(a / RATE, b / RATE, label) for a, b, label in known[clip]]
figure, axes = plt.subplots(figsize=(11, 4.5), layout="constrained")
PosteriorgramDisplay.from_estimator(recognizer, speech.data[clip], segments=truth, ax=axes)
axes.set_title(f"{source}: {speech.speaker[clip]} says {speech.digits[clip]}", pad=22)
figure.savefig("posteriorgram.png", dpi=110)

# %%
# Phone confusions
# ----------------

display = PhoneConfusionDisplay.from_predictions(true, recognised)
display.figure_.set_size_inches(7, 6)
display.ax_.set_title(f"{source}: new speakers")
display.figure_.savefig("phone_confusions.png", dpi=110)

# %%
# Alignment
# ---------
# ``align`` finds the times of given phones. If the true times are known, the error is
# printed.

aligned = recognizer.align(speech.data[held_out], true)
if speech.segments is not None:
    gaps = []
    for found, segments in zip(aligned, speech.segments[held_out]):
        phones = [(a / RATE, b / RATE) for a, b, label in segments if label not in ("h#", "pau")]
        gaps += [abs(f[0] - t[0]) for f, t in zip(found, phones)]
    within = np.mean(np.array(gaps) <= 0.02)
    print(f"starts of phones: median error {1000 * np.median(gaps):.0f} ms, "
          f"{100 * within:.0f} % within 20 ms")  # fmt: skip

found = aligned[int(np.flatnonzero(np.flatnonzero(held_out) == clip)[0])]
figure, (above, below) = plt.subplots(2, 1, figsize=(11, 6), layout="constrained", sharex=True)
for axes, segments, title in (
    (above, found, "aligned"),
    (below, truth, "true digits" if speech.segments is None else "true"),
):
    SpectrogramDisplay.from_waveform(
        speech.data[clip], sample_rate=RATE, segments=segments, ax=axes
    )
    axes.set_title(title, loc="left", pad=14)
above.set_xlabel("")
figure.suptitle(f"{source}: {speech.speaker[clip]} says {speech.digits[clip]}")
figure.savefig("phone_alignment.png", dpi=110)
print("pictures: phone_training.png, posteriorgram.png, phone_confusions.png, phone_alignment.png")

# sphinx_gallery_thumbnail_number = 2
