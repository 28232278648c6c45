"""Whole training steps with this library's dropout and with torch's, on one thread.

Run ``python benchmarks/dropout_speed.py``. Both train the same network on the same batch,
alternately; the ratio is that of processor times within a round.
"""

import argparse

import numpy as np
import torch
from report import write_report
from timing import in_turns
from torch import nn
from torch.nn import functional as F

from sklearn_speech.modules.dropout import Dropout
from sklearn_speech.modules.spectrogram_cnn import SpectrogramCNNNet
from sklearn_speech.modules.spectrogram_linear import SpectrogramLinearNet
from sklearn_speech.modules.waveform_mlp import WaveformMLPNet

#: Networks of 10 classes by name: class, settings, shape of a batch of 32 clips, steps a round.
NETWORKS = {
    "SpectrogramLinearNet, dropout 0.5": (
        SpectrogramLinearNet,
        {"n_bands": 40, "n_frames": 101, "dropout": 0.5},
        (32, 40, 101),
        100,
    ),
    "SpectrogramCNNNet of three layers, stride 1, dropout 0.2": (
        SpectrogramCNNNet,
        {"n_bands": 40, "n_frames": 101, "n_layers": 3, "n_filters": [16, 32, 64], "stride": 1,
         "kernel_size": 3, "pool_size": 2, "dropout": 0.2},
        (32, 40, 101),
        4,
    ),
    "SpectrogramCNNNet, dropout 0.2": (
        SpectrogramCNNNet,
        {"n_bands": 40, "n_frames": 101, "dropout": 0.2},
        (32, 40, 101),
        8,
    ),
    "WaveformMLPNet, dropout 0.5": (
        WaveformMLPNet,
        {"n_times": 8000, "dropout": 0.5},
        (32, 8000),
        40,
    ),
}  # fmt: skip


def with_torchs_dropout(network):
    """The network with every layer of dropout replaced by torch's."""
    for name, child in network.named_children():
        if isinstance(child, Dropout):
            setattr(network, name, nn.Dropout(child.p))
        else:
            with_torchs_dropout(child)
    return network


def train(network, x, y, n_steps):
    optimizer = torch.optim.AdamW(network.parameters())
    for _ in range(n_steps):
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(network(x), y).backward()
        optimizer.step()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows = []
    for name, (network, settings, shape, n_steps) in NETWORKS.items():
        x, y = torch.randn(shape), torch.randint(0, 10, shape[:1])
        ours = network(n_classes=10, **settings)
        torchs = with_torchs_dropout(network(n_classes=10, **settings))
        times = in_turns(
            {
                "ours": lambda net=ours, x=x, y=y, n=n_steps: train(net, x, y, n),
                "torch": lambda net=torchs, x=x, y=y, n=n_steps: train(net, x, y, n),
            },
            arguments.repeats,
        )
        ratio = times["torch"][0] / times["ours"][0]
        rows.append(
            {
                "network": name,
                "ours, a step (ms)": round(float(1e3 * np.median(times["ours"][0]) / n_steps), 2),
                "torch, a step (ms)": round(float(1e3 * np.median(times["torch"][0]) / n_steps), 2),
                "torch / ours": round(float(np.median(ratio)), 2),
                "least and most": f"{ratio.min():.2f} to {ratio.max():.2f}",
            }
        )
        print(rows[-1], flush=True)
    write_report("dropout_speed", "Dropout in whole training steps", {"Batches of 32": rows})


if __name__ == "__main__":
    main()
