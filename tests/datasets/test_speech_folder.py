"""Labels and speakers from file names, without guessing."""

import os
import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sklearn_speech.datasets import load_speech_folder
from sklearn_speech.datasets._file_pattern import FilePattern

FLAT = "{label}_{speaker}_{take}.wav"


@pytest.fixture
def folder(tmp_path):
    """Makes recordings with the given names."""

    def make(*names, rate=8000):
        for name in names:
            path = tmp_path / "speech" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            extension = path.suffix[1:].upper()
            soundfile.write(path, np.zeros(80), rate, format=extension)
        return tmp_path / "speech"

    return make


def test_fields_come_from_the_names_in_sorted_order(folder):
    speech = load_speech_folder(folder("b_y_10.wav", "a_x_2.wav", "b_x_1.wav"), FLAT)
    np.testing.assert_array_equal(speech.target, ["a", "b", "b"])
    np.testing.assert_array_equal(speech.speaker, ["x", "x", "y"])
    np.testing.assert_array_equal(speech.take, [2, 1, 10])
    assert [Path(path).name for path in speech.data] == ["a_x_2.wav", "b_x_1.wav", "b_y_10.wav"]
    assert speech.sample_rate == 8000 and speech.unmatched == []


def test_labels_and_takes_with_letters_stay_strings(folder):
    speech = load_speech_folder(folder("7_x_a1.wav", "8_x_2.wav"), FLAT)
    np.testing.assert_array_equal(speech.target, ["7", "8"])
    np.testing.assert_array_equal(speech.take, ["a1", "2"])


def test_folders_and_text_between_fields(folder):
    names = ("yes/ab_c_nohash_0.wav", "no/d_nohash_1.wav")
    speech = load_speech_folder(folder(*names), "{label}/{speaker}_nohash_{take}.wav")
    np.testing.assert_array_equal(speech.target, ["no", "yes"])
    np.testing.assert_array_equal(speech.speaker, ["d", "ab_c"])


def test_further_fields_keep_their_names_and_speaker_may_be_absent(folder):
    speech = load_speech_folder(folder("yes-loud-room1.wav"), "{label}-{style}-{place}.wav")
    assert (speech.style[0], speech.place[0], speech.speaker) == ("loud", "room1", None)
    assert "take" not in speech


def test_a_field_that_occurs_twice_must_agree(folder):
    made = folder("ann/ann_yes.wav", "bob/ann_yes.wav")
    with pytest.warns(UserWarning, match=r"(?s)1 of 2 recordings.*bob/ann_yes\.wav"):
        speech = load_speech_folder(made, "{speaker}/{speaker}_{label}.wav")
    np.testing.assert_array_equal(speech.speaker, ["ann"])


def test_unmatched_recordings_are_counted_and_listed(folder):
    made = folder("yes_ann_1.wav", *(f"noise{i}.wav" for i in range(7)), "deep/no_ann_1.wav")
    with pytest.warns(UserWarning, match=r"(?s)8 of 9 recordings.*deep/no.*and 3 more") as record:
        speech = load_speech_folder(made, FLAT)
    assert len(record) == 1
    assert speech.unmatched == ["deep/no_ann_1.wav"] + [f"noise{i}.wav" for i in range(7)]
    assert len(speech.data) == 1
    with pytest.raises(ValueError, match="8 of 9 recordings"):
        load_speech_folder(made, FLAT, on_unmatched="raise")
    assert load_speech_folder(made, FLAT, on_unmatched="ignore").unmatched == speech.unmatched


def test_an_ambiguous_name_is_left_out(folder):
    made = folder("turn_on_bob_1.wav", "go_bob_1.wav")
    with pytest.warns(UserWarning, match=r"1 in more than one\):\n.*'turn' or 'turn_on'"):
        speech = load_speech_folder(made, FLAT)
    assert speech.unmatched == ["turn_on_bob_1.wav"]


def test_a_regular_expression_resolves_ambiguous_names(folder):
    made = folder("turn_on_bob_1.wav", "go_bob_1.wav")
    pattern = re.compile(r"(?P<label>.+)_(?P<speaker>[a-z]+)_(?P<take>\d+)\.wav")
    speech = load_speech_folder(made, pattern)
    np.testing.assert_array_equal(speech.target, ["go", "turn_on"])


