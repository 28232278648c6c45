"""Keys of cached features: the steps and their parameters, the clips, and the version."""

import hashlib
import os
import pickle
import sys
from collections.abc import Iterable
from typing import Any

import joblib
import numpy as np
from sklearn.utils import indexable

from .. import __version__
from ..audio import AudioSegment
from ..audio._reading import check_entries
from ..audio._recording import Recording
from ..utils.sklearn_private import safe_indexing
from ..utils.values import as_arrays

#: Parameters that do not change the features.
_WITHOUT_EFFECT = {"n_jobs", "verbose", "device"}


def key_of_steps(steps: list[tuple[str, Any]]) -> str:
    """Return the part of a key that depends on the transformers and their parameters.

    Parameters
    ----------
    steps : list of (str, transformer)
        Their names do not matter.

    Returns
    -------
    key : str of length 32
    """
    return digest([_description(step) for _, step in steps])


def _description(step):
    params = step.get_params(deep=True)
    for name in params.keys() & _WITHOUT_EFFECT:
        del params[name]
    # a file may change under the same path
    content = getattr(step, "_read_content", lambda: None)()
    return [f"{type(step).__module__}.{type(step).__qualname__}", params, content]


def clip_names(X: Any) -> list[str]:
    """Return a name for each clip, derived from its file or its values, and the version.

    Parameters
    ----------
    X : array-like of shape (n_clips, ...)
        Clips in any form, files included.

    Returns
    -------
    names : list of str of length 32
    """
    each: Iterable[Any] | None = file_identities(X)
    if each is None and isinstance(X, np.ndarray) and X.ndim > 1:
        each = X  # ten times as fast as the indexing of scikit-learn
    elif each is None:
        each = (safe_indexing(X, i) for i in range(len(indexable(X)[0])))
    return [digest(__version__, clip) for clip in each]


def key_of_clips(names: list[str]) -> str:
    """Return the part of a key that depends on the clips.

    Parameters
    ----------
    names : list of str
        As :func:`clip_names` returns them.

    Returns
    -------
    key : str of length 32
    """
    return digest(names)


def digest(*values: object) -> str:
    """Return a hexadecimal digest of some values.

    Parameters
    ----------
    *values : object
        Arrays, ragged arrays, lists, dicts, strings, paths, numbers, None, tensors and modules
        of torch are hashed by value; anything else is hashed by joblib.

    Returns
    -------
    digest : str of length 32

    Raises
    ------
    TypeError
        When a value cannot be hashed.

    Examples
    --------
    >>> import numpy as np
    >>> digest(np.zeros(3), "a") == digest(np.zeros(3), "a")
    True
    >>> digest(np.zeros(3)) == digest(np.zeros(3, np.float32))
    False
    """
    state = hashlib.blake2b(digest_size=16)
    for value in values:
        _update(state, value)
    return state.hexdigest()


def _update(state, value):
    if isinstance(value, np.ndarray) and value.dtype != object:
        state.update(f"array {value.dtype.str} {value.shape};".encode())
        state.update(np.ascontiguousarray(value).view(np.uint8).data if value.size else b"")
    elif isinstance(value, np.ndarray):
        state.update(f"objects {value.shape};".encode())
        for item in value.ravel():
            _update(state, item)
    elif isinstance(value, (list, tuple)):
        state.update(f"{len(value)} items;".encode())
        for item in value:
            _update(state, item)
    elif isinstance(value, dict):
        state.update(f"{len(value)} entries;".encode())
        for key in sorted(value, key=repr):
            _update(state, key)
            _update(state, value[key])
    elif isinstance(value, os.PathLike):
        state.update(f"path {os.fspath(value)};".encode(errors="surrogateescape"))
    elif value is None or isinstance(value, (bool, int, float, str, bytes, np.generic)):
        state.update(f"{type(value).__name__} {value!r};".encode(errors="surrogatepass"))
    elif (torch := sys.modules.get("torch")) and isinstance(value, torch.Tensor):
        _update(state, ["tensor", str(value.dtype), as_arrays(value)])
    elif torch and isinstance(value, torch.nn.Module):
        _update(state, _parts_of_module(value))
    else:
        try:
            found = joblib.hash(value)
        except (AttributeError, TypeError, pickle.PicklingError) as error:
            raise TypeError(
                f"{value!r:.200} cannot be pickled, so features that depend on it cannot be "
                "stored and found again: replace lambdas and local functions by functions of a "
                "module, or store nothing"
            ) from error
        state.update(f"{type(value).__qualname__} {found};".encode())


def _parts_of_module(module):
    """What a module of torch computes with; pickles of equal modules differ."""
    torch = sys.modules["torch"]
    if isinstance(module, torch.jit.ScriptModule):
        return [str(module.inlined_graph), dict(module.state_dict())]
    common = vars(torch.nn.Module())
    return [
        f"{type(module).__module__}.{type(module).__qualname__}",
        {name: value for name, value in vars(module).items() if name not in common},
        [list(vars(module)[name].values()) for name in sorted(common) if name.endswith("_hooks")],
        dict(module.named_parameters(recurse=False)),
        dict(module.named_buffers(recurse=False)),
        list(module.named_children()),
    ]


def file_identities(X: Any) -> list[tuple[Any, ...]] | None:
    """Return path, size and modification time of each file, to detect changed files.

    A recording in memory is its own identity: its content, or its samples and their rate.

    Parameters
    ----------
    X : array-like of paths, segments or recordings in memory
        In any form that :class:`~sklearn_speech.audio.AudioReader` takes.

    Returns
    -------
    identities : list of tuple, or None
        Size and time are None for a missing file; the result is None if X holds no files.
    """
    if getattr(getattr(X, "dtype", None), "kind", "O") in "biufc":
        return None
    try:
        entries = check_entries(X)
    except (TypeError, ValueError):
        return None
    identities: list[tuple[Any, ...]] = []
    for entry in entries:
        if isinstance(entry, Recording):
            identities.append((entry.content, entry.samples, entry.sample_rate))
            continue
        path = os.path.abspath(entry.path if isinstance(entry, AudioSegment) else entry)
        try:
            found = os.stat(path)
            state: tuple[int | None, int | None] = found.st_size, found.st_mtime_ns
        except (OSError, ValueError):  # ValueError: a null character in a name
            state = None, None
        part = (entry.start, entry.end) if isinstance(entry, AudioSegment) else ()
        identities.append((path, *state, *part))
    return identities
