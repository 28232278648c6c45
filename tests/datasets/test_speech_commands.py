"""fetch_speech_commands on small copies made here, and on a slice of the real recordings."""

import hashlib
import io
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sklearn_speech.audio import AudioReader, AudioSegment, PadOrTrim
from sklearn_speech.datasets import (
    _noise_recordings,
    _speech_commands,
    _speech_commands_files,
    fetch_speech_commands,
)
from sklearn_speech.datasets._noise_recordings import make_noise, noise_folder

SPEAKERS = ("00f0204f", "0a7c2a8d", "ffd2ba2f")


def write_clip(path, n_times=1600, rate=16000):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(n_times, 0.1), rate)


def make_copy(home, version="v0.02", noises=("pink_noise", "running_tap", "white_noise")):
    """Ten words and two others; the second speaker is for validation, the third for testing."""
    folder = home / f"speech_commands_{version}"
    for word in (*_speech_commands.TARGET_WORDS, "bed", "zero"):
        for i, speaker in enumerate(SPEAKERS):
            for take in range(i + 1):
                write_clip(folder / word / f"{speaker}_nohash_{take}.wav")
    words = (*_speech_commands.TARGET_WORDS, "bed", "zero", "tree")
    for name, speaker in (("validation", SPEAKERS[1]), ("testing", SPEAKERS[2])):
        lines = [f"{word}/{speaker}_nohash_{take}.wav\n" for word in words for take in range(3)]
        (folder / f"{name}_list.txt").write_text("".join(lines))
    for noise in noises:
        write_clip(folder / "_background_noise_" / f"{noise}.wav", n_times=40_000)
    return folder


