"""Manifests: content, and errors that name the line."""

import gzip
import unicodedata

import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_speech.audio import AudioReader, AudioSegment
from sklearn_speech.datasets import load_speech_manifest


@pytest.fixture
def manifest(tmp_path):
    """Writes a manifest beside two recordings of one second."""
    (tmp_path / "sub").mkdir()
    ramp = np.arange(8000) / 8000
    soundfile.write(tmp_path / "a.wav", ramp, 8000, subtype="FLOAT")
    soundfile.write(tmp_path / "sub" / "b.wav", ramp, 8000, subtype="FLOAT")

    def write(text, encoding="utf-8"):
        path = tmp_path / "clips.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_columns_become_paths_labels_speakers_and_others(manifest, tmp_path):
    speech = load_speech_manifest(
        manifest("path,label,speaker,room\na.wav,yes,ann,1\nsub/b.wav,no,bob,2\n")
    )
    assert list(speech.data) == [str(tmp_path / "a.wav"), str(tmp_path / "sub" / "b.wav")]
    assert list(speech.target) == ["yes", "no"] and list(speech.speaker) == ["ann", "bob"]
    assert list(speech.room) == ["1", "2"] and speech.sample_rate == 8000
    assert len(AudioReader(8000).transform(speech.data)) == 2


def test_times_become_segments_that_are_read(manifest, tmp_path):
    speech = load_speech_manifest(
        manifest("path,label,start,end\na.wav,yes,0.25,0.5\na.wav,no,0.75,\nsub/b.wav,no,,0.5\n")
    )
    assert speech.data[0] == AudioSegment(str(tmp_path / "a.wav"), 0.25, 0.5)
    waveforms = AudioReader(8000).transform(speech.data)
    assert [len(waveform) for waveform in waveforms] == [2000, 2000, 4000]
    assert [waveform[0] for waveform in waveforms] == [0.25, 0.75, 0.0]
    assert speech.speaker is None
    AudioReader(8000).transform(speech.data[speech.target == "no"])  # indexable like any X


def test_absolute_paths_are_kept(manifest, tmp_path):
    speech = load_speech_manifest(manifest(f"path,label\n{tmp_path / 'a.wav'},yes\n"))
    assert speech.data[0] == str(tmp_path / "a.wav")


def test_tables_of_spreadsheets_are_read(manifest):
    text = 'path;label;speaker\r\n"a.wav"; yes ;Zoë\r\n\r\n;;\r\n'
    speech = load_speech_manifest(manifest(text, "utf-8-sig"), delimiter=";")
    assert (speech.target[0], speech.speaker[0], len(speech.data)) == ("yes", "Zoë", 1)


def test_the_error_names_line_and_column_of_each_wrong_entry(manifest):
    path = manifest(
        "path,label,speaker,start,end\n"
        "lost.wav,yes,ann,,\n"
        "a.wav,,ann,,\n"
        "\n"
        "a.wav,yes,,x,-1\n"
        "a.wav,yes,ann,0.5,0.5\n"
        "a.wav,yes,ann,0,nan\n"
    )
    with pytest.raises(ValueError, match="7 wrong entries") as info:
        load_speech_manifest(path)
    lines = str(info.value).splitlines()[1:8]
    for line, start in zip(
        lines,
        [
            "line 2, column 'path': no such file",
            "line 3, column 'label': is empty",
            "line 5, column 'speaker': is empty",
            "line 5, column 'start': 'x' is not a number of seconds",
            "line 5, column 'end': '-1' is not a number of seconds",
            "line 6, column 'end': 0.5 s does not come after the start, 0.5 s",
            "line 7, column 'end': 'nan' is not",
        ],
        strict=True,
    ):
        assert line.strip().startswith(start)


