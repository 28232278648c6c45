"""How much damage to sound files AudioReader detects, by format.

    python benchmarks/audio_damage.py --per-format 200

A sound is written in every format. Its file is then cut, overwritten, shortened, lengthened or
changed by a bit, and read. A damaged file may be refused, or give the same samples as the whole
file (if the damage is in a tag or in padding). All others give another sound without an error:
"samples" has the right number of samples and the right rate; only formats with checksums can
detect this (FLAC, Ogg; MP3 if the encoder wrote one). "length" has another number of samples or
another rate. "warned" counts refused files of which on_error="warn" reads a part. Files are read
in separate processes with limits of time and memory, so that crashes are counted.
"""

import argparse
import multiprocessing
import os
import resource
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import soundfile

from sklearn_speech.audio._reading import read_clip

RATE = 16000

#: Container and encoding of each format.
FORMATS = {
    "WAV": ("WAV", "PCM_16"),
    "WAV float": ("WAV", "FLOAT"),
    "WAV mu-law": ("WAV", "ULAW"),
    "WAV ADPCM": ("WAV", "IMA_ADPCM"),
    "WAV GSM": ("WAV", "GSM610"),
    "RF64": ("RF64", "PCM_16"),
    "W64": ("W64", "PCM_16"),
    "AIFF": ("AIFF", "PCM_16"),
    "AU": ("AU", "PCM_16"),
    "CAF": ("CAF", "PCM_16"),
    "CAF ALAC": ("CAF", "ALAC_16"),
    "SPHERE": ("NIST", "PCM_16"),
    "FLAC": ("FLAC", "PCM_16"),
    "FLAC 24": ("FLAC", "PCM_24"),
    "Ogg Vorbis": ("OGG", "VORBIS"),
    "Ogg Opus": ("OGG", "OPUS"),
    "MP3": ("MP3", "MPEG_LAYER_III"),
    "MP3 bare": ("MP3", "MPEG_LAYER_III"),
    "8SVX": ("SVX", "PCM_16"),
    "VOC": ("VOC", "PCM_16"),
    "AVR": ("AVR", "PCM_16"),
    "HTK": ("HTK", "PCM_16"),
    "MPC2K": ("MPC2K", "PCM_16"),
    "WVE": ("WVE", "ALAW"),
    "MAT4": ("MAT4", "PCM_16"),
    "MAT5": ("MAT5", "PCM_16"),
    "SDS": ("SDS", "PCM_16"),
    "XI": ("XI", "DPCM_16"),
    "PVF": ("PVF", "PCM_16"),
    "PAF": ("PAF", "PCM_16"),
    "IRCAM": ("IRCAM", "PCM_16"),
}

#: Formats in which every change of a sample is detectable.
CHECKSUMMED = ("FLAC", "FLAC 24", "Ogg Vorbis", "Ogg Opus", "MP3")

DAMAGES = ("cut", "bit", "header bit", "overwritten", "zeros", "removed", "inserted", "appended")
COLUMNS = ("tried", "refused", "warned", "identical", "samples", "length", "crashed", "excessive")

#: Limits of seconds and bytes for reading one file of at most 60 KB.
MAX_SECONDS = 20
MAX_MEMORY = 200 << 20


def make_sound(name, seconds=1.5):
    """A file of one format.

    Parameters
    ----------
    name : str
        One of :data:`FORMATS`.
    seconds : float, default=1.5
        Duration.

    Returns
    -------
    content : bytes
    """
    container, encoding = FORMATS[name]
    rate = 8000 if container == "WVE" else 44100 if container == "XI" else RATE
    times = np.arange(int(seconds * rate)) / rate
    noise = np.random.RandomState(0).standard_normal(len(times))
    sound = 0.4 * np.sin(2 * np.pi * (200 * times + 300 * times**2)) + 0.05 * noise
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound"
        soundfile.write(path, sound, rate, format=container, subtype=encoding)
        content = path.read_bytes()
    if name == "MP3 bare":  # without the first frame, which contains the number of frames
        start = content.find(b"\xff", 4)
        while content[start : start + 2] != content[:2]:
            start = content.find(b"\xff", start + 1)
        content = content[start:]
    return content