def test_wildcards_match_parts_of_the_path(folder):
    made = folder("x/y/yes_ann_17.wav", "no_bob_5.wav")
    speech = load_speech_folder(made, "**/{label}_{speaker}_*.wav")
    np.testing.assert_array_equal(speech.speaker, ["bob", "ann"])


def test_special_characters_of_regular_expressions_are_literal(folder):
    made = folder("yes (ann)+.wav", "no xann)).wav")
    with pytest.warns(UserWarning, match="1 of 2"):
        speech = load_speech_folder(made, "{label} ({speaker})+.wav")
    np.testing.assert_array_equal(speech.target, ["yes"])


def test_extensions_ignore_case_but_names_do_not(folder):
    speech = load_speech_folder(folder("Yes_ann_1.WAV", "yes_ann_2.wav"), FLAT)
    np.testing.assert_array_equal(speech.target, ["Yes", "yes"])


def test_only_files_of_audio_formats_count_as_recordings(folder):
    made = folder("yes_ann_1.flac", "no_ann_1.wav")
    (made / "README.md").write_text("about")
    (made / "._no_ann_1.wav").write_text("left by another system")
    (made / ".cache").mkdir()
    (made / ".cache" / "no_ann_2.wav").write_text("")
    with pytest.warns(UserWarning, match="1 of 2 recordings"):
        speech = load_speech_folder(made, FLAT)
    assert speech.unmatched == ["yes_ann_1.flac"]
    assert len(load_speech_folder(made, "{label}_{speaker}_{take}.*").data) == 2


def test_mixed_sample_rates_give_none(folder):
    folder("yes_ann_1.wav")
    assert load_speech_folder(folder("no_ann_1.wav", rate=16000), FLAT).sample_rate is None


def test_only_chosen_labels_are_loaded(folder):
    made = folder("yes_ann_1.wav", "no_ann_1.wav", "go_ann_1.wav")
    speech = load_speech_folder(made, FLAT, labels=["yes", "go"])
    np.testing.assert_array_equal(speech.target, ["go", "yes"])
    with pytest.raises(ValueError, match=r"no recording has \['stop'\]; labels present: \['go'"):
        load_speech_folder(made, FLAT, labels=["stop", "go"])
    with pytest.raises(ValueError, match="labels='go': expected a list"):
        load_speech_folder(made, FLAT, labels="go")


