"""What goes wrong most often: the message names the file or parameter, and what to do."""

import enum
import inspect
import os
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import partial

import numpy as np
import pandas as pd
import pytest
import soundfile
from optuna.distributions import FloatDistribution
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline

import sklearn_speech
from sklearn_speech import (
    AudioReader,
    MelSpectrogram,
    OptunaSearchCV,
    PadOrTrim,
    PrototypeClassifier,
    SlidingWindow,
    SpecAugment,
    SpectrogramCNNClassifier,
    StratifiedGroupShuffleSplit,
    check_audio_files,
    cross_validate_by_speaker,
    learning_curve_by_speaker,
    load_speech_folder,
    make_recipe,
    make_speech_pipeline,
)
from sklearn_speech.utils.validation import make_ragged

RATE = 8000


def net(**parameters):
    return SpectrogramCNNClassifier(
        n_layers=1, n_filters=2, max_epochs=1, device="cpu", random_state=0, **parameters
    )


def of_waveforms():
    return make_pipeline(MelSpectrogram(RATE, n_fft=64, hop_length=32, n_mels=8), net())


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(scale=0.1, size=shape).astype(np.float32)


def ragged_of(X):
    return make_ragged([*X, X[0][:700]])


def ragged_series(X):
    return pd.Series(ragged_of(X), index=[7, 5, 3, 2, 1])


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.wav"
    soundfile.write(path, noise(800), RATE)
    return str(path)


# Files


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file"),
        (b"", "empty|0 bytes"),
        (b"Not a sound, but a sentence.", "not a sound file that can be decoded"),
        (np.zeros(0, np.float32), "zero samples"),
        (np.array([0.1, np.nan, 0.1], np.float32), "NaN"),
        (np.array([0.1, np.inf], np.float32), "infin"),
    ],
    ids=["missing", "empty", "text", "zero samples", "NaN samples", "infinite samples"],
)
def test_a_bad_file_is_named_with_its_reason(good, tmp_path, content, reason):
    path = tmp_path / "bad.wav"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        soundfile.write(path, content, RATE, subtype="FLOAT")
    with pytest.raises(ValueError, match=rf"1 of 2 files(.|\n)*bad\.wav: .*({reason})"):
        AudioReader(sample_rate=RATE).fit_transform([good, str(path)])
    assert check_audio_files([good, str(path)]).good.tolist() == [True, False]


def test_a_folder_is_no_sound_file(good, tmp_path):
    with pytest.raises(ValueError, match=r"folder|directory"):
        AudioReader(sample_rate=RATE).transform([good, str(tmp_path)])


def test_three_channels_are_averaged(tmp_path):
    channels = noise(400, 3)
    soundfile.write(tmp_path / "three.wav", channels, RATE, subtype="FLOAT")
    (waveform,) = AudioReader(sample_rate=RATE).transform([tmp_path / "three.wav"])
    np.testing.assert_allclose(waveform, channels.mean(1), atol=1e-6)


def test_a_single_path_is_not_read_as_a_list_of_letters(good):
    with pytest.raises(TypeError, match=r"is one path: expected a list"):
        AudioReader(sample_rate=RATE).transform(good)


def test_rates_that_disagree_in_one_pipeline_are_refused():
    with pytest.raises(
        ValueError, match=r"has sample_rate=16000, but the pipeline has sample_rate=8000"
    ):
        make_speech_pipeline(net(frontend=MelSpectrogram(sample_rate=16000)), sample_rate=8000)


# Waveforms and spectrograms


def test_a_clip_shorter_than_a_window_is_refused_where_nothing_pads_it():
    mel = MelSpectrogram(sample_rate=RATE, center=False)
    message = r"a clip of 100 samples is shorter than one window of n_fft=256.*center=True"
    with pytest.raises(ValueError, match=message):
        mel.fit_transform(noise(2, 100))
    with pytest.raises(ValueError, match=message):
        mel.fit_transform(make_ragged([noise(800), noise(100)]))
    with pytest.raises(ValueError, match=message):
        net(frontend=mel).fit(noise(4, 100), [0, 0, 1, 1])


