"""Time of answers for a few clips: pipelines, bare networks and onnxruntime, for each classifier.

    python benchmarks/serving.py

Networks with their defaults, on clips of 1 s at 16 kHz and 40 bands; what they have learned does
not matter here. The bare network is the fitted torch module, called on a tensor of features that
is ready. ``predict`` of the classifier adds checks, and a block of clips that does not depend on
their number; ``predict`` of the pipeline begins with waveforms in numpy and ends with labels.
onnxruntime runs the file that ``to_onnx`` writes of the pipeline, on the same waveforms.
Times are processor time of one thread; all candidates of a row run alternately, and ratios are
medians of the rounds.

What keeps one clip above onnxruntime: torch spends some microseconds on the call of each operation.
``BCResNetNet`` calls about 600, most of them views and preparations of weights: batch norms are
folded into convolutions in every call, because weights may have changed since the last one, and
torch does not tell of changes through ``weight.data``. Without folding, one clip takes 0.93 of the
time, and 64 clips 1.4. ``frozen`` is the network after ``torch.jit.trace`` and
``torch.jit.freeze``, which prepare the weights once; the file of ``to_onnx`` does so too. What
``predict`` adds, less than 0.2 ms for a small network, is checks, the choice of a batch and labels:
more than a network that takes 0.1 ms itself.
"""

import argparse
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from report import write_report
from sklearn.pipeline import make_pipeline
from timing import in_turns

from sklearn_speech import (
    BCResNetClassifier,
    MelSpectrogram,
    PadOrTrim,
    SpectrogramCNNClassifier,
    SpectrogramLinearClassifier,
    WaveformCNNClassifier,
    WaveformMLPClassifier,
    to_onnx,
)

RATE, N_CLASSES = 16000, 10
CLASSIFIERS = (
    SpectrogramCNNClassifier,
    SpectrogramLinearClassifier,
    BCResNetClassifier,
    WaveformCNNClassifier,
    WaveformMLPClassifier,
)
NUMBERS = (1, 2, 8, 15, 16)


def fitted(make, clips, labels):
    """A pipeline that was fitted for one epoch, and a session of its ONNX file."""
    on_waveforms = make.__name__.startswith("Waveform")
    front = [] if on_waveforms else [MelSpectrogram(RATE, n_mels=40)]
    classifier = make(max_epochs=1, random_state=0, device="cpu")
    pipeline = make_pipeline(PadOrTrim(n_times=RATE), *front, classifier).fit(clips, labels)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "network.onnx")
        to_onnx(pipeline, path, sample_rate=RATE)
        content = Path(path).read_bytes()
    return pipeline, onnxruntime.InferenceSession(content, options)


def rows_of(make, clips, labels, n_rounds):
    """One row for each number of clips."""
    pipeline, session = fitted(make, clips, labels)
    classifier, module = pipeline[-1], pipeline[-1].module_.eval()
    features = np.asarray(pipeline[:-1].transform(clips))
    (name,) = (entry.name for entry in session.get_inputs())
    for n in NUMBERS:
        x, waveforms = np.ascontiguousarray(features[:n]), clips[:n]
        tensor = torch.from_numpy(x.copy())

        def bare(tensor=tensor):
            with torch.inference_mode():
                module(tensor)

        with torch.inference_mode():
            frozen = torch.jit.freeze(torch.jit.trace(module, tensor))
            for _ in range(3):  # the first calls compile
                frozen(tensor)

        def run_frozen(frozen=frozen, tensor=tensor):
            with torch.inference_mode():
                frozen(tensor)

        times = in_turns(
            {
                "bare": bare,
                "frozen": run_frozen,
                "onnxruntime": lambda waveforms=waveforms: session.run(None, {name: waveforms}),
                "predict": lambda x=x: classifier.predict(x),
                "pipeline": lambda waveforms=waveforms: pipeline.predict(waveforms),
            },
            n_rounds,
        )
        times = {key: processor for key, (processor, _) in times.items()}
        median = {key: 1e3 * float(np.median(values)) for key, values in times.items()}
        yield {
            "classifier": make.__name__,
            "clips": n,
            "bare, ms": median["bare"],
            "frozen, ms": median["frozen"],
            "onnxruntime, ms": median["onnxruntime"],
            "predict, ms": median["predict"],
            "pipeline, ms": median["pipeline"],
            "predict / bare": float(np.median(times["predict"] / times["bare"])),
            "pipeline / onnxruntime": float(np.median(times["pipeline"] / times["onnxruntime"])),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    n_rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    clips = rng.normal(0, 0.1, (40, RATE)).astype(np.float32)
    labels = np.arange(len(clips)) % N_CLASSES
    rows = []
    for make in CLASSIFIERS:
        for row in rows_of(make, clips, labels, n_rounds):
            rows.append(row)
            print({k: round(v, 2) if isinstance(v, float) else v for k, v in row.items()})
    notes = [
        "Processor time of one thread; medians of alternating rounds. The bare network gets "
        "features that are ready, 'predict' is that of the classifier on the same features; "
        "'pipeline' and onnxruntime begin with waveforms of 1 s at 16 kHz."
    ]
    write_report("serving", "Answers for a few clips", {"By classifier and clips": rows}, notes)


if __name__ == "__main__":
    main()
