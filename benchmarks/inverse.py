"""Error and speed of inverting mel spectrograms of real speech, compared with librosa.

Run ``SKLEARN_SPEECH_DATA=FOLDER python benchmarks/inverse.py [--clips N] [--json FILE]``,
where FOLDER has ``fsdd/recordings`` and optionally ``timit_sample``. Both libraries
invert the same energies in 32 iterations. The error is the mean absolute difference
in dB between the given spectrogram and that of the resulting waveform, over the bins
less than 80 dB below the maximum of the clip.
"""

import argparse
import json
import os
import time
from pathlib import Path

import librosa
import numpy as np
import torch

from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.utils.validation import make_ragged

#: Corpus, sample rate in Hz, files, and n_fft, hop_length, n_mels.
SETTINGS = [
    ("FSDD", 8000, "fsdd/recordings/*.wav", (256, 64, 40)),
    ("FSDD", 8000, "fsdd/recordings/*.wav", (256, 80, 40)),
    ("FSDD", 8000, "fsdd/recordings/*.wav", (512, 128, 64)),
    ("TIMIT", 16000, "timit_sample/*/*.wav", (512, 160, 40)),
    ("TIMIT", 16000, "timit_sample/*/*.wav", (1024, 256, 80)),
]


def load_clips(folder, pattern, n_clips):
    """Every k-th recording, so that all speakers are included."""
    paths = sorted(folder.glob(pattern))
    chosen = [
        paths[i] for i in np.linspace(0, len(paths) - 1, min(n_clips, len(paths))).astype(int)
    ]
    return make_ragged(librosa.load(path, sr=None)[0] for path in chosen)


def decibel_errors(wanted, got):
    """Mean absolute difference in dB of each clip, over bins within 80 dB of its maximum."""
    errors = []
    for w, g in zip(wanted, got):
        w, g = 10 * np.log10(np.maximum(w, 1e-30)), 10 * np.log10(np.maximum(g, 1e-30))
        errors.append(np.abs(w - g)[w > w.max() - 80].mean())
    return np.array(errors)


def measure(sample_rate, clips, sizes, n_runs=3):
    """Errors and fastest times of both libraries."""
    n_fft, hop_length, n_mels = sizes
    mel = MelSpectrogram(
        sample_rate,
        n_fft=n_fft,
        hop_length=hop_length,
        n_mels=n_mels,
        scaling=None,
        random_state=0,
    )
    S = mel.fit_transform(clips)
    lengths = [len(clip) for clip in clips]

    def ours():
        return mel.inverse_transform(S, lengths=lengths)

    def librosas():
        return make_ragged(
            librosa.feature.inverse.mel_to_audio(
                s, sr=sample_rate, n_fft=n_fft, hop_length=hop_length, length=n, pad_mode="constant"
            )
            for s, n in zip(S, lengths)
        )

    row = {}
    for name, invert in (("ours", ours), ("librosa", librosas)):
        seconds = []
        for _ in range(n_runs):
            start = time.perf_counter()
            waveforms = invert()
            seconds.append(time.perf_counter() - start)
        errors = decibel_errors(S, mel.transform(waveforms))
        row[name] = {
            "error_db": float(errors.mean()),
            "worst_db": float(errors.max()),
            "ms_per_clip": 1e3 * min(seconds) / len(clips),
        }
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=24, help="clips of each corpus")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    folder = Path(os.environ["SKLEARN_SPEECH_DATA"])
    rows = []
    print("| clips | n_fft, hop, mels | error in dB (worst clip) | librosa | ms a clip | librosa |")
    print("|---|---|---|---|---|---|")
    for corpus, sample_rate, pattern, sizes in SETTINGS:
        clips = load_clips(folder, pattern, arguments.clips)
        if not len(clips):
            continue
        row = measure(sample_rate, clips, sizes)
        rows.append({"corpus": corpus, "sizes": sizes, "n_clips": len(clips), **row})
        ours, theirs = row["ours"], row["librosa"]
        print(
            f"| {len(clips)} {corpus} | {', '.join(map(str, sizes))} "
            f"| {ours['error_db']:.2f} ({ours['worst_db']:.2f}) "
            f"| {theirs['error_db']:.2f} ({theirs['worst_db']:.2f}) "
            f"| {ours['ms_per_clip']:.1f} | {theirs['ms_per_clip']:.1f} |",
            flush=True,
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
