"""Recordings in memory give the same waveform as their files, in each form."""

import gzip
import io

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.model_selection import KFold

from sklearn_speech import (
    AudioReader,
    AudioSegment,
    SpectrogramLinearClassifier,
    check_audio_files,
    check_speaker_leakage,
    cross_validate_by_speaker,
    make_speech_pipeline,
)

SMALL_LINEAR = SpectrogramLinearClassifier(max_epochs=1, random_state=0)

RATE = 22050
SAMPLES = (0.1 * np.sin(np.arange(RATE) * 0.05)).astype(np.float32)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "tone.wav"
    soundfile.write(path, SAMPLES, RATE, subtype="FLOAT")
    return path


#: Every form of one recording, made from the path of its file.
FORMS = {
    "str": str,
    "path": lambda path: path,
    "segment": AudioSegment,
    "bytes": lambda path: path.read_bytes(),
    "bytearray": lambda path: bytearray(path.read_bytes()),
    "memoryview": lambda path: memoryview(path.read_bytes()),
    "file in memory": lambda path: io.BytesIO(path.read_bytes()),
    "samples and rate": soundfile.read,
    "list of samples and rate": lambda path: (soundfile.read(path)[0].tolist(), RATE),
    "both channels": lambda path: (np.column_stack([SAMPLES, SAMPLES]), RATE),
    "float64 rate": lambda path: (SAMPLES, float(RATE)),
    "decoded dict": lambda path: {"path": None, "array": SAMPLES, "sampling_rate": RATE},
    "dict of bytes": lambda path: {"bytes": path.read_bytes(), "path": "elsewhere.wav"},
    "dict of a path": lambda path: {"bytes": None, "path": str(path)},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sample_rate", [8000, RATE, 44100])
def test_each_form_gives_the_same_waveform_as_the_file(form, sample_rate, path):
    reader = AudioReader(sample_rate)
    expected = reader.fit_transform([path])[0]
    given = FORMS[form](path)
    for X in ([given], (given,), pd.Series([given])):
        np.testing.assert_allclose(reader.fit_transform(X)[0], expected, atol=1e-7)


def test_predictions_are_the_same_for_each_form(path):
    clips = [AudioSegment(path, end=0.5), AudioSegment(path, start=0.5)]
    pipeline = make_speech_pipeline(SMALL_LINEAR, sample_rate=8000).fit(clips, ["a", "b"])
    predictions = [pipeline.predict_proba([FORMS[form](path)])[0] for form in FORMS]
    np.testing.assert_allclose(predictions, [predictions[0]] * len(FORMS), atol=1e-6)


def test_an_open_file_is_read_completely_and_its_position_is_restored(path):
    with open(path, "rb") as file:
        file.seek(100)
        waveform = AudioReader(RATE).fit_transform([file])[0]
        assert file.tell() == 100
    np.testing.assert_array_equal(waveform, SAMPLES)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint8"])
def test_integers_are_scaled_like_those_of_a_sound_file(dtype):
    rng = np.random.default_rng(0)
    samples = rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, 4000, dtype=dtype)
    file, subtype = io.BytesIO(), {"int8": "PCM_S8", "uint8": "PCM_U8"}.get(dtype, "PCM_16")
    unsigned = samples.astype(np.int64) - (128 if dtype == "uint8" else 0)
    bits = np.iinfo(dtype).bits
    pcm = (unsigned * 2 ** (32 - bits)).astype(np.int32)
    subtype = "PCM_32" if dtype == "int32" else subtype
    soundfile.write(file, pcm, 8000, subtype=subtype, format="CAF" if dtype == "int8" else "WAV")
    by_file, by_samples = AudioReader(8000).transform([file, (samples, 8000)])
    np.testing.assert_allclose(by_samples, by_file, atol=1e-7)


