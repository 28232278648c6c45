"""No file makes load_onnx crash, hang, write or fill memory, and what is no file of to_onnx is
refused by name."""

import sys

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxscript", reason="the extra onnx is not installed")

from tests.export import hostile
from tests.export.cases import exported
from tests.persistence.hostile import try_to_load
from tests.persistence.test_damage import DAMAGE

#: Damaged copies of each kind; benchmarks/model_damage.py tries hundreds.
N_COPIES = 3


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One process tries all files."""
    if sys.platform != "linux":
        pytest.skip("peak memory is measured by Linux's getrusage of a forked process")
    folder, empty = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("empty")
    content = exported("SpectrogramLinearClassifier")[1].read_bytes()
    contents = hostile.files(content, DAMAGE, N_COPIES, np.random.default_rng(0))
    again = hostile.sealed_damage(content, DAMAGE, N_COPIES, np.random.default_rng(1))
    contents |= {f"sealed damage {i}": damaged for i, damaged in enumerate(again)}
    contents |= {"honest": content, "honest, sealed again": hostile.forged(content, id)}
    paths = {name: folder / f"{i}.onnx" for i, name in enumerate(contents)}
    for name, path in paths.items():
        path.write_bytes(contents[name])
    found = dict(zip(paths, try_to_load(paths.values(), empty, setup=hostile.SETUP)))
    assert list(empty.iterdir()) == []
    assert {path.name for path in paths.values()} == {path.name for path in folder.iterdir()}
    return found


def test_what_is_no_file_of_to_onnx_is_refused_by_name(results):
    wrong = {name: r for name, r in results.items() if "," in name and r[0] != "refused"}
    assert wrong == {"honest, sealed again": results["honest, sealed again"]}
    assert len(results) >= 80


def test_honest_files_run_in_the_same_process(results):
    assert results["honest"][0] == "loaded"
    assert results["honest, sealed again"][0] == "loaded"


def test_damage_that_onnxruntime_sees_is_refused_by_name_or_changes_numbers_alone(results):
    ends = [r for name, r in results.items() if name.startswith("sealed damage")]
    assert len(ends) == N_COPIES * len(DAMAGE)
    assert {end[0] for end in ends} == {"refused", "loaded"}


def test_no_file_takes_more_memory_or_time_than_an_honest_one_may_or_writes_anything(results):
    for name, (_, megabytes, seconds, done, message) in results.items():
        assert megabytes < hostile.MOST_MEMORY, (name, message)
        assert seconds < 5, (name, message)
        assert done == [], name
