"""Read an exported pipeline."""

import os
import threading
from typing import Any

from ..utils.paths import check_path
from ._header import INPUT, Header
from ._limited_session import LimitedSession
from ._onnx_estimator import OnnxEstimator
from ._wire import DIGEST_KEY, MAX_FILE, UnsafeFileError, read_metadata

#: Bytes that a network may use when it runs: 4 GiB.
MAX_MEMORY = 2**32

#: The allocator of the process and the session that is to use it must be made together.
_MAKING_SESSION = threading.Lock()


def load_onnx(
    path: str | os.PathLike[str],
    *,
    n_threads: int = 1,
    max_memory: int = MAX_MEMORY,
    max_seconds: float | None = None,
) -> OnnxEstimator:
    """Read a file that :func:`to_onnx` wrote.

    Needs numpy and onnxruntime alone: neither this function nor what it returns loads torch,
    skorch, scipy or scikit-learn.

    The file is checked before onnxruntime sees it. No code in it is run and no other file
    is opened: weights in side files, operators outside of the ONNX standard, loops and branches
    are refused, and so is a file that differs in a single bit from what was written.

    Parameters
    ----------
    path : str or os.PathLike
        A file.
    n_threads : int, default=1
        Threads that onnxruntime computes with.
    max_memory : int, default=2**32
        Bytes that the network may use when it runs; 4 GiB by default. A file that needs more
        raises an error and leaves the process alive.
    max_seconds : float, default=None
        Seconds that one run of the network may take, of at most 256 clips. A run that takes
        longer raises TimeoutError. None sets no limit.

    Returns
    -------
    estimator : OnnxEstimator
        With ``predict`` and ``predict_proba``, or what the exported pipeline had.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ImportError
        When onnxruntime is not installed.
    ValueError
        When the file is damaged, larger than 1 GiB, unsafe, or not of ``to_onnx``.

    See Also
    --------
    to_onnx : Writes such files.

    Notes
    -----
    No answer and no constant is computed while the file is read. `max_memory` bounds the memory
    of a network, for weights and results. `max_seconds` ends a run between two operators: in a
    file made to do harm, a single operator can still compute for long. Run files of strangers
    in a process with a limit of time.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_speech import MelSpectrogram, SpectrogramLinearClassifier
    >>> from sklearn_speech import load_onnx, to_onnx
    >>> X = np.random.default_rng(0).normal(scale=0.1, size=(8, 800)).astype("float32")
    >>> mel = MelSpectrogram(sample_rate=8000, n_mels=8)
    >>> net = SpectrogramLinearClassifier(max_epochs=1, random_state=0)
    >>> clf = make_pipeline(mel, net).fit(X, ["no", "yes"] * 4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "words.onnx")
    ...     to_onnx(clf, path)
    ...     model = load_onnx(path)
    >>> model.sample_rate, model.classes_.tolist()
    (8000, ['no', 'yes'])
    >>> bool(np.abs(model.predict_proba(X) - clf.predict_proba(X)).max() < 1e-5)
    True
    """
    name = str(check_path(path, "path"))
    if isinstance(n_threads, bool) or not isinstance(n_threads, int) or n_threads < 1:
        raise ValueError(f"n_threads={n_threads!r}: expected a whole number of at least 1")
    if isinstance(max_memory, bool) or not isinstance(max_memory, int) or max_memory < 1:
        raise ValueError(
            f"max_memory={max_memory!r}: expected a whole number of bytes of at least 1"
        )
    is_number = isinstance(max_seconds, (int, float)) and not isinstance(max_seconds, bool)
    if max_seconds is not None and not (is_number and 0 < max_seconds <= threading.TIMEOUT_MAX):
        raise ValueError(f"max_seconds={max_seconds!r}: expected a number of seconds above 0")
    size = os.path.getsize(name)
    if size > MAX_FILE:
        raise ValueError(f"{name} has {size} bytes; at most {MAX_FILE} are read")
    with open(name, "rb") as file:
        content = file.read(MAX_FILE + 1)
    return model_of(content, name, n_threads, max_memory, max_seconds)


def model_of(
    content: bytes,
    name: str,
    n_threads: int = 1,
    max_memory: int = MAX_MEMORY,
    max_seconds: float | None = None,
) -> OnnxEstimator:
    """The estimator in the bytes of a file; errors call it by its name."""
    try:
        metadata = read_metadata(content)
        header = Header.from_metadata(metadata)
        if DIGEST_KEY not in metadata:
            raise UnsafeFileError(f"it is damaged: its metadata lack {DIGEST_KEY!r}")
    except UnsafeFileError as error:
        raise ValueError(f"{name} is not opened: {error}") from error
    except ValueError as error:
        raise ValueError(f"{name} cannot be used: {error}") from error
    session = _session(content, name, n_threads, max_memory)
    inputs = [(i.name, i.type, len(i.shape)) for i in session.get_inputs()]
    outputs = tuple(o.name for o in session.get_outputs())
    if inputs != [(INPUT, "tensor(float)", 2)] or outputs != header.outputs:
        raise ValueError(
            f"{name} cannot be used: it has the inputs {inputs} and the outputs {outputs}; "
            f"expected {INPUT!r}, float32 with 2 axes, and {header.outputs} of a {header.kind}"
        )
    again = (model_of, (content, name, n_threads, max_memory, max_seconds))
    if max_seconds is not None:
        session = LimitedSession(session, max_seconds)
    return OnnxEstimator(session, header, name, again)


def _session(content: bytes, name: str, n_threads: int, max_memory: int) -> Any:
    """A session of onnxruntime on the CPU; `content` must have been checked."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            f"onnxruntime is needed to run {name}: pip install onnxruntime"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # a file could be made to look like ONNX here and like another format there
    options.add_session_config_entry("session.load_model_format", "ONNX")
    # no arithmetic in 8 bits, which answers otherwise
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    options.add_session_config_entry("session.use_env_allocators", "1")
    allocator = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    # no more than what is asked for: sizes rounded up would reach the bound too early
    bounds = onnxruntime.OrtArenaCfg({"max_mem": max_memory, "arena_extend_strategy": 1})
    try:
        with _MAKING_SESSION:
            onnxruntime.create_and_register_allocator(allocator, bounds)
            return onnxruntime.InferenceSession(
                content,
                options,
                providers=["CPUExecutionProvider"],
                # a few bytes can describe constants of any size, which it would compute here
                disabled_optimizers=["ConstantFolding"],
                enable_fallback=0,  # it would print, and try the same again
            )
    except Exception as error:
        raise ValueError(f"{name} cannot be opened by onnxruntime: {error}") from error