def make_test_set(home):
    folder = home / "speech_commands_test_set_v0.02"
    for word in (*_speech_commands.TARGET_WORDS, "_unknown_"):
        write_clip(folder / word / f"{SPEAKERS[2]}_nohash_0.wav")
    write_clip(folder / "_unknown_" / f"bed_{SPEAKERS[2]}_nohash_4.wav")
    for i in range(3):
        write_clip(folder / "_silence_" / f"{i}.wav")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Both archives; tests must not change them."""
    home = tmp_path_factory.mktemp("home")
    make_copy(home)
    make_test_set(home)
    return home


@pytest.fixture
def own_home(tmp_path):
    make_copy(tmp_path)
    return tmp_path


def fetch(home, *args, **options):
    options = {"download_if_missing": False, "noise_home": home / "noise", **options}
    return fetch_speech_commands(*args, data_home=home, **options)


def test_twelve_classes_are_ten_words_unknown_and_silence(home):
    speech = fetch(home)
    assert sorted(set(speech.target)) == sorted(
        [*_speech_commands.TARGET_WORDS, "_silence_", "_unknown_"]
    )
    assert set(speech.word[speech.target == "_unknown_"]) == {"bed", "zero"}
    assert speech.split is None and speech.sample_rate == 16000
    for path, word, speaker, take in zip(speech.data, speech.word, speech.speaker, speech.take):
        if word != "_silence_":
            assert path.endswith(f"{word}/{speaker}_nohash_{take}.wav")


def test_all_words_are_classes_of_their_own_without_silence(home):
    speech = fetch(home, words="all")
    assert set(speech.target) == {*_speech_commands.TARGET_WORDS, "bed", "zero"}
    np.testing.assert_array_equal(speech.target, speech.word)
    assert speech.data.dtype.kind == "U"
    assert "_silence_" in fetch(home, words="all", silence=True).target


def test_chosen_words_without_unknown_and_silence(home):
    speech = fetch(home, words=["yes", "no"], unknown=False, silence=False)
    assert Counter(speech.target) == {"no": 6, "yes": 6}


def test_lists_determine_training_validation_and_test_clips(home):
    speech = fetch(home, split="lists", silence=False)
    for speaker, part in zip(SPEAKERS, ("train", "validation", "test")):
        assert set(speech.split[speech.speaker == speaker]) == {part}


def test_official_test_set_of_the_twelve_classes_is_a_separate_archive(home):
    speech = fetch(home, split="official")
    tested = speech.data[speech.split == "test"]
    assert all("speech_commands_test_set_v0.02" in path for path in tested)
    assert Counter(speech.target[speech.split == "test"]) == {
        **dict.fromkeys(_speech_commands.TARGET_WORDS, 1), "_unknown_": 2, "_silence_": 3,
    }  # fmt: skip
    # the third speaker's clips of the main archive are neither trained on nor tested
    assert set(speech.speaker[speech.split == "train"]) & set(SPEAKERS) == {SPEAKERS[0]}


@pytest.mark.parametrize("options", [{"words": "all"}, {"words": ["yes"]}, {"unknown": False}])
def test_official_test_set_of_other_tasks_is_the_list(home, options):
    speech = fetch(home, split="official", **options)
    assert all("speech_commands_test_set" not in str(path) for path in speech.data)
    assert "test" in speech.split


def test_noise_windows_last_one_second_with_half_a_second_of_hop(home):
    speech = fetch(home)
    silence = speech.data[speech.target == "_silence_"]
    assert {segment.duration for segment in silence} == {1.0}
    # 40,000 samples hold windows that begin at 0, 0.5, 1 and 1.5 s
    assert Counter(segment.start for segment in silence) == {0.0: 3, 0.5: 3, 1.0: 3, 1.5: 3}
    waveforms = AudioReader(16000).transform(silence)
    assert {len(waveform) for waveform in waveforms} == {16000}


def test_running_tap_is_for_validation_and_other_noises_for_training(home):
    speech = fetch(home, split="lists")
    part = {s: p for s, p, t in zip(speech.speaker, speech.split, speech.target) if t[0] == "_"}
    assert part["_background_noise_running_tap"] == "validation"
    assert part["_background_noise_pink_noise"] == part["_background_noise_white_noise"] == "train"


def test_no_noise_file_belongs_to_two_speakers(home):
    speech = fetch(home)
    noises = {(s, d.path) for s, d in zip(speech.speaker, speech.data) if hasattr(d, "path")}
    assert len(noises) == len({s for s, _ in noises}) == len({path for _, path in noises}) == 3


def test_number_of_silence_windows_can_be_limited_and_is_spread_over_noises(home):
    speech = fetch(home, silence=6)
    chosen = speech.speaker[speech.target == "_silence_"]
    assert len(chosen) == 6 and len(set(chosen)) == 3


@pytest.mark.parametrize("split", ["lists", None])
def test_weights_give_unknown_and_silence_as_much_as_a_word(home, split):
    speech = fetch(home, split=split)
    train = np.ones(len(speech.target), bool) if split is None else speech.split == "train"
    total = {c: speech.sample_weight[train & (speech.target == c)].sum() for c in ("yes", "no")}
    for name in ("_unknown_", "_silence_"):
        weight = speech.sample_weight[train & (speech.target == name)].sum()
        assert weight == pytest.approx(np.mean(list(total.values())))
    assert set(speech.sample_weight[np.isin(speech.target, list(total))]) == {1.0}


def test_weights_of_the_published_counts_are_the_published_weights():
    """Training part of v0.02: 30,769 clips of ten words, 54,074 of others, 668 silences."""
    counts = {word: 3077 for word in _speech_commands.TARGET_WORDS}
    target = np.repeat([*counts, "_unknown_", "_silence_"], [*counts.values(), 54_074, 668])
    weights = _speech_commands._balance(target, np.full(len(target), True), set(counts))
    assert weights[target == "_silence_"][0] == pytest.approx(4.6, abs=0.01)
    assert 1 / weights[target == "_unknown_"][0] == pytest.approx(17.6, abs=0.05)


def test_a_warning_counts_missing_clips(home):
    speech = fetch(home)
    assert speech.n_missing == 105_829 - 72
    assert "lacks 105,757 of its 105,829" in speech.DESCR


def test_missing_noise_is_generated_once_and_reproducibly(tmp_path):
    make_copy(tmp_path, "v0.01", noises=())
    speech = fetch(tmp_path, "v0.01", split="lists")
    silence = speech.target == "_silence_"
    assert all(segment.path.startswith(str(tmp_path / "noise")) for segment in speech.data[silence])
    assert Counter(speech.split[silence]) == {"train": 248, "validation": 62}
    files = sorted((tmp_path / "noise").iterdir())
    before = [path.stat().st_mtime_ns for path in files]
    again = fetch(tmp_path, "v0.01")
    assert list(again.data[silence]) == list(speech.data[silence])
    assert [path.stat().st_mtime_ns for path in files] == before
    X = PadOrTrim(n_times=16000).fit_transform(AudioReader(16000).transform(speech.data[-62:]))
    assert X.shape == (62, 16000) and np.abs(X).max(1).min() > 0


@pytest.mark.parametrize("slope", _noise_recordings.SLOPES)
def test_noise_has_the_spectral_slope_of_its_colour(slope):
    noise = make_noise(slope, -20.0, 16000, seed=0)
    spectrum = np.abs(np.fft.rfft(noise * np.hanning(len(noise)))) ** 2
    frequencies = np.fft.rfftfreq(len(noise), 1 / 16000)
    octaves = [(f, spectrum[(frequencies >= f) & (frequencies < 2 * f)].mean()) for f in
               100.0 * 2 ** np.arange(6)]  # fmt: skip
    log_f, log_power = np.log2(octaves).T
    assert np.polyfit(log_f, log_power, 1)[0] == pytest.approx(-slope, abs=0.1)


def test_noise_is_in_the_user_cache_by_default(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert tmp_path in noise_folder().parents


def test_clips_with_strange_names_are_left_out_and_counted(own_home):
    write_clip(own_home / "speech_commands_v0.02" / "yes" / "mine.wav")
    with pytest.warns(UserWarning, match=r"1 sound files .*\(yes/mine.wav\)"):
        assert len(fetch(own_home, silence=False).data) == 72


def test_the_error_names_the_folder_without_recordings(tmp_path):
    with pytest.raises(OSError, match=r"no recordings .*speech_commands_v0\.01"):
        fetch(tmp_path, "v0.01")


def test_missing_lists_are_an_error_only_where_needed(own_home):
    (own_home / "speech_commands_v0.02" / "testing_list.txt").unlink()
    with pytest.raises(OSError, match=r"testing_list\.txt is missing"):
        fetch(own_home, split="lists")
    assert fetch(own_home).split is None


@pytest.mark.parametrize(
    "options, message",
    [
        ({"version": "v0.03"}, "'version' parameter"),
        ({"words": "yes"}, r"words='yes': expected a list, such as \['yes'\]"),
        ({"words": ["yes", "perhaps"]}, r"words=\['yes', 'perhaps'\]: expected words from"),
        ({"words": []}, r"words=\[\]"),
        ({"words": ["tree"]}, r"words=\['tree'\]: .* contains no clip of tree"),
        ({"words": 5}, "words=5: expected a list of words"),
        ({"silence": 0}, "'silence' parameter"),
        ({"split": "random"}, "'split' parameter"),
    ],
)
def test_errors_name_wrong_arguments(home, options, message):
    with pytest.raises(ValueError, match=message):
        fetch(home, **options)


def pack(folder, path, extra=()):
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        tar.add(folder, arcname=".")
        for name in extra:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Both archives, at the URLs of the download."""
    made = tmp_path / "made"
    sums = {}
    for make in (make_copy, make_test_set):
        folder = make(made)
        sums[folder.name] = pack(folder, tmp_path / f"{folder.name}.tar.gz", ["../../evil.wav"])
    monkeypatch.setattr(_speech_commands_files, "_BASE_URL", tmp_path.as_uri() + "/")
    monkeypatch.setattr(_speech_commands_files, "ARCHIVES", sums)
    return tmp_path