@pytest.mark.parametrize(
    "estimator", [MelSpectrogram(), net(), net(frontend=MelSpectrogram())], ids=["mel", "cnn", "in"]
)
class TestEstimators:
    def fit(self, estimator, X, y=(0, 0, 1, 1)):
        return estimator.fit(X, list(y)[: len(X)])

    def test_one_clip_by_itself_is_refused_with_advice(self, estimator):
        with pytest.raises(ValueError, match=r"Expected 2D array, got 1D array instead"):
            self.fit(estimator, noise(4))

    @pytest.mark.parametrize("X", [["a.wav", "b.wav"], np.array(["a.wav", "b.wav"])])
    def test_paths_where_numbers_belong_ask_for_a_reader(self, estimator, X):
        with pytest.raises(ValueError, match=r"X holds strings \('a.wav' first\).*AudioReader"):
            self.fit(estimator, X, (0, 1))

    def test_strings_in_a_table_are_refused(self, estimator):
        with pytest.raises(ValueError, match=r"X holds strings \('0.1' first\)"):
            self.fit(estimator, np.array([["0.1", "0.2"], ["0.3", "loud"]]), (0, 1))

    def test_four_dimensions_are_refused(self, estimator):
        with pytest.raises(ValueError, match=r"Found array with dim 4"):
            self.fit(estimator, noise(4, 3, 5, 2))

    def test_no_clips_are_refused(self, estimator):
        with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
            self.fit(estimator, np.zeros((0, 9)))

    @pytest.mark.parametrize(("value", "said"), [(np.nan, "NaN"), (np.inf, "infinity")])
    def test_nan_and_infinity_are_refused(self, estimator, value, said):
        X = noise(4, 600)
        X[2, 3] = value
        with pytest.raises(ValueError, match=said):
            self.fit(estimator, X)


def test_a_bad_clip_among_good_ones_is_named():
    mel = MelSpectrogram(sample_rate=RATE)
    nan = noise(300)
    nan[5] = np.nan
    for clip, message in [
        (noise(0), "clip 1 of X has shape .*at least 1 sample"),
        (nan, "clip 1 of X contains NaN"),
        (noise(3, 4), r"clip 1 of X has shape \(3, 4\); waveforms are 1-D"),
        (["a", "b"], "clip 1 of X is not an array of numbers"),
    ]:
        with pytest.raises(ValueError, match=message):
            mel.fit(make_ragged([noise(300), clip, noise(200)]))
    clips = make_ragged([noise(6, 4), noise(5, 4)])
    with pytest.raises(ValueError, match=r"clip 1 of X has 5 bands, but .* got 6"):
        net().fit(clips, [0, 1])


def test_other_bands_than_those_of_fit_are_refused():
    fitted = net().fit(noise(4, 6, 5), [0, 0, 1, 1])
    with pytest.raises(ValueError, match=r"X has 7 features, .* is expecting 6 features"):
        fitted.predict(noise(2, 7, 5))
    with pytest.raises(ValueError, match=r"clip 0 of X has 7 bands, but .* was fitted with 6"):
        fitted.predict(make_ragged([noise(7, 5), noise(7, 4)]))


def test_spectrograms_where_the_front_end_wants_waveforms_are_refused():
    with pytest.raises(ValueError, match="Found array with dim 3"):
        net(frontend=MelSpectrogram(sample_rate=RATE)).fit(noise(4, 6, 5), [0, 0, 1, 1])


def test_no_frames_are_refused():
    with pytest.raises(ValueError, match=r"X has shape \(4, 6, 0\): at least 1 frame"):
        net().fit(np.zeros((4, 6, 0)), [0, 0, 1, 1])


