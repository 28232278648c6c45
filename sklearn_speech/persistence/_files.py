"""Save an estimator to one safetensors file, and load it."""

import json
import os
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes
from sklearn.base import BaseEstimator

import sklearn_speech

from ..utils.atomic import write_atomically
from ..utils.paths import check_path
from ._container import as_file, parse, read_metadata, sign, unsigned
from ._decoder import Decoder
from ._describing import describe
from ._encoder import Encoder
from ._model_card import ModelCard
from ._names import Names, Trusted
from ._reading_cards import write_card

_PACKAGES = ("scikit-learn", "skorch", "torch", "numpy")

#: Packages whose other versions may interpret loaded attributes differently.
_WARNED_ABOUT = ("sklearn_speech", "scikit-learn")

#: Exceptions from reading a file that is cut off, changed or malicious.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    RuntimeError,
    SafetensorError,
    TypeError,
    ValueError,
)


def save(
    estimator: Any,
    path: str | os.PathLike[str],
    *,
    card: ModelCard | None = None,
    trusted: Trusted = (),
) -> None:
    """Write a fitted estimator, such as a whole pipeline, to one file.

    The file is in the safetensors format: arrays and weights, and a header with everything
    else as JSON, the versions of the libraries, the classes, a model card and a checksum of
    every byte. Reading it does not involve pickle.

    The file is written whole or not at all: to a temporary file beside it, flushed to the
    disk, and renamed. It keeps the mode of the file that it replaces. Where `path` is a
    symbolic link, the file that it points to is replaced. Temporary files that killed
    writers left in that folder are removed.

    For nets, the weights, other learned attributes and ``history_`` are kept; the state of
    the optimiser and of callbacks is not, so that ``partial_fit`` on a loaded net continues
    from the weights with a fresh optimiser. Weights are stored as they are on the CPU,
    whatever device the net was fitted on.

    Parameters
    ----------
    estimator : estimator
        Of this library or of scikit-learn, made of numbers, strings, arrays, containers of
        these, random states and other such estimators. Trees, sparse matrices and your own
        functions cannot be saved.
    path : str or path-like
        File to write, usually named ``*.safetensors``; an existing file is replaced.
    card : ModelCard, default=None
        What the model was trained on. Classes, sampling rate, duration, parameters,
        versions and date are added where it lacks them.
    trusted : iterable of str, classes and path-likes, default=()
        Further modules, classes or functions that the estimator may contain: dotted names,
        or the classes themselves. Pass the same value to :func:`load`.

    Raises
    ------
    TypeError
        When a part cannot be stored, such as a callback that writes files; the message
        says which and where it is.
    ValueError
        When parameters of a net were changed after ``fit``, so that they no longer
        describe the network that was fitted; or when strings, lists and dicts take more
        than the 16 MB that :func:`load` reads.
    OSError
        When `path` cannot be written: it is a folder or no regular file, is
        write-protected, or the disk is full. What was there stays.

    Warns
    -----
    UserWarning
        When a pipeline has a `memory`, or a search a `storage`: they are saved as None.

    See Also
    --------
    load : Reads the file.
    read_model_card : Shows what the file says of the model.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_speech.persistence import load, save
    >>> X, y = np.array([[0.0, 1.0], [2.0, 3.0]]), ["no", "yes"]
    >>> clf = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "clf.safetensors")
    ...     save(clf, path)
    ...     loaded = load(path)
    >>> bool(np.all(loaded.predict_proba(X) == clf.predict_proba(X)))
    True
    """
    check_path(path, "path")
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        raise TypeError(f"estimator={estimator!r:.200}: expected an estimator instance")
    names = Names(trusted)
    encoder = Encoder(names)
    tree = encoder.encode(estimator, type(estimator).__name__)
    card = describe(estimator, card)
    metadata = {
        **unsigned(),
        "card": write_card(card),
        "versions": json.dumps(_versions()),
        "classes": json.dumps(sorted(names.used)),
        "estimator": json.dumps(tree, allow_nan=False, separators=(",", ":")),
    }
    try:
        # what load would refuse is not written
        parse(metadata["estimator"])
        content = sign(to_bytes(encoder.arrays, metadata))
    except ValueError as error:
        raise ValueError(f"cannot save {type(estimator).__name__}: {error}") from error
    write_atomically(path, content)


def load(path: str | os.PathLike[str], *, trusted: Trusted = ()) -> Any:
    """Read an estimator that :func:`save` wrote.

    Guarantees for any file, whoever made it:

    - A file is refused if a single bit changed since ``save`` wrote it. The
      checksum finds damage; it does not tell who wrote a file.
    - Nothing that the file names is called or run. It can only name estimators of
      scikit-learn and this library, callbacks of skorch that touch no file, and
      functions of a short list; their objects are given attributes without a call of
      their constructors. Networks are built by this library's own code.
    - No other file is read: where a :class:`~sklearn_speech.SpeechEmbedding` has the path of
      an encoder, the file is refused unless that path is in `trusted`.
    - Nothing is written or created, and no parameter by which a later ``fit`` would
      write files (`memory`, `storage`, callbacks that save checkpoints) is loaded.
    - Memory and time stay within a small multiple of the file's size, and 200 MB where
      the file is small: a network is built only after its shapes agree with the weights
      in the file, and headers of more than 16 MB, or of values that would take much more
      memory than bytes, are refused.

    Not guaranteed: what such an estimator predicts, how much memory its parameters take
    when it is used, and which noise recordings its augmentations read when it is fitted
    again. Compiled parts of scikit-learn, such as ``SVC``, take their fitted arrays on
    trust when they predict. Run untrusted models in a process that you can afford to lose.

    Parameters
    ----------
    path : str or path-like
    trusted : iterable of str, classes and path-likes, default=()
        Further modules, classes or functions that the file may name: dotted names, or the
        classes themselves. Their modules are imported, and the guarantees above do not
        cover them. Also, as :class:`pathlib.Path`, encoders of
        :class:`~sklearn_speech.SpeechEmbedding` that may be read.

    Returns
    -------
    estimator : estimator
        As it was saved, on an available device.

    Raises
    ------
    ValueError
        When the file is damaged, not from :func:`save`, describes more than it has
        weights for, or names a class that is not trusted. The message names the file.

    Warns
    -----
    UserWarning
        When it was saved with other versions of this library or scikit-learn, a net asks
        for a device that is not available, or its weights hold NaN.

    See Also
    --------
    save : Writes the file.

    Examples
    --------
    >>> import os, tempfile
    >>> from sklearn.svm import SVC
    >>> from sklearn_speech.persistence import load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "svc.safetensors")
    ...     save(SVC(C=10).fit([[0], [1]], [0, 1]), path)
    ...     load(path)
    SVC(C=10)
    """
    path, names = as_file(path), Names(trusted)
    try:
        metadata = read_metadata(path)
        versions = parse(metadata["versions"])
        tree = parse(metadata["estimator"])
        _warn_about(path, versions)
        with safe_open(path, framework="numpy") as file:
            estimator = Decoder(names, file.get_tensor).decode(tree)
        if not isinstance(estimator, BaseEstimator) and not hasattr(estimator, "get_params"):
            raise ValueError(f"it holds a {type(estimator).__name__}, not an estimator")
    except _DAMAGE as error:
        raise ValueError(
            f"{path} cannot be loaded: it is damaged, was not written by sklearn_speech's save, "
            f"or names something that is not trusted: {error!s:.1000}"
        ) from error
    return estimator


def _versions() -> dict[str, str]:
    installed = {package: version(package) for package in _PACKAGES}
    return {"sklearn_speech": sklearn_speech.__version__, **installed}


def _warn_about(path: Path, versions: dict[str, str]) -> None:
    installed = _versions()
    for package in _WARNED_ABOUT:
        if versions[package] != installed[package]:
            warnings.warn(
                f"{path} was saved with {package} {versions[package]!s:.40}, but "
                f"{installed[package]} is installed: predictions may differ",
                UserWarning,
                stacklevel=3,
            )
