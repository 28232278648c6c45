"""
Keywords among other words
==========================

The input of a device that detects a few commands is mostly silence or other words. The
task therefore has two further classes, ``_unknown_`` and ``_silence_``. The classes
differ in size; sample weights, passed through the pipeline, balance them. Training, early
stopping and test use different speakers. In the end the pipeline is saved to a file and
loaded again.

When run as a script, this example prints a line per epoch and a report by class, and writes
``keywords.png``, ``keyword_report.png``, ``keyword_report.json`` and
``keywords.safetensors`` to the working directory.
"""

# %%
# The task
# --------
# Google Speech Commands, from a local copy, complete or partial. This example does not
# download 2.4 GB; ``fetch_speech_commands()`` would. The clips of silence are segments of
# background noise, which is synthesised if the copy has none.

import json
import warnings
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from sklearn_speech import fetch_speech_commands, make_spoken_digits

RATE = 16000


def synthetic_commands():
    """Three synthetic words, other words, and silence (noise of low level)."""
    spoken = make_spoken_digits(5, 4, digits=range(7), sample_rate=RATE, random_state=0)
    names = np.array(["zero", "one", "two"] + ["_unknown_"] * 4)
    rng = np.random.default_rng(0)
    n_silent = 15
    noises = [0.003 * rng.normal(size=RATE // 2).astype(np.float32) for _ in range(n_silent)]
    target = np.array([*names[spoken.target], *["_silence_"] * n_silent])
    speaker = np.array([*spoken.speaker, *(f"noise-{i % 5}" for i in range(n_silent))])
    counts = dict(zip(*np.unique(target, return_counts=True)))
    mean = np.mean([counts[word] for word in names[:3]])
    weight = np.array([1.0 if t in names[:3] else mean / counts[t] for t in target])
    data = np.empty(len(target), dtype=object)
    for i, clip in enumerate([*spoken.data, *noises]):
        data[i] = clip
    return Bunch(data=data, target=target, speaker=speaker, sample_weight=weight)


try:
    words = ["down", "go", "left", "right", "up"]
    try:
        speech = fetch_speech_commands(words=words, download_if_missing=False)
    except OSError:
        speech = fetch_speech_commands("v0.01", words=words, download_if_missing=False)
    source, duration = "Speech Commands", 1.0
    training = {"max_epochs": 15, "batch_size": 64}
    few = np.random.default_rng(0).permutation(np.unique(speech.speaker))[:250]
    few = np.union1d(few, speech.speaker[speech.target == "_silence_"])
except OSError as error:
    speech = synthetic_commands()
    source, duration = "SYNTHETIC words", 0.5
    training = {"max_epochs": 12, "batch_size": 8}
    few = np.unique(speech.speaker)
    warnings.warn(
        f"no real recordings ({error}): using SYNTHETIC words, which are much easier",
        stacklevel=1,
    )
kept = np.isin(speech.speaker, few)
clips, target, speakers = speech.data[kept], speech.target[kept], speech.speaker[kept]
weights = speech.sample_weight[kept]
print(f"{source}: {len(clips)} clips of {len(few)} speakers and noises")
for name in np.unique(target):
    of_class = target == name
    print(f"  {name:10s} {of_class.sum():5d} clips, weight {weights[of_class][0]:.2f} each, "
          f"{weights[of_class].sum():.0f} together")  # fmt: skip

# %%
# The pipeline
# ------------
# BC-ResNet classifies log-mel spectrograms with few parameters, which suits small devices.
# With metadata routing, ``set_fit_request`` requests the weights for a step. The network
# requests ``groups`` (the speakers) by default, to split off the validation speakers of
# early stopping.

import sklearn

from sklearn_speech import (
    BCResNetClassifier,
    StratifiedGroupShuffleSplit,
    make_speech_pipeline,
)

sklearn.set_config(enable_metadata_routing=True)
network = BCResNetClassifier(
    tau=1,
    early_stopping=True,
    n_iter_no_change=training["max_epochs"],
    random_state=0,
    **training,
).set_fit_request(sample_weight=True)
pipeline = make_speech_pipeline(network, sample_rate=RATE, duration=duration)
if source.startswith("SYNTHETIC"):  # the clips are waveforms, not files
    pipeline = pipeline[1:]

split = StratifiedGroupShuffleSplit(1, test_size=0.2, random_state=0)
train, test = next(split.split(clips, target, speakers))
pipeline.fit(clips[train], target[train], sample_weight=weights[train], groups=speakers[train])

# %%
# The parts of the network, and the best epoch, whose weights early stopping keeps.
# ``callbacks=[skorch.callbacks.Checkpoint(...)]`` would save the weights of every epoch, or
# of the last one.

net = pipeline[-1]
for name, part in net.module_.named_children():
    print(f"  {name:12s} {sum(p.numel() for p in part.parameters()):6,} parameters")
print(f"  {'total':12s} {sum(p.numel() for p in net.module_.parameters()):6,}")
losses = net.history_[:, "valid_loss"]
print(f"validation loss: {min(losses):.3f} in epoch {1 + int(np.argmin(losses))}, "
      f"{losses[-1]:.3f} in the last, {len(losses)}")  # fmt: skip

# %%
# New speakers
# ------------
# The report has the accuracy, and macro and weighted averages. The macro average is the most
# informative for classes of different size.

from sklearn.metrics import ConfusionMatrixDisplay, balanced_accuracy_score, classification_report

answers = pipeline.predict(clips[test])
print(f"{len(test)} clips of {len(set(speakers[test]))} speakers and noises:")
print(f"  accuracy {np.mean(answers == target[test]):.3f}, "
      f"balanced {balanced_accuracy_score(target[test], answers):.3f}")  # fmt: skip
print(classification_report(target[test], answers, zero_division=0))
report = classification_report(target[test], answers, zero_division=0, output_dict=True)
Path("keyword_report.json").write_text(json.dumps(report, indent=1) + "\n")

import matplotlib.pyplot as plt

from sklearn_speech.inspection import ClassReportDisplay, TrainingCurveDisplay

figure = plt.figure(figsize=(11, 9), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=(2, 3))
TrainingCurveDisplay.from_estimator(pipeline, ax=above.subplots(1, 2))
learned = pipeline.predict(clips[train])
for axes, of, said, answered in zip(
    below.subplots(1, 2),
    ("training speakers", "new speakers"),
    (target[train], target[test]),
    (learned, answers),
):
    ConfusionMatrixDisplay.from_predictions(
        said, answered, ax=axes, cmap="Oranges", colorbar=False, xticks_rotation=60,
        normalize="true", values_format=".2f", text_kw={"fontsize": 8},
    )  # fmt: skip
    axes.set(xlabel="Recognised", ylabel="Spoken", title=f"Fraction of each row: {of}")
figure.suptitle(source)
figure.savefig("keywords.png", dpi=110)

display = ClassReportDisplay.from_predictions(target[test], answers)
display.figure_.suptitle(source)
display.figure_.savefig("keyword_report.png", dpi=110)

# %%
# Saving and loading
# ------------------
# The file contains arrays and a text header. Loading it executes no code from the file.

from sklearn_speech import load, save

save(pipeline, "keywords.safetensors")
again = load("keywords.safetensors")
same = np.array_equal(again.predict_proba(clips[test]), pipeline.predict_proba(clips[test]))
print("the loaded pipeline has the same predictions:", same)
print("pictures: keywords.png, keyword_report.png")
