"""
Phones of connected speech
==========================

A recogniser of phones is told what was said, and never when. It listens to strings of
digits, spells them in phones, is judged by its errors on speakers whom it has never
heard, and in the end says at what time each phone was spoken.

Run as a script, this prints the phone error rate and some phone strings, and writes
``phone_training.png``, ``posteriorgram.png``, ``phone_confusions.png`` and
``phone_alignment.png`` to the working directory.
"""

# %%
# Strings of digits
# -----------------
# A few recordings of a speaker are joined, with pauses between. Each recording is
# used once. The synthesiser knows when it speaks each phone; of real recordings only the
# digits are known in time.

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
    source = "SYNTHETIC digits"  # few clips: a smaller network, and more steps to learn from them
    options = {"max_epochs": 30, "batch_size": 4, "lr": 0.01, "n_filters": 16, "dropout": 0.1}
    warnings.warn(
        f"no real recordings ({error}): going on with SYNTHETIC digits, which are much easier",
        stacklevel=1,
    )
held_out = np.isin(speech.speaker, np.unique(speech.speaker)[[0, -1]])
print(f"{source}: {(~held_out).sum()} strings to learn from, {held_out.sum()} of 2 other speakers")
print(f"  digits {speech.digits[0]} are phones {' '.join(speech.target[0])}")

# %%
# The recogniser
# --------------
# Convolutions, a recurrent layer in both directions, and CTC. One more speaker is put
# aside to see when to stop. ``segment_model=True`` also learns how each phone sounds,
# which is needed to tell when it is said.

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
heard = recognizer.predict(speech.data[held_out])
said = speech.target[held_out]
print(f"phone error rate on new speakers: {phone_error_rate(said, heard):.3f}")
for speaker in np.unique(speech.speaker[held_out]):
    own = speech.speaker[held_out] == speaker
    print(f"  {speaker}: {phone_error_rate(said[own], heard[own]):.3f}")
for i in range(3):
    print(f"said:  {' '.join(said[i])}\nheard: {' '.join(heard[i])}")

# %%
# How it learned
# --------------

import matplotlib.pyplot as plt

from sklearn_speech.inspection import (
    PhoneConfusionDisplay,
    PosteriorgramDisplay,
    SpectrogramDisplay,
    TrainingCurveDisplay,
)

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
TrainingCurveDisplay.from_estimator(recognizer, ax=left)
left.set_ylabel("CTC loss for each phone")
rates = [row["valid_per"] for row in recognizer.history_]
right.plot(np.arange(1, len(rates) + 1), rates, color="tab:orange")
right.set(xlabel="Epoch", ylabel="Phone error rate, validation", ylim=(0, None))
figure.suptitle(source)
figure.savefig("phone_training.png", dpi=110)

# %%
# What it is sure of, and when
# ----------------------------
# Posteriors of one clip of a new speaker, with what was truly said over them. CTC names
# a phone in a few frames only, anywhere near it; in all others it is blank. What was
# said is known phone by phone of synthetic speech, digit by digit of recordings.

clip = int(np.flatnonzero(held_out)[np.argmin([abs(len(p) - 10) for p in said])])
known = speech.digit_segments if speech.segments is None else speech.segments
truth = [(a / RATE, b / RATE, label) for a, b, label in known[clip]]
figure, axes = plt.subplots(figsize=(11, 4.5), layout="constrained")
PosteriorgramDisplay.from_estimator(recognizer, speech.data[clip], segments=truth, ax=axes)
axes.set_title(f"{source}: {speech.speaker[clip]} says {speech.digits[clip]}", pad=22)
figure.savefig("posteriorgram.png", dpi=110)

# %%
# Which phones it takes for which
# -------------------------------

display = PhoneConfusionDisplay.from_predictions(said, heard)
display.figure_.set_size_inches(7, 6)
display.ax_.set_title(f"{source}: speakers never heard")
display.figure_.savefig("phone_confusions.png", dpi=110)

# %%
# When each phone was said
# ------------------------
# ``align`` is told the phones, and finds their times. Where true ones are known, the
# distance between the two is measured.

aligned = recognizer.align(speech.data[held_out], said)
if speech.segments is not None:
    gaps = []
    for found, true in zip(aligned, speech.segments[held_out]):
        phones = [(a / RATE, b / RATE) for a, b, label in true if label not in ("h#", "pau")]
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
