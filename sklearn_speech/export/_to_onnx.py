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
    """Write a fitted pipeline to one ONNX file, from waveforms to predictions.

    The file contains front end, network and weights. :func:`load_onnx` or any other ONNX runtime
    runs it.

    Its input ``waveforms`` is float32 of shape (n_clips, n_times), with any number of clips and,
    if the pipeline allows it, any number of samples. The name of its output depends on the last
    step of the pipeline:

    - classifier: ``probabilities``, or ``scores`` if it has no ``predict_proba``; if ``predict``
      chooses otherwise than by the largest of them, as with a tuned threshold, also
      ``decisions``, whose largest number gives the label;
    - regressor: ``numbers``;
    - recogniser: ``log_posteriors`` of the blank and the phones in each frame;
    - autoencoder: ``codes``, and ``spectrograms``, which ``inverse_transform`` returns for them;
    - transformer: ``features``.

    Labels, sample rate and the kind of the last step are in the metadata of the file, as JSON.

    Before the file is put in place, onnxruntime runs it on other numbers of clips and other
    lengths than those of the export, and its results and labels are compared with those of the
    estimator.

    Parameters
    ----------
    estimator : estimator instance
        Fitted: a classifier, regressor, recogniser, autoencoder or transformer of this library,
        or a pipeline, soft vote, calibration or search with them; steps of scikit-learn may
        follow `TemporalPooling`. An `AudioReader` at the beginning is left out: the file takes
        waveforms at the reader's rate.
    path : str or os.PathLike
        The file. One that is there is replaced in a single step.
    sample_rate : float, default=None
        Sample rate of the waveforms, in Hz. None is the rate of the steps; give it if no step
        has one.
    quantize : {None, "int8"}, default=None
        "int8" stores the weights of a classifier's convolutions, linear layers and LSTMs in 8
        bits, which makes the file smaller. They are converted back to float32 in each run, so
        runs do not become faster. Weights of front ends stay in float32.
        ``benchmarks/export.py`` measures the accuracy on held-out speakers.
    X : array-like of shape (n_clips, n_times), or list of 1-D arrays, default=None
        Waveforms on which the labels of the 8-bit weights are compared with those of the float32
        weights. Needed with `quantize`, and not used otherwise. Some 100 clips are enough.
    tolerance : float, default=1e-4
        Largest difference from the results of the estimator. For results larger than 1, the
        difference is divided by the largest one.

    Raises
    ------
    ImportError
        When a package of the extra ``onnx`` is missing.
    NotFittedError
        When the estimator is not fitted.
    ValueError
        If a step cannot be exported, such as a `FunctionTransformer` (the message names it and
        says what to do), if the sample rate is unknown, or if the results or labels of the file
        differ from those of the estimator. With `quantize`, also if more than 5 % of the clips
        in `X` get another label, or if no weights can be stored in 8 bits. No file is written
        then.

    See Also
    --------
    load_onnx : Reads the file without torch and scikit-learn.
    save : Writes a file from which training can go on.

    Notes
    -----
    Of a :class:`SlidingWindow`, export the fitted classifier, ``estimator_``: a file cannot move a
    window over a recording.

    The file computes in float32. Augmentations, which belong to training, are left out.

    Without `PadOrTrim`, an estimator pads clips that are shorter than its windows. A file cannot
    do this in all cases; ``least_times`` in its metadata is the number of samples that a clip
    must have.

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
