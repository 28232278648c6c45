"""Time of `fit` and `predict_proba`, compared with a plain torch loop and a stock skorch net.

Three networks: a small perceptron on 20,000 rows of 40 values, which shows the overhead besides
arithmetic, and BC-ResNet-1 and the default CNN on 2,500 recordings of the Free Spoken Digit
Dataset (synthetic digits if it is not available). All train the same module with the same batch
size and the same fused optimiser, on indices permuted in each epoch. They run alternately in one
process, so that varying load of the machine affects all of them. Both processor and wall-clock
times are reported; on a shared machine, only the processor time is meaningful.

    SKLEARN_SPEECH_DATA=FOLDER python benchmarks/training_speed.py
    python benchmarks/training_speed.py --networks mlp --device cuda
"""

import argparse
import os
from pathlib import Path

import numpy as np
import torch
from report import write_report
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetClassifier
from timing import in_turns
from torch import nn

from sklearn_speech.audio import AudioReader, PadOrTrim
from sklearn_speech.base import BaseSpeechClassifier
from sklearn_speech.classification import BCResNetClassifier, SpectrogramCNNClassifier
from sklearn_speech.datasets import fetch_fsdd, make_spoken_digits
from sklearn_speech.feature_extraction import MelSpectrogram

OURS, BARE, SKORCH = "sklearn_speech", "bare torch loop", "stock skorch"
#: Limits of the ratio to the plain loop: in fit by network, and in predict_proba.
FIT_LIMITS, PREDICT_LIMIT = {"mlp": 1.5, "bc_resnet": 1.05, "cnn": 1.05}, 1.2
LR, WEIGHT_DECAY = 0.003, 0.01


class MLPNet(nn.Module):
    """A small perceptron on clips of one frame."""

    def __init__(self, n_bands, n_frames, n_classes, width=64):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(n_bands * n_frames, width), nn.ReLU(),
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, n_classes),
        )  # fmt: skip

    def forward(self, x, lengths=None):
        return self.layers(x)


class MLPClassifier(BaseSpeechClassifier):
    """The perceptron as an estimator."""

    module_class = MLPNet


def rows(n=20_000):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 40)).astype(np.float32)
    return X, (X[:, :10] + rng.normal(size=(n, 10))).argmax(1)


