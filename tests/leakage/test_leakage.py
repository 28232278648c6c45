import io
import pickle
import unicodedata

import numpy as np
import pytest
import soundfile
import soxr
from joblib import parallel_config
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, LeaveOneOut

from sklearn_speech.leakage._check_speaker_leakage import LeakageReport, check_speaker_leakage
from sklearn_speech.leakage._fingerprint import (
    candidate_pairs,
    fingerprint,
    matching_signal,
    n_code_bits,
    similarity,
)
from sklearn_speech.utils.validation import make_ragged

RATE = 8000


def sound(seed, n_times=5000, rate=RATE):
    """A chirp with harmonics and a burst of noise, over a noise floor."""
    rng = np.random.RandomState(seed)
    t = np.arange(n_times) / rate
    pitch = rng.uniform(90, 250) + rng.uniform(-60, 60) * t / t[-1]
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    x = sum(rng.uniform(0.1, 1) * np.sin(k * phase + rng.uniform(0, 6)) for k in range(1, 12))
    x *= np.sin(np.pi * t / t[-1])
    x[n_times // 2 :] += rng.randn(n_times - n_times // 2) * 0.8
    return (0.1 * x + 0.0005 * rng.randn(n_times)).astype(np.float32)


def encoded(x, rate, fmt):
    file = io.BytesIO()
    soundfile.write(file, x, rate, format=fmt)
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


def resampled(x, rate, other):
    return soxr.resample(soxr.resample(x, rate, other), other, rate)


COPIES = {
    "identical": lambda x: x.copy(),
    "cut by 10 % at both ends": lambda x: x[len(x) // 10 : -len(x) // 10],
    "cut by 30 % at the start": lambda x: x[3 * len(x) // 10 :],
    "cut by 30 % at the end": lambda x: x[: 7 * len(x) // 10],
    "ten times softer": lambda x: 0.1 * x,
    "upside down": lambda x: -x,
    "resampled to 6 kHz and back": lambda x: resampled(x, RATE, 6000),
    "cut half a sample off the grid": lambda x: soxr.resample(
        soxr.resample(x, RATE, 16000)[1501:], 16000, RATE
    ),
    "MP3": lambda x: encoded(x, RATE, "MP3"),
    "Ogg Vorbis": lambda x: encoded(x, RATE, "OGG"),
    "silence around": lambda x: np.concatenate([np.zeros(700, x.dtype), x, np.zeros(900, x.dtype)]),
}  # fmt: skip


def copies_of(report):
    return {(leak.i, leak.j) for leak in report.leaks if leak.kind.startswith("copy")}


@pytest.fixture(scope="module")
def clips():
    return [sound(seed) for seed in range(24)]


SPEAKERS = np.repeat(["ada", "ben", "cleo"], 8)


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_under_another_speaker_is_reported_for_any_split(name, clips):
    planted = [*clips, COPIES[name](clips[3])]
    speakers = [*SPEAKERS, "dora"]
    everything_in_training = [(np.arange(25), np.array([], int))]
    for cv in (LeaveOneGroupOut(), everything_in_training):
        report = check_speaker_leakage(planted, None, speakers, cv, sample_rate=RATE)
        assert report.n_leaks == 1
        leak = report.leaks[0]
        assert (leak.kind, leak.i, leak.j) == ("copy under two speakers", 3, 24)
        assert (leak.speaker_i, leak.speaker_j) == ("ada", "dora")
        # zeros at the ends are padding, so those clips are the same
        assert leak.identical == (name in ("identical", "silence around"))
        assert 0.9 < leak.similarity <= 1


@pytest.mark.parametrize("name", ["identical", "cut by 30 % at the start", "MP3"])
def test_a_copy_of_the_same_speaker_is_a_leak_only_if_a_split_separates_it(name, clips):
    planted = [*clips, COPIES[name](clips[3])]
    speakers = [*SPEAKERS, "ada"]
    by_speaker = check_speaker_leakage(planted, None, speakers, 3, sample_rate=RATE)
    assert by_speaker.n_leaks == 0
    rest = np.delete(np.arange(25), [3, 24])
    splits = [([3, 24], rest), ([3], [24]), (rest, [3, 24]), ([24], [3])]
    report = check_speaker_leakage(planted, None, speakers, splits, sample_rate=RATE)
    (leak,) = [leak for leak in report.leaks if leak.kind.startswith("copy")]
    assert (leak.kind, leak.i, leak.j, leak.folds) == ("copy on both sides", 3, 24, (1, 3))


def test_different_sounds_are_not_copies(clips):
    report = check_speaker_leakage(clips, None, SPEAKERS, LeaveOneOut(), sample_rate=RATE)
    assert copies_of(report) == set()


def test_each_speaker_divided_by_a_split_is_one_row_with_its_folds(clips):
    splits = [(np.arange(8, 24), np.arange(8)), (np.arange(4), np.arange(4, 12))]
    report = check_speaker_leakage(clips, None, SPEAKERS, splits, sample_rate=RATE)
    (leak,) = report.leaks
    assert (leak.kind, leak.speaker_i, leak.speaker_j) == ("speaker on both sides", "ada", "ada")
    assert (leak.i, leak.j, leak.folds) == (0, 4, (1,))
    with_shuffling = check_speaker_leakage(
        clips, None, SPEAKERS, KFold(3, shuffle=True, random_state=0), sample_rate=RATE
    )
    assert with_shuffling.counts["speaker on both sides"] == 3


def test_cv_none_leaves_one_speaker_out_and_an_int_is_a_number_of_speaker_folds(clips):
    for cv, n_folds in ((None, 3), (2, 2), (GroupKFold(3), 3)):
        report = check_speaker_leakage(clips, None, SPEAKERS, cv, sample_rate=RATE)
        assert (report.n_leaks, report.n_folds) == (0, n_folds)


def test_a_sentence_read_in_training_and_test_is_reported_when_texts_are_given(clips):
    texts = [f"Sentence {i}" for i in range(24)]
    texts[1], texts[9], texts[17] = "Don't ask me.", "don't ask  me", None
    texts[2], texts[10] = "", ""
    report = check_speaker_leakage(clips, None, SPEAKERS, None, sample_rate=RATE, texts=texts)
    (leak,) = report.leaks
    assert (leak.kind, {leak.i, leak.j}) == ("text on both sides", {1, 9})
    assert leak.folds == (0, 1)
    assert "not checked" not in repr(report)


def test_container_and_padding_of_waveforms_do_not_change_the_report(clips):
    planted = [*clips, clips[3][900:], clips[5]]
    speakers = [*SPEAKERS, "dora", "dora"]
    padded = np.zeros((26, 6000))
    for row, clip in zip(padded, planted):
        row[: len(clip)] = clip
    pairs = {
        frozenset(copies_of(check_speaker_leakage(X, None, speakers, None, sample_rate=RATE)))
        for X in (planted, make_ragged(planted), padded, padded.astype(np.float32))
    }
    assert pairs == {frozenset({(3, 24), (5, 25)})}


def test_files_of_other_rates_and_codecs_are_compared(clips, tmp_path):
    paths = []
    for i, clip in enumerate(clips):
        paths.append(tmp_path / f"{i}.wav")
        soundfile.write(paths[-1], clip, RATE)
    louder = soxr.resample(clips[3], RATE, 16000)
    soundfile.write(tmp_path / "a.wav", louder, 16000)
    soundfile.write(tmp_path / "b.mp3", louder, 16000)
    samples = soundfile.read(paths[7], dtype="int16")[0]
    soundfile.write(tmp_path / "c.flac", samples, RATE)
    names = ["a.wav", "b.mp3", "c.flac"]
    speakers = [*SPEAKERS, "dora", "emil", "fay"]
    report = check_speaker_leakage([*paths, *(tmp_path / n for n in names)], None, speakers, None)
    assert copies_of(report) == {(3, 24), (3, 25), (24, 25), (7, 26)}
    flac = next(leak for leak in report.leaks if leak.j == 26)
    assert flac.identical and flac.path_j == str(tmp_path / "c.flac")
    assert "c.flac" in repr(report) and str(tmp_path) in repr(report)


def test_the_error_names_an_unreadable_file(tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    with pytest.raises(ValueError, match=r"bad\.wav"):
        check_speaker_leakage([tmp_path / "bad.wav"] * 2, None, ["a", "b"], None)


def test_silent_and_very_short_clips_are_listed_and_identical_short_clips_are_found():
    rng = np.random.RandomState(0)
    short = rng.randn(400).astype(np.float32)
    X = make_ragged([np.zeros(900), np.zeros(900), np.ones(5), short, short, [0.5], rng.randn(9)])
    report = check_speaker_leakage(X, None, list("abcdefg"), None, sample_rate=RATE)
    assert report.silent == [0, 1, 2, 5]
    assert report.short == [3, 4, 6]
    assert copies_of(report) == {(3, 4)}
    assert "silent" in repr(report)


def test_each_of_many_identical_clips_is_reported_without_listing_all_pairs():
    X = np.tile(sound(0, 2000), (200, 1))
    report = check_speaker_leakage(X, None, np.arange(200), 2, sample_rate=RATE)
    assert {k for pair in copies_of(report) for k in pair} == set(range(200))
    assert report.n_leaks < 200 * 64


def test_copies_of_two_identical_clips_are_reported_for_both(clips):
    planted = [clips[0], clips[0], clips[0][700:]]
    report = check_speaker_leakage(planted, None, list("abc"), None, sample_rate=RATE)
    assert copies_of(report) == {(0, 1), (0, 2), (1, 2)}


def test_the_threshold_decides_what_counts_as_a_copy(clips):
    planted = [*clips, clips[3] + 0.01 * np.random.RandomState(0).randn(5000)]
    speakers = [*SPEAKERS, "dora"]
    low, high = (
        check_speaker_leakage(planted, None, speakers, None, sample_rate=RATE, threshold=t)
        for t in (0.3, 0.999)
    )
    assert copies_of(low) == {(3, 24)} and copies_of(high) == set()
    assert 0.3 < low.leaks[0].similarity < 0.999


def test_a_leak_is_an_error_if_requested(clips):
    planted = [*clips, clips[3][900:]]
    with pytest.raises(ValueError, match="copy under two speakers"):
        check_speaker_leakage(
            planted, None, [*SPEAKERS, "dora"], None, sample_rate=RATE, raise_on_leak=True
        )
    clean = check_speaker_leakage(clips, None, SPEAKERS, None, sample_rate=RATE, raise_on_leak=True)
    assert clean.n_leaks == 0


def test_n_jobs_does_not_change_the_report(clips):
    planted = [*clips, clips[3][900:]] * 12  # more than one chunk
    speakers = [*SPEAKERS, "dora"] * 12
    given = {"X": planted, "y": None, "speakers": speakers, "cv": None, "sample_rate": RATE}
    one = check_speaker_leakage(**given)
    with parallel_config(backend="threading"):
        two = check_speaker_leakage(**given, n_jobs=2)
    assert one.leaks == two.leaks and one.n_leaks > 100


def test_the_report_can_be_pickled_and_shown_as_text_html_and_data_frame(clips):
    planted = [*clips, clips[3][900:]]
    speakers = [*SPEAKERS, "<dora>"]
    report = check_speaker_leakage(planted, None, speakers, KFold(5), sample_rate=RATE)
    again = pickle.loads(pickle.dumps(report))
    assert isinstance(again, LeakageReport)
    assert repr(again) == repr(report) and again.leaks[-1] == report.leaks[-1]
    frame = report.to_frame()
    assert len(frame) == report.n_leaks == sum(report.counts.values())
    assert frame["kind"].value_counts()["copy under two speakers"] == 1
    assert "<dora>" in repr(report) and "&lt;dora&gt;" in report._repr_html_()
    assert max(map(len, repr(report).splitlines())) <= 120


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sample_rate": None}, "sample_rate"),
        ({"sample_rate": -1}, "sample_rate"),
        ({"threshold": 0}, "threshold"),
        ({"speakers": ["a"] * 23}, "speakers has 23"),
        (
            {"speakers": ["a"] * 23 + [None]},
            r"speakers has missing values at 1 of 24 .* position 23",
        ),
        (
            {"speakers": ["a"] * 23 + [float("nan")]},
            r"speakers has missing values at 1 of 24 .* position 23",
        ),
        ({"speakers": ["a"] * 23 + [" "]}, "speakers has missing values at 1 of 24"),
        ({"speakers": ["a"] * 24}, "only one speaker"),
        ({"texts": ["a"]}, "texts has 1"),
        ({"texts": [3] * 24}, r"texts\[0\]"),
        ({"cv": "kfold"}, "cv='kfold'"),
        ({"cv": []}, "no split"),
        ({"cv": [([0], [99])]}, "split 0"),
        ({"cv": [([0.5], [1])]}, "split 0"),
        ({"cv": [3, 4]}, "split 0"),
    ],
)
def test_errors_name_the_invalid_argument(changes, message, clips):
    given = {"speakers": SPEAKERS, "cv": None, "sample_rate": RATE} | changes
    with pytest.raises(ValueError, match=message):
        check_speaker_leakage(clips, None, **given)


def test_a_missing_value_of_pandas_is_a_missing_speaker(clips):
    pd = pytest.importorskip("pandas")
    speakers = pd.Series(["a"] * 23 + [pd.NA], dtype="string")
    with pytest.raises(ValueError, match=r"1 of 24 clips .* position 23"):
        check_speaker_leakage(clips, None, speakers, None, sample_rate=RATE)


def test_similarity_of_a_shifted_signal_is_one_at_its_lag_only():
    signal = matching_signal(sound(0))
    assert similarity(signal, signal[1000:], 1000) == pytest.approx(1, abs=1e-4)
    assert similarity(signal[1000:], signal, -1000) == pytest.approx(1, abs=1e-4)
    assert similarity(signal, signal[1000:], 1300) < 0.5
    assert similarity(signal, signal, 2600) == 0  # less than half overlaps
    assert similarity(signal, signal, 9000) == 0


def test_candidates_are_the_true_pairs_with_their_lags(clips):
    first, second, lags = candidate_pairs(fingerprint([*clips, clips[3][777:]]))
    assert {(3, 24, 777)} <= set(zip(first.tolist(), second.tolist(), lags.tolist()))
    assert np.all(first < second)


def test_no_fingerprints_give_no_candidates():
    assert all(len(part) == 0 for part in candidate_pairs(fingerprint([np.zeros(10)] * 3)))


def test_code_bits_grow_with_the_collection():
    assert [n_code_bits(n) for n in (0, 2**16, 2**17, 2**18, 2**40)] == [32, 32, 36, 40, 60]


@pytest.fixture(scope="module")
def digits(fsdd_folder):
    paths = sorted((fsdd_folder / "recordings").glob("*_[0-9].wav"))
    assert len(paths) == 600
    return paths, [path.stem.split("_")[1] for path in paths]


def test_spoken_digits_have_no_copies_even_with_one_fold_per_clip(digits):
    paths, speakers = digits
    report = check_speaker_leakage(paths, None, speakers, KFold(300))
    assert copies_of(report) == set()
    assert check_speaker_leakage(paths, None, speakers, None).n_leaks == 0


def test_planted_copies_of_spoken_digits_are_all_found(digits, tmp_path):
    paths, speakers = digits
    planted, expected = [], set()
    for k, change in enumerate(COPIES.values()):
        for source in range(7 * k, 600, 150):
            x = change(soundfile.read(paths[source], dtype="float32")[0])
            planted.append(tmp_path / f"{k}_{source}.wav")
            soundfile.write(planted[-1], x, RATE)
            expected.add((source, len(paths) + len(planted) - 1))
    report = check_speaker_leakage(
        [*paths, *planted], None, [*speakers, *["second name"] * len(planted)], None
    )
    between = {pair for pair in copies_of(report) if pair[0] < 600}
    assert between == expected


def test_sentences_that_every_speaker_reads_are_reported(timit_folder):
    paths = sorted(timit_folder.glob("*/s[ax]*.wav"))
    texts = [" ".join(p.with_suffix(".txt").read_text().split()[2:]) for p in paths]
    speakers = [p.parent.name for p in paths]
    report = check_speaker_leakage(paths, None, speakers, None, texts=texts)
    assert report.counts["text on both sides"] == report.n_leaks == 2
    assert {report.leaks[0].path_i[-7:], report.leaks[1].path_i[-7:]} == {"sa1.wav", "sa2.wav"}


def test_two_unicode_forms_of_a_name_are_one_speaker():
    speakers = [unicodedata.normalize(form, "zoé") for form in ("NFC", "NFD")] * 2
    X = [sound(seed) for seed in range(4)]
    report = check_speaker_leakage(X, None, speakers, [([0, 2], [1, 3])], sample_rate=RATE)
    assert report.n_speakers == 1
    assert [leak.kind for leak in report.leaks] == ["speaker on both sides"]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Tiếng Việt", unicodedata.normalize("NFD", "tiếng việt!"), True),
        ("don\u2019t ask", "Don't ask", True),
        ("你好。世界", "你好世界", True),
        ("कि", "की", False),  # they differ in a vowel sign
        ("มา", "ม้า", False),  # in a tone
        ("كَتَبَ", "كُتُب", False),  # in harakat
        ("yes 👍", "yes 👎", False),
    ],
)
def test_texts_are_compared_by_their_letters_in_every_script(clips, one, other, is_same):
    texts = [None] * 24
    texts[1], texts[9] = one, other
    report = check_speaker_leakage(clips, None, SPEAKERS, None, sample_rate=RATE, texts=texts)
    assert report.counts["text on both sides"] == int(is_same)
