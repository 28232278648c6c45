"""Features relative to what is usual for a speaker."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_array

from ..utils.speakers import check_speakers
from ..utils.values import check_values


def standardize_by_speaker(X: ArrayLike, speakers: ArrayLike) -> NDArray[Any]:
    """Standardise the features of each speaker over the clips of that speaker.

    Emotions show in how a person speaks differently from usual. If several clips of each person
    are at hand, also of those to be recognised, and it is known who speaks, the mean and the
    standard deviation of each person tell what is usual. No labels are used, and no other
    speakers, so that the function may be called before a cross-validation by speaker. Say so
    where you report the score: a system that gets one clip of a stranger cannot do this.

    Parameters
    ----------
    X : array-like of shape (n_clips, n_features)
        Features, such as those of :class:`TemporalPooling`.
    speakers : array-like of shape (n_clips,)
        Speaker of each clip. Each needs several clips, of the kinds to be told apart in
        about equal numbers.

    Returns
    -------
    X_standardised : ndarray of shape (n_clips, n_features)
        With mean 0 and standard deviation 1 over the clips of each speaker; a feature that does
        not vary is 0.

    Raises
    ------
    ValueError
        When X has missing or infinite values, or a speaker has only one clip.

    References
    ----------
    C. Busso, A. Metallinou and S. Narayanan, "Iterative feature normalization for emotional
    speech detection", ICASSP 2011.

    Examples
    --------
    >>> from sklearn_speech.feature_extraction import standardize_by_speaker
    >>> X = [[100.0], [140.0], [200.0], [280.0]]
    >>> standardize_by_speaker(X, ["ann", "ann", "eve", "eve"]).ravel().tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """
    check_values(X)
    table = check_array(X, dtype=(np.float64, np.float32), input_name="X")
    names, codes = check_speakers(speakers, len(table))
    counts = np.bincount(codes, minlength=len(names))
    if counts.min() < 2:
        raise ValueError(
            f"speaker {names.tolist()[counts.argmin()]!r} has only one clip: expected several of "
            "each speaker, whose mean and spread tell what is usual for the speaker"
        )
    standardised = np.empty_like(table)
    for code in range(len(names)):
        rows = codes == code
        standardised[rows] = StandardScaler().fit_transform(table[rows])
    return standardised
