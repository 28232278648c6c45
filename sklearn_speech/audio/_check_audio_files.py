"""Find the files to leave out before anything is fitted."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from ..utils.parallel import check_run_options
from ..utils.sklearn_private import Interval, validate_parameter_constraints
from ..utils.tables import html_table
from ._given_paths import printable
from ._reading import Entries, check_entries, read_clips


@dataclass(frozen=True, repr=False)
class AudioFileReport:
    """What :func:`check_audio_files` found.

    Parameters
    ----------
    good : ndarray of bool, shape (n_files,)
        Mask of the files that can be used: ``paths[report.good]`` of an array of paths.
    bad : dict of str to str
        Path, or segment, and reason of each file to leave out.
    sample_rate : ndarray of int, shape (n_files,)
        Sampling rates in Hz; 0 where unknown.
    duration : ndarray of float, shape (n_files,)
        Durations in seconds; NaN where unknown.
    """

    good: np.ndarray
    bad: dict
    sample_rate: np.ndarray
    duration: np.ndarray

    def __repr__(self) -> str:
        bad = [f"  {path}: {reason}" for path, reason in self._bad_rows()]
        return "\n".join([self._summary(), *bad])

    def _repr_html_(self) -> str:
        if not self.bad:
            return f"<p>{self._summary()}</p>"
        return html_table(["file to leave out", "reason"], self._bad_rows(), [], [self._summary()])

    def _bad_rows(self) -> list[list[str]]:
        return [[printable(path), reason] for path, reason in self.bad.items()]

    def _summary(self) -> str:
        rates, counts = np.unique(self.sample_rate[self.good], return_counts=True)
        summary = f"{self.good.sum()} of {len(self.good)} files can be used"
        if not len(rates):
            return summary
        shown = ", ".join(f"{n} at {rate} Hz" for rate, n in zip(rates, counts, strict=True))
        seconds = self.duration[self.good]
        return (
            f"{summary}: {shown}; {seconds.min():.2f} s to {seconds.max():.2f} s, "
            f"median {np.median(seconds):.2f} s"
        )


def check_audio_files(
    paths: Entries,
    *,
    min_duration: float = 0.0,
    max_duration: float | None = None,
    channel: int | None = None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> AudioFileReport:
    """Tell which sound files :class:`AudioReader` could not read, and why.

    Every file is decoded, since bad samples may follow a good header, and everything that a
    file says about itself is compared with what is there: sizes, lengths, byte rates,
    checksums, numbers of pages and frames. Damage that contradicts no such statement is not
    noticed: changed samples in WAV, AIFF, AU and other files without checksums, whole
    frames missing at the end of an MP3 file without a Xing header, and the length of PVF,
    PAF and IRCAM files.

    Parameters
    ----------
    paths : array-like of shape (n_files,) or (n_files, 1) of str, os.PathLike or AudioSegment
        Sound files, parts of them, or recordings in memory, see :class:`AudioReader`.
    min_duration : float, default=0.0
        Files shorter than this, in seconds, are bad.
    max_duration : float or None, default=None
        Files longer than this, in seconds, are bad; None sets no limit.
    channel : int or None, default=None
        The channel that :class:`AudioReader` will read; None is the average of all.
    n_jobs : int or None, default=None
        Number of processes, as in joblib: None is 1, -1 all cores. Each takes a second to start,
        which pays from some ten thousand small files on.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    report : AudioFileReport
        Mask of the good files, reason for each bad one, sampling rates and
        durations; ``print(report)`` shows a summary.

    Raises
    ------
    TypeError
        When `paths` holds something other than paths.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np, soundfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "one_second.wav")
    ...     soundfile.write(path, np.zeros(8000), 8000)
    ...     report = check_audio_files([path, "lost.wav"])
    >>> print(report)
    1 of 2 files can be used: 1 at 8000 Hz; 1.00 s to 1.00 s, median 1.00 s
      lost.wav: no such file
    >>> report.good
    array([ True, False])
    """
    check_run_options("check_audio_files", n_jobs=n_jobs, verbose=verbose)
    validate_parameter_constraints(
        {
            "min_duration": [Interval(Real, 0, None, closed="left")],
            "max_duration": [Interval(Real, 0, None, closed="neither"), None],
            "channel": [Interval(Integral, 0, None, closed="left"), None],
        },
        {
            "min_duration": min_duration,
            "max_duration": max_duration,
            "channel": channel,
        },
        "check_audio_files",
    )
    entries = check_entries(paths, "paths")
    progress = "checking sound files" if verbose else None
    clips = read_clips(entries, channel=channel, n_jobs=n_jobs, progress=progress)
    reasons = []
    for clip in clips:
        reason = clip.reason
        if reason is None and clip.duration < min_duration:
            reason = f"lasts {clip.duration:.3f} s, less than min_duration={min_duration:g} s"
        if reason is None and max_duration is not None and clip.duration > max_duration:
            reason = f"lasts {clip.duration:.3f} s, more than max_duration={max_duration:g} s"
        reasons.append(reason)
    return AudioFileReport(
        good=np.array([reason is None for reason in reasons]),
        bad={str(e): reason for e, reason in zip(entries, reasons, strict=True) if reason},
        sample_rate=np.array([clip.sample_rate for clip in clips]),
        duration=np.array([clip.duration for clip in clips]),
    )
