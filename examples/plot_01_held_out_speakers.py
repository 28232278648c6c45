"""
Spoken digits of new speakers
=============================

How well are digits recognised if the speaker is new? Each speaker of the Free
Spoken Digit Dataset is held out in turn: the network is trained on the other five
speakers and tested on the sixth. Nothing in the pipeline is fitted on clips of the
held-out speaker. The network below is one of the two networks of
``make_recipe("best")``, which trains them for more epochs and averages their
probabilities.

When run as a script, this example prints a table and writes ``held_out_speakers.png``
to the working directory.
"""

# %%
# The recordings
# --------------
# The data set has three thousand short recordings of six speakers. They are read from
# the folder given by ``SKLEARN_SPEECH_DATA``, or downloaded once. If neither is
# possible, synthetic digits are used, so that the example still runs.

import warnings

from sklearn_speech.datasets import fetch_fsdd, make_spoken_digits

try:
    speech = fetch_fsdd(verbose=1)
    source = "Free Spoken Digit Dataset"
except OSError as error:
    speech = make_spoken_digits(
        n_speakers=4, n_takes=2, digits=range(5), sample_rate=8000, random_state=0
    )
    source = "SYNTHETIC digits"
    warnings.warn(
        "\n"
        + "!" * 78
        + f"\nNo real recordings: {error}\n"
        + "Using SYNTHETIC digits of make_spoken_digits instead. They are much easier than real\n"
        + "ones: the scores below show that the program works, but nothing about speech.\n"
        + "!" * 78,
        stacklevel=1,
    )

print(f"{source}: {len(speech.data)} clips of {len(set(speech.speaker))} speakers")

# %%
# The pipeline
# ------------
# Waveforms of one second are converted to mel spectrograms with 40 bands. In training,
# augmentations make the spectrograms of five speakers more diverse: they trim silence,
# mix in the average spectrum of another recording, stretch time, warp the frequency axis
# as if the vocal tract were longer or shorter, apply a random equaliser, shift the word
# in time and add noise. The network has stride 1 instead of the default 2. Its final
# weights are the mean of the weights over the second half of training.

from sklearn_speech import (
    MelSpectrogram,
    SpectrogramCNNClassifier,
    cross_validate_by_speaker,
    make_speech_pipeline,
)
from sklearn_speech.augmentation import (
    FrameShift,
    FreqMixStyle,
    NoiseFloor,
    RandomEqualizer,
    RandomTrim,
    TimeStretch,
    VocalTractWarp,
)

RATE = 8000
network = SpectrogramCNNClassifier(
    n_filters=[24, 48, 96, 96],
    kernel_size=3,
    stride=1,
    pool_size=2,
    label_smoothing=0.1,
    lr_schedule="swa",
    batch_size=32,
    max_epochs=16 if source == "Free Spoken Digit Dataset" else 10,
    augment=[
        RandomTrim(p=0.5),
        FreqMixStyle(),
        TimeStretch(factor=(0.75, 1.3)),
        VocalTractWarp(sample_rate=RATE, factor=(0.85, 1.18)),
        RandomEqualizer(max_db=6),
        FrameShift(),
        NoiseFloor(depth_db=(20, 70), p=0.8),
    ],
    random_state=0,
)
pipeline = make_speech_pipeline(
    network,
    sample_rate=RATE,
    duration=1.0,
    features=MelSpectrogram(sample_rate=RATE, n_mels=40, preemphasis=0.97),
)
if source.startswith("SYNTHETIC"):  # the clips are waveforms, not files
    pipeline = pipeline[1:]

# %%
# Cross-validation by speaker
# ---------------------------
# The pipeline is fitted once for each held-out speaker. The confidence interval is over
# speakers. With only six of them, it is wide.

scores = cross_validate_by_speaker(pipeline, speech.data, speech.target, speech.speaker, verbose=1)
print(scores)

# %%
# Scores and confusions
# ---------------------

import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay

from sklearn_speech.inspection import SpeakerScoresDisplay

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
SpeakerScoresDisplay.from_cv_results(scores, ax=left)
left.set_xlabel("Accuracy on the held-out speaker")
ConfusionMatrixDisplay.from_predictions(
    speech.target, scores.predictions, ax=right, cmap="Blues", colorbar=False
)
right.set_title("Confusion matrix")
figure.suptitle(source)
figure.savefig("held_out_speakers.png", dpi=120)
print("picture: held_out_speakers.png")
