"""
One file for a device
=====================

Training needs torch and scikit-learn. They are too large for a telephone, a browser or a small
computer. ``to_onnx`` writes a fitted pipeline to one file, from waveforms to probabilities, which
any ONNX runtime can run. ``load_onnx`` reads it with NumPy and onnxruntime alone.

When run as a script, this example prints a comparison and writes ``one_file.png`` to the working
directory. All speech is SYNTHETIC. ``benchmarks/export.py`` measures latency and accuracy with
recordings.
"""

# %%
# A fitted pipeline
# -----------------
# A mel spectrogram and a network. The speakers of the test clips were not in the training clips.

import numpy as np
from sklearn.pipeline import make_pipeline

from sklearn_speech import MelSpectrogram, PadOrTrim, SpectrogramCNNClassifier, make_spoken_digits

speech = make_spoken_digits(6, 2, random_state=0)
held_out = np.isin(speech.speaker, np.unique(speech.speaker)[:2])
clf = make_pipeline(
    PadOrTrim(n_times=speech.sample_rate),
    MelSpectrogram(sample_rate=speech.sample_rate, n_mels=32),
    SpectrogramCNNClassifier(2, n_filters=16, max_epochs=6, random_state=0, device="cpu"),
)
clf.fit(speech.data[~held_out], speech.target[~held_out])
print(f"SYNTHETIC digits: {(~held_out).sum()} training clips, {held_out.sum()} test clips")

# %%
# The file
# --------
# Before the file is put in place, onnxruntime runs it on other numbers and lengths of clips, and
# its predictions are compared with those of the pipeline. If a step cannot be exported, the error
# names it and says what to do.

from pathlib import Path

from sklearn_speech import load_onnx, to_onnx

to_onnx(clf, "digits.onnx")
model = load_onnx("digits.onnx")
print(f"{model}: {Path('digits.onnx').stat().st_size // 1024} KB")

unseen = list(speech.data[held_out])
difference = np.abs(model.predict_proba(unseen) - clf.predict_proba(speech.data[held_out])).max()
print(f"largest difference of a probability: {difference:.1e}")
same = (model.predict(unseen) == clf.predict(speech.data[held_out])).mean()
print(f"labels that are the same: {same:.0%}")

# %%
# What it needs
# -------------
# In a new process, the file runs without torch and scikit-learn.

import subprocess
import sys

code = """
import sys
from sklearn_speech import load_onnx
model = load_onnx("digits.onnx")
model.predict([[0.0] * 8000])
print(sorted({"torch", "sklearn", "scipy", "numpy", "onnxruntime"} & set(sys.modules)))
"""
done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
print(done.stdout.strip())

# %%
# How long one prediction takes
# -----------------------------
# From the samples of one clip to its label, on one core.

import time

import matplotlib.pyplot as plt
import torch

torch.set_num_threads(1)
clip = np.asarray(unseen[0])[np.newaxis]
milliseconds = {}
for name, estimator in {"pipeline": clf, "file": model}.items():
    estimator.predict(clip)
    times = []
    for _ in range(30):
        start = time.perf_counter()
        estimator.predict(clip)
        times.append(time.perf_counter() - start)
    milliseconds[name] = 1000 * np.median(times)

fig, ax = plt.subplots(figsize=(6, 2), layout="constrained")
bars = ax.barh(list(milliseconds), list(milliseconds.values()), color=["tab:gray", "tab:blue"])
ax.bar_label(bars, fmt="%.1f ms", padding=4)
ax.set(xlabel="from samples to label (ms)", title="SYNTHETIC digits: one clip, one core")
ax.margins(x=0.2)
fig.savefig("one_file.png")
