"""Quality and speed of `check_speaker_leakage` in finding copies.

    SKLEARN_SPEECH_DATA=... python benchmarks/leakage.py      # copies and non-copies in FSDD
    python benchmarks/leakage.py --speed 5000 10000 20000     # time against the number of clips

The first prints, for every kind of copy, how many of the planted ones are found
and their similarities, and then the closest pairs that are no copies: among the
candidates in the whole set, and, over every possible shift, among all pairs of
takes of one digit by one speaker. The second times synthetic clips that are made
on the fly: gliding harmonics with formants, many voices, 1 % copies.
"""

import argparse
import inspect
import io
import os
import resource
import time
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import soundfile
import soxr
from scipy.fft import irfft, next_fast_len, rfft

from sklearn_speech.leakage._check_speaker_leakage import check_speaker_leakage
from sklearn_speech.leakage._fingerprint import (
    RATE,
    candidate_pairs,
    fingerprint,
    matching_signal,
    similarity,
    to_common_rate,
)


def encoded(x, rate, **form):
    file = io.BytesIO()
    soundfile.write(file, x, rate, **form)
    file.seek(0)
    return soundfile.read(file, dtype="float32")


def copies(x, rate):
    """Name, waveform and rate of copies of one recording."""
    n = len(x)
    x16 = soxr.resample(x, rate, 16000)
    yield "cut 10 % at both ends", x[n // 10 : -n // 10], rate
    yield "cut 30 % at the start", x[3 * n // 10 :], rate
    yield "cut 30 % at the end", x[: 7 * n // 10], rate
    yield "gain 0.1", 0.1 * x, rate
    yield "resampled to 16 kHz", x16, 16000
    yield "16 kHz, cut 15 % off the grid", x16[2 * (15 * n // 100) + 1 :], 16000
    yield "resampled to 11.025 kHz, cut", soxr.resample(x, rate, 11025)[n // 10 :], 11025
    yield "resampled to 6 kHz", soxr.resample(x, rate, 6000), 6000
    yield "mu-law", *encoded(x, rate, format="WAV", subtype="ULAW")
    yield "MP3, 8 kHz", *encoded(x, rate, format="MP3")
    yield "MP3, 16 kHz", *encoded(x16, 16000, format="MP3")
    yield "Ogg Vorbis, 8 kHz", *encoded(x, rate, format="OGG")
    yield "Ogg Vorbis, 16 kHz", *encoded(x16, 16000, format="OGG")
    mp3 = encoded(x16, 16000, format="MP3")
    yield "MP3, cut 20 %, gain 0.1", 0.1 * mp3[0][2 * n // 5 :], mp3[1]
    lowest = {"format": "MP3", "bitrate_mode": "CONSTANT", "compression_level": 0.99}
    yield "MP3 at the lowest bit rate", *encoded(x, rate, **lowest)


def best_similarity(first, second, lags):
    return max((similarity(first, second, int(lag)) for lag in lags), default=0.0)


def best_over_all_lags(first, second):
    """Normalised correlation, the largest over every shift with enough overlap."""
    size = next_fast_len(len(first) + len(second), real=True)
    correlation = irfft(rfft(first, size) * np.conj(rfft(second, size)), size)
    lags = np.arange(-len(second) + 1, len(first))
    starts, stops = np.maximum(lags, 0), np.minimum(len(first), len(second) + lags)
    energies = [np.r_[0, np.cumsum(s.astype(float) ** 2)] for s in (first, second)]
    energy = (energies[0][stops] - energies[0][starts]) * (
        energies[1][stops - lags] - energies[1][starts - lags]
    )
    enough = stops - starts >= 0.5 * min(len(first), len(second))
    ncc = np.where(enough, np.abs(correlation[lags]) / np.sqrt(np.maximum(energy, 1e-9)), 0)
    # the largest sample is refined between samples, as in the check itself
    return similarity(first, second, int(lags[ncc.argmax()]))


def quality(n_sources):
    folder = Path(os.environ["SKLEARN_SPEECH_DATA"]) / "fsdd" / "recordings"
    paths = sorted(folder.glob("*.wav"))
    raw = [soundfile.read(path, dtype="float32") for path in paths]
    clips = [to_common_rate(x, rate) for x, rate in raw]
    prints = fingerprint(clips)
    signals = [matching_signal(clip) for clip in clips]

    rng = np.random.RandomState(0)
    found = defaultdict(list)
    for source in rng.choice(len(paths), n_sources, replace=False):
        for name, y, rate in copies(*raw[source]):
            copy = to_common_rate(y, rate)
            # bits are those of the whole set: n_code_bits is 32 up to 2**16 anchors
            lags = candidate_pairs([prints[source], *fingerprint([copy])])[2]
            found[name].append(best_similarity(signals[source], matching_signal(copy), lags))
    threshold = inspect.signature(check_speaker_leakage).parameters["threshold"].default
    print(f"{n_sources} recordings of FSDD, copies found at the threshold of {threshold}")
    print(f"{'copy':<32}{'found':>8}{'lowest':>8}{'1 %':>8}{'median':>8}   (of the candidates)")
    for name, values in found.items():
        values = np.array(values)
        seen = values[values > 0]
        print(
            f"{name:<32}{np.mean(values >= threshold):>8.1%}{seen.min():>8.3f}"
            f"{np.percentile(seen, 1):>8.3f}{np.median(seen):>8.3f}"
        )

    first, second, lags = candidate_pairs(prints)
    pairs = defaultdict(list)
    for i, j, lag in zip(first, second, lags):
        pairs[int(i), int(j)].append(lag)
    values = sorted(
        ((best_similarity(signals[i], signals[j], ls), i, j) for (i, j), ls in pairs.items()),
        reverse=True,
    )
    print(f"\nclean set: {len(pairs)} candidate pairs of {len(paths)} clips; the closest:")
    for value, i, j in values[:5]:
        print(f"  {value:.3f}  {paths[i].name}  {paths[j].name}")
    takes = defaultdict(list)
    for k, path in enumerate(paths):
        takes[tuple(path.stem.split("_")[:2])].append(k)
    values = sorted(
        (
            (best_over_all_lags(signals[i], signals[j]), i, j)
            for group in takes.values()
            for i, j in combinations(group, 2)
        ),
        reverse=True,
    )
    print(f"all {len(values)} pairs of takes of a digit by a speaker, all shifts; the closest:")
    for value, i, j in values[:5]:
        print(f"  {value:.3f}  {paths[i].name}  {paths[j].name}")
    print(f"  median {np.median([v[0] for v in values]):.3f}")


def synthetic(seed, rate=RATE):
    """0.5 to 1 s of harmonics that glide, through formants that move, and noise."""
    rng = np.random.RandomState(seed)
    n = rng.randint(rate // 2, rate)
    t = np.linspace(0, 1, n)
    pitch = rng.uniform(80, 260) * 2 ** np.interp(t, np.linspace(0, 1, 5), rng.randn(5) * 0.2)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    formants = [np.interp(t, np.linspace(0, 1, 4), rng.uniform(a, b, 4))
                for a, b in ((250, 900), (800, 2300))]  # fmt: skip
    x = np.zeros(n)
    for k in range(1, 16):
        gain = sum(np.exp(-(((k * pitch - f) / 200) ** 2)) for f in formants) + 0.02
        x += gain * np.sin(k * phase + rng.uniform(0, 6))
    x *= np.interp(t, np.linspace(0, 1, 8), rng.uniform(0.05, 1, 8))
    return (0.1 * x + 0.002 * rng.randn(n)).astype(np.float32)


def speed(sizes, clips_per_speaker=100):
    print(
        f"{'clips':>8}{'sound h':>9}{'check s':>9}{'CPU s':>8}{'ms/clip':>9}{'leaks':>7}"
        f"{'planted':>9}{'GiB':>6}"
    )
    for n in sizes:
        clips = [synthetic(seed) for seed in range(n - n // 100)]
        planted = n // 100
        clips += [0.3 * clips[k][500:] for k in range(planted)]
        speakers = np.arange(n) // clips_per_speaker
        speakers[-planted:] += 1 + speakers.max()
        start, start_cpu = time.perf_counter(), time.process_time()
        report = check_speaker_leakage(clips, None, speakers, 5, sample_rate=RATE)
        took, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        hours = sum(map(len, clips)) / RATE / 3600
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{n:>8}{hours:>9.2f}{took:>9.1f}{cpu:>8.1f}{1000 * cpu / n:>9.2f}{report.n_leaks:>7}"
            f"{planted:>9}{peak:>6.1f}",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=int, default=300, help="recordings that get copies")
    parser.add_argument("--speed", type=int, nargs="+", help="numbers of clips to time")
    arguments = parser.parse_args()
    if arguments.speed:
        speed(arguments.speed)
    else:
        quality(arguments.sources)
