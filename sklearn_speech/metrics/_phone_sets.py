"""The phones of TIMIT, and the standard folding to 48 or 39 of them."""

import difflib
from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ..utils.phones import check_phone_sequences
from ..utils.validation import make_ragged

#: The 61 symbols of TIMIT's transcriptions, alphabetically.
TIMIT_PHONES = tuple(
    "aa ae ah ao aw ax ax-h axr ay b bcl ch d dcl dh dx eh el em en eng epi er ey f g gcl h# hh "
    "hv ih ix iy jh k kcl l m n ng nx ow oy p pau pcl q r s sh t tcl th uh uw ux v w y z zh".split()
)

#: The folding to 48 phones; other phones are kept. The glottal stop q is removed.
_TO_48: dict[str, str | None] = {
    "ax-h": "ax",
    "axr": "er",
    "em": "m",
    "nx": "n",
    "eng": "ng",
    "hv": "hh",
    "ux": "uw",
    "pcl": "cl",
    "tcl": "cl",
    "kcl": "cl",
    "bcl": "vcl",
    "dcl": "vcl",
    "gcl": "vcl",
    "h#": "sil",
    "pau": "sil",
    "q": None,
}

#: The folding from 48 phones to 39; other phones are kept.
_TO_39 = {
    "ao": "aa",
    "ax": "ah",
    "ix": "ih",
    "el": "l",
    "en": "n",
    "zh": "sh",
    "cl": "sil",
    "vcl": "sil",
    "epi": "sil",
}


def _fold_table(folding: int) -> dict[str, str | None]:
    """Return the folded phone of each phone; phones of the folded sets are keys too."""
    table: dict[str, str | None] = {phone: _TO_48.get(phone, phone) for phone in TIMIT_PHONES}
    table |= {phone: phone for phone in table.values() if phone is not None}
    if folding == 39:
        table = {phone: folded and _TO_39.get(folded, folded) for phone, folded in table.items()}
    return table


_TABLES = {folding: _fold_table(folding) for folding in (48, 39)}


def fold_phones(sequences: ArrayLike, folding: Literal[39, 48] = 39) -> np.ndarray:
    """Fold TIMIT's phones to the 48 or 39 phones on which systems are trained and compared.

    The standard folding of Lee and Hon [1]_. To 48: the allophones ax-h, axr, em, nx, eng, hv and
    ux become ax, er, m, n, ng, hh and uw; the closures pcl, tcl and kcl become cl, and bcl, dcl
    and gcl become vcl; h# and pau become sil; the glottal stop q is removed. To 39: furthermore
    ao, ax, ix, el, en and zh become aa, ah, ih, l, n and sh, and cl, vcl and epi become sil.

    Parameters
    ----------
    sequences : list or 1-D array of sequences of str
        The phones of each clip. Phones of the folded sets are accepted too, so that folding twice
        equals folding once.
    folding : {48, 39}, default=39
        Number of phones after folding.

    Returns
    -------
    folded : ndarray of shape (n_clips,), dtype object
        Each a list of str. Equal neighbours that folding creates, such as two "sil", are not
        merged, as in published scores.

    Raises
    ------
    ValueError
        If a phone is not one of TIMIT's, or `folding` is another number.

    References
    ----------
    .. [1] K.-F. Lee and H.-W. Hon, "Speaker-independent phone recognition using hidden Markov
       models", IEEE Trans. Acoust., Speech, Signal Process. 37, 1641-1648 (1989).

    Examples
    --------
    >>> from sklearn_speech.metrics import fold_phones
    >>> fold_phones([["h#", "q", "ao", "l", "axr", "pcl", "p", "h#"]])[0]
    ['sil', 'aa', 'l', 'er', 'sil', 'p', 'sil']
    """
    return fold_checked(check_phone_sequences(sequences, "sequences"), folding, "sequences")


def check_folding(folding: int | None) -> None:
    """Raise unless `folding` is None, 48 or 39."""
    if folding is not None and (isinstance(folding, bool) or folding not in _TABLES):
        raise ValueError(f"folding={folding!r}: expected 48, 39 or None")


def fold_checked(sequences: Iterable[list[str]], folding: int | None, name: str) -> np.ndarray:
    """Fold sequences that have been checked; errors contain `name`."""
    check_folding(folding)
    if folding is None:
        raise ValueError("folding=None: expected 48 or 39")
    table = _TABLES[folding]
    for i, phones in enumerate(sequences):
        for phone in phones:
            if phone not in table:
                close = difflib.get_close_matches(phone.lower(), table, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise ValueError(
                    f"{name}[{i}] contains the phone {phone!r}, which is not one of TIMIT's 61 and "
                    f"cannot be folded to {folding}{hint}"
                )
    return make_ragged(
        [table[phone] for phone in phones if table[phone] is not None] for phones in sequences
    )
