"""A wrong value is refused when the recipe is made, by the name that the user gave."""

import inspect
import re

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_speech.feature_extraction import SpeechEmbedding, TemporalPooling
from sklearn_speech.recipes import list_recipes, make_recipe
from sklearn_speech.recipes._catalogue import CATALOGUE
from sklearn_speech.recipes._values import STATISTICS
from sklearn_speech.utils.parts import walk

WHOLE = [-1, 1.5, 2.0, "3", True, None, (3,), np.nan]
POSITIVE = [0, -1.0, "1", True, None, (1.0,), np.nan]
BOOL = ["no", "yes", 0, 1, None, (True,)]
WRONG = {
    "n_mels": [0, *WHOLE],
    "n_mfcc": [0, *WHOLE],
    "n_fine_mfcc": [0, *WHOLE],
    "n_segments": [0, *WHOLE],
    "n_copies": WHOLE,
    "max_epochs": WHOLE,
    "max_iter": [0, *WHOLE],
    "C": POSITIVE,
    "lr": [*POSITIVE, np.inf],
    "n_jobs": [0, 1.5, "2", True, (2,)],
    "n_trained": [0, 21, -1, 1.0, "last", True, (1,)],
    "random_mel": BOOL,
    "recognizer": BOOL,
    "voice_encoder": BOOL,
    "layers": [
        0, 21, -1, 20.0, "20", True, None, (0,), (21,), (20, 20), ("a",), (20, None), (True,),
        {20: 1}, np.array([[20]]), {20, 19},
    ],
    "statistics": [
        5, None, "median", (), ("mean", "median"), ("mean", "mean"), ("mean", 5), b"mean", {"mean"},
        ["mean", ["std"]],
    ],
    "weights": [
        (1, 1), (1, 1, 1, 1), (0, 0, 0), (1, 1, -1), (1, 1, np.nan), (1, 1, np.inf), ("1",) * 3,
        1, "111", (1, 1, None), (1, 1, True), np.ones((3, 1)),
    ],
    "duration": [0, -1, "1", True, np.inf, np.nan],
    "sample_rate": [0, -1, "16000", True, 8000.5, None],
    "reads": ["files", None, 3],
}  # fmt: skip

CASES = [
    (row["name"], option, value)
    for row in list_recipes(details=True)
    for option in row["options"]
    for value in WRONG.get(option, [])
]
OWN = [name for name in list_recipes() if name.startswith("best")]


@pytest.mark.parametrize("name, option, value", CASES)
def test_a_wrong_value_is_refused_by_the_name_of_the_parameter_of_the_recipe(name, option, value):
    message = f"^{re.escape(f'{option}={value!r}')}: expected "
    with pytest.raises(ValueError, match=message):
        make_recipe(name, **{option: value})


def test_every_parameter_of_this_librarys_own_recipes_has_wrong_values():
    rows = [row for row in list_recipes(details=True) if row["name"] in OWN]
    assert {option for row in rows for option in row["options"]} <= {*WRONG, "random_state"}


@pytest.mark.parametrize("name", list_recipes())
def test_every_default_is_valid_when_it_is_given(name):
    parameters = inspect.signature(CATALOGUE[name].make).parameters.values()
    given = make_recipe(name, **{one.name: one.default for one in parameters})
    assert repr(clone(given)) == repr(make_recipe(name))


@pytest.mark.parametrize("name", ["best-pretrained", "best-vote"])
def test_a_table_without_layers_is_refused(name):
    with pytest.raises(ValueError, match=r"^layers=\(\): expected a whole number from 1 to 20"):
        make_recipe(name, layers=())


@pytest.mark.parametrize("name", ["best-utterance", "best-utterance-pretrained"])
@pytest.mark.parametrize(("option", "highest"), [("n_mfcc", 40), ("n_fine_mfcc", 100)])
def test_more_coefficients_than_bands_are_refused(name, option, highest):
    make_recipe(name, **{option: highest})
    with pytest.raises(ValueError, match=f"^{option}={highest + 1}: expected at most {highest}"):
        make_recipe(name, **{option: highest + 1})


@pytest.mark.parametrize("name", ["best-pretrained", "best-vote", "best-utterance-pretrained"])
def test_one_layer_is_the_same_alone_and_in_any_sequence(name):
    expected = repr(make_recipe(name, layers=(20,)))
    for layers in (20, np.int64(20), [20], np.array([20]), range(20, 21)):
        made = make_recipe(name, layers=layers)
        assert repr(made) == expected
        parts = [part for _, part in walk(made) if isinstance(part, SpeechEmbedding)]
        assert [type(part.layer) for part in parts if part.encoder is None] == [int]


@pytest.mark.parametrize("name", ["best-pretrained", "best-utterance", "best-utterance-pretrained"])
@pytest.mark.parametrize("statistic", STATISTICS)
def test_one_statistic_is_the_same_alone_and_in_any_sequence(name, statistic):
    expected = repr(make_recipe(name, statistics=(statistic,)))
    for statistics in (statistic, [statistic], np.array([statistic])):
        made = make_recipe(name, statistics=statistics)
        assert repr(made) == expected
        assert any(isinstance(part, TemporalPooling) for _, part in walk(made))


def test_no_weights_are_those_of_a_vote_of_equals():
    assert make_recipe("best-vote", weights=None)[-1].weights is None
    for weights in [(2, 1, 1), [0, 1.5, 1], np.array([2, 1, 1])]:
        assert make_recipe("best-vote", weights=weights)[-1].weights == list(weights)
