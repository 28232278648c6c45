"""Time of reading sound files, beside a plain loop over ``soundfile.read``.

    python benchmarks/reading_speed.py

Files of noise: small ones as in collections of words, and longer ones at another rate. The plain
loop decodes to float32 and, where the rate differs, resamples with soxr in the same quality; it
checks nothing. ``AudioReader`` also compares the sizes in the header with the file, looks for
NaN, and compares the MD5 digest of FLAC's samples and the checksums of Ogg's pages. Its reading of
WAV files of 16 bits or floating-point numbers needs no decoder. The digest of a second at 16 kHz
takes 50 us, a tenth of the time in which it is decoded, so that with all other checks the ratio for
FLAC stays above 1.1. One thread is measured in processor time, two threads by the clock; all
candidates run alternately and ratios are medians of the rounds. Two threads only pay where the
decoder or soxr, which leave Python's lock to others, takes most of the time.
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

from sklearn_speech import AudioReader

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
            readers = [AudioReader(sample_rate=target, n_jobs=n) for n in (1, 2)]
            times = in_turns(
                {
                    "plain": partial(plain, paths, target),
                    "one": partial(readers[0].transform, paths),
                    "two": partial(readers[1].transform, paths),
                },
                n_rounds,
            )
        (one, one_clock), (two, two_clock) = times["one"], times["two"]
        rows.append(
            {
                "files": f"{ending} {subtype}, {seconds:g} s, {rate / 1000:g} kHz",
                "plain loop, us a file": 1e6 * float(np.median(times["plain"][0])) / n_files,
                "AudioReader, us a file": 1e6 * float(np.median(one)) / n_files,
                "AudioReader / plain": float(np.median(one / times["plain"][0])),
                "two threads, processor / one": float(np.median(two / one)),
                "two threads, times faster by the clock": float(np.median(one_clock / two_clock)),
            }
        )
        print({k: round(v, 2) if isinstance(v, float) else v for k, v in rows[-1].items()})
    notes = [
        "Processor time of one thread, except in the last column; medians of alternating rounds. "
        f"Files of more than {RATE / 1000:g} kHz are resampled to that rate by both."
    ]
    write_report("reading_speed", "Reading sound files", {"By kind of file": rows}, notes)


if __name__ == "__main__":
    main()
