"""Time of reading sound files, beside a plain loop over ``soundfile.read``.

    python benchmarks/reading_speed.py

Files of noise: small ones as in collections of words, and longer ones at another rate. The plain
loop decodes to float32 and, where the rate differs, resamples with soxr in the same quality; it
checks nothing. ``AudioReader`` also compares the sizes in the header with the file, looks for
NaN, and compares the MD5 digest of FLAC's samples and the checksums of Ogg's pages. Its reading of
WAV files of 16 bits or floating-point numbers needs no decoder. The digest of a second at 16 kHz
takes 50 us, a tenth of the time in which it is decoded, so that with all other checks the ratio for
FLAC stays above 1.1. All candidates run alternately, and ratios are medians of the rounds.

``AudioReader`` reads in one thread: Python's lock is held between decoders, so that a second thread
slows small WAV files down and gains little with FLAC, and sending waveforms between processes takes
as long as reading them. ``check_audio_files`` sends none: its processes are measured by the clock,
once they have started, on each file ten times.
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
import soxr
from report import write_report
from timing import in_turns

from sklearn_speech import AudioReader, check_audio_files

RATE = 16000

#: Ending, subtype, rate (Hz), seconds, and number of files.
KINDS = (
    ("wav", "PCM_16", 8000, 0.5, 300),
    ("wav", "PCM_16", 16000, 1.0, 300),
    ("flac", "PCM_16", 16000, 1.0, 300),
    ("wav", "FLOAT", 16000, 1.0, 300),
    ("ogg", "VORBIS", 16000, 1.0, 100),
    ("wav", "PCM_16", 44100, 1.0, 100),
    ("flac", "PCM_16", 44100, 10.0, 20),
)

#: How many times the files are given to check_audio_files.
N_TIMES = 10


def write_files(folder, ending, subtype, rate, seconds, n_files):
    """Paths of new files of noise."""
    rng = np.random.default_rng(0)
    paths = []
    for i in range(n_files):
        path = Path(folder) / f"{i}.{ending}"
        soundfile.write(path, 0.1 * rng.standard_normal(int(rate * seconds)), rate, subtype)
        paths.append(str(path))
    return paths


def plain(paths, target):
    """Waveforms, without any check."""
    clips = []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        clips.append(samples if rate == target else soxr.resample(samples, rate, target))
    return clips


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    n_rounds = parser.parse_args().rounds
    rows = []
    for ending, subtype, rate, seconds, n_files in KINDS:
        target = min(rate, RATE)
        with tempfile.TemporaryDirectory() as folder:
            paths = write_files(folder, ending, subtype, rate, seconds, n_files)
            reader, many = AudioReader(sample_rate=target), paths * N_TIMES
            times = in_turns(
                {
                    "plain": partial(plain, paths, target),
                    "ours": partial(reader.transform, paths),
                    "check": partial(check_audio_files, many),
                    "two": partial(check_audio_files, many, n_jobs=2),
                },
                n_rounds,
            )
        plain_time, ours = times["plain"][0], times["ours"][0]
        rows.append(
            {
                "files": f"{ending} {subtype}, {seconds:g} s, {rate / 1000:g} kHz",
                "plain loop, us a file": 1e6 * float(np.median(plain_time)) / n_files,
                "AudioReader, us a file": 1e6 * float(np.median(ours)) / n_files,
                "AudioReader / plain": float(np.median(ours / plain_time)),
                "check_audio_files, two processes, times faster by the clock": float(
                    np.median(times["check"][1] / times["two"][1])
                ),
            }
        )
        print({k: round(v, 2) if isinstance(v, float) else v for k, v in rows[-1].items()})
    notes = [
        "Processor time, except in the last column; medians of alternating rounds. "
        f"Files of more than {RATE / 1000:g} kHz are resampled to that rate by both."
    ]
    write_report("reading_speed", "Reading sound files", {"By kind of file": rows}, notes)


if __name__ == "__main__":
    main()
