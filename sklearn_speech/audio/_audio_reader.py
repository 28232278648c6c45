"""Sound files to waveforms, as a scikit-learn transformer."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from ..utils.clip_transformers import ClipsOutMixin
from ..utils.lazy_clips import LazyClips, sample_of
from ..utils.rates import with_rate
from ..utils.sklearn_private import (
    DocumentedMixin,
    Interval,
    StrOptions,
    fit_context,
    validate_parameter_constraints,
)
from ..utils.validation import make_ragged
from ._bad_files import report
from ._given_paths import printable
from ._reading import Entries, check_entries, read_clips


class AudioReader(ClipsOutMixin, TransformerMixin, DocumentedMixin, BaseEstimator):
    """Read sound files, or sound in memory, as mono waveforms of one sampling rate.

    WAV, FLAC, OGG, MP3, NIST SPHERE and whatever else the installed libsndfile decodes,
    recognised by its content, not its name. A recording may also be given directly, as the
    content of a file or as samples with their rate. Channels are averaged unless one is chosen;
    other sampling rates are resampled with soxr (quality HQ: a band limit just below the
    lower Nyquist frequency). Samples that overshoot full scale are clipped to [-1, 1].

    The transformer is stateless: ``fit`` checks only that X holds recordings, and
    each file is read alone, so that reading before a split of the data leaks
    nothing.

    Each entry of X is one of

    - the path of a sound file, or an :class:`AudioSegment`;
    - the bytes of a sound file, or a file opened for reading bytes, which is read from its
      beginning and left at its position;
    - ``(samples, sample_rate)``, as ``soundfile.read`` returns: samples of shape (n_times,) or
      (n_times, n_channels), amplitudes in [-1, 1] as floats, or of dtype int8, int16, int32 or
      uint8 at their full scale; the rate in Hz;
    - a dict ``{"array": samples, "sampling_rate": rate}``, ``{"bytes": ...}`` or
      ``{"path": ...}``, as data sets of Hugging Face give it.

    Parameters
    ----------
    sample_rate : int
        Sampling rate of the waveforms in Hz.
    on_error : {"raise", "warn"}, default="raise"
        What to do with bad files: missing, a directory, empty, not audio, no samples, NaN
        or infinite samples, a peak above 10 in a floating-point file, a sampling rate that
        no sound has, a segment outside its file, and damaged ones, whose sizes, checksums
        or lengths contradict each other or what is there. "raise": one error lists every
        bad file with its reason. "warn": the readable part of a damaged file is read; since
        a transformer cannot drop rows, every other bad file becomes one second of silence
        (long enough for any window downstream); one warning lists them all.
        :func:`check_audio_files` tells beforehand which files to leave out.
    channel : int or None, default=None
        The channel to read, counted from 0; None is the average of all. A file
        whose channels cancel each other when averaged is bad.
    verbose : bool, default=False
        Whether to show a progress bar.

    See Also
    --------
    check_audio_files : Find bad files before reading.
    AudioSegment : A part of a file, taken in place of a path.
    PadOrTrim : Bring the waveforms to one length.

    Notes
    -----
    Some meta-estimators of scikit-learn take tables only. Those that look at nothing but the
    number of dimensions, such as ``BaggingClassifier`` and ``AdaBoostClassifier``, take paths as
    one column: ``np.reshape(paths, (-1, 1))``. Those that want numbers, such as
    ``SelfTrainingClassifier``, go behind this step and :class:`PadOrTrim`, round a classifier
    that has its front end inside::

        make_pipeline(
            AudioReader(sample_rate=8000),
            PadOrTrim(),
            SelfTrainingClassifier(
                SpectrogramCNNClassifier(frontend=MelSpectrogram(sample_rate=8000))
            ),
        )

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np, soundfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "stereo.flac")
    ...     soundfile.write(path, np.zeros((44100, 2)), 44100)
    ...     waveforms = AudioReader(sample_rate=8000).transform([path])
    >>> waveforms.shape, waveforms[0].shape, waveforms[0].dtype
    ((1,), (8000,), dtype('float32'))

    Samples from a microphone, at the rate of the microphone:

    >>> samples = np.zeros(22050)
    >>> AudioReader(sample_rate=8000).transform([(samples, 44100)])[0].shape
    (4000,)
    """

    #: The promise that the output for a clip depends on that clip and the parameters alone, so
    #: that it may be computed once and shared between folds.
    _treats_clips_alone = True

    _gives = "waveforms"

    _parameter_constraints = {
        "sample_rate": [Interval(Integral, 1, None, closed="left")],
        "on_error": [StrOptions({"raise", "warn"})],
        "channel": [Interval(Integral, 0, None, closed="left"), None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        sample_rate: int,
        *,
        on_error: str = "raise",
        channel: int | None = None,
        verbose: bool = False,
    ) -> None:
        self.sample_rate = sample_rate
        self.on_error = on_error
        self.channel = channel
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Entries, y: object = None) -> Self:
        """Check that X holds recordings; no file that is given by its path is read.

        Parameters
        ----------
        X : array-like of shape (n_clips,) or (n_clips, 1)
            Paths, segments or recordings in memory, as described above.
        y : object, default=None
            Ignored.

        Returns
        -------
        self : AudioReader
        """
        check_entries(sample_of(X))
        return self

    def transform(self, X: Entries) -> NDArray[Any]:
        """Read the files.

        Parameters
        ----------
        X : array-like of shape (n_clips,) or (n_clips, 1)
            Paths, segments or recordings in memory, as described above.

        Returns
        -------
        waveforms : ndarray of shape (n_clips,), dtype object
            One float32 array of shape (n_times,) per recording, amplitude in [-1, 1]. Ragged
            even if all files have the same length.
            The attribute ``sample_rate`` (Hz) stays with the waveforms, so that a later step
            that expects another rate refuses them.

        Raises
        ------
        TypeError
            When X holds something other than recordings, or samples without their rate.
        ValueError
            With ``on_error="raise"``, when there are bad files: it names each one.

        Warns
        -----
        UserWarning
            With ``on_error="warn"``, when there are bad files.
        """
        validate_parameter_constraints(  # fit, which checks them too, may never be called
            self._parameter_constraints, self.get_params(deep=False), type(self).__name__
        )
        if isinstance(X, LazyClips):
            return X.then(self)
        entries = check_entries(X)
        progress = "reading sound files" if self.verbose else None
        clips = read_clips(
            entries,
            self.sample_rate,
            channel=self.channel,
            keep_damaged=self.on_error == "warn",
            progress=progress,
        )
        bad = [(entry, clip) for entry, clip in zip(entries, clips, strict=True) if clip.reason]
        if bad and self.on_error == "raise":
            raise ValueError(
                f"{len(bad)} of {len(clips)} files cannot be read completely "
                "(check_audio_files finds them beforehand; on_error='warn' reads what is left of "
                "them, or silence):\n"
                + "\n".join(f"  {printable(entry)}: {clip.reason}" for entry, clip in bad)
            )
        lines = {}
        for i, clip in enumerate(clips):
            if clip.reason:
                read = "one second of silence"
                if clip.waveform is not None:
                    read = f"the {clip.duration:.3f} s that can be decoded"
                lines[i] = f"{printable(entries[i])}: {clip.reason} ({read})"
        report(lines, len(clips))
        waveforms = make_ragged(
            np.zeros(self.sample_rate, np.float32) if clip.waveform is None else clip.waveform
            for clip in clips
        )
        return with_rate(waveforms, self.sample_rate)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Name of the output, which is one waveform a clip.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Ignored.

        Returns
        -------
        names : ndarray of shape (1,) of str
            "waveform".
        """
        return np.array(["waveform"], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags
