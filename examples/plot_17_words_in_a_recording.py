"""
Words in a recording, and in a live stream
==========================================

A classifier is trained on clips of one word each. ``SlidingWindow`` applies it to a window
that moves over a recording, and reports which words are spoken, and when. The threshold is
chosen on a speaker whose clips are used neither for training nor for the test. At the end,
the same detector listens to a stream: the microphone if ``sounddevice`` is installed, a WAV
file otherwise.

When run as a script, this example prints the words found, and writes ``words_found.png``,
``det_curve.png``, ``words.csv``, ``words_audacity.txt`` and ``two_minutes.wav`` to the
working directory. The speech is SYNTHETIC.
"""

# %%
# Clips and recordings
# --------------------
# Twenty synthetic speakers say the ten digits. The clips of 18 speakers train the detector. One
# minute by the nineteenth speaker serves to choose a threshold, and two minutes by the twentieth
# are the test. Both recordings are made of clips at random distances, in noise of -70 dB relative
# to full scale, so that the times of the words are known exactly.

import time

import matplotlib.pyplot as plt
import numpy as np
import soundfile

from sklearn_speech import make_spoken_digits

NOISE = 0.0003

print("SYNTHETIC digits, which are much easier than real ones")
speech = make_spoken_digits(20, 1, random_state=0)
rate, names = speech.sample_rate, np.unique(speech.speaker)
words = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
target = words[speech.target]
rng = np.random.default_rng(0)


def make_recording(speaker, seconds):
    """Digits of one speaker in noise, and (recording 0, word, start, end) of each."""
    sound = NOISE * rng.normal(size=seconds * rate)
    own, events, at = np.flatnonzero(speech.speaker == speaker), [], rate
    while True:
        i = rng.choice(own)
        clip = speech.data[i]
        if at + len(clip) > len(sound) - rate:
            return sound.astype(np.float32), events
        sound[at : at + len(clip)] += clip
        phones = [segment for segment in speech.segments[i] if segment[2] != "h#"]
        start, end = phones[0][0], phones[-1][1]
        events.append((0, target[i], (at + start) / rate, (at + end) / rate))
        at += len(clip) + int(rng.uniform(0.2, 1.5) * rate)


background = [(NOISE * rng.normal(size=30 * rate)).astype(np.float32)]
other_sound, other_events = make_recording(names[18], 60)
sound, events = make_recording(names[19], 120)

# %%
# Training
# --------
# With ``background``, ``fit`` mixes each clip into noise, among other words of its speaker. Windows
# with a word in the middle are examples of that word; windows with the word beside the middle are
# examples of "other".

from sklearn.pipeline import make_pipeline

from sklearn_speech import MelSpectrogram, PadOrTrim, SlidingWindow, SpectrogramCNNClassifier

pipeline = make_pipeline(
    PadOrTrim(n_times=int(0.8 * rate)),
    MelSpectrogram(sample_rate=rate, n_fft=512, hop_length=160),
    SpectrogramCNNClassifier(n_layers=3, n_filters=32, max_epochs=8, batch_size=16, random_state=0),
)
train = np.isin(speech.speaker, names[:18])
detector = SlidingWindow(pipeline, n_shifts=3, random_state=0)
began = time.perf_counter()
detector.fit(speech.data[train], target[train], groups=speech.speaker[train], background=background)
print(f"trained on {train.sum()} clips in {time.perf_counter() - began:.1f} s")

# %%
# A threshold, chosen on another speaker
# --------------------------------------
# The detector first reports events with low scores too. From them, misses and false alarms at
# every higher threshold are computed.

from sklearn_speech import detection_curve, miss_rate_at

candidates = detector.detect([other_sound], threshold=0.05)
curve = detection_curve(other_events, candidates, [60.0])
misses, threshold = miss_rate_at(curve, 1.0, floor=0.05)
print(f"on speaker {names[18]}: {misses:.1%} missed without a false alarm in the minute, "
      f"threshold {threshold:.2f}")  # fmt: skip
detector.set_params(threshold=float(threshold))

# %%
# Two minutes of a new speaker
# ----------------------------

from sklearn_speech import match_events

began = time.perf_counter()
found = detector.detect([sound])
took = time.perf_counter() - began
match = match_events(events, found, collar=0.1)
print(f"{len(events)} words in 120 s: {match.is_found.sum()} found, "
      f"{(~match.is_hit).sum()} false alarms, in {took:.1f} s")  # fmt: skip
hits = match.is_hit
true, said = match.partner[hits], match.true
for what, times, right in (("starts", found.start, said.start), ("ends", found.end, said.end)):
    errors = 1000 * np.abs(times[hits] - right[true])
    print(f"{what} are right within {errors.max():.0f} ms, half within {np.median(errors):.0f} ms")
found.to_csv("words.csv")
found.to_audacity("words_audacity.txt")

from sklearn_speech.inspection import DetCurveByRateDisplay, DetectionDisplay

display = DetectionDisplay.from_detector(detector, sound, truth=events, end=15.0)
display.figure_.suptitle("SYNTHETIC digits of a speaker who was not heard before")
display.figure_.savefig("words_found.png", dpi=110)

both = detector.detect([other_sound, sound], threshold=0.02)
said = [*other_events, *((1, *event[1:]) for event in events)]
curve = detection_curve(said, both, [60.0, 120.0], speakers=[names[18], names[19]])
display = DetCurveByRateDisplay(curve).plot()
display.figure_.suptitle("SYNTHETIC digits, two speakers, 3 minutes", fontsize="medium")
display.figure_.savefig("det_curve.png", dpi=110)

# %%
# A live stream
# -------------
# Chunks may have any length. The events are those of the whole recording.

soundfile.write("two_minutes.wav", sound, rate, subtype="FLOAT")


def from_microphone(seconds=10):
    """Chunks of 50 ms from the microphone."""
    with sounddevice.InputStream(samplerate=rate, channels=1, dtype="float32") as microphone:
        for _ in range(20 * seconds):
            yield microphone.read(rate // 20)[0][:, 0]


try:
    import sounddevice

    sounddevice.query_devices(kind="input")
    chunks = from_microphone()
    print("listening to the microphone for 10 s: say a digit")
except (ImportError, OSError, ValueError) as error:
    print(f"no microphone ({error}): listening to the first 20 s of two_minutes.wav")
    chunks = soundfile.blocks("two_minutes.wav", rate // 20, frames=20 * rate, dtype="float32")

stream = detector.stream()
for chunk in chunks:
    for _, word, start, end, score in stream.push(chunk):
        print(f"  after {stream.seconds:5.2f} s: {word!r} at {start:.2f} to {end:.2f} s "
              f"({score:.2f})")  # fmt: skip
for _, word, start, end, score in stream.finish():
    print(f"  at the end: {word!r} at {start:.2f} to {end:.2f} s ({score:.2f})")
print(f"{1000 * stream.real_time_factor:.0f} ms of computing for each second of sound, "
      f"an answer at most {stream.latency:.1f} s after the middle of a word")  # fmt: skip
print("pictures: words_found.png, det_curve.png")
plt.close("all")