WRONG = {
    "samples alone": ([SAMPLES], TypeError, r"X\[0\] .* need their sampling rate.*\(samples, sa"),
    "one waveform": (
        SAMPLES,
        TypeError,
        r"X is one array of .*\(samples, sample_rate\)",
    ),
    "a matrix": (np.zeros((2, 800)), ValueError, "need their sampling rate"),
    "scipy's order": ([(RATE, SAMPLES)], TypeError, r"expected \(samples, sample_rate\)"),
    "no list": ((SAMPLES, RATE), TypeError, r"X is one recording.*\[X\]"),
    "no list of a dict": ({"array": SAMPLES, "sampling_rate": 1}, TypeError, "one recording"),
    "no list of bytes": (b"RIFF", TypeError, "X is one recording"),
    "int64": ([(np.arange(9), RATE)], TypeError, r"X\[0\] holds samples of dtype int64.*int16"),
    "no rate": ([{"array": SAMPLES}], ValueError, "sampling_rate=None"),
    "rate 0": ([(SAMPLES, 0)], ValueError, r"X\[0\] has sample_rate=0"),
    "infinite rate": ([(SAMPLES, np.inf)], ValueError, "sample_rate=inf"),
    "half a Hz": ([(SAMPLES, 8000.5)], ValueError, "whole number of Hz"),
    "rate 10": ([(SAMPLES, 10)], ValueError, r"X\[0\] \(10 Hz\): its sampling rate is 10 Hz"),
    "channels first": ([(np.zeros((2, 800)), RATE)], ValueError, "transpose"),
    "no keys": ([{"audio": SAMPLES}], TypeError, r"keys \['audio'\]: expected \"array\""),
    "text file": ([io.StringIO("RIFF")], TypeError, 'mode "rb"'),
    "text": ([b"no sound at all"], ValueError, r"X\[0\] \(bytes\): .*is text"),
    "no bytes": ([b""], ValueError, r"X\[0\] \(bytes\): empty"),
    "no samples": ([([], RATE)], ValueError, "zero samples"),
    "NaN": ([(np.full(9, np.nan), RATE)], ValueError, r"X\[0\] .*NaN"),
    "too loud": ([(SAMPLES * 32768, RATE)], ValueError, "peak of"),
    "None": ([None], TypeError, "expected the path of a sound file"),
}


@pytest.mark.parametrize("what", WRONG)
def test_errors_name_the_position_of_an_invalid_recording_and_the_expected_forms(what):
    X, error, message = WRONG[what]
    with pytest.raises(error, match=message):
        AudioReader(8000).transform(X)


def test_a_cut_off_recording_in_memory_is_read_like_its_file(path, tmp_path):
    cut = path.read_bytes()[:40000]
    (tmp_path / "cut.wav").write_bytes(cut)
    reader = AudioReader(RATE, on_error="warn")
    with pytest.warns(UserWarning, match=r"X\[1\] \(bytes\)"):
        by_file, by_bytes = reader.transform([tmp_path / "cut.wav", cut])
    np.testing.assert_array_equal(by_bytes, by_file)


def test_a_report_names_the_position_of_a_bad_recording():
    report = check_audio_files([(SAMPLES, RATE), b""])
    assert report.bad == {"paths[1] (bytes)": "empty (0 bytes)"}
    assert report.sample_rate.tolist() == [RATE, 0]


def test_copies_are_found_among_recordings_in_memory():
    rng = np.random.default_rng(0)
    clips = [(rng.normal(scale=0.1, size=8000), 8000) for _ in range(2)]
    report = check_speaker_leakage([*clips, clips[0]], [0, 1, 0], ["ann", "bob", "cy"], KFold(3))
    assert {(leak.i, leak.j) for leak in report.leaks} == {(0, 2)}


def test_dicts_give_the_same_scores_by_speaker_as_paths(tmp_path):
    rng = np.random.default_rng(0)
    dicts = [{"array": a, "sampling_rate": 8000} for a in rng.normal(scale=0.1, size=(8, 800))]
    paths = [tmp_path / f"{i}.wav" for i in range(8)]
    for entry, path in zip(dicts, paths):
        soundfile.write(path, entry["array"], 8000, subtype="DOUBLE")
    pipeline = make_speech_pipeline(SMALL_LINEAR, sample_rate=8000)
    y, speakers = np.tile(["a", "b"], 4), np.repeat(["p", "q"], 4)
    by_dict, by_path = (cross_validate_by_speaker(pipeline, X, y, speakers) for X in (dicts, paths))
    np.testing.assert_array_equal(by_dict["test_score"], by_path["test_score"])


def closed(path):
    with path.open("rb") as file:
        return file


@pytest.mark.parametrize(
    "open_file",
    [
        closed,
        lambda path: path.with_name("new.wav").open("wb"),
        lambda path: gzip.open(path),
        lambda path: gzip.open(io.BytesIO(gzip.compress(path.read_bytes())[:-5000])),
    ],
    ids=["closed", "for writing", "no gzip", "gzip cut short"],
)
def test_the_error_names_the_position_of_a_file_that_cannot_be_read(path, open_file):
    file = open_file(path)
    with pytest.raises(ValueError, match=r"X\[1\] is a file that cannot"):
        AudioReader(RATE).fit_transform([path, file])
    file.close()


def test_an_open_decoder_is_not_taken_for_a_text_file(path):
    with soundfile.SoundFile(path) as sound, pytest.raises(TypeError, match="returns ndarray"):
        AudioReader(RATE).fit_transform([sound])