def test_download_equals_a_local_copy(served):
    options = {"split": "official", "download_if_missing": True, "verbose": False}
    fetched = fetch(served / "home", **options)
    local = fetch(served / "made", **options)
    np.testing.assert_array_equal(fetched.target, local.target)
    np.testing.assert_array_equal(fetched.split, local.split)
    assert Path(fetched.data[0]).read_bytes() == Path(local.data[0]).read_bytes()
    assert not list(served.rglob("evil.wav"))
    for archive in served.glob("*.tar.gz"):
        archive.unlink()
    assert len(fetch(served / "home", **options).data) == len(fetched.data)  # from the disk


def test_an_archive_with_another_checksum_is_refused(served, monkeypatch):
    monkeypatch.setitem(_speech_commands_files.ARCHIVES, "speech_commands_v0.02", "0" * 64)
    with pytest.raises(OSError, match=r"has SHA-256 .* expected 0000"):
        fetch(served / "home", download_if_missing=True, verbose=False)
    assert not list((served / "home").iterdir())


def test_published_checksums_have_full_length():
    assert all(
        len(bytes.fromhex(digest)) == 32 for digest in _speech_commands_files.ARCHIVES.values()
    )


def test_the_slice_has_its_known_counts(speech_commands_folder, tmp_path):
    speech = fetch_speech_commands(
        "v0.01", words="all", split="lists", data_home=speech_commands_folder.parent,
        download_if_missing=False,
    )  # fmt: skip
    assert (len(speech.data), len(set(speech.speaker))) == (2035, 466)
    assert set(speech.target) == set(_speech_commands.WORDS["v0.01"])
    assert speech.n_missing == 64_721 - 2035
    assert Counter(speech.split) == {"train": 1765, "validation": 219, "test": 51}
    by_part = {part: set(speech.speaker[speech.split == part]) for part in set(speech.split)}
    assert not by_part["train"] & by_part["test"] and not by_part["train"] & by_part["validation"]
    twelve = fetch_speech_commands(
        "v0.01", words=["down", "go", "left", "right", "up"], split="official", silence=False,
        data_home=speech_commands_folder.parent, noise_home=tmp_path, download_if_missing=False,
    )  # fmt: skip
    tested = twelve.split == "test"
    assert (tested & (twelve.target != "_unknown_")).sum() == 12
    waveforms = AudioReader(16000).transform(speech.data[::40])
    assert max(map(len, waveforms)) == 16000 > min(map(len, waveforms))


