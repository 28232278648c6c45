"""
Training the front end
======================

The mel filters, and even the sines and cosines of the Fourier transform, are matrices
that can be trained with the network. The benefit of this is easily overestimated. A linear
classifier of keywords is trained in four settings: (A) no part of the front end is
trained, (B) the mel filters, (C) the sines and cosines, (D) both. Each setting is trained
twice: on unnormalised log energies, as published, and with each band normalised to mean 0
and standard deviation 1 before the linear layer. The figures show how training changes
the filters.

When run as a script, this example prints a table and writes ``front_end_accuracy.png``,
``mel_filters.png``, ``fourier_kernels.png`` and ``front_end_view.png`` to the
working directory.
"""

# %%
# Keywords
# --------
# Five words of Google Speech Commands; one in five speakers is held out. A local copy is
# used, complete or partial; this example does not download 2.4 GB.

import warnings

import numpy as np
from sklearn.model_selection import GroupKFold

from sklearn_speech import fetch_speech_commands, make_spoken_digits

rng = np.random.default_rng(0)
try:
    try:
        which = {"version": "v0.02", "download_if_missing": False}
        fetch_speech_commands(**which)
    except OSError:
        which = {"version": "v0.01", "download_if_missing": False}
    speech = fetch_speech_commands(
        words=["down", "go", "left", "right", "up"], unknown=False, silence=False, **which
    )
    source, options = "Speech Commands", {"max_epochs": 10}
    few = rng.permutation(np.unique(speech.speaker))[:200]
except OSError as error:
    speech = make_spoken_digits(5, 4, digits=range(4), sample_rate=16000, random_state=0)
    source, few = "SYNTHETIC words", np.unique(speech.speaker)
    options = {"max_epochs": 12, "duration": 0.5, "reads": "waveforms"}
    warnings.warn(
        f"no real recordings ({error}): using SYNTHETIC words, which are much easier",
        stacklevel=1,
    )
kept = np.isin(speech.speaker, few)
clips, words, speakers = speech.data[kept], speech.target[kept], speech.speaker[kept]
train, test = next(GroupKFold(5, shuffle=True, random_state=0).split(clips, words, speakers))
chance = np.bincount(np.unique(words[test], return_inverse=True)[1]).max() / len(test)
print(f"{source}: {len(train)} training clips, {len(test)} of new speakers")

# %%
# Four settings with and without normalisation
# --------------------------------------------
# The recipe is the published system: a linear layer on 40 log-mel bands, trained by
# stochastic gradient descent with momentum. Only ``input_norm="batch"`` is added.

from sklearn_speech import make_recipe

NORMS = {"as published": None, "normalised": "batch"}
fitted = {
    (name, setting): make_recipe(
        "kws-linear", setting=setting, input_norm=norm, random_state=0, **options
    ).fit(clips[train], words[train])
    for name, norm in NORMS.items()
    for setting in "ABCD"
}
accuracy = {key: model.score(clips[test], words[test]) for key, model in fitted.items()}
print(f"Accuracy on new speakers (most frequent word: {chance:.3f})")
print(f"{'':14s}" + "".join(f"{setting:>8s}" for setting in "ABCD"))
for name in NORMS:
    print(f"{name:14s}" + "".join(f"{accuracy[name, setting]:8.3f}" for setting in "ABCD"))
# setting B once more, with a learning rate of the filters 100,000 times lower
slow = {"spectrogramlinearclassifier__frontend__lr": 1e-8}
fitted["normalised", "B, slow"] = make_recipe(
    "kws-linear", setting="B", input_norm="batch", random_state=0, **slow, **options
).fit(clips[train], words[train])
accuracy["normalised", "B, slow"] = fitted["normalised", "B, slow"].score(clips[test], words[test])
print(f"normalised, B with a slow front end: {accuracy['normalised', 'B, slow']:.3f}")
off = 1.96 * np.sqrt(0.25 / len(test))
print(f"Differences below {off:.2f} may be chance, with {len(test)} test clips.")

# %%
# Front end or normalisation?
# ---------------------------
# Compare the gain from A to D within a row with the gain between the rows. The scales of
# the two losses differ: unnormalised log energies are far below zero, so that training
# overshoots at the published learning rate. Anything that reduces their magnitude helps,
# such as larger filters.

import matplotlib.pyplot as plt

from sklearn_speech.inspection import (
    FilterbankDisplay,
    FourierKernelDisplay,
    SpectrogramDisplay,
    TrainingCurveDisplay,
)

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
for i, name in enumerate(NORMS):
    heights = [accuracy[name, setting] for setting in "ABCD"]
    bars = left.bar(np.arange(4) + 0.4 * i - 0.2, heights, width=0.38, label=name)
    left.bar_label(bars, fmt="%.2f", fontsize="small")