def test_a_long_list_of_errors_is_shortened(manifest):
    path = manifest("path,label\n" + "lost.wav,yes\n" * 50)
    with pytest.raises(ValueError, match=r"50 wrong entries(?s:.*)and 30 more"):
        load_speech_manifest(path)
    assert len(load_speech_manifest(path, check_paths=False).data) == 50


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "is empty"),
        ("path,label\n", "no clips"),
        ("path;label\na.wav;yes\n", r"no column 'path' among \['path;label'\]"),
        ("path,word\na.wav,yes\n", r"line 1 \(separated by ','\): no column 'label'"),
        ("path,label,label\na.wav,yes,yes\n", "column name 'label' is used twice"),
        ("path,label,data\na.wav,yes,1\n", "column name 'data' cannot be used"),
        ("path,label\na.wav,yes\na.wav,yes,ann\n", "2 column names, but line 3 has 3 columns"),
        ('path,label\n"a.wav,yes\n', r"clips\.csv, line 2: unexpected end.*pass quotes=False"),
    ],
)
def test_invalid_tables_are_refused(manifest, text, message):
    with pytest.raises(ValueError, match=message):
        load_speech_manifest(manifest(text))


def test_another_encoding_needs_the_option_and_the_error_names_a_line(manifest):
    path = manifest("path,label\na.wav,yes\nsub/b.wav,Zoë\n", "latin-1")
    with pytest.raises(ValueError, match=r"clips\.csv, line 3: byte 0xeb is not UTF-8.*latin-1"):
        load_speech_manifest(path)
    assert load_speech_manifest(path, encoding="latin-1").target[1] == "Zoë"
    with pytest.raises(ValueError, match="encoding='no such'"):
        load_speech_manifest(path, encoding="no such")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("compressed", [False, True])
def test_byte_order_marks_line_ends_and_gzip_need_no_option(
    manifest, encoding, line_end, compressed
):
    path = manifest(line_end.join(["path,label", "a.wav,Zoë", "sub/b.wav,नमस्ते"]), encoding)
    if compressed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert load_speech_manifest(path).target.tolist() == ["Zoë", "नमस्ते"]


def test_a_cut_off_gzip_file_is_refused(manifest):
    path = manifest("path,label\na.wav,yes\n")
    path.write_bytes(gzip.compress(path.read_bytes())[:-9])
    with pytest.raises(ValueError, match=r"clips\.csv is not a complete gzip file"):
        load_speech_manifest(path)


@pytest.mark.parametrize(
    "text, encoding, line", [("path,label\na.wav,y\0s\n", "utf-8", 2), ("path", "utf-16-le", 1)]
)
def test_the_error_names_the_line_of_a_nul_character(manifest, text, encoding, line):
    with pytest.raises(ValueError, match=rf"line {line}: a NUL character.*utf-16-le"):
        load_speech_manifest(manifest(text, encoding))


def test_columns_may_have_any_names(manifest):
    path = manifest("client_id,file,sentence,data\nann,a.wav,yes,1\nbob,sub/b.wav,no,2\n")
    speech = load_speech_manifest(
        path,
        columns={
            "path": "file", "label": "sentence", "speaker": "client_id",
            "text": "sentence", "fold": "data",
        },
    )  # fmt: skip
    assert speech.target.tolist() == speech.text.tolist() == ["yes", "no"]
    assert speech.speaker.tolist() == ["ann", "bob"] and speech.fold.tolist() == ["1", "2"]
    assert set(speech) == {"data", "target", "speaker", "sample_rate", "text", "fold"}
    with pytest.raises(ValueError, match=r"no column 'path' among.*columns=\{'path': "):
        load_speech_manifest(path)
    with pytest.raises(ValueError, match="no column 'clip' among"):
        load_speech_manifest(path, columns={"path": "clip"})
    with pytest.raises(ValueError, match=r"'data' cannot be used.*columns=\{'another_name'"):
        load_speech_manifest(path, columns={"path": "file", "label": "sentence"})


def test_a_column_that_differs_in_case_is_suggested(manifest):
    with pytest.raises(ValueError, match=r"no column 'path'.*columns=\{'path': 'Path'\}"):
        load_speech_manifest(manifest("Path,label\na.wav,yes\n"))


def test_empty_unnamed_columns_are_left_out_and_others_are_an_error(manifest):
    assert "" not in load_speech_manifest(manifest("path,label,,\na.wav,yes,,\n"))
    indexed = manifest(",path,label\n7,a.wav,yes\n")
    with pytest.raises(ValueError, match=r"column name '' cannot be used"):
        load_speech_manifest(indexed)
    assert load_speech_manifest(indexed, columns={"index": ""}).index.tolist() == ["7"]


