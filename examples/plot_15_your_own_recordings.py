"""
Your own recordings
===================

From a folder of sound files to scores, a picture and a saved model. The files have different
sample rates, lengths, channels and formats, and one is broken, as files that several people
record. No step needs a rate, a length or a format to be known beforehand.

This example makes such a folder from synthetic words. With recordings of your own, begin
at "What is in the folder", and name your folder and the form of its file names there.

When run as a script, it prints scores, and writes ``your_own_recordings.png`` and
``words.safetensors`` to the working directory.
"""

# %%
# A folder of mixed files
# -----------------------
# Five speakers read three words three times. Each speaker has another recorder: another sample
# rate, format or number of channels. One file was cut off, as an interrupted copy leaves it.

from pathlib import Path

import numpy as np
import soundfile

from sklearn_speech import make_spoken_digits

RECORDERS = [
    (44100, "wav", 2), (16000, "flac", 1), (22050, "ogg", 1), (8000, "wav", 1), (11025, "aiff", 1),
]  # fmt: skip
WORDS = ["zero", "one", "two"]

folder = Path("recordings")
for i, (rate, ending, n_channels) in enumerate(RECORDERS):
    words = make_spoken_digits(
        n_speakers=1, n_takes=3, digits=[0, 1, 2], sample_rate=rate, random_state=i
    )
    (folder / f"speaker{i}").mkdir(parents=True, exist_ok=True)
    for digit, take, samples in zip(words.target, words.take, words.data):
        path = folder / f"speaker{i}" / f"{WORDS[int(digit)]}_{take}.{ending}"
        soundfile.write(path, np.repeat(samples[:, np.newaxis], n_channels, axis=1), rate)
broken = folder / "speaker3" / "zero_0.wav"
broken.write_bytes(broken.read_bytes()[:2000])
print("SYNTHETIC words in the folder", folder)

# %%
# What is in the folder
# ---------------------
# The label and the speaker are read from the path of each file. :func:`check_audio_files` then
# decodes every file, and says which ones cannot be used and why. ``print(report)`` also lists the
# sample rates and durations.

from sklearn_speech import check_audio_files, load_speech_folder

speech = load_speech_folder(folder, "{speaker}/{label}_{take}.*")
report = check_audio_files(speech.data)
print(f"{report.good.sum()} of {len(report.good)} files can be used")
for path, reason in report.bad.items():
    print(f"  {Path(path).relative_to(folder.resolve())}: {reason}")
paths = speech.data[report.good]
labels, speakers = speech.target[report.good], speech.speaker[report.good]

# %%
# Scores on new speakers
# ----------------------
# The pipeline reads files at one sample rate, learns a length from the training clips,
# computes mel spectrograms and classifies them. With few clips, small batches give the network
# more steps of training. Notebooks show the steps as boxes that unfold.

from sklearn_speech import (
    SpectrogramCNNClassifier,
    cross_validate_by_speaker,
    make_speech_pipeline,
)

pipeline = make_speech_pipeline(
    SpectrogramCNNClassifier(n_layers=3, batch_size=16, random_state=0), sample_rate=8000
)
pipeline

# %%
# Each speaker is held out in turn, so that each score is about a voice that is not in the training
# clips.

scores = cross_validate_by_speaker(pipeline, paths, labels, speakers)
print(scores)

# %%
# A picture of the scores
# -----------------------

import matplotlib.pyplot as plt

from sklearn_speech.inspection import SpeakerScoresDisplay

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
SpeakerScoresDisplay.from_cv_results(scores, ax=axes)
figure.suptitle("SYNTHETIC words: each speaker held out")
figure.savefig("your_own_recordings.png", dpi=110)

# %%
# A model for later
# -----------------
# The final model is trained on all speakers. One file contains the whole pipeline and a card that
# says what it was trained on. Loading it runs nothing that the file contains.

from sklearn_speech import ModelCard, load, read_model_card, save

card = ModelCard(
    description="Three synthetic words",
    n_clips=len(paths),
    n_speakers=len(set(speakers)),
    scores=scores,
)
save(pipeline.fit(paths, labels), "words.safetensors", card=card)
read_model_card("words.safetensors")

# %%
# ``predict`` takes paths. Samples with their sample rate, as a microphone provides them, are
# resampled like a file.

model = load("words.safetensors")

samples, rate = soundfile.read(folder / "speaker0" / "two_1.wav")
print(f"a buffer of {len(samples)} samples at {rate} Hz:", *model.predict([(samples, rate)]))
print("picture: your_own_recordings.png, model: words.safetensors")