def spoken_digits(n_clips):
    """Mel spectrograms of spoken digits and their labels; real digits if available."""
    home = os.environ.get("SKLEARN_SPEECH_DATA")
    if home and (Path(home) / "fsdd" / "recordings").is_dir():
        speech = fetch_fsdd(home, download_if_missing=False, verbose=False)
        reader, source = [AudioReader(sample_rate=8000)], "real digits"
    else:
        speech = make_spoken_digits(n_takes=-(-n_clips // 60), random_state=0)
        reader, source = [], "synthetic digits"
    some = np.random.default_rng(0).permutation(len(speech.target))[:n_clips]
    clips = [speech.data[i] for i in some]
    features = make_pipeline(
        *reader, PadOrTrim(n_times=8000), MelSpectrogram(sample_rate=8000, n_mels=40)
    )
    X = np.ascontiguousarray(features.fit_transform(clips), dtype=np.float32)
    return X, np.unique(speech.target[some], return_inverse=True)[1], source


def bare_fit(module, X, y, epochs, batch_size, device):
    """A plain training loop."""
    module = module.to(device).train()
    X, y = torch.from_numpy(X).to(device), torch.from_numpy(y).to(device)
    optimizer = torch.optim.AdamW(module.parameters(), lr=LR, weight_decay=WEIGHT_DECAY, fused=True)
    criterion = nn.CrossEntropyLoss()
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for start in range(0, len(X), batch_size):
            index = order[start : start + batch_size]
            optimizer.zero_grad()
            loss = criterion(module(X[index]), y[index])
            loss.backward()
            optimizer.step()
    return module


def bare_predict(module, X, batch_size, device):
    X = torch.from_numpy(X)
    module.eval()
    with torch.no_grad():
        logits = [
            module(X[start : start + batch_size].to(device))
            for start in range(0, len(X), batch_size)
        ]
        return torch.cat(logits).softmax(1).cpu().numpy()


def compare(make, X, y, epochs, batch_size, n_repeats, device):
    """Times of fit (per epoch) and predict_proba for ours, the plain loop and skorch."""
    ours = make(
        lr=LR, weight_decay=WEIGHT_DECAY, max_epochs=epochs, batch_size=batch_size, device=device,
        random_state=0,
    )  # fmt: skip
    ours.fit(X[:100], y[:100])
    sizes = {**ours.get_params_for("module"), "n_classes": int(y.max()) + 1}
    X3 = X if X.ndim == 3 else X[:, :, None]
    skorch = NeuralNetClassifier(
        ours.module_class, criterion=nn.CrossEntropyLoss, optimizer=torch.optim.AdamW,
        optimizer__weight_decay=WEIGHT_DECAY, optimizer__fused=True, lr=LR, max_epochs=epochs,
        batch_size=batch_size, iterator_train__shuffle=True, train_split=None, verbose=0,
        device=device, **{f"module__{name}": value for name, value in sizes.items()},
    )  # fmt: skip
    fitted = {}
    wait = torch.cuda.synchronize if device == "cuda" else None

    def fit_bare():
        module = ours.module_class(**sizes)
        fitted["module"] = bare_fit(module, X3, y, epochs, batch_size, device)

    fit = in_turns(
        {
            OURS: lambda: ours.fit(X, y),
            BARE: fit_bare,
            SKORCH: lambda: skorch.fit(X3, y),
        },
        n_repeats,
        wait,
    )
    predict = in_turns(
        {
            OURS: lambda: ours.predict_proba(X),
            BARE: lambda: bare_predict(fitted["module"], X3, batch_size, device),
            SKORCH: lambda: skorch.predict_proba(X3),
        },
        3 * n_repeats,
        wait,
    )
    return {"fit, an epoch": (fit, epochs), "predict_proba": (predict, 1)}


def table(network, timings):
    """One row for each measurement and each candidate."""
    found = []
    for what, (times, share) in timings.items():
        limit = FIT_LIMITS[network] if what.startswith("fit") else PREDICT_LIMIT
        for name, seconds in times.items():
            cpu, clock = np.median(seconds, axis=1) / share
            ratios = [float(np.median(row)) for row in seconds / times[BARE]]
            found.append(
                {
                    "": what,
                    "candidate": name,
                    "processor, ms": 1e3 * float(cpu),
                    "clock, ms": 1e3 * float(clock),
                    "processor / bare": float(ratios[0]),
                    "clock / bare": float(ratios[1]),
                    "limit": limit if name == OURS else "",
                }
            )
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = list(FIT_LIMITS)
    parser.add_argument("--networks", nargs="+", choices=names, default=names)
    parser.add_argument("--n-clips", type=int, default=2500)
    parser.add_argument("--n-repeats", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=2, help="epochs of one fit")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--folder", default=None, help="folder of the report")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    run = {"n_repeats": options.n_repeats, "epochs": options.epochs, "device": options.device}
    tables, speech = {}, None
    for network in options.networks:
        if network == "mlp":
            X, y = rows()
            timings = compare(MLPClassifier, X, y, batch_size=128, **run)
            caption = f"Perceptron of {X.shape[1]}-64-64-10 on {len(X):,} rows, batches of 128"
        else:
            speech = spoken_digits(options.n_clips) if speech is None else speech
            X, y, source = speech
            make = BCResNetClassifier if network == "bc_resnet" else SpectrogramCNNClassifier
            timings = compare(make, X, y, batch_size=64, **run)
            size = " x ".join(map(str, X.shape[1:]))
            caption = f"{make.__name__} on {len(X):,} {source} of {size}, batches of 64"
        tables[f"{caption}, {options.threads} thread(s), {options.device}"] = table(
            network, timings
        )
    notes = [
        "Ratios are medians over rounds of the quotient within a round.",
        "Ours runs its default one-cycle schedule; the others keep the learning rate constant.",
    ]
    place = {} if options.folder is None else {"folder": options.folder}
    path = write_report(
        f"training_speed_{options.device}", "Training and prediction", tables, notes, **place
    )
    print(path.read_text())


if __name__ == "__main__":
    main()