def test_a_forgotten_front_end_draws_a_warning():
    X = noise(4, 1025)
    with pytest.warns(UserWarning, match=r"1025 columns.*put MelSpectrogram before.*frontend="):
        net().fit(X, [0, 0, 1, 1])
    net(frontend=MelSpectrogram(sample_rate=RATE)).fit(X, [0, 0, 1, 1])


def test_a_forgotten_pad_or_trim_is_no_error_but_for_one_length():
    clips = make_ragged([noise(800), noise(500), noise(900), noise(400)])
    mel = MelSpectrogram(sample_rate=RATE)
    assert make_pipeline(mel, net()).fit(clips, [0, 0, 1, 1]).predict(clips).shape == (4,)
    with pytest.raises(ValueError, match=r"PadOrTrim"):
        make_pipeline(mel, net(head="flatten")).fit(clips, [0, 0, 1, 1])
    fixed = make_pipeline(PadOrTrim(n_times=900), mel, net(head="flatten"))
    assert fixed.fit(clips, [0, 0, 1, 1]).predict(clips).shape == (4,)


# Labels


def test_one_class_only_is_refused():
    with pytest.raises(ValueError, match=r"y has only 1 class, \['yes'\]"):
        net().fit(noise(4, 6, 5), ["yes"] * 4)


def test_a_single_clip_is_refused():
    with pytest.raises(ValueError, match="only 1 class"):
        net().fit(noise(1, 6, 5), ["yes"])


@pytest.mark.parametrize("ragged", [False, True])
def test_labels_of_another_number_are_refused(ragged):
    X = noise(4, 6, 5)
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[4, 3\]"):
        net().fit(make_ragged(X) if ragged else X, ["no", "yes", "no"])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed, but the target y is None"),
        ([0.5, 1.25, 2.5, 3.75], "Unknown label type: continuous"),
        ([0, 1, np.nan, 1], r"y\[2\] is nan"),
        ([[0, 1], [1, 2], [0, 1], [1, 0]], r"multiclass-multioutput targets.*indicator matrix"),
    ],
)
def test_targets_that_are_no_labels_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        net().fit(noise(4, 6, 5), y)


def test_labels_that_mix_strings_and_numbers_are_refused():
    with pytest.raises(ValueError, match=r"y mixes strings with int \(y\[1\] is 1\)"):
        net().fit(noise(4, 6, 5), np.array(["no", 1, "yes", 2], dtype=object))


class Word(enum.Enum):
    NO = "no"
    YES = "yes"


STRANGE = {
    "members of an enumeration": ([Word.NO, Word.YES], "such as .label.name for label in y"),
    "decimals": ([Decimal("0.5"), Decimal("1.5")], "such as .float.number. for number in y"),
    "fractions": ([Fraction(1, 3), Fraction(2, 3)], "such as .float.number. for number in y"),
    "dates": ([date(2026, 1, 1), date(2026, 1, 2)], "such as .str.label. for label in y"),
    "bytes": ([b"no", b"yes"], "such as .label.decode.. for label in y"),
    "large numbers": ([2**70, 2**80], "at most 64 bits"),
}

SPEAKERS = ["ann", "ann", "bob", "bob"] * 2

#: Everything that is given a label for each clip.
TAKES_LABELS = {
    "a network": lambda X, y: net().fit(X, y),
    "prototypes": lambda X, y: PrototypeClassifier().fit(X[:, 0], y),
    "scores by speaker": lambda X, y: cross_validate_by_speaker(net(), X, y, SPEAKERS),
    "a curve": lambda X, y: learning_curve_by_speaker(net(), X, y, SPEAKERS, n_speakers=[1]),
    "a detector": lambda X, y: SlidingWindow(of_waveforms(), duration=0.1).fit(
        noise(len(X), 800), y, background=[noise(2000)]
    ),
    "a split": lambda X, y: next(StratifiedGroupShuffleSplit().split(X, y, SPEAKERS)),
    "a search": lambda X, y: OptunaSearchCV(
        net(), {"lr": FloatDistribution(0.1, 1)}, n_trials=1, cv=2, error_score="raise"
    ).fit(X, y),
}


