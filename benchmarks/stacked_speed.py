"""Time of stacked training, compared with the same number of steps of a plain torch loop.

Run ``python benchmarks/stacked_speed.py``. Both do the same steps on the same network and the
same batches, for three stages. The plain loop keeps the outputs of the frozen layers in one
tensor, and calls only the stage, the loss and the fused optimiser. Both are timed alternately, on
one thread. The ratio is that of processor times in one round, which depends less on the load of
the machine than wall-clock times. It hardly depends on the length of the training: with
``--epochs 8``, it was 1.07 and 1.09. Our steps also take the loss of each clip, and
report to callbacks.
"""

import argparse

import numpy as np
import torch
from report import write_report
from timing import in_turns
from torch.nn import functional as F

from sklearn_speech.modules.conv_autoencoder import ConvAutoencoderNet
from sklearn_speech.pretraining import ConvAutoencoder


def bare(X, n_filters, epochs, batch_size):
    """Three stages of plain torch."""
    network = ConvAutoencoderNet(*X.shape[1:], 3, n_filters, input_norm=None)
    h = torch.from_numpy(X)[:, None]
    for stage, mirror in zip(network.stages, network.mirrors):
        weights = [*stage.parameters(), *mirror.parameters()]
        optimizer = torch.optim.AdamW(weights, lr=0.003, fused=True)
        for _ in range(epochs):
            order = torch.randperm(len(h))
            for start in range(0, len(h), batch_size):
                x = h[order[start : start + batch_size]]
                optimizer.zero_grad(set_to_none=True)
                F.mse_loss(mirror(stage(x)[0], *x.shape[2:]), x).backward()
                optimizer.step()
        with torch.no_grad():
            h = stage.eval()(h)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name, n_filters in (("16, 32, 32", [16, 32, 32]), ("24, 48, 96", [24, 48, 96])):
        X = np.random.default_rng(0).normal(size=(arguments.clips, 64, 64)).astype(np.float32)
        ours = ConvAutoencoder(
            3, n_filters=n_filters, input_norm=None, max_epochs=arguments.epochs, random_state=0,
            device="cpu", lr_schedule="constant",
        )  # fmt: skip
        times = in_turns(
            {
                "ours": lambda ours=ours, X=X: ours.fit(X),
                "bare": lambda X=X, n=n_filters: bare(X, n, arguments.epochs, 64),
            },
            arguments.repeats,
        )
        cpu, clock = times["ours"] / times["bare"]
        rows.append(
            {
                "filters": name,
                "ConvAutoencoder, processor (s)": round(float(np.median(times["ours"][0])), 3),
                "bare torch, processor (s)": round(float(np.median(times["bare"][0])), 3),
                "processor / bare": round(float(np.median(cpu)), 3),
                "least and most": f"{cpu.min():.2f} to {cpu.max():.2f}",
                "clock / bare": round(float(np.median(clock)), 3),
                "limit": 1.05,
            }
        )
        print(rows[-1], flush=True)
    write_report(
        "stacked_speed",
        "Stacked training beside bare torch steps",
        {f"{arguments.clips} clips of 64 by 64, {arguments.epochs} epochs a stage": rows},
    )


if __name__ == "__main__":
    main()
