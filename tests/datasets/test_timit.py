"""TIMIT in every layout in which it is distributed, and facts about NLTK's sample."""

import numpy as np
import pytest
import soundfile

from sklearn_speech.audio import AudioReader
from sklearn_speech.datasets import get_data_home, load_timit
from sklearn_speech.metrics import TIMIT_PHONES, fold_phones

PHN = "0 400 h#\n400 600 q\n600 900 ao\n900 1000 tcl\n1000 1100 t\n1100 1500 h#\n"
WRD = "400 1100 ought\n"
TXT = "0 1600 Ought.\n"

TONE = (0.1 * np.sin(np.arange(1600) * 0.3)).astype(np.float32)

#: The header of a file on the disks of the Linguistic Data Consortium.
SPHERE_HEADER = b"""NIST_1A
   1024
database_id -s5 TIMIT
database_version -s3 1.0
utterance_id -s8 cjf0_sa1
channel_count -i 1
sample_count -i 1600
sample_rate -i 16000
sample_min -i -3277
sample_max -i 3277
sample_n_bytes -i 2
sample_byte_format -s2 01
sample_sig_bits -i 16
end_head
""".ljust(1024)


def write_sphere(path):
    path.write_bytes(SPHERE_HEADER + np.round(TONE * 32768).astype("<i2").tobytes())


