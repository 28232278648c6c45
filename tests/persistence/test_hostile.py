"""No file makes load run, write or create anything, or take more memory than a few files."""

import sys
from pathlib import Path

import pytest

from tests.persistence.hostile import ATTACKS, MOST_MEMORY, try_to_load


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One process tries all files: seconds, most of them to import torch and write the files."""
    if sys.platform != "linux":
        pytest.skip("peak memory is measured by Linux's getrusage of a forked process")
    folder, empty = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("empty")
    paths = {name: folder / f"{i}.safetensors" for i, name in enumerate(ATTACKS)}
    for name, path in paths.items():
        ATTACKS[name](path)
    found = dict(zip(paths, try_to_load(paths.values(), empty)))
    assert list(Path(empty).iterdir()) == []
    assert {path.name for path in paths.values()} == {path.name for path in folder.iterdir()}
    return found


def test_there_are_enough_attacks():
    assert len(ATTACKS) >= 40


@pytest.mark.parametrize("name", ATTACKS)
def test_a_hostile_file_is_refused_and_neither_runs_nor_writes_nor_fills_memory(name, results):
    end, megabytes, seconds, done, message = results[name]
    assert end == "refused", message
    assert done == []
    assert megabytes < MOST_MEMORY
    assert seconds < 10