@pytest.mark.parametrize("form", [list, lambda y: np.array(y, dtype=object), pd.Series])
@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("taker", TAKES_LABELS)
def test_objects_that_are_no_labels_are_named_with_what_to_write(taker, kind, form):
    labels, advice = STRANGE[kind]
    with pytest.raises(ValueError, match=rf"y\[0\] is .*{advice}|y has dtype \|S"):
        TAKES_LABELS[taker](noise(8, 6, 60), form(labels * 4))


@pytest.mark.parametrize("y", [[0, 1], [False, True], [0.0, 1.0], [3, -4]])
def test_numbers_in_an_array_of_objects_are_classes(y):
    fitted = net().fit(noise(8, 6, 5), np.array(y * 4, dtype=object))
    assert fitted.classes_.dtype == np.unique(y).dtype
    assert fitted.classes_.tolist() == sorted(y)


@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_labels_are_refused(missing):
    with pytest.raises(ValueError, match=r"y\[1\] is (None|nan): expected a target"):
        net().fit(noise(4, 6, 5), np.array(["no", missing, "yes", "yes"], dtype=object))


@pytest.mark.parametrize("weight", [-1, "heavy", np.nan])
def test_impossible_weights_of_classes_are_refused(weight):
    with pytest.raises(ValueError, match=r"class_weight\[0\]=.*expected a number of at least 0"):
        net(class_weight={0: weight}).fit(noise(4, 6, 5), [0, 0, 1, 1])


def test_too_few_clips_for_early_stopping_are_refused():
    with (
        pytest.warns(UserWarning, match="pass groups=speakers"),
        pytest.raises(ValueError, match=r"validation_fraction=0.15 of 4 clips cannot be split off"),
    ):
        net(early_stopping=True).fit(noise(4, 6, 5), [0, 0, 1, 1])


# Speakers


def test_a_speaker_in_both_parts_of_a_split_is_refused():
    X, y = noise(12, 6, 5), ["no", "yes"] * 6
    speakers = np.repeat(["ann", "bob", "cem"], 4)
    with pytest.raises(ValueError, match=r"split 0 .*'ann'.* in both its training and its test"):
        cross_validate_by_speaker(net(), X, y, speakers, cv=KFold(4))


def test_one_speaker_only_is_refused():
    X, y = noise(4, 6, 5), ["no", "yes"] * 2
    with pytest.raises(ValueError, match=r"speakers holds only one speaker \('ann'\)"):
        cross_validate_by_speaker(net(), X, y, ["ann"] * 4)
    with pytest.raises(ValueError, match="only one group"):
        net(early_stopping=True).fit(X, y, groups=["ann"] * 4)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW"])
def test_a_file_that_was_cut_off_is_bad(good, tmp_path, subtype):
    path = tmp_path / "cut.wav"
    soundfile.write(path, noise(RATE), RATE, subtype=subtype)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"cut\.wav.*cut off: its header says 1\.000 s, 0\.\d+ s"):
        AudioReader(sample_rate=RATE).fit_transform([good, str(path)])
    assert check_audio_files([good, str(path)]).good.tolist() == [True, False]


