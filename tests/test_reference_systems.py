"""The benchmark of published systems: what it compares, how it goes on, what it writes."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sklearn_speech.datasets import make_spoken_digits
from sklearn_speech.recipes import list_recipes

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def benchmark():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield importlib.import_module("reference_systems")
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Paths, digits and six synthetic speakers."""
    folder = tmp_path_factory.mktemp("digits")
    speech = make_spoken_digits(n_speakers=6, n_takes=1, sample_rate=8000, random_state=0)
    paths = [str(folder / f"{i}.wav") for i in range(len(speech.data))]
    for path, waveform in zip(paths, speech.data):
        soundfile.write(path, waveform, 8000)
    return np.array(paths), np.asarray(speech.target), np.asarray(speech.speaker)


def test_every_recipe_of_words_is_compared_somewhere(benchmark):
    compared = {
        recipe
        for name in benchmark.protocols.TITLES
        for recipe, _ in benchmark.protocols.systems(name).values()
    }
    assert compared == {row["name"] for row in list_recipes(details=True)} - {
        "asr-simple",
        "asr-bcresnet",
        "best-utterance",
        "best-utterance-pretrained",
        *benchmark.protocols.PRETRAINED,
    }


def test_only_clips_without_digits_are_restored_and_judged_by_no_digit(benchmark):
    for protocol in ("digits-random", "digits-theo"):
        assert not any("autoencoder" in name for name in benchmark.protocols.systems(protocol))
    assert "dsp-autoencoder" in benchmark.protocols.systems("digits-speakers")


def test_the_committed_runs_of_each_recipe_have_the_settings_of_today(benchmark):
    """Otherwise a recipe or the digest has changed: run its systems again, then --report."""
    tables = json.loads((BENCHMARKS / "results" / "reference_systems.json").read_text())["tables"]
    shown = {row["system"].rstrip(" †") for table in tables.values() for row in table}
    made = {
        protocol: benchmark.protocols.systems(protocol) for protocol in benchmark.protocols.TITLES
    }
    one_of_each = {}
    for row in benchmark.read_log(benchmark.LOG).values():
        systems = made[row["protocol"]]
        if row["system"] in shown and row["system"] in systems and row["seed"] == 0:
            recipe, _ = systems[row["system"]]
            key = row["protocol"], row["system"]
            known, runs = one_of_each.setdefault(recipe, (key, []))
            if known == key:
                runs.append(row)
    assert len(one_of_each) > 10
    for recipe, (_, runs) in one_of_each.items():
        assert benchmark.of_today(runs), recipe


def test_settings_include_each_parameter_unless_its_value_changes_nothing(benchmark):
    class Before:
        """The pipeline when its network did not have these parameters yet."""

        def get_params(self):
            parameters = made.get_params().items()
            added = tuple(f"__{name}" for name in benchmark.NO_EFFECT)
            return {name: value for name, value in parameters if not name.endswith(added)}

    made = benchmark.make_recipe("kws-linear")
    digest = benchmark.settings_of(made)
    assert len(Before().get_params()) == len(made.get_params()) - len(benchmark.NO_EFFECT)
    assert benchmark.settings_of(Before()) == digest
    for change in ({"lr": 0.5}, {"pretrained_lr": 0.5}, {"freeze_pretrained": 3}):
        made = benchmark.make_recipe("kws-linear")
        made[-1].set_params(**change)
        assert benchmark.settings_of(made) != digest


def test_no_speaker_is_on_both_sides_but_in_the_random_split_of_the_source(benchmark):
    speakers = np.repeat(["jackson", "nicolas", "theo", "lucas", "george", "yweweler"], 250)
    y = np.tile(np.arange(10), 150)
    for protocol in benchmark.protocols.TITLES:
        shared = [
            set(speakers[train]) & set(speakers[test])
            for train, test in benchmark.protocols.folds(protocol, y, speakers)
        ]
        assert any(shared) == (protocol == "digits-random"), protocol
    ((_, test),) = benchmark.protocols.folds("digits-theo", y, speakers)
    assert set(speakers[test]) == {"theo"}
    for train, test in benchmark.protocols.folds("digits-random", y, speakers):
        assert (len(train), np.bincount(y[test]).tolist()) == (1350, [15] * 10)


def test_an_interrupted_run_goes_on_and_the_table_is_of_the_log(
    benchmark, digits, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(benchmark.protocols, "clips", lambda protocol: digits)
    runs = benchmark.reference_runs
    monkeypatch.setattr(runs, "divided", runs.divided.__wrapped__)
    log = tmp_path / "log.jsonl"
    command = ["--recipes", "spectro-cnn", "--protocols", "digits-speakers", "--seeds", "1",
               "--max-epochs", "1", "--log", str(log), "--folder", str(tmp_path)]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["reference_systems.py", *command, "--folds", "2"])
    benchmark.main()
    assert "no system has finished all folds" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["reference_systems.py", *command])
    benchmark.main()
    assert "2 finished runs, 4 to do" in capsys.readouterr().out
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert sorted(row["fold"] for row in rows) == list(range(6))
    rows.sort(key=lambda row: row["fold"])
    tests = [test for _, test in benchmark.protocols.folds("digits-speakers", *digits[1:])]
    assert sorted(np.concatenate(tests)) == list(range(len(digits[0])))
    accuracies = [np.mean(digits[1][i] == row["answers"]) for i, row in zip(tests, rows)]
    assert accuracies == [row["accuracy"] for row in rows]
    changed = [row | {"settings": "those of an older recipe"} for row in rows]
    assert benchmark.of_today(rows + changed) == rows
    assert not set(map(benchmark.key_of, rows)) & set(map(benchmark.key_of, changed))
    report = json.loads((tmp_path / "reference_systems.json").read_text())
    ((entry,),) = report["tables"].values()
    assert entry["mean"] == f"{np.mean(accuracies):.3f}"
    assert entry["worst speaker"] == f"{np.min(accuracies):.3f}"
    assert entry["parameters"] == 1_003_466 and entry["epochs"] == 1
    for file in report["pictures"].values():
        assert (tmp_path / file).stat().st_size > 0
    assert "![Systems" in (tmp_path / "reference_systems.md").read_text()


def test_without_recordings_of_a_protocol_the_others_are_reported(
    benchmark, digits, tmp_path, monkeypatch, capsys
):
    def clips(protocol):
        if protocol == "commands":
            raise OSError("no recordings")
        return digits

    monkeypatch.setattr(benchmark.protocols, "clips", clips)
    log = tmp_path / "log.jsonl"
    lines = []
    for protocol, name, mean in (("digits-theo", "basics-mlp", "0.1"), ("commands", "best", "0.9")):
        recipe, options = benchmark.protocols.systems(protocol)[name]
        made = benchmark.make_recipe(recipe, random_state=0, **options)
        line = {"protocol": protocol, "system": name, "seed": 0, "epochs": 1}
        line["settings"] = benchmark.settings_of(made)
        line["earlier"] = {"system": name, "mean": mean}
        lines.append(json.dumps(line) + "\n")
    log.write_text("".join(lines))
    command = ["reference_systems.py", "--report", "--log", str(log)]
    monkeypatch.setattr(sys, "argv", [*command, "--folder", str(tmp_path / "new")])
    benchmark.main()
    assert "'commands' is skipped: no recordings" in capsys.readouterr().out
    report = json.loads((tmp_path / "new" / "reference_systems.json").read_text())
    assert list(report["tables"].values()) == [[{"system": "basics-mlp †", "mean": "0.1"}]]
    assert "†" in report["notes"][1]
