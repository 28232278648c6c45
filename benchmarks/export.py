"""Latency of one clip with an exported file, and accuracy with weights in 8 bits.

    SKLEARN_SPEECH_DATA=FOLDER python benchmarks/export.py

Trains the default convolutional network on speakers of the Free Spoken Digit Dataset and exports
it in float32 and with weights in 8 bits. Accuracy is that on the speakers held out. Latency is
from the samples of one clip of 1 s to its label, on one core: the pipeline in Python, the two
files in onnxruntime, and the bare torch module between two tensors. All are timed alternately.
Takes a few minutes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from report import write_report
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from timing import in_turns

from sklearn_speech import (
    AudioReader,
    MelSpectrogram,
    PadOrTrim,
    SpectrogramCNNClassifier,
    fetch_fsdd,
    load_onnx,
    to_onnx,
)

RATE = 8000

START = """
import sys, time
start = time.perf_counter()
import numpy as np
from sklearn_speech import {function}
model = {function}(sys.argv[1])
model.predict(np.zeros((1, 8000), dtype=np.float32))
seconds = time.perf_counter() - start
# getrusage reports the peak of the process that this one was forked from
with open("/proc/self/status") as status:
    (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM"))
print(seconds, int(peak) / 1024)
"""


def start(function, path, n_repeats):
    """Seconds and MB from an empty process to the first answer, the median of several."""
    measured = []
    for _ in range(n_repeats):
        code = START.format(function=function)
        process = subprocess.run(
            [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
        )
        measured.append([float(word) for word in process.stdout.split()])
    return np.median(measured, axis=0)


def main():
    from sklearn_speech import save

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--held-out", type=int, default=2, help="speakers, one model each")
    parser.add_argument("--repeats", type=int, default=200)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    speech = fetch_fsdd()
    clips = AudioReader(sample_rate=RATE).fit_transform(speech.data)
    pipeline = make_pipeline(
        PadOrTrim(n_times=RATE),
        MelSpectrogram(sample_rate=RATE, n_mels=40),
        SpectrogramCNNClassifier(max_epochs=arguments.epochs, random_state=0, device="cpu"),
    )
    accuracy, latency = [], []
    with tempfile.TemporaryDirectory() as folder:
        exact, small, saved = (str(Path(folder) / n) for n in ("a.onnx", "b.onnx", "c.model"))
        for speaker in np.unique(speech.speaker)[: arguments.held_out]:
            test = speech.speaker == speaker
            model = clone(pipeline).fit(clips[~test], speech.target[~test])
            to_onnx(model, exact)
            few = np.random.default_rng(0).choice(np.flatnonzero(~test), 200, replace=False)
            to_onnx(model, small, quantize="int8", X=list(clips[few]))
            truth = speech.target[test]
            answers = {
                "pipeline": model.predict_proba(clips[test]),
                "file": load_onnx(exact).predict_proba(list(clips[test])),
                "file, int8": load_onnx(small).predict_proba(list(clips[test])),
            }
            row = {"speaker held out": speaker, "clips": int(test.sum())}
            for name, probabilities in answers.items():
                found = model.classes_[probabilities.argmax(1)]
                row[f"accuracy, {name}"] = float((found == truth).mean())
            for name in ("file", "file, int8"):
                difference = float(np.abs(answers[name] - answers["pipeline"]).max())
                row[f"largest difference, {name}"] = difference
            accuracy.append(row)
            print(row, flush=True)
        clip = np.zeros((1, RATE), dtype=np.float32)
        clip[0] = np.resize(clips[test][0], RATE)
        features = torch.from_numpy(model[:-1].transform(clip))
        network, files = model[-1].module_.eval(), [load_onnx(exact), load_onnx(small)]

        def bare():
            with torch.inference_mode():
                return network(features).argmax(1)

        candidates = {
            "pipeline in Python": lambda: model.predict(clip),
            "file in float32": lambda: files[0].predict(clip),
            "file in int8": lambda: files[1].predict(clip),
            "bare network, features ready": bare,
        }
        times = in_turns(candidates, arguments.repeats)
        for name, (_, seconds) in times.items():
            latency.append(
                {
                    "from samples to label": name,
                    "median (ms)": 1000 * float(np.median(seconds)),
                    "least (ms)": 1000 * float(np.min(seconds)),
                }
            )
        save(model, saved)
        starts = [
            {
                "from an empty process to the first label": name,
                "seconds": seconds,
                "memory (MB)": megabytes,
                "file (KB)": Path(path).stat().st_size // 1024,
            }
            for name, path, (seconds, megabytes) in (
                ("load, torch and scikit-learn", saved, start("load", saved, 5)),
                ("load_onnx, float32", exact, start("load_onnx", exact, 5)),
                ("load_onnx, int8", small, start("load_onnx", small, 5)),
            )
        ]
    notes = [
        "One core. The network is SpectrogramCNNClassifier with its defaults on 40 mel bands; "
        f"{arguments.epochs} epochs. The bare network gets spectrograms: framing, Fourier "
        "transform and mel filters are not in its time.",
        "In int8, the weights of the network have 8 bits in the file; answers are computed in "
        "float32. Speakers held out were never seen.",
    ]
    write_report(
        "export",
        "One ONNX file",
        {
            "Latency of one clip of 1 s, FSDD": latency,
            "Start": starts,
            "Accuracy on FSDD speakers held out": accuracy,
        },
        notes,
    )


if __name__ == "__main__":
    main()
