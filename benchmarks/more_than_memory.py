"""Memory and time of fit and predict, with all clips in memory and with a ClipStore.

    python benchmarks/more_than_memory.py --sizes 2500 10000 --store-only 100000

Each measurement runs in a process of its own, is appended to
``results/more_than_memory_runs.jsonl``, and is not repeated. Its clips are links to recordings of
``speech_commands_many``, so that each has a path of its own. Memory is the peak of resident memory
above that of the process before ``fit``, with torch and the library imported; time is that of the
processor, with one thread. The network is small and trained for one epoch: a larger share of
training would hide the difference between the two ways. One process may allocate only a fixed
amount of memory, whatever the number of clips. The exponent is the slope of a straight line
through the logarithms.

A million recordings (``--store-only 100000 1000000``) take 45 minutes of one processor and 20 GB of
disk: 16 for the features, and 4 for the links. The cost of the store itself is measured apart, with
a million clips of a few samples each: storing them, finding them again, and reading all of them
once in batches drawn from all. The time of reading grows faster than the number of clips as long as
there are fewer files than clips in a batch: after that, each clip of a batch is in a file of its
own.
"""

import argparse
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from report import RESULTS, write_report
from sklearn.pipeline import make_pipeline

from sklearn_speech import (
    AudioReader,
    ClipStore,
    MelSpectrogram,
    PadOrTrim,
    SpectrogramCNNClassifier,
    SpectrogramScaler,
    get_data_home,
    load_speech_manifest,
)
from sklearn_speech.store._stored_clips import StoredClips

#: Measurements that are finished.
RUNS = RESULTS / "more_than_memory_runs.jsonl"

#: Memory for features, in bytes, that a ClipStore is given.
MAX_RAM = 64 * 2**20

#: Memory in bytes that the limited process may allocate above what it has before fit.
ALLOWANCE = 700 * 2**20

#: Bytes of the features of one clip: 40 bands, 101 frames, float32.
CLIP = 40 * 101 * 4


def linked_clips(n_clips, folder):
    """Paths of links to recordings, and their labels."""
    home = Path(get_data_home()) / "speech_commands_many"
    speech = load_speech_manifest(home / "clips.csv")
    chosen = np.resize(np.random.default_rng(0).permutation(len(speech.data)), n_clips)
    folder.mkdir()
    paths = []
    for i, k in enumerate(chosen):
        path = folder / f"{i}.flac"
        path.symlink_to(speech.data[k])
        paths.append(str(path))
    return paths, speech.target[chosen]


def pipeline(store):
    """The pipeline that is measured; `store` is a folder or None."""
    first = [] if store is None else [ClipStore(store, max_ram=MAX_RAM)]
    return make_pipeline(
        *first,
        AudioReader(sample_rate=16000),
        PadOrTrim(n_times=16000),
        MelSpectrogram(sample_rate=16000, n_mels=40),
        SpectrogramScaler(),
        SpectrogramCNNClassifier(n_layers=2, n_filters=8, max_epochs=1, random_state=0),
    )


def status(name):
    """A size of this process in bytes, such as "VmHWM", the peak of resident memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise ValueError(name)


def measured(function):
    """Processor time, time by the clock, and peak of resident memory above the beginning's."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, clock, start = status("VmRSS"), time.perf_counter(), time.process_time()
    function()
    return {
        "s": time.process_time() - start,
        "clock_s": time.perf_counter() - clock,
        "bytes": status("VmHWM") - before,
    }


