"""Damaged sound files: none crashes or takes much, and formats with checksums notice all."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "audio_damage.py"
SPEC = importlib.util.spec_from_file_location("audio_damage", PATH)
audio_damage = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(audio_damage)

#: Formats whose headers state how long the sound is.
MEASURED = ("WAV", "RF64", "W64", "AIFF", "AU", "CAF", "SPHERE", "FLAC", "MP3", "Ogg Opus")


@pytest.mark.parametrize("name", audio_damage.FORMATS)
def test_no_damage_crashes_the_reader_or_takes_much_time_or_memory(name):
    outcomes = audio_damage.try_format(name, 16, seed=1)
    assert outcomes.total() == 16
    assert not {outcome for _, outcome in outcomes} & {"crashed", "excessive"}


@pytest.mark.parametrize("name", audio_damage.CHECKSUMMED)
def test_every_changed_sample_is_noticed_where_there_are_checksums(name):
    outcomes = audio_damage.try_format(name, 48, seed=2)
    assert {outcome for _, outcome in outcomes} <= {"refused", "warned", "identical"}


@pytest.mark.parametrize("name", MEASURED)
def test_every_change_of_length_is_noticed_where_a_length_is_stated(name):
    outcomes = audio_damage.try_format(name, 48, seed=3)
    lost = {kind for kind, outcome in outcomes if outcome in ("samples", "length")}
    assert not lost & {"cut", "removed", "inserted", "appended"}