def test_segments_and_paths_are_read_alike(home):
    speech = fetch(home)
    kinds = {type(entry) for entry in speech.data}
    assert kinds == {str, AudioSegment}
    assert len(AudioReader(16000).transform(speech.data[[0, -1]])) == 2


def test_words_may_be_an_array_and_flags_numpy_booleans(home):
    fetched = fetch(home, words=np.array(["yes", "no"]), silence=np.True_)
    listed = fetch(home, words=["yes", "no"], silence=True)
    np.testing.assert_array_equal(fetched.target, listed.target)


def test_folders_outside_of_the_data_set_are_left_out(own_home):
    write_clip(own_home / "speech_commands_v0.02" / "hello" / f"{SPEAKERS[0]}_nohash_0.wav")
    with pytest.warns(UserWarning, match=r"1 sound files .*hello/"):
        speech = fetch(own_home, words="all")
    assert "_unknown_" not in speech.target


def test_silence_needs_a_noise_of_at_least_one_second(own_home):
    for path in (own_home / "speech_commands_v0.02" / "_background_noise_").glob("*.wav"):
        soundfile.write(path, np.zeros(8000), 16000)
    with pytest.raises(ValueError, match=r"noise of at least 1 s, but .* contains none"):
        fetch(own_home)
    assert len(fetch(own_home, silence=False).data)


def test_missing_files_of_the_test_archive_are_counted_when_it_is_used(home):
    lists, official = (fetch(home, split=split).n_missing for split in ("lists", "official"))
    assert official - lists == 4890 - 15


@pytest.mark.parametrize("file", ["README.md", "_background_noise_/pink_noise.wav"])
def test_a_folder_without_words_is_refused_and_unchanged(tmp_path, file):
    path = tmp_path / "speech_commands_v0.01" / file
    write_clip(path.with_suffix(".wav"), 40_000)
    path.with_suffix(".wav").rename(path)
    for download in (False, True):
        with pytest.raises(OSError, match=r"speech_commands_v0.01 contains no words of Speech Com"):
            fetch(tmp_path, "v0.01", download_if_missing=download)
    assert path.exists()


def test_a_copy_without_words_of_the_task_is_refused_and_with_a_part_warns(tmp_path):
    folder = tmp_path / "speech_commands_v0.01"
    write_clip(folder / "bed" / f"{SPEAKERS[0]}_nohash_0.wav")
    with pytest.raises(ValueError, match=r"words=None: .* contains no clip of down, go, left"):
        fetch(tmp_path, "v0.01")
    write_clip(folder / "up" / f"{SPEAKERS[0]}_nohash_0.wav")
    with pytest.warns(UserWarning, match=r"no clip of down, .*, stop, yes: these classes"):
        speech = fetch(tmp_path, "v0.01", silence=False)
    assert sorted(set(speech.target)) == ["_unknown_", "up"]


def test_hidden_noise_files_are_ignored_and_broken_ones_are_an_error(own_home):
    noises = own_home / "speech_commands_v0.02" / "_background_noise_"
    before = len(fetch(own_home).data)
    (noises / "._pink_noise.wav").write_bytes(b"of another system")
    assert len(fetch(own_home).data) == before
    (noises / "empty.wav").touch()
    with pytest.raises(ValueError, match=r"noise cannot be read: .*empty\.wav"):
        fetch(own_home)
    assert len(fetch(own_home, silence=False).data) == before - 12


def test_lists_written_on_windows_are_read_and_invalid_ones_refused(own_home):
    expected = fetch(own_home, split="lists").split
    path = own_home / "speech_commands_v0.02" / "testing_list.txt"
    lines = path.read_text().split()
    path.write_bytes(
        "\r\n".join(".\\" + line.replace("/", "\\") for line in lines).encode("utf-8-sig")
    )
    np.testing.assert_array_equal(fetch(own_home, split="lists").split, expected)
    path.write_text("0a7c2a8d,test\n")
    with pytest.raises(ValueError, match=r"testing_list\.txt names '0a7c2a8d,test'; expected"):
        fetch(own_home, split="lists")
