"""Recordings and features of ``pretrained.py``."""

import functools
import itertools
import warnings

import numpy as np
from sklearn.model_selection import LeaveOneGroupOut

from sklearn_speech import fetch_fsdd, get_data_home, load_speech_manifest, make_recipe

RATE = 16000

#: Recipes that are fitted within seconds, so that they run on all pairs of speakers: the second
#: has the encoder of a speech recogniser beside the speech embedding.
FAST, HEARD = "best-pretrained", "best-pretrained, recognizer=True"
#: Recipes, and how many of their last steps learn from the training clips.
RECIPES = {"best": 1, FAST: 2, HEARD: 2, "best-finetuned": 1}


def made(name, **parameters):
    """The pipeline of a row: the name of a recipe, with a parameter or without."""
    recipe, _, option = name.partition(", recognizer=")
    if option:
        parameters["recognizer"] = option == "True"
    return make_recipe(recipe, **parameters)


@functools.cache
def recordings(protocol):
    """Paths, labels, speakers, sampling rate, and the folds of a protocol."""
    if protocol == "words":
        speech = load_speech_manifest(get_data_home() / "speech_commands_many" / "clips.csv")
    else:
        speech = fetch_fsdd()
    paths, y, speakers = (np.asarray(a) for a in (speech.data, speech.target, speech.speaker))
    if protocol == "words":
        validation = np.asarray(speech.official_split) == "validation"
        return paths, y, speakers, RATE, [(np.flatnonzero(~validation), np.flatnonzero(validation))]
    if protocol == "speakers":
        return paths, y, speakers, 8000, list(LeaveOneGroupOut().split(paths, y, speakers))
    pairs = list(itertools.combinations(np.unique(speakers), 2))
    pairs.sort(key=lambda pair: pair not in _apart(np.unique(speakers)))
    known = [np.isin(speakers, pair) for pair in pairs]
    return paths, y, speakers, 8000, [(np.flatnonzero(k), np.flatnonzero(~k)) for k in known]


def _apart(names):
    """Pairs that have no speaker in common."""
    return list(zip(names[::2], names[1::2]))


@functools.cache
def features(of_words, name):
    """What the steps that learn nothing make of all clips of a corpus."""
    paths, _, _, rate, _ = recordings("words" if of_words else "speakers")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "sample_rate=8000 Hz is below")
        return made(name, sample_rate=rate)[: -RECIPES[name]].fit_transform(paths)
