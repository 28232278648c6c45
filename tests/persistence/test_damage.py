"""Every bit of a file counts: one that differs makes load say so, with the path."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_speech.persistence import load, read_model_card, save

#: Damaged copies of each kind.
N_TRIED = 60


def flipped_bit(content, rng):
    place = rng.integers(len(content))
    return content[:place] + bytes([content[place] ^ 1 << rng.integers(8)]) + content[place + 1 :]


def changed_byte(content, rng):
    place = rng.integers(len(content))
    other = (content[place] + rng.integers(1, 256)) % 256
    return content[:place] + bytes([other]) + content[place + 1 :]


def cut_off(content, rng):
    return content[: rng.integers(len(content))]


def appended(content, rng):
    return content + rng.bytes(rng.integers(1, 100))


def zeroed(content, rng):
    start = rng.integers(len(content) - 1)
    stop = min(len(content), start + rng.integers(1, 4096))
    while not any(content[start:stop]):  # what is zero already is not changed
        start -= 1
    return content[:start] + bytes(stop - start) + content[stop:]


def swapped(content, rng):
    start = rng.integers(len(content) - 1)
    while content[start] == content[start + 1]:
        start = rng.integers(len(content) - 1)
    return content[:start] + content[start : start + 2][::-1] + content[start + 2 :]


DAMAGE = [flipped_bit, changed_byte, cut_off, appended, zeroed, swapped]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("whole") / "model"
    X, y = rng.normal(size=(40, 4)), np.resize(["no", "yes"], 40)
    save(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y), path)
    return path.read_bytes()


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_a_damaged_file_is_refused_by_load_and_by_the_reader_of_its_card(damage, whole, tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "model"
    for _ in range(N_TRIED):
        content = damage(whole, rng)
        assert content != whole
        path.write_bytes(content)
        for read in (load, read_model_card):
            with pytest.raises(ValueError, match=f"^{path} (cannot be loaded|has no model card)"):
                read(path)


@pytest.mark.parametrize("place", ["first", "last", "length", "digest"])
def test_every_bit_of_these_places_counts(place, whole, tmp_path):
    path = tmp_path / "model"
    digest = whole.index(b'"sha256":"')
    places = {"first": [8], "last": [len(whole) - 1], "length": range(8)}
    for i in places.get(place, range(digest, digest + 75, 4)):
        for bit in range(8):
            path.write_bytes(whole[:i] + bytes([whole[i] ^ 1 << bit]) + whole[i + 1 :])
            with pytest.raises(ValueError, match="cannot be loaded"):
                load(path)
