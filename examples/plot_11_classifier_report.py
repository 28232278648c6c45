"""
Published classifiers, side by side
===================================

The library includes published systems as named recipes. This example trains some of them,
and the library's own system, on the same clips, and tests them on the same held-out
speaker. The test speaker is not used to select a network or an epoch. Besides the accuracy,
it shows training curves, confusions, and metrics of each class.

When run as a script, it prints a table and writes ``learning_curves.png``,
``more_learning_curves.png``, ``confusions.png`` and ``class_report.png`` to the working
directory. ``benchmarks/reference_systems.py`` measures these systems on all speakers.
"""

# %%
# The recordings
# --------------
# One speaker is held out: theo, as in one of the sources. The training set has some of
# the takes of the other speakers.

import warnings
from pathlib import Path

import numpy as np
import soundfile

from sklearn_speech.datasets import fetch_fsdd, make_spoken_digits

try:
    speech = fetch_fsdd(verbose=1)
    source, paths, new, few = "Free Spoken Digit Dataset", speech.data, "theo", {}
    used = (speech.speaker == new) | (speech.take < 10)
except OSError as error:
    speech = make_spoken_digits(4, 3, digits=range(6), random_state=0)
    source, new = "SYNTHETIC digits", speech.speaker[-1]
    used = np.full(len(speech.data), True)
    few = {"max_epochs": 9, "batch_size": 12}
    warnings.warn(
        f"no real recordings ({error}): using SYNTHETIC digits, which are much easier",
        stacklevel=1,
    )
    folder = Path("synthetic_recordings")
    folder.mkdir(exist_ok=True)
    names = zip(speech.target, speech.speaker, speech.take)
    paths = np.array([str(folder / f"{d}_{voice}_8k_{take}.wav") for d, voice, take in names])
    for path, clip in zip(paths, speech.data):
        soundfile.write(path, clip, speech.sample_rate)
held_out = speech.speaker == new
train = used & ~held_out
print(f"{source}: {train.sum()} training clips, {held_out.sum()} of {new}, a new speaker")

# %%
# The systems
# -----------
# Each system has its own sample rate and features.

from sklearn_speech import list_recipes

NAMES = [
    *("basics-mlp", "basics-mel-cnn", "basics-mfcc-cnn"),
    *("sample-cnn", "spectro-cnn"),
    *("spectrum-2cnn", "spectrum-3cnn", "spectrum-3cnn-pretrained", "best"),
]
for row in list_recipes(details=True):
    if row["name"] in NAMES:
        print(f"{row['name']:24s} {row['input']}; published: {row['published'] or '-'}")

# %%
# Training
# --------
# One of the training speakers is used for validation: for the training curves, and to
# select the best epoch. Two of the sources used the test speaker or test clips for this.
# scikit-learn's metadata routing passes the groups through the pipeline.

import time

import sklearn

from sklearn_speech import make_recipe
from sklearn_speech.base import nets_of

sklearn.set_config(enable_metadata_routing=True)

stopping = {"early_stopping": True, "n_iter_no_change": 100, "validation_fraction": 0.2}
fitted, answers = {}, {}
print(f"\n{'system':24s} {'accuracy':>8s} {'macro F1':>9s} {'parameters':>11s} {'seconds':>8s}")
for name in NAMES:
    pipeline = make_recipe(name, random_state=0)
    for net in nets_of(pipeline).values():
        net.set_params(**stopping, **few)
        if net.lr_schedule == "swa":  # "swa" averages weights and has no best epoch
            net.set_params(lr_schedule="one_cycle")
    start = time.perf_counter()
    pipeline.fit(paths[train], speech.target[train], groups=speech.speaker[train])
    seconds = time.perf_counter() - start
    fitted[name], answers[name] = pipeline, pipeline.predict(paths[held_out])
    macro = sklearn.metrics.f1_score(speech.target[held_out], answers[name], average="macro")
    weights = [p for net in nets_of(fitted[name]).values() for p in net.module_.parameters()]
    n_parameters = sum(p.numel() for p in weights if p.requires_grad)
    accuracy = np.mean(answers[name] == speech.target[held_out])
    print(f"{name:24s} {accuracy:8.3f} {macro:9.3f} {n_parameters:11,d} {seconds:8.0f}")

# %%
# Training curves
# ---------------
# Dashed lines show training clips, solid lines the validation speaker. For ``best``, an
# ensemble, the first network is shown. Losses of networks that are confident but wrong on
# quiet clips are off the scale.

import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay

from sklearn_speech.inspection import ClassReportDisplay, TrainingCurveDisplay

for file, names in (("learning_curves.png", NAMES[3:]), ("more_learning_curves.png", NAMES[:3])):
    curves = {name: next(iter(nets_of(fitted[name]).values())) for name in names}
    display = TrainingCurveDisplay.from_estimator(curves, panels=["loss", "accuracy", "lr"])
    display.figure_.set_size_inches(14, 4)
    display.axes_[0].set_ylim(0, 3)
    display.axes_[2].set_ylim(bottom=0)
    legend = display.axes_[0].get_legend()  # beside the panels, where it hides no curve
    texts = [text.get_text() for text in legend.get_texts()]
    display.axes_[2].legend(
        legend.legend_handles, texts, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False
    )
    legend.remove()
    display.figure_.set_layout_engine("constrained")
    display.figure_.suptitle(source)
    display.figure_.savefig(file, dpi=110)

# %%
# Confusions
# ----------

figure, grid = plt.subplots(3, 3, figsize=(11, 11), layout="constrained")
for axes, (name, answer) in zip(grid.flat, answers.items()):
    ConfusionMatrixDisplay.from_predictions(
        speech.target[held_out], answer, ax=axes, cmap="Oranges", colorbar=False,
        text_kw={"fontsize": 8},
    )  # fmt: skip
    axes.set(title=name, xlabel="Recognised", ylabel="Spoken" if axes in grid[:, 0] else "")
figure.suptitle(f"{source}: {new}, a new speaker; number of clips")
figure.savefig("confusions.png", dpi=110)

# %%
# Metrics of each digit
# ---------------------
# Four of the systems, with digits sorted by value. The dashed line is the mean over digits.

figure = plt.figure(figsize=(14, 8), layout="constrained")
shown = ["basics-mfcc-cnn", "spectro-cnn", "spectrum-2cnn", "best"]
for part, name in zip(figure.subfigures(2, 2).flat, shown):
    ClassReportDisplay.from_predictions(
        speech.target[held_out], answers[name], ax=part.subplots(1, 3, sharey=True)
    )
    part.suptitle(name)
figure.suptitle(f"{source}: {new}, a new speaker")
figure.savefig("class_report.png", dpi=110)
print("pictures: learning_curves.png, more_learning_curves.png, confusions.png, class_report.png")

# sphinx_gallery_thumbnail_number = 3