def test_relative_paths_are_relative_to_root(manifest, tmp_path):
    path = manifest("path,label\nb.wav,yes\n")
    assert load_speech_manifest(path, root=tmp_path / "sub").data[0] == str(tmp_path / "sub/b.wav")
    with pytest.raises(OSError, match=r"root=.*there is no folder"):
        load_speech_manifest(path, root=tmp_path / "absent")


def test_the_error_shows_the_paths_tried_and_suggests_a_root(manifest, tmp_path):
    rows = "".join(f"lost{i}.wav,yes\n" for i in range(5))
    with pytest.raises(ValueError) as info:
        load_speech_manifest(manifest("path,label\nb.wav,yes\n" + rows))
    message = str(info.value)
    assert f"Relative paths are below {tmp_path} (root=" in message
    tried = [line.strip() for line in message.splitlines() if line.startswith(f"  {tmp_path}")]
    assert tried == [str(tmp_path / name) for name in ("b.wav", "lost0.wav", "lost1.wav")]
    assert message.endswith(f"There is such a file in {tmp_path / 'sub'}: pass root="
                            f"{str(tmp_path / 'sub')!r}")  # fmt: skip


def test_backslashes_between_folders_are_accepted(manifest, tmp_path):
    speech = load_speech_manifest(manifest("path,label\nsub\\b.wav,yes\n"))
    assert speech.data[0] == str(tmp_path / "sub" / "b.wav")


def test_a_data_frame_gives_the_same_as_its_file(manifest, tmp_path):
    frame = pd.DataFrame(
        {
            "path": ["a.wav", tmp_path / "sub" / "b.wav"], "label": [" yes", 7],
            "speaker": ["Zoe\u0308", "Zoë"], "start": [0.25, np.nan], "end": [None, 0.5],
            "note": ["x", pd.NA],
        },
        index=[3, 3],
    )  # fmt: skip
    frame.to_csv(tmp_path / "clips.csv", index=False)
    speech = load_speech_manifest(frame, root=tmp_path)
    from_file = load_speech_manifest(tmp_path / "clips.csv")
    assert speech.keys() == from_file.keys()
    for name in speech:
        np.testing.assert_array_equal(speech[name], from_file[name])
    assert speech.data[1] == AudioSegment(str(tmp_path / "sub" / "b.wav"), 0, 0.5)
    assert set(speech.speaker) == {"Zoë"} and speech.note[1] == ""
    with pytest.raises(ValueError, match="row 1, column 'label': is empty"):
        load_speech_manifest(frame.assign(label=["yes", None]), root=tmp_path)
    with pytest.raises(ValueError, match="no rows"):
        load_speech_manifest(frame[:0])
    with pytest.raises(ValueError, match="quotes=True: applies to files"):
        load_speech_manifest(frame, quotes=True)
    with pytest.raises(ValueError, match="'note' is used twice"):
        load_speech_manifest(pd.concat([frame, frame[["note"]]], axis=1), root=tmp_path)
    with pytest.raises(ValueError, match="row 0: an entry contains a NUL"):
        load_speech_manifest(frame.assign(note="\0"), root=tmp_path)


def test_errors_name_wrong_arguments(manifest, tmp_path):
    with pytest.raises(OSError, match=r"absent\.csv"):
        load_speech_manifest(tmp_path / "absent.csv")
    with pytest.raises(ValueError, match="delimiter=', '"):
        load_speech_manifest(manifest("path,label\n"), delimiter=", ")


@pytest.mark.parametrize(("on_disk", "in_table"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_paths_match_files_in_both_unicode_forms(manifest, tmp_path, on_disk, in_table):
    name = tmp_path / unicodedata.normalize(on_disk, "josé.wav")
    (tmp_path / "a.wav").rename(name)
    written = unicodedata.normalize(in_table, "josé.wav")
    speech = load_speech_manifest(manifest(f"path,label\n{written},oui\n"))
    assert len(AudioReader(8000).transform(speech.data)[0]) == 8000


def test_a_clip_with_two_labels_warns_and_names_both_rows(manifest):
    text = "path,label,start\na.wav,yes,0\na.wav,no,0.5\nsub/b.wav,yes,0\n./a.wav,yes,0\n"
    load_speech_manifest(manifest(text))
    with pytest.warns(UserWarning, match=r"'yes' in line 2 and 'no' in line 6"):
        load_speech_manifest(manifest(text + "a.wav,no,0\n"))