def write_utterance(folder, sentence, ending=".wav", case=str, write=None, phn=PHN):
    """A sound file and its three annotations; names go through `case`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (case(sentence) + ending)
    if write is None:
        soundfile.write(path, TONE, 16000, format="WAV")
    else:
        write(path)
    for kind, text in ((".phn", phn), (".wrd", WRD), (".txt", TXT)):
        (folder / case(sentence + kind)).write_text(text)
    return path


@pytest.fixture
def corpus(tmp_path):
    """Train: one woman of DR1. Test: two men of DR3, of whom one is in the core test set."""
    for folder in ("TRAIN/DR1/FCJF0", "TEST/DR3/MJMP0", "TEST/DR3/MBDG0"):
        for sentence in ("sa1", "sa2", "si1027", "sx37"):
            write_utterance(tmp_path / folder, sentence, ".WAV", str.upper)
    return tmp_path


@pytest.mark.parametrize(
    ("folder", "ending", "case", "write"),
    [
        ("TRAIN/DR1/FCJF0", ".WAV", str.upper, write_sphere),
        ("train/dr1/fcjf0", ".wav", str.lower, write_sphere),
        ("data/TRAIN/DR1/FCJF0", ".WAV.wav", str.upper, None),
        ("timit/TIMIT/TRAIN/DR1/FCJF0", ".wav", str.upper, None),
        ("TRAIN/DR1/FCJF0", ".WAV", str.lower, None),
        (
            "train/dr1/fcjf0",
            ".wav",
            str.lower,
            lambda path: soundfile.write(path, TONE, 16000, format="NIST"),
        ),
        ("dr1-fcjf0", ".wav", str.lower, None),
        ("TIMIT/DR1-FCJF0", ".WAV", str.upper, None),
    ],
)
def test_one_utterance_is_the_same_in_every_layout(tmp_path, folder, ending, case, write):
    path = write_utterance(tmp_path / folder, "sx37", ending, case, write)
    speech = load_timit(tmp_path)
    assert speech.data.tolist() == [str(path)]
    assert speech.target.tolist() == [["q", "ao", "tcl", "t"]]
    assert speech.segments[0][1:3] == [(400, 600, "q"), (600, 900, "ao")]
    assert len(speech.segments[0]) == 6
    assert speech.words[0] == [(400, 1100, "ought")]
    assert speech.text.tolist() == ["Ought."]
    assert speech.sentence.tolist() == ["sx37"]
    assert speech.speaker.tolist() == ["fcjf0"]
    assert speech.sex.tolist() == ["f"] and speech.dialect.tolist() == [1]
    assert speech.sample_rate == 16000
    if "train" in folder.lower():
        assert speech.split.tolist() == ["train"] and "LDC User Agreement" in speech.license
    else:
        assert speech.split is None and "CC BY-NC-SA" in speech.license
    waveform = AudioReader(sample_rate=16000).fit_transform(speech.data)[0]
    np.testing.assert_allclose(waveform, TONE, atol=1e-4)


def test_official_sets_share_no_speaker(corpus):
    assert set(load_timit(corpus, split="train").speaker) == {"fcjf0"}
    assert set(load_timit(corpus, split="test").speaker) == {"mbdg0", "mjmp0"}
    assert set(load_timit(corpus, split="core_test").speaker) == {"mjmp0"}
    everything = load_timit(corpus)
    assert everything.split.tolist() == ["test"] * 4 + ["train"] * 2
    assert set(load_timit(corpus / "TEST").split) == {"test"}


def test_the_core_test_set_has_two_men_and_a_woman_of_each_of_eight_regions():
    from sklearn_speech.datasets._timit import CORE_TEST

    assert len(CORE_TEST) == 24
    assert sum(name.startswith("f") for name in CORE_TEST) == 8


def test_shared_sentences_are_left_out_of_every_set(corpus):
    for split in (None, "train", "test"):
        assert not any(name.startswith("sa") for name in load_timit(corpus, split=split).sentence)
    assert len(load_timit(corpus, drop_sa=False).data) == 12


def test_silence_around_the_sentence_is_in_segments_and_optionally_in_targets(corpus):
    without = load_timit(corpus, split="train", phones=39)
    kept = load_timit(corpus, split="train", phones=39, drop_edge_silence=False)
    assert without.target[0] == ["aa", "sil", "t"]
    assert kept.target[0] == ["sil", "aa", "sil", "t", "sil"]
    assert without.segments[0] == kept.segments[0]
    assert [phone for _, _, phone in kept.segments[0]] == kept.target[0]
    assert kept.segments[0][:2] == [(0, 400, "sil"), (600, 900, "aa")]


def test_a_copy_in_riff_format_is_preferred_to_the_original(tmp_path):
    write_utterance(tmp_path / "TRAIN/DR1/FCJF0", "SX37", ".WAV", write=write_sphere)
    copy = write_utterance(tmp_path / "TRAIN/DR1/FCJF0", "SX37", ".WAV.wav")
    (tmp_path / "TRAIN/DR1/FCJF0/SX37.phn").rename(tmp_path / "TRAIN/DR1/FCJF0/SX37.PHN")
    assert load_timit(tmp_path).data.tolist() == [str(copy)]


def test_an_utterance_in_two_places_is_refused(tmp_path):
    write_utterance(tmp_path / "TRAIN/DR1/FCJF0", "sx37")
    write_utterance(tmp_path / "copy/TRAIN/DR1/FCJF0", "sx37")
    with pytest.raises(ValueError, match=r"sx37\.wav is the same utterance as .*sx37\.wav"):
        load_timit(tmp_path)


@pytest.mark.parametrize("ending", [".phn", ".wrd", ".txt"])
def test_the_error_names_the_sound_file_of_a_missing_annotation(tmp_path, ending):
    folder = tmp_path / "dr1-fcjf0"
    write_utterance(folder, "sx37")
    (folder / f"sx37{ending}").unlink()
    with pytest.raises(ValueError, match=rf"dr1-fcjf0/sx37\.wav has no {ending} beside it"):
        load_timit(tmp_path)


@pytest.mark.parametrize(
    ("ending", "text", "message"),
    [
        (".phn", "0 400 h#\n400 aa\n", r"sx37\.phn, line 2: '400 aa'"),
        (".phn", "0 400 h#\n400 x aa\n", r"sx37\.phn, line 2"),
        (".phn", "0 400 h#\n\n400 300 aa\n", r"sx37\.phn, line 3: the segment .* ends before"),
        (".phn", "0 400 zz\n", r"sx37\.phn, line 1: 'zz' is not one of TIMIT's 61 phones"),
        (".phn", "", r"sx37\.phn contains no segment"),
        (".wrd", "400 1100\n", r"sx37\.wrd, line 1"),
        (".txt", "Ought.", r"sx37\.txt: expected 'start end sentence'"),
    ],
)
def test_the_error_names_the_line_of_a_broken_annotation(tmp_path, ending, text, message):
    folder = tmp_path / "dr1-fcjf0"
    write_utterance(folder, "sx37")
    (folder / f"sx37{ending}").write_text(text)
    with pytest.raises(ValueError, match=message):
        load_timit(tmp_path)


def test_the_error_names_an_annotation_that_is_not_text(tmp_path):
    write_utterance(tmp_path / "dr1-fcjf0", "sx37")
    (tmp_path / "dr1-fcjf0/sx37.phn").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"sx37\.phn is not a text file"):
        load_timit(tmp_path)


def test_the_error_lists_the_first_of_many_broken_files(tmp_path):
    for i in range(7):
        write_utterance(tmp_path / "dr1-fcjf0", f"sx{i}", phn="")
    with pytest.raises(ValueError, match=r"has 7 broken utterances(.|\n)*sx4(.|\n)*and 2 more"):
        load_timit(tmp_path)


def test_recordings_at_another_rate_are_refused_since_times_count_samples(tmp_path):
    write_utterance(
        tmp_path / "dr1-fcjf0", "sx37", write=lambda path: soundfile.write(path, TONE, 8000)
    )
    with pytest.raises(ValueError, match=r"\[8000\] Hz: expected 16000 Hz"):
        load_timit(tmp_path)


def test_errors_name_folders_without_timit(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="does not contain TIMIT"):
        load_timit(tmp_path)
    with pytest.raises(OSError, match="does not exist"):
        load_timit(tmp_path / "nowhere")
    monkeypatch.setenv("SKLEARN_SPEECH_DATA", str(tmp_path))
    with pytest.raises(OSError, match="neither timit nor timit_sample"):
        load_timit()
    write_utterance(tmp_path / "timit_sample/dr1-fcjf0", "sx37")
    assert load_timit().speaker.tolist() == ["fcjf0"]
    write_utterance(tmp_path / "timit/TRAIN/DR2/FAEM0", "sx37")
    assert load_timit().speaker.tolist() == ["faem0"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "valid"}, "'split' parameter"),
        ({"phones": 40}, "'phones' parameter"),
        ({"drop_sa": "no"}, "'drop_sa' parameter"),
        ({"drop_edge_silence": None}, "'drop_edge_silence' parameter"),
        ({"split": "train"}, "no official sets"),
    ],
)
def test_errors_name_wrong_arguments(tmp_path, arguments, message):
    write_utterance(tmp_path / "dr1-fcjf0", "sx37")
    with pytest.raises(ValueError, match=message):
        load_timit(tmp_path, **arguments)


def test_the_error_for_a_missing_set_names_the_present_ones(tmp_path):
    write_utterance(tmp_path / "TRAIN/DR1/FCJF0", "sa1")
    with pytest.raises(ValueError, match=r"split='test'.*only those of \['train'\]"):
        load_timit(tmp_path, split="test")
    with pytest.raises(ValueError, match="contains only sa sentences"):
        load_timit(tmp_path)


@pytest.fixture(scope="module")
def sample():
    folder = get_data_home() / "timit_sample"
    if not folder.is_dir():
        pytest.skip(f"NLTK's TIMIT sample is not in {folder}")
    return load_timit(folder, drop_sa=False)


def test_the_sample_has_16_speakers_with_10_utterances_each(sample):
    names, counts = np.unique(sample.speaker, return_counts=True)
    assert len(sample.data) == 160 and len(names) == 16 and set(counts) == {10}


def test_the_sample_has_one_woman_and_one_man_of_each_of_eight_regions(sample):
    whose = {
        (int(d), str(s), str(name))
        for d, s, name in zip(sample.dialect, sample.sex, sample.speaker)
    }
    assert sorted((d, s) for d, s, _ in whose) == [(d, s) for d in range(1, 9) for s in "fm"]


def test_without_sa_sentences_the_sample_has_128_utterances_and_no_sentence_twice(sample):
    speech = load_timit(get_data_home() / "timit_sample")
    assert len(speech.data) == len(set(speech.sentence)) == len(set(speech.text)) == 128
    assert len(set(sample.sentence)) == 130  # as its README says


def test_every_symbol_occurs_in_the_sample(sample):
    said = {phone for segments in sample.segments for _, _, phone in segments}
    assert said == set(TIMIT_PHONES)


@pytest.mark.parametrize("phones", [48, 39])
def test_folding_gives_the_published_number_of_classes(sample, phones):
    folder = get_data_home() / "timit_sample"
    speech = load_timit(folder, drop_sa=False, phones=phones)
    assert len({phone for sequence in speech.target for phone in sequence}) == phones
    assert list(speech.target) == list(fold_phones(sample.target, folding=phones))


def test_each_utterance_of_the_sample_is_between_two_h_marks(sample):
    for target, segments in zip(sample.target, sample.segments):
        assert [phone for _, _, phone in segments] == ["h#", *target, "h#"]
        starts, ends, _ = zip(*segments)
        assert starts[0] == 0 and starts[1:] == ends[:-1]


def test_one_transcription_of_the_sample_ends_2802_samples_before_its_recording(sample):
    missing = {
        f"{speaker}/{sentence}": soundfile.info(path).frames - segments[-1][1]
        for path, speaker, sentence, segments in zip(
            sample.data, sample.speaker, sample.sentence, sample.segments
        )
    }
    assert missing.pop("madc0/si1367") == 2802
    assert min(missing.values()) >= 0 and max(missing.values()) < 200
