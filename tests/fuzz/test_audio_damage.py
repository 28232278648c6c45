"""Damaged sound files: no crash, bounded cost, and all damage found where there is a checksum."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "audio_damage.py"
SPEC = importlib.util.spec_from_file_location("audio_damage", PATH)
audio_damage = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(audio_damage)

#: Formats whose headers contain the length of the sound.
WITH_LENGTH = ("WAV", "RF64", "W64", "AIFF", "AU", "CAF", "SPHERE", "FLAC", "MP3", "Ogg Opus")


@pytest.mark.parametrize("name", audio_damage.FORMATS)
def test_damaged_files_never_crash_the_reader_or_exceed_its_time_and_memory(name):
    outcomes = audio_damage.try_format(name, 16, seed=1)
    assert outcomes.total() == 16
    assert not {outcome for _, outcome in outcomes} & {"crashed", "excessive"}


@pytest.mark.parametrize("name", audio_damage.CHECKSUMMED)
def test_formats_with_checksums_detect_every_changed_sample(name):
    outcomes = audio_damage.try_format(name, 48, seed=2)
    assert {outcome for _, outcome in outcomes} <= {"refused", "warned", "identical"}


@pytest.mark.parametrize("name", WITH_LENGTH)
def test_formats_with_a_stored_length_detect_every_change_of_length(name):
    outcomes = audio_damage.try_format(name, 48, seed=3)
    lost = {kind for kind, outcome in outcomes if outcome in ("samples", "length")}
    assert not lost & {"cut", "removed", "inserted", "appended"}
