"""Write a fitted pipeline as one ONNX file."""

import os
from dataclasses import replace
from typing import Any

from sklearn.utils.validation import check_is_fitted

from ..utils.atomic import write_atomically
from ..utils.paths import check_path
from ._checking import accepts, check, check_quantized, shortest_length
from ._converting import Converter
from ._describing import check_input, describe, usual_length, without_readers
from ._exporting import content_of, export
from ._load_onnx import model_of
from ._quantizing import exempt_nodes, quantized


def to_onnx(
    estimator: Any,
    path: str | os.PathLike[str],
    *,
    sample_rate: float | None = None,
    quantize: str | None = None,
    X: Any = None,
    tolerance: float = 1e-4,
) -> None:
    """Write a fitted pipeline as one ONNX file, from waveforms to answers.

    The file holds front end, network and weights; :func:`load_onnx` or any other ONNX runtime
    runs it. Its input ``waveforms`` is float32 of shape (n_clips, n_times), with any number of
    clips and, where the pipeline allows it, of samples. Its output is ``probabilities``, or
    ``scores`` of a classifier without them, ``numbers`` of a regressor, ``log_posteriors`` of a
    recogniser (frames, blank first), ``codes`` and the ``spectrograms`` that
    ``inverse_transform`` makes of them of an autoencoder, or
    ``features`` of a pipeline that ends with a transformer. Labels, sampling rate and kind are
    in the metadata, as JSON.

    Each export is checked before the file is put in place: onnxruntime runs it on other
    numbers of clips and other lengths than those traced, and its answers are compared with those
    of the estimator.

    Parameters
    ----------
    estimator : estimator instance
        Fitted: a classifier, regressor, recogniser, autoencoder or transformer of this library,
        or a pipeline, soft vote, calibration or search with them, also with steps of
        scikit-learn behind `TemporalPooling`. Where it begins with an `AudioReader`, that step
        is left out: the file takes waveforms at the reader's rate.
    path : str or os.PathLike
        The file. One that is there is replaced in a single step.
    sample_rate : float, default=None
        Of the waveforms, in Hz. None is the rate of the steps; it is needed where no step has
        one.
    quantize : {None, "int8"}, default=None
        "int8" writes the weights of a classifier's convolutions, linear layers and LSTMs in 8
        bits, which makes the file smaller. Each run makes float32 of them and computes
        the answers in float32; front ends keep theirs. ``benchmarks/export.py`` measures the
        accuracy on held-out speakers.
    X : array-like of shape (n_clips, n_times), or list of 1-D arrays, default=None
        Waveforms whose labels are compared between the weights in 8 bits and those in float32;
        needed with `quantize`, and has no other use. Some 100 clips are enough.
    tolerance : float, default=1e-4
        Largest difference to the answers of the estimator; of answers beyond 1, as a share of
        the largest.

    Raises
    ------
    ImportError
        When a package of the extra ``onnx`` is missing.
    NotFittedError
        When the estimator is not fitted.
    ValueError
        When a step cannot be exported, such as a `FunctionTransformer`: the message names it and
        what to do. When the sampling rate is unknown, or the file answers other than the
        estimator; or, with `quantize`, gives another label to more than 5 % of the clips of
        `X`, or has no weights that could be written in 8 bits. No file is written then.

    See Also
    --------
    load_onnx : Reads the file without torch and scikit-learn.
    save : Writes a file from which training can go on.

    Notes
    -----
    A :class:`SlidingWindow` slides over recordings, which a file cannot: export its classifier of
    clips, the fitted ``estimator_``.

    The file computes in float32. Augmentations, which belong to training, are left out.

    Where a clip is shorter than a window of the pipeline without `PadOrTrim`, the estimator pads
    it in ways that the file cannot; ``least_times`` in the metadata tells the shortest clip.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_speech import MelSpectrogram, SpectrogramCNNClassifier, load_onnx, to_onnx
    >>> X = np.random.default_rng(0).normal(scale=0.1, size=(8, 4000)).astype("float32")
    >>> mel = MelSpectrogram(sample_rate=8000)
    >>> net = SpectrogramCNNClassifier(2, n_filters=4, max_epochs=1, random_state=0)
    >>> clf = make_pipeline(mel, net).fit(X, [0, 1] * 4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_onnx(clf, os.path.join(folder, "words.onnx"))
    ...     model = load_onnx(os.path.join(folder, "words.onnx"))
    >>> model.predict(X).tolist() == clf.predict(X).tolist()
    True
    """
    name = str(check_path(path, "path"))
    if not tolerance > 0:
        raise ValueError(f"tolerance={tolerance!r}: expected a number above 0")
    if quantize not in (None, "int8"):
        raise ValueError(f"quantize={quantize!r}: expected None or 'int8'")
    if (quantize is None) != (X is None):
        raise ValueError(
            "quantize and X belong together: X holds the waveforms whose labels are compared "
            "with and without quantize='int8'"
        )
    check_is_fitted(estimator)
    estimator, given = without_readers(estimator), estimator
    check_input(estimator)
    header = describe(estimator, given, sample_rate)
    if quantize is not None and "classifier" not in header.kind:
        raise ValueError(f"quantize={quantize!r} is for classifiers; this is a {header.kind}")
    converter = Converter()
    module = converter.whole(estimator, header.kind)
    n_times = usual_length(estimator, header.sample_rate)
    longer = n_times + n_times // 2 + 1
    free = accepts(estimator, header.kind, longer)
    model, least = export(module, n_times, header.outputs, converter.graphs, free=free)
    exempt = exempt_nodes(model)
    lengths = [n_times]
    if free:
        file = model_of(content_of(model, header), name)
        least = shortest_length(file, estimator, least, n_times, tolerance)
        lengths = [least, max(least, n_times // 2 + 1), longer]
    header = replace(header, n_times=None if free else n_times, least_times=least)
    content = content_of(model, header)
    file = model_of(content, name)
    check(file, estimator, lengths, tolerance, free=free)
    if quantize is not None:
        content = content_of(quantized(model, exempt), header)
        check_quantized(model_of(content, name), file, X, lengths)
    write_atomically(path, content)