left.bar(4, accuracy["normalised", "B, slow"], width=0.38, color=bars[0].get_facecolor())
left.bar_label(left.containers[-1], fmt="%.2f", fontsize="small")
left.axhline(chance, color="black", linestyle=":", label="most frequent word")
left.set_xticks(range(5), labels=["A\nnothing", "B\nmel", "C\nFourier", "D\nboth", "B, slow\nmel"])
left.set(xlabel="Trained part of the front end", ylabel="Accuracy, new speakers", ylim=(0, 1.3))
left.set_yticks(np.linspace(0, 1, 6))
left.legend(frameon=False, fontsize="small", ncols=2, loc="upper center")
for axes, name in zip((middle, right), NORMS):
    TrainingCurveDisplay.from_estimator(
        {setting: fitted[name, setting] for setting in "ABCD"}, ax=[axes], panels=["loss"]
    )
    axes.set_title(f"Training loss, {name}")
figure.suptitle(source)
figure.savefig("front_end_accuracy.png", dpi=110)

# %%
# The filters before and after
# ----------------------------
# The weights of mel filters are about 0.01, and the gradient of the logarithm is large for
# small energies. At the published learning rate, a few steps therefore push the weights
# to their limits 0 and 1, and the result hardly resembles a filter bank. A learning rate
# 100,000 times lower changes the filters slightly. Each filter is drawn relative to its
# largest weight.


def banks(model):
    """Mel filters of a fitted network before and after training, and their relative change."""
    display = FilterbankDisplay.from_estimator(model)
    plt.close(display.figure_)
    return display.initial, display.filters, change(display.filters, display.initial)


def change(after, before):
    """Norm of the change, relative to the norm before."""
    return np.linalg.norm(np.subtract(after, before)) / np.linalg.norm(before)


figure = plt.figure(figsize=(14, 6), layout="constrained")
shown = [("as published", "B"), ("normalised", "B"), ("normalised", "B, slow")]
for part, key in zip(figure.subfigures(1, 3), shown):
    initial, trained, moved = banks(fitted[key])
    print(f"{', '.join(key)}: mel filters changed by {100 * moved:.0f} %")
    relative = [bank / np.maximum(bank.max(1, keepdims=True), 1e-9) for bank in (initial, trained)]
    FilterbankDisplay(relative[1], sample_rate=16000, initial=relative[0]).plot(
        ax=part.subplots(2, 1, sharex=True), kind="image"
    )
    part.suptitle(f"{', '.join(key)}: change {100 * moved:.0f} %")
figure.suptitle(f"{source}: mel filters")
figure.savefig("mel_filters.png", dpi=110)

# %%
# The filters with the low learning rate, as weights over frequency.

display = FilterbankDisplay.from_estimator(fitted["normalised", "B, slow"])
display.figure_.suptitle(f"{source}: mel filters, setting B with a slow front end")
display.figure_.savefig("mel_filter_lines.png", dpi=110)

# %%
# The kernels of the Fourier transform have large weights and hardly change.

display = FourierKernelDisplay.from_estimator(fitted["normalised", "D"], bins=[2, 10, 20, 50])
moved = change([display.cosine, display.sine], display.initial)
print(f"normalised, D: sines and cosines changed by {100 * moved:.2f} %")
display.figure_.suptitle(
    f"{source}: kernels of the Fourier transform, setting D: change {100 * moved:.2f} %"
)
display.figure_.savefig("fourier_kernels.png", dpi=110)

# %%
# One word before and after
# -------------------------
# In the last panel, ``masked_bins`` sets some bins of the Fourier transform to 0, to test
# whether a network can do without them.

import torch

figure, panels = plt.subplots(1, 5, figsize=(18, 3.6), layout="constrained", sharey=True)
reader = fitted["normalised", "A"][:-2]  # reads files, pads or trims
word = torch.as_tensor(np.asarray(reader.transform(clips[test[:1]])), dtype=torch.float32)
for axes, setting in zip(panels, ["A", "B", "B, slow", "D"]):
    model = fitted["normalised", setting]
    if setting == "A":
        picture = model["melspectrogram"].transform(word.numpy())[0]
    else:
        with torch.no_grad():
            picture = model[-1].module_.front_end(word.to(model[-1].device_))[0].cpu().numpy()
    SpectrogramDisplay(picture * 10 / np.log(10)).plot(ax=axes)
    axes.set(title=f"setting {setting}", ylabel="Mel band" if setting == "A" else "")
masked = make_recipe("kws-linear", masked_bins=(25, 49), max_epochs=1, random_state=0,
                     duration=options.get("duration"), reads="waveforms")[-1]  # fmt: skip
masked.fit(word.numpy().repeat(2, axis=0), ["one", "other"])
with torch.no_grad():
    picture = masked.module_.front_end(word.to(masked.device_))[0].cpu().numpy()
SpectrogramDisplay(picture * 10 / np.log(10)).plot(ax=panels[4])
hertz = 16000 / 480
panels[4].set(title=f"masked from {25 * hertz:.0f} to {49 * hertz:.0f} Hz", ylabel="")
figure.suptitle(f"{source}: '{words[test[0]]}' by a new speaker, input of the linear layer")
figure.savefig("front_end_view.png", dpi=110)
print("pictures: front_end_accuracy.png, mel_filters.png, mel_filter_lines.png,")
print("fourier_kernels.png, front_end_view.png")

# sphinx_gallery_thumbnail_number = 5
