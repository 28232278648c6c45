"""The two phone recognition recipes with trainable front ends."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier

from sklearn_speech.datasets import make_spoken_digits
from sklearn_speech.recipes import count_parameters, list_recipes, make_recipe

NAMES = ["asr-simple", "asr-bcresnet"]
each_recipe = pytest.mark.parametrize("name", NAMES)

#: Numbers of parameters of the mel filters, of the Fourier transform, and of both.
FRONT_END = {"A": 0, "B": 40 * 241, "C": 2 * 241 * 480, "D": 40 * 241 + 2 * 241 * 480}


@pytest.mark.parametrize("setting", list(FRONT_END))
@pytest.mark.parametrize("name, published", [("asr-simple", 22_974), ("asr-bcresnet", 29_640)])
def test_published_number_of_parameters_for_the_61_phones_of_timit(name, published, setting):
    shape = (40, 101) if setting == "A" else 16_000
    made = make_recipe(name, setting=setting, random_state=0)
    assert count_parameters(made, shape, n_classes=61) == published + FRONT_END[setting]


def test_recipes_of_the_task_phones():
    tasks = {row["name"]: row["task"] for row in list_recipes(details=True)}
    assert [name for name, task in tasks.items() if task == "phones"] == NAMES


@each_recipe
def test_clone_is_equal_and_not_a_classifier(name):
    made = make_recipe(name, random_state=3)
    assert repr(clone(made)) == repr(made)
    assert not is_classifier(made)


@pytest.fixture(scope="module")
def digits():
    speech = make_spoken_digits(n_speakers=1, n_takes=1, sample_rate=16000, random_state=0)
    return speech.data, speech.phones


@each_recipe
@pytest.mark.parametrize("setting", ["A", "D"])
def test_one_epoch_on_synthetic_digits_of_any_length(name, setting, digits):
    waveforms, phones = digits
    made = make_recipe(name, setting=setting, reads="waveforms", max_epochs=1, random_state=0)
    made.fit(waveforms, phones)
    assert np.isfinite(made[-1].history_[-1]["train_loss"])
    trained = {phone for word in phones for phone in word}
    for answer in made.predict(waveforms[:3]):
        assert set(answer) <= trained