def child(n_clips, way, limited):
    """Fit and predict in this process, and print the measurements."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        store = folder / "store" if way == "store" else None
        warm, y = linked_clips(64, folder / "warm")
        pipeline(None).fit(warm, y).predict(warm)
        paths, y = linked_clips(n_clips, folder / "clips")
        model = pipeline(store)
        if limited:
            limit = status("VmData") + ALLOWANCE
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        row = {}
        row["fit"] = measured(lambda: model.fit(paths, y))
        weights = [p.detach().numpy() for p in model[-1].module_.parameters()]
        row["weights"] = float(sum(np.abs(w).astype(np.float64).sum() for w in weights))
        if store is not None:
            row["again"] = measured(lambda: pipeline(store)[:-2].fit_transform(paths).fill())
            shutil.rmtree(store)  # so that predict computes
        row["predict"] = measured(lambda: model.predict(paths))
        print(json.dumps(row))


def tiny(n_clips):
    """Store clips of 16 samples, find them again, and read them, and print the measurements."""
    X = np.random.default_rng(0).normal(size=(n_clips, 16)).astype(np.float32)
    pad = PadOrTrim(n_times=16).fit(X[:2])
    with tempfile.TemporaryDirectory() as folder:

        def fill():
            clips: StoredClips = ClipStore(folder, max_ram=0).transform(X)
            return clips.then(pad).fill()

        def epoch():
            for batch in np.array_split(
                np.random.default_rng(1).permutation(n_clips), n_clips // 64
            ):
                clips.load(batch)

        row = {}
        for name, call in (("fill", fill), ("again", fill), ("epoch", epoch)):
            clips = fill() if call is epoch else None
            ctypes.CDLL(None).malloc_trim(0)  # else a call takes memory that earlier calls freed
            row[name] = measured(call)
    print(json.dumps(row))


def run(n_clips, way, limited=False):
    """Measurements of another process, or None where it ran out of memory."""
    setting = {"clips": n_clips, "way": way, "limited": limited}
    for line in RUNS.read_text().splitlines() if RUNS.exists() else []:
        if json.loads(line)["setting"] == setting:
            return json.loads(line)["found"]
    command = [sys.executable, "-W", "ignore", __file__, "--child", str(n_clips), way]
    done = subprocess.run(
        command + ["--limited"] * limited, capture_output=True, text=True, check=False
    )
    if not done.returncode:
        found = json.loads(done.stdout.splitlines()[-1])
    elif limited and "alloc" in done.stderr:
        found = None
    else:
        raise RuntimeError(done.stderr)
    with RUNS.open("a") as file:
        file.write(json.dumps({"setting": setting, "found": found}) + "\n")
    return found


def exponent(sizes, values):
    """Slope of a straight line through the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def batches(n_clips=20_000, n_batches=100):
    """Milliseconds to read a batch of 64 clips, drawn from all, and the memory that it takes."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        clips = stored_features(n_clips, folder)
        chosen = [rng.choice(n_clips, 64, replace=False) for _ in range(n_batches)]
        files = sorted(Path(folder).glob("*/data.npy"), key=lambda file: file.stat().st_mtime_ns)
        array = clips.load(slice(None))
        ways = {
            "array in memory": lambda: lambda index: array[index],
            "files, opened for each read": lambda: clips.load,
            "memory maps": lambda: mapped(files),
            **other_formats(array, Path(folder) / "others"),
        }
        rows = []
        for name, begin in ways.items():
            for state in ("cached by the system", "from the disk"):
                if state == "from the disk":
                    if name == "array in memory":
                        continue
                    drop_cache(file for file in Path(folder).rglob("*") if file.is_file())
                read = begin()
                found = measured(lambda read=read: [np.sum(read(i)) for i in chosen])
                del read  # a file that is mapped stays in the cache
                rows.append(
                    {
                        "features": name,
                        "state": state,
                        "ms a batch": round(1000 * found["clock_s"] / n_batches, 2),
                        "processor ms a batch": round(1000 * found["s"] / n_batches, 2),
                        "resident memory grows by (MiB)": round(found["bytes"] / 2**20),
                    }
                )
        return rows


def mapped(files):
    """A function that reads clips from memory maps of files with as many clips each."""
    maps = [np.load(file, mmap_mode="r") for file in files]
    size = len(maps[0])
    return lambda index: np.stack([maps[i // size][i % size] for i in index])


def other_formats(array, folder):
    """Openers of other formats, as far as their libraries are installed; each gives a reader."""
    folder.mkdir()
    flat = array.reshape(len(array), -1)
    ways = {}
    try:
        import zarr
    except ImportError:
        pass
    else:
        stored = zarr.create_array(
            folder / "zarr",
            shape=flat.shape,
            dtype=flat.dtype,
            chunks=(1, flat.shape[1]),
            shards=(1024, flat.shape[1]),
            compressors=None,
        )
        stored[:] = flat
        ways["zarr, 1,024 clips a shard"] = lambda: lambda index: stored.oindex[index]
    try:
        import pyarrow
        from pyarrow import feather
    except ImportError:
        pass
    else:
        clips = pyarrow.FixedSizeListArray.from_arrays(flat.ravel(), flat.shape[1])
        table = pyarrow.table({"clip": clips})
        feather.write_feather(table, folder / "a", compression="uncompressed", chunksize=1024)

        def begin():
            clips = feather.read_table(folder / "a", memory_map=True)["clip"]
            return lambda index: clips.take(index).combine_chunks().flatten().to_numpy()

        ways["Arrow, one mapped file"] = begin
    return ways


def stored_features(n_clips, folder):
    """Random features in a store."""
    X = np.random.default_rng(0).normal(size=(n_clips, CLIP // 4)).astype(np.float32)
    clips: StoredClips = ClipStore(folder, max_ram=2**40).transform(X)
    return clips.then(PadOrTrim(n_times=CLIP // 4).fit(X[:2])).fill()


def drop_cache(files):
    """Tell the system to forget the content of files."""
    for path in files:
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[2500, 10_000])
    parser.add_argument("--store-only", type=int, nargs="*", default=[100_000])
    parser.add_argument("--tiny", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--limited", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        n_clips, way = int(options.child[0]), options.child[1]
        if way == "tiny":
            tiny(n_clips)
        else:
            child(n_clips, way, options.limited)
        return
    rows, found = [], {}
    for n_clips in [*options.sizes, *options.store_only]:
        for way in ("memory", "store") if n_clips in options.sizes else ("store",):
            found[way, n_clips] = one = run(n_clips, way)
            rows.append(
                {
                    "clips": n_clips,
                    "features": "in memory" if way == "memory" else "ClipStore",
                    "fit (s)": round(one["fit"]["s"], 1),
                    "by the clock (s)": round(one["fit"]["clock_s"]),
                    "fit (MiB)": round(one["fit"]["bytes"] / 2**20),
                    "features found again (s)": round(one["again"]["s"], 1)
                    if way == "store"
                    else "",
                    "predict (s)": round(one["predict"]["s"], 1),
                    "predict (MiB)": round(one["predict"]["bytes"] / 2**20),
                }
            )
            print(rows[-1], flush=True)
    ratios = [
        {
            "clips": n,
            "time of fit, ClipStore / in memory": round(
                found["store", n]["fit"]["s"] / found["memory", n]["fit"]["s"], 3
            ),
            "time of predict": round(
                found["store", n]["predict"]["s"] / found["memory", n]["predict"]["s"], 3
            ),
            "same weights": found["store", n]["weights"] == found["memory", n]["weights"],
        }
        for n in options.sizes
    ]
    growth = []
    for way, title in (("memory", "in memory"), ("store", "ClipStore")):
        sizes = [n for w, n in found if w == way]
        row = {"features": title, "sizes": f"{sizes[0]} to {sizes[-1]}"}
        for name, call, key in (
            ("time of fit", "fit", "s"),
            ("memory of fit", "fit", "bytes"),
            ("time of predict", "predict", "s"),
            ("memory of predict", "predict", "bytes"),
        ):
            row[name] = round(exponent(sizes, [found[way, n][call][key] for n in sizes]), 2)
        growth.append(row)
    largest = max(options.sizes)
    limits = [
        {
            "clips": largest,
            "features": title,
            "may allocate (MiB)": ALLOWANCE // 2**20,
            "fit and predict": "out of memory"
            if run(largest, way, limited=True) is None
            else "done",
        }
        for way, title in (("memory", "in memory"), ("store", "ClipStore"))
    ]
    own = [{"clips": n, **run(n, "tiny")} for n in options.tiny]
    calls = {"fill": "store", "again": "find again", "epoch": "read all"}
    apart = [
        {"clips": each["clips"]}
        | {f"{title} (s)": round(each[call]["s"], 1) for call, title in calls.items()}
        | {f"{title} (MiB)": round(each[call]["bytes"] / 2**20) for call, title in calls.items()}
        for each in own
    ]
    exponents = {"clips": "exponent"}
    for key, unit in (("s", "s"), ("bytes", "MiB")):
        for call, title in calls.items():
            values = [max(each[call][key], 1e-3) for each in own]
            exponents[f"{title} ({unit})"] = round(exponent(options.tiny, values), 2)
    apart.append(exponents)
    tables = {
        "Fit (1 epoch) and predict; memory above that before fit": rows,
        "ClipStore beside all in memory": ratios,
        "Exponent of growth": growth,
        "With limited memory": limits,
        "The store alone: clips of 16 samples, memory above that before each call": apart,
        "One batch of 64 clips, drawn from 20,000 (323 MB), by format": batches(),
    }
    notes = [
        f"ClipStore has max_ram={MAX_RAM // 2**20} MiB. Pipeline: AudioReader, PadOrTrim, "
        "MelSpectrogram (40 bands), SpectrogramScaler, SpectrogramCNNClassifier (2 layers of 8 "
        "filters). Clips of 1 s, FLAC, links to 7,590 recordings."
    ]
    print(json.dumps(tables, indent=1))
    write_report("more_than_memory", "More clips than memory", tables, notes)


if __name__ == "__main__":
    main()
