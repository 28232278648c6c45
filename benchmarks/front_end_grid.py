"""Processor time of spectrograms by rate, bands, and number and length of clips.

    python benchmarks/front_end_grid.py

One thread, also for NumPy: with two, the loops over librosa and scipy take twice the processor
time, because the second thread of OpenBLAS waits busily. In each row all candidates run alternately
in one process: this library, the bare Fourier transform of frames that are ready, a loop over
librosa, `torch.stft` with a matrix product, and a loop over `scipy.fft`. Figures are medians of
processor time, and of the ratios of each round.

What limits the speed is the transform itself. At 44.1 kHz it takes 0.8 of the whole time. No way of
computing the rest can be faster than the column "librosa loop / rfft". Beside the transform, a
frame has to be windowed, squared and multiplied by the filter bank; on one core of an AMD EPYC with
AVX2 these took 0.16, 0.09 and 0.55 of the transform's time at 16 kHz and 40 bands, in the cache.
What was measured and did not gain: adding the squares of real and imaginary parts before the filter
bank (as slow as the half of the matrix product that it saves), blocks of 8 or 24 bands in place of
16, sparse matrix products (faster than the blocks, but only on spectra that lie transposed, for
which the transform takes almost twice the time), OpenBLAS in place of MKL, `scipy.fft` and the
`out` argument of `torch.fft.rfft` (a copy). Tiles of 2**18 samples were best: smaller ones pay for
more calls, larger ones leave the cache. Two real frames in one complex
transform take 0.85 of the time, and separating the two spectra takes more than that saves.
"""

import argparse
import warnings

import numpy as np
import scipy.fft
import torch
from report import write_report
from timing import in_turns

from sklearn_speech.feature_extraction import MFCC, MelSpectrogram
from sklearn_speech.filters import mel_filterbank

OURS, FLOOR = "ours", "rfft"
OVER_FLOOR = f"{OURS} / {FLOOR}"

#: Samples in the frames of one bare transform, few enough to stay in the cache.
CHUNK = 2**18

#: The setting of a batch of short clips, which the others are compared with.
USUAL = (16000, 40, 512, 1.0, "mel")

#: Sampling rate, bands, clips, seconds per clip, and kind of features.
ROWS = [
    *((rate, bands, 64, 1.0, "mel") for rate in (8000, 16000, 44100) for bands in (40, 80, 128)),
    USUAL,
    (16000, 40, 1, 1.0, "mel"),
    (44100, 128, 1, 1.0, "mel"),
    (16000, 40, 1, 60.0, "mel"),
    (44100, 128, 1, 60.0, "mel"),
    (16000, 40, 64, 1.0, "MFCC"),
    (16000, 40, 64, 1.0, "ragged"),
]


def candidates(rate, bands, n_clips, seconds, kind):
    """Functions of one row by name."""
    rng = np.random.default_rng(0)
    n_times = int(rate * seconds)
    clips = 0.1 * rng.standard_normal((n_clips, n_times), dtype=np.float32)
    make = MFCC if kind == "MFCC" else MelSpectrogram
    ours = make(rate, n_mels=bands)
    if kind == "ragged":
        ragged = np.empty(n_clips, dtype=object)
        for i, n in enumerate(rng.integers(n_times // 2, n_times + 1, n_clips)):
            ragged[i] = clips[i, :n]
        clips = ragged
    ours.fit(clips)
    module = ours.to_module()
    n_fft, hop, window = module.n_fft, module.hop_length, np.hanning(module.n_fft + 1)[:-1]
    window = window.astype(np.float32)
    bank = mel_filterbank(rate, n_fft, bands).astype(np.float32)
    n_frames = sum(module.n_frames(len(clip)) for clip in clips)
    frames = torch.randn(n_frames, n_fft)
    tensors = [torch.from_numpy(clip) for clip in clips]
    torch_bank, torch_window = torch.from_numpy(bank), torch.from_numpy(window)

    def rfft():
        for part in frames.split(max(1, CHUNK // n_fft)):
            torch.fft.rfft(part)

    def stft():
        options = {"window": torch_window, "center": True, "pad_mode": "constant"}
        batches = tensors if kind == "ragged" else [torch.from_numpy(clips)]
        for batch in batches:
            spectra = torch.stft(batch, n_fft, hop, return_complex=True, **options)
            10 * torch.log10(torch.clamp(torch_bank @ spectra.abs() ** 2, min=1e-14))

    def scipy_loop():
        for clip in clips:
            padded = np.pad(clip, n_fft // 2)
            view = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
            spectra = scipy.fft.rfft(view * window)
            10 * np.log10(np.maximum((spectra.real**2 + spectra.imag**2) @ bank.T, 1e-14))

    found = {OURS: lambda: ours.transform(clips), FLOOR: rfft}
    found |= {"torch.stft": stft, "scipy loop": scipy_loop}
    try:
        import librosa
    except ImportError:
        return found

    def librosa_loop():
        options = {"sr": rate, "n_fft": n_fft, "hop_length": hop, "n_mels": bands}
        for clip in clips:
            mel = librosa.power_to_db(librosa.feature.melspectrogram(y=clip, **options))
            if kind == "MFCC":
                librosa.feature.mfcc(S=mel)

    return found | {"librosa loop": librosa_loop}


def row(rate, bands, n_clips, seconds, kind, n_repeats):
    """One row of the table."""
    functions = candidates(rate, bands, n_clips, seconds, kind)
    rounds = in_turns(functions, 5 * n_repeats if n_clips * seconds < 10 else n_repeats)
    times = {name: processor for name, (processor, _) in rounds.items()}
    ours, floor = times.pop(OURS), times.pop(FLOOR)
    return {
        "setting": f"{kind}, {n_clips} x {seconds:g} s, {rate / 1000:g} kHz, {bands} bands",
        "ours, ms": 1e3 * float(np.median(ours)),
        OVER_FLOOR: float(np.median(ours / floor)),
        **{f"{name} / ours": float(np.median(value / ours)) for name, value in times.items()},
        "librosa loop / rfft": float(np.median(times.get("librosa loop", np.nan) / floor)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--folder", default=None, help="folder of the report")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    rows = []
    for setting in ROWS:
        rows.append(row(*setting, options.repeats))
        print(
            {key: value if key == "setting" else round(value, 2) for key, value in rows[-1].items()}
        )
    ratios = [key for key in rows[0] if "/" in key and key != "librosa loop / rfft"]
    usual = {"setting": "512 clips", **{key: rows[ROWS.index(USUAL)][key] for key in ratios}}
    worst = {"setting": f"worst of {len(rows)} settings"} | {
        key: (max if key == OVER_FLOOR else min)(r[key] for r in rows) for key in ratios
    }
    notes = [
        "Processor time of one thread, medians of alternating runs. The bare transform takes "
        f"frames that are ready, {CHUNK:,} samples at a time; each method uses the parameters "
        "that MelSpectrogram has by default at the rate. The last column is the limit of what "
        "any method that transforms each frame can gain over librosa."
    ]
    place = {} if options.folder is None else {"folder": options.folder}
    tables = {
        "512 clips of 1 s, 16 kHz, 40 bands, and the worst ratio of all settings": [usual, worst],
        "Processor time by setting": rows,
    }
    write_report("front_end_grid", "Front ends by setting", tables, notes, **place)


if __name__ == "__main__":
    main()
