"""From frame posteriors to phone codes: the best path, or a beam of prefixes."""

import numpy as np

BLANK = 0


def greedy_decode(log_probs):
    """Codes of the most probable path: repeats are merged, blanks left out.

    Parameters
    ----------
    log_probs : ndarray of shape (n_frames, n_labels)
        Blank first.

    Returns
    -------
    codes : list of int

    Examples
    --------
    >>> greedy_decode(np.eye(3)[[0, 1, 1, 0, 1, 2]])
    [1, 1, 2]
    """
    best = np.asarray(log_probs).argmax(1)
    changed = np.ones(len(best), dtype=bool)
    changed[1:] = best[1:] != best[:-1]
    return best[changed & (best != BLANK)].tolist()


def beam_decode(
    log_probs, beam_width=16, language_model=None, weight=0.0, bonus=0.0, threshold=1e-4
):
    """Codes of the most probable sequence: the paths of a prefix are added up.

    Parameters
    ----------
    log_probs : ndarray of shape (n_frames, n_labels)
        Blank first.
    beam_width : int, default=16
        Prefixes that are kept after each frame.
    language_model : PhoneNGram, default=None
        Its logarithms, times `weight`, are added for each phone and for the end.
    weight : float, default=0.0
    bonus : float, default=0.0
        Added for each phone: language models make sequences short.
    threshold : float, default=1e-4
        Phones less probable in a frame than this do not begin there, unless they
        are the most probable one. 0 leaves nothing out.

    Returns
    -------
    codes : list of int

    References
    ----------
    A. Hannun et al., "First-pass large vocabulary continuous speech recognition
    using bi-directional recurrent DNNs", arXiv:1408.2873, 2014.
    """
    log_probs = np.asarray(log_probs, dtype=float)
    prior, after = {(): 0.0}, {}  # of each prefix that was in the beam: its own, and what follows

    def follow(prefix):
        if prefix not in after:
            after[prefix] = weight * language_model.log_proba(prefix)
        return after[prefix]

    def prior_of(prefix):
        if prefix not in prior:
            value = prior[prefix[:-1]] + bonus
            if language_model is not None:
                value += follow(prefix[:-1])[prefix[-1]]
            prior[prefix] = value
        return prior[prefix]

    with np.errstate(divide="ignore"):
        floor = np.log(threshold)
    beam = {(): (0.0, -np.inf)}  # paths that end in blank, and in the last phone
    for row in log_probs:
        begin = np.flatnonzero(row[1:] >= floor) + 1
        if not len(begin):
            begin = [int(row[1:].argmax()) + 1] if len(row) > 1 else []
        begin = [(int(c), float(row[c])) for c in begin]
        grown = {}
        for prefix, (blank, last) in beam.items():
            both = np.logaddexp(blank, last)
            stays = -np.inf if not prefix else last + row[prefix[-1]]
            _add(grown, prefix, both + row[BLANK], stays)
            for code, value in begin:
                before = blank if prefix and prefix[-1] == code else both
                if before > -np.inf:
                    _add(grown, (*prefix, code), -np.inf, before + value)
        ranked = sorted(
            grown.items(), key=lambda item: np.logaddexp(*item[1]) + prior_of(item[0]), reverse=True
        )
        beam = dict(ranked[:beam_width])

    def total(item):
        value = np.logaddexp(*item[1]) + prior_of(item[0])
        if language_model is not None:
            value += follow(item[0])[BLANK]
        return value

    return list(max(beam.items(), key=total)[0])


def _add(beam, prefix, blank, last):
    if prefix in beam:
        old_blank, old_last = beam[prefix]
        blank, last = np.logaddexp(old_blank, blank), np.logaddexp(old_last, last)
    beam[prefix] = (blank, last)
