"""Files that ``save`` would not write, with a checksum that is right."""

import json

from safetensors.numpy import save as to_bytes
from sklearn.preprocessing import StandardScaler

from sklearn_speech.persistence import save
from sklearn_speech.persistence._container import sign, unsigned


def forge(path, estimator, arrays=None, **metadata):
    """Write a file with a tree that save would not write."""
    save(StandardScaler(), path)
    header = read_header(path)
    text = estimator if isinstance(estimator, str) else json.dumps(estimator)
    metadata = {**header, **unsigned(), "estimator": text, **metadata}
    path.write_bytes(sign(to_bytes(arrays or {}, metadata)))


def read_header(path):
    """The metadata of a file."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + size])["__metadata__"]


def holding(node, **more):
    """A tree of an estimator with one attribute."""
    content = {"class": "sklearn.preprocessing.FunctionTransformer", "state": {"func": node}}
    return {"object": {**content, **more}}


def an_object(name, **state):
    """A tree of an object of a class."""
    return {"object": {"class": name, "state": state}}