def damage(content, kind, rng):
    """Damage a file in one way of :data:`DAMAGES`.

    Parameters
    ----------
    content : bytes
        The whole file.
    kind : str
        One of :data:`DAMAGES`.
    rng : RandomState

    Returns
    -------
    damaged : bytes
        Never equal to `content`.
    """
    while True:
        damaged = bytearray(content)
        at, length = rng.randint(len(content)), rng.randint(1, 65)
        junk = rng.bytes(length)
        if kind == "cut":
            del damaged[max(1, at) :]
        elif kind in ("bit", "header bit"):
            at = at if kind == "bit" else rng.randint(min(64, len(content)))
            damaged[at] ^= 1 << rng.randint(8)
        elif kind == "overwritten":
            damaged[at : at + length] = junk[: len(content) - at]
        elif kind == "zeros":
            damaged[at : at + 512] = bytes(min(512, len(content) - at))
        elif kind == "removed":
            del damaged[at : at + length]
        elif kind == "inserted":
            damaged[at:at] = junk
        else:
            damaged += junk
        if damaged != content:
            return bytes(damaged)


def judge(path, expected):
    """Outcome of reading one damaged file: a name of :data:`COLUMNS`.

    Parameters
    ----------
    path : str
        The damaged file.
    expected : Clip
        The whole file, as read.

    Returns
    -------
    outcome : str
    """
    clip = read_clip(path, RATE)
    if clip.reason:
        readable = read_clip(path, RATE, keep_damaged=True)
        return "refused" if readable.waveform is None else "warned"
    if len(clip.waveform) != len(expected.waveform) or clip.sample_rate != expected.sample_rate:
        return "length"
    return "identical" if np.array_equal(clip.waveform, expected.waveform) else "samples"


def _work(connection, name, seed, first, n_cases, folder):
    silent = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # libsndfile and mpg123 print about damage
        os.dup2(silent, stream)
    # NumPy warns about samples that are NaN
    warnings.simplefilter("ignore")
    content, path = make_sound(name), Path(folder) / f"{name.replace(' ', '_')}.sound"
    path.write_bytes(content)
    expected = read_clip(str(path), RATE)
    if expected.reason:
        raise RuntimeError(f"{name}: the whole file is refused: {expected.reason}")
    for case in range(first, n_cases):
        kind = DAMAGES[case % len(DAMAGES)]
        rng = np.random.RandomState([seed, case])
        path.write_bytes(damage(content, kind, rng))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        outcome = judge(str(path), expected)
        extra_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        connection.send((kind, "excessive" if extra_memory << 10 > MAX_MEMORY else outcome))
    connection.close()


def try_format(name, n_cases, seed=0):
    """Damage and read one format many times, in a process that may die.

    Parameters
    ----------
    name : str
        One of :data:`FORMATS`.
    n_cases : int
        Number of damaged files.
    seed : int, default=0
        Seed of the damage.

    Returns
    -------
    outcomes : Counter
        Count of each pair of damage and outcome.
    """
    outcomes, done = Counter(), 0
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as folder:
        while done < n_cases:
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(
                target=_work, args=(sender, name, seed, done, n_cases, folder), daemon=True
            )
            process.start()
            sender.close()
            started = done
            try:
                while done < n_cases:
                    if not receiver.poll(MAX_SECONDS):
                        outcomes[DAMAGES[done % len(DAMAGES)], "excessive"] += 1
                        done += 1
                        break
                    outcomes[receiver.recv()] += 1
                    done += 1
            except EOFError:
                process.join()
                if done == started and process.exitcode == 1:
                    raise RuntimeError(f"{name}: a worker failed before any case") from None
                outcomes[DAMAGES[done % len(DAMAGES)], "crashed"] += 1
                done += 1
            process.kill()
            process.join()
    return outcomes


def table(results):
    """The outcomes as a Markdown table.

    Parameters
    ----------
    results : dict of str to Counter
        As :func:`try_format` returns them, by format.

    Returns
    -------
    text : str
    """
    lines = ["| format | " + " | ".join(COLUMNS) + " | silently different |"]
    lines.append("|---" * (len(COLUMNS) + 2) + "|")
    for name, outcomes in results.items():
        counts = Counter()
        for (_, outcome), count in outcomes.items():
            counts[outcome] += count
        counts["tried"] = outcomes.total()
        counts["refused"] += counts["warned"]
        different = ", ".join(
            f"{kind} {count}"
            for kind in DAMAGES
            if (count := outcomes[kind, "samples"] + outcomes[kind, "length"])
        )
        cells = [str(counts[column]) for column in COLUMNS]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {different} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--per-format", type=int, default=200, help="damaged files per format")
    parser.add_argument("--formats", nargs="*", default=list(FORMATS), choices=list(FORMATS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    results = {}
    for name in options.formats:
        results[name] = try_format(name, options.per_format, options.seed)
    print(table(results))


if __name__ == "__main__":
    main()
