"""Damaged and hostile model files, and killed writers: what `load` and `load_onnx` make of them.

Prints four tables. Damage: seeded copies of a saved network, changed in one place, and how
many of them are refused, read identically, or read as something else. Attacks: the files of
`tests/persistence/hostile.py`, loaded in processes of their own that are listened to. ONNX:
damaged copies of an exported file, the same with a digest that is right, so that onnxruntime
sees the damage, and the files of `tests/export/hostile.py`; loaded and run in processes of
their own. Kills: a process that saves over and over is killed at random times.

    python benchmarks/model_damage.py --copies 1000 --kills 20
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sklearn_speech import SpectrogramCNNClassifier, load, save
from tests.export import cases, hostile
from tests.persistence.hostile import ATTACKS, try_to_load
from tests.persistence.test_damage import DAMAGE

SAVE_FOR_EVER = """
import sys
import numpy as np
from sklearn.decomposition import PCA
from sklearn_speech import save
pca = PCA(2).fit(np.random.default_rng(0).normal(size=(300, 3000)))
pca.components_ = np.zeros((500, 3000))
sys.stdout.write("ready\\n")
sys.stdout.flush()
while True:
    save(pca, sys.argv[1])
"""


def damage_table(folder, n_copies):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 6, 8)), np.resize(["no", "yes"], 12)
    path = folder / "net"
    save(SpectrogramCNNClassifier(1, n_filters=2, max_epochs=1, random_state=0).fit(X, y), path)
    whole, expected = path.read_bytes(), load(path).predict_proba(X)
    print(f"{'damage':<16}{'tried':>8}{'refused':>9}{'same':>6}{'differs':>9}")
    for damage in DAMAGE:
        counts = {"refused": 0, "same": 0, "differs": 0}
        for _ in range(n_copies):
            path.write_bytes(damage(whole, rng))
            try:
                found = load(path).predict_proba(X)
            except ValueError as error:
                counts["refused" if str(path) in str(error) else "differs"] += 1
            else:
                counts["same" if np.array_equal(found, expected) else "differs"] += 1
        print(f"{damage.__name__:<16}{n_copies:>8}{counts['refused']:>9}{counts['same']:>6}"
              f"{counts['differs']:>9}")  # fmt: skip


def attack_table(folder):
    empty = folder / "empty"
    empty.mkdir()
    paths = {name: folder / f"attack-{i}" for i, name in enumerate(ATTACKS)}
    for name, path in paths.items():
        ATTACKS[name](path)
    results = try_to_load(paths.values(), empty)
    print(f"\n{'attack':<44}{'file MB':>8}{'end':>9}{'MB':>7}{'s':>6}{'wrote':>7}")
    for (name, path), (end, megabytes, seconds, done, _) in zip(paths.items(), results):
        size = path.stat().st_size / 1e6
        print(f"{name:<44.44}{size:>8.2f}{end:>9}{megabytes:>7.0f}{seconds:>6.2f}{len(done):>7}")
    print(
        f"{len(results)} files: {sum(r[0] == 'refused' for r in results)} refused, "
        f"{sum(bool(r[3]) for r in results)} wrote or ran something, at most "
        f"{max(r[1] for r in results):.0f} MB and {max(r[2] for r in results):.2f} s; created "
        f"in the working folder: {len(list(empty.iterdir()))}"
    )


def onnx_table(folder, n_copies):
    rng = np.random.default_rng(0)
    content = cases.exported("SpectrogramLinearClassifier")[1].read_bytes()
    groups = {change.__name__: [change(content, rng) for _ in range(n_copies)] for change in DAMAGE}
    for change in DAMAGE:
        damaged = hostile.sealed_damage(content, [change], n_copies, rng)
        groups[f"{change.__name__}, digest right"] = damaged
    groups["forged"] = [hostile.forged(content, change) for change in hostile.FORGERIES.values()]
    groups["foreign"] = list(hostile.FOREIGN.values())
    empty, path = folder / "empty-onnx", folder / "onnx"
    empty.mkdir()
    path.mkdir()
    print(f"\n{'ONNX file':<28}{'tried':>7}{'refused':>9}{'ran':>6}{'else':>6}{'MB':>6}{'s':>7}")
    for name, contents in groups.items():
        paths = [path / f"{i}.onnx" for i in range(len(contents))]
        for place, damaged in zip(paths, contents, strict=True):
            place.write_bytes(damaged)
        results = try_to_load(paths, empty, setup=hostile.SETUP)
        ends = [result[0] for result in results]
        n_refused, n_ran = ends.count("refused"), ends.count("loaded")
        print(f"{name:<28}{len(ends):>7}{n_refused:>9}{n_ran:>6}{len(ends) - n_refused - n_ran:>6}"
              f"{max(r[1] for r in results):>6.0f}{max(r[2] for r in results):>7.2f}")  # fmt: skip
    print(f"created in the working folder: {len(list(empty.iterdir()))}")


def kill_table(folder, n_kills):
    draw, usable, left_most = random.Random(0), 0, 0
    place = folder / "kills"
    place.mkdir()
    path = place / "model"
    for _ in range(n_kills):
        with subprocess.Popen(
            [sys.executable, "-c", SAVE_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            writer.stdout.readline()
            time.sleep(0.2 + draw.random() / 5)
            writer.send_signal(signal.SIGKILL)
        left_most = max(left_most, len(list(place.iterdir())) - 1)
        load(path)
        usable += 1
    save(load(path), path)
    left = len(list(place.iterdir())) - 1
    print(
        f"\n{n_kills} kills: {usable} times a whole file, at most {left_most} temporary files, "
        f"{left} after the next save"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--copies", type=int, default=200, help="damaged copies of each kind")
    parser.add_argument("--kills", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        damage_table(Path(folder), arguments.copies)
        attack_table(Path(folder))
        onnx_table(Path(folder), arguments.copies)
        kill_table(Path(folder), arguments.kills)


if __name__ == "__main__":
    main()