@pytest.mark.parametrize(
    "pattern, message",
    [
        ("{speaker}.wav", r"no field \{label\}"),
        ("{label}{speaker}.wav", r"no text separates \{label\} from \{speaker\}"),
        ("{label}_{data}.wav", r"fields \['data'\]"),
        ("{label}_{}.wav", "fields are names in braces"),
        ("{label}_{take:d}.wav", r"not \{take:d\}"),
        ("{label!r}.wav", r"not \{label!r\}"),
        ("{label.wav", r"pattern='\{label\.wav'"),
        ("/{label}.wav", "relative to the folder"),
        ("../{label}.wav", "relative to the folder"),
        (r"{label}\{take}.wav", "relative to the folder"),
    ],
)
def test_unusable_patterns_are_refused_before_the_folder_is_read(pattern, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        load_speech_folder(tmp_path / "absent", pattern)


def test_a_pattern_of_another_type_is_refused():
    with pytest.raises(TypeError, match="pattern=3"):
        load_speech_folder(".", 3)


def test_errors_name_folders_without_recordings(folder, tmp_path):
    with pytest.raises(OSError, match="absent does not exist"):
        load_speech_folder(tmp_path / "absent", FLAT)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty contains no recordings"):
        load_speech_folder(tmp_path / "empty", FLAT)
    made = folder("yes.wav")
    with pytest.raises(OSError, match="is a file, not a folder"):
        load_speech_folder(made / "yes.wav", FLAT)
    with pytest.raises(ValueError, match="1 of 1 recordings"):
        load_speech_folder(made, FLAT, on_unmatched="ignore")


def test_speech_commands_have_30_words_and_466_speakers(speech_commands_folder):
    speech = load_speech_folder(speech_commands_folder, "{label}/{speaker}_nohash_{take}.wav")
    assert (len(speech.data), len(set(speech.target)), len(set(speech.speaker))) == (2035, 30, 466)
    assert speech.sample_rate == 16000


def test_timit_folders_name_region_and_speaker(timit_folder):
    speech = load_speech_folder(timit_folder, "{region}-{speaker}/{label}.wav")
    assert (len(speech.data), len(set(speech.speaker)), len(set(speech.region))) == (160, 16, 8)


def test_two_unicode_forms_of_a_name_are_one(folder):
    decomposed, composed = (unicodedata.normalize(form, "café_josé") for form in ("NFD", "NFC"))
    assert decomposed != composed
    speech = load_speech_folder(folder(f"{decomposed}_0.wav", f"{composed}_1.wav"), FLAT)
    assert set(speech.speaker) == {"josé"} and set(speech.target) == {"café"}
    assert all(Path(path).exists() for path in speech.data)
    one = load_speech_folder(
        folder(), unicodedata.normalize("NFD", "café_{speaker}_{label}.wav"), labels=["0"]
    )
    assert one.speaker.tolist() == ["josé"]


def test_linked_folders_are_searched_without_loops(folder, tmp_path):
    speech = folder("yes/ann_0.wav")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    soundfile.write(elsewhere / "bob_1.wav", np.zeros(80), 8000)
    (speech / "no").symlink_to(elsewhere)
    (speech / "again").symlink_to(speech)
    found = load_speech_folder(speech, "{label}/{speaker}_{take}.wav")
    assert found.target.tolist() == ["no", "yes"]


def test_mutually_linked_folders_are_searched_once_along_each_path(folder, tmp_path):
    names = [f"{own}/word_{own}_1.wav" for own in "abc"]
    made = folder(*names)
    for own in "abc":
        for other in "abc".replace(own, ""):
            (made / own / f"to_{other}").symlink_to(made / other)
    found = load_speech_folder(made, "**/" + FLAT)
    relative = [Path(path).parent.relative_to(made).as_posix() for path in found.data]
    assert sorted(path for path in relative if "/" not in path) == ["a", "b", "c"]
    assert len(relative) == 3 + 3 * 2 + 3 * 2  # from each to both others, and on to the third


def test_folders_that_cannot_be_opened_warn_and_are_listed(folder, monkeypatch):
    speech = folder("ann/yes_1.wav", "bob/yes_1.wav")
    scandir = os.scandir

    def closed(path):
        if Path(path).name == "bob":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    pattern = "{speaker}/{label}_{take}.wav"
    with pytest.warns(UserWarning, match=r"1 folders .* cannot be opened.*\(bob\)"):
        found = load_speech_folder(speech, pattern)
    assert found.speaker.tolist() == ["ann"] and found.unmatched == ["bob"]
    with pytest.raises(ValueError, match="cannot be opened"):
        load_speech_folder(speech, pattern, on_unmatched="raise")


@pytest.mark.parametrize(
    ("pattern", "name", "label"),
    [
        ("*_{label}_*.wav", "s1_bye_bye_3.wav", None),  # bye, or bye_bye
        ("*_{label}_*.wav", "s1_turn_on_3.wav", None),
        ("*_{label}_*.wav", "s1_bye_3.wav", "bye"),
        ("*-*_{label}.wav", "a-b-c_yes.wav", "yes"),  # only the match of * is ambiguous
        ("*{label}.wav", "yes.wav", None),
        ("{speaker}*-{label}.wav", "ann-a-a.wav", None),
    ],
)
def test_fields_that_a_wildcard_makes_ambiguous_are_not_guessed(pattern, name, label):
    fields, problem = FilePattern(pattern).match(name)
    if label is None:
        assert fields is None and " or " in problem
    else:
        assert fields == {"label": label}


def test_recordings_that_cannot_be_decoded_warn_and_are_listed(folder):
    speech = folder("yes_ann_0.wav")
    (speech / "no_bob_1.m4a").touch()
    with pytest.warns(UserWarning, match=r"1 recordings .*\(no_bob_1.m4a\): convert"):
        found = load_speech_folder(speech, FLAT)
    assert found.unmatched == ["no_bob_1.m4a"]
    (speech / "yes_ann_0.wav").unlink()
    with pytest.raises(ValueError, match="cannot be decoded"):
        load_speech_folder(speech, FLAT, on_unmatched="ignore")