@pytest.mark.parametrize("kind", ["AIFF", "AU", "CAF", "FLAC", "NIST", "RF64", "W64"])
def test_a_file_of_any_format_that_states_its_length_is_bad_when_cut_off(good, tmp_path, kind):
    path = tmp_path / "sound"
    soundfile.write(path, noise(RATE), RATE, format=kind, subtype="PCM_16")
    whole = path.read_bytes()
    assert check_audio_files([str(path)]).good.tolist() == [True]
    path.write_bytes(whole[: len(whole) // 2])
    assert check_audio_files([good, str(path)]).good.tolist() == [True, False]


def test_a_flac_file_that_states_no_length_is_read_to_its_end(tmp_path):
    path = tmp_path / "piped.flac"
    soundfile.write(path, noise(RATE), RATE, subtype="PCM_16")
    expected = AudioReader(sample_rate=RATE).fit_transform([str(path)])[0]
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # 36 bits of STREAMINFO: the number of samples
    content[22:26] = bytes(4)
    path.write_bytes(content)
    waveform = AudioReader(sample_rate=RATE).fit_transform([str(path)])[0]
    np.testing.assert_array_equal(waveform, expected)


def test_names_that_are_no_unicode_are_read_and_shown(tmp_path):
    name = os.fsencode(tmp_path) + b"/caf\xe9_ann_1.wav"
    wave = tmp_path / "wave.wav"
    soundfile.write(wave, noise(RATE), RATE)
    os.rename(wave, name)
    path = os.fsdecode(name)
    assert len(AudioReader(sample_rate=RATE).fit_transform([path])[0]) == RATE
    assert load_speech_folder(tmp_path, "{label}_{speaker}_{take}.wav").sample_rate == RATE
    open(name, "wb").close()
    assert rb"caf\udce9_ann_1.wav: empty file" in str(check_audio_files([path])).encode()
    with pytest.raises(ValueError, match=r"caf\\udce9_ann_1"):
        AudioReader(sample_rate=RATE).fit_transform([path])


@pytest.mark.parametrize("stated", [0xFFFFFFFF, 0, 0x7FFFFFFF, 0x7FFFF000, 0x7FFFF000 - 36])
@pytest.mark.parametrize("whole", [0xFFFFFFFF, 0, 0x7FFFFFFF])
def test_a_length_that_was_not_known_is_no_fault(tmp_path, stated, whole):
    path = tmp_path / "streamed.wav"
    soundfile.write(path, noise(RATE), RATE, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[4:8] = whole.to_bytes(4, "little")
    content[40:44] = stated.to_bytes(4, "little")
    path.write_bytes(content)
    assert len(AudioReader(sample_rate=RATE).fit_transform([str(path)])[0]) == RATE


@pytest.mark.parametrize("form", [np.asarray, list, ragged_of, ragged_series, pd.DataFrame])
@pytest.mark.parametrize("dtype", [np.int16, np.int8, np.uint8, ">i2"])
def test_samples_as_files_hold_them_are_no_waveforms(dtype, form):
    X = form((100 * np.abs(noise(4, 800))).astype(dtype))
    with pytest.raises(ValueError, match=rf"samples of dtype {np.dtype(dtype)}.* divide them by"):
        MelSpectrogram(sample_rate=RATE).fit_transform(X)


@pytest.mark.parametrize("ragged", [False, True])
def test_amplitudes_of_another_scale_draw_a_warning(ragged):
    X = 32768 * noise(4, 800)
    with pytest.warns(UserWarning, match="divide samples of 16 bits by 32768"):
        MelSpectrogram(sample_rate=RATE).fit_transform(make_ragged(X) if ragged else X)


# Speakers


@pytest.mark.parametrize("cv", [2, KFold(2, shuffle=True, random_state=0)])
def test_a_search_refuses_splits_that_share_a_speaker(cv):
    X, y, speakers = noise(8, 6, 5), np.arange(8) % 2, np.tile(["ann", "ann", "bob", "bob"], 2)
    search = OptunaSearchCV(net(), {"lr": FloatDistribution(0.001, 0.01)}, n_trials=1, cv=cv)
    with pytest.warns(UserWarning, match="groups parameter is ignored"):
        with pytest.raises(ValueError, match="'ann', 'bob' in both its training and its test"):
            search.fit(X, y, groups=speakers)


# Rates


def test_a_rate_inside_of_an_ensemble_is_compared_too():
    inner = net(frontend=MelSpectrogram(sample_rate=8000))
    with pytest.raises(ValueError, match=r"VotingClassifier, in b__frontend, has sample_rate=8000"):
        make_speech_pipeline(
            VotingClassifier([("a", net(frontend=MelSpectrogram())), ("b", inner)]),
            sample_rate=16000,
        )


@pytest.mark.parametrize("sample_rate", [0, -1, None, True, 8000.5, "8000", np.nan, np.inf])
def test_a_rate_that_is_none_is_refused_by_recipes_and_pipelines(sample_rate):
    for make in (partial(make_recipe, "best"), partial(make_speech_pipeline, net())):
        with pytest.raises(ValueError, match=r"sample_rate=.*: expected a positive whole number"):
            make(sample_rate=sample_rate)
    assert make_recipe("best", sample_rate=8000.0)[0].sample_rate == 8000


@pytest.mark.parametrize("duration", [0, -1, "1", np.inf, np.nan])
def test_a_duration_that_is_none_is_refused_by_recipes_and_pipelines(duration):
    for make in (partial(make_recipe, "best"), partial(make_speech_pipeline, net())):
        with pytest.raises(ValueError, match=r"duration=.*: expected a positive number of seconds"):
            make(duration=duration)


@pytest.mark.parametrize("duration", [1e9, 1e300])
def test_a_duration_that_no_memory_holds_is_refused_with_its_size(duration):
    X, y = noise(4, 800), ["no", "yes"] * 2
    pipeline = of_waveforms().fit(X, y)
    for make in (
        partial(make_recipe, "best", duration=duration),
        partial(make_speech_pipeline, net(), duration=duration),
        partial(SlidingWindow(pipeline, duration=duration).predict_proba, [noise(2000)]),
    ):
        with pytest.raises(ValueError, match=r"duration=1e\+.* samples at .*: expected at most"):
            make()
    with pytest.raises(ValueError, match="n_times"):
        PadOrTrim(int(duration)).fit(X)


@pytest.mark.parametrize(
    "cv", [[], (), iter([]), np.empty((0, 2), int)], ids=["list", "tuple", "iterator", "array"]
)
def test_folds_that_are_none_are_refused(cv):
    X, y, speakers = noise(8, 6, 5), ["no", "yes"] * 4, SPEAKERS
    search = OptunaSearchCV(net(), {"lr": FloatDistribution(0.1, 1)}, n_trials=1, cv=cv)
    for call in (
        partial(cross_validate_by_speaker, net(), X, y, speakers, cv=cv),
        partial(learning_curve_by_speaker, net(), X, y, speakers, cv=cv),
        partial(search.fit, X, y, groups=speakers),
    ):
        with pytest.raises(ValueError, match=r"^cv.* yields no split: expected at least one pair"):
            call()


# Options of functions that run long


def functions_with(option):
    """Public functions that have the option, called with nothing else that could be right."""
    for name in dir(sklearn_speech):
        function = getattr(sklearn_speech, name)
        if inspect.isfunction(function) and option in inspect.signature(function).parameters:
            needed = inspect.signature(function).parameters.values()
            needed = [p for p in needed if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
            yield pytest.param(partial(function, *[None] * len(needed)), option, id=name)


@pytest.mark.parametrize(
    ("function", "option"), [*functions_with("n_jobs"), *functions_with("verbose")]
)
@pytest.mark.parametrize("value", [1.5, "a"])
def test_a_number_of_processes_or_a_verbosity_that_is_none_is_refused_first(
    function, option, value
):
    with pytest.raises(ValueError, match=f"^The '{option}' parameter of"):
        function(**{option: value})


@pytest.mark.parametrize("function", [p.values[0] for p in functions_with("n_jobs")])
def test_no_process_at_all_is_refused(function):
    with pytest.raises(ValueError, match="n_jobs"):
        function(n_jobs=0)


def test_an_augmentation_that_is_a_class_is_named():
    with pytest.raises(ValueError, match=r"augment\[0\] is the class SpecAugment: expected"):
        net(augment=[SpecAugment]).fit(noise(8, 6, 5), ["no", "yes"] * 4)
