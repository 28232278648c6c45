"""Acoustic targets of the phones of the ten English digits, for the speech synthesiser.

Formants are those of an average man: vowels after Peterson and Barney (1952) and Hillenbrand
et al. (1995), consonants after Klatt (1980), tables II and III. Levels are in dB relative to the
voicing of a stressed vowel or, for noise, to a strong fricative.
"""

from dataclasses import dataclass

#: Level (dB) at which a source counts as off.
OFF = -80.0

#: Frequencies (Hz) between which the spectrum of frication is interpolated.
FRICATION_FREQUENCIES = (0, 500, 1000, 1700, 2500, 3200, 3900, 5000, 6500, 8000, 12000)

#: Silence before and after a word, in TIMIT's notation.
SILENCE = "h#"


@dataclass(frozen=True)
class Phone:
    """Targets of one phone.

    Parameters
    ----------
    duration : float
        Typical length, s.
    formants : tuple of (fraction, F1, F2, F3)
        Formant frequencies (Hz) and the fraction of the phone (0 to 1) at which they are
        reached. Between these points the formants glide, also across phone boundaries.
    sources : tuple of (fraction, voicing, aspiration, frication)
        Levels (dB) of the three sources and the fraction of the phone at which they begin.
    spectrum : tuple of float or None
        Level of frication (dB) at FRICATION_FREQUENCIES; None for phones without frication.
    nasal : float
        Opening of the velum, 0 to 1.
    elastic : float
        How strongly the duration follows the tempo, 0 to 1.
    """

    duration: float
    formants: tuple
    sources: tuple
    spectrum: tuple | None = None
    nasal: float = 0.0
    elastic: float = 1.0


def _voiced(
    duration: float,
    *formants: tuple[float, ...],
    level: float = 0.0,
    nasal: float = 0.0,
    elastic: float = 1.0,
) -> Phone:
    return Phone(duration, formants, ((0.0, level, -32.0, OFF),), nasal=nasal, elastic=elastic)


_S = (-50, -45, -38, -28, -16, -8, -2, 0, 0, -3, -10)
_Z = (-50, -45, -38, -28, -15, -7, -2, 0, 0, -3, -10)
_F = (-8, -6, -6, -6, -5, -4, -3, -2, 0, 0, -2)
_TH = (-20, -14, -12, -9, -6, -5, -3, -1, 0, 0, -2)
_T_BURST = (-30, -24, -20, -14, -8, -2, 0, 0, -2, -5, -12)
_K_BURST = (-30, -22, -14, 0, 0, -8, -10, -10, -14, -18, -24)

#: Phones by their TIMIT symbols.
PHONES = {
    SILENCE: Phone(0.03, (), ((0.0, OFF, OFF, OFF),)),
    # vowels and diphthongs
    "iy": _voiced(0.21, (0.3, 320, 2080, 2700), (0.75, 290, 2280, 2950)),
    "ih": _voiced(0.09, (0.5, 400, 1980, 2550), elastic=0.7),
    "ix": _voiced(0.06, (0.5, 420, 1650, 2500), level=-5, elastic=0.6),
    "eh": _voiced(0.095, (0.35, 540, 1820, 2480), (0.65, 560, 1740, 2470)),
    "ah": _voiced(0.13, (0.35, 640, 1130, 2380), (0.7, 630, 1200, 2400)),
    "ao": _voiced(0.16, (0.3, 540, 840, 2400), (0.65, 540, 880, 2300)),
    "uw": _voiced(0.22, (0.2, 330, 1600, 2300), (0.8, 310, 1050, 2250)),
    "ay": Phone(
        0.22,
        ((0.2, 700, 1220, 2500), (0.5, 690, 1340, 2480), (0.9, 480, 1800, 2550)),
        ((0.0, 0.0, -32.0, OFF), (0.5, -2.0, -32.0, OFF), (0.8, -6.0, -34.0, OFF)),
    ),
    "ey": _voiced(0.18, (0.25, 480, 1850, 2520), (0.85, 330, 2150, 2700)),
    "ow": _voiced(0.21, (0.3, 500, 980, 2350), (0.85, 380, 800, 2300), level=-1),
    # liquids, glides and nasals
    "r": _voiced(0.075, (0.4, 350, 1200, 1650), level=-3, elastic=0.8),
    "w": _voiced(0.07, (0.4, 300, 640, 2150), level=-5, elastic=0.7),
    "n": _voiced(0.085, (0.4, 300, 1500, 2500), level=-5, nasal=1.0, elastic=0.8),
    # fricatives
    "s": Phone(0.09, ((0.5, 320, 1450, 2530),), ((0.0, OFF, OFF, -6.0),), _S, elastic=0.8),
    "z": Phone(
        0.09,
        ((0.5, 250, 1600, 2530),),
        ((0.0, -14.0, -40.0, -12.0), (0.7, -8.0, -40.0, -16.0)),
        _Z,
        elastic=0.8,
    ),
    "f": Phone(0.06, ((0.5, 340, 1050, 2150),), ((0.0, OFF, -40.0, -13.0),), _F, elastic=0.8),
    "v": Phone(0.075, ((0.5, 260, 1150, 2150),), ((0.0, -14.0, -34.0, -22.0),), _F, elastic=0.7),
    "th": Phone(0.05, ((0.5, 320, 1350, 2540),), ((0.0, OFF, -40.0, -16.0),), _TH, elastic=0.8),
    # stops: closures, then bursts
    "tcl": Phone(0.07, ((0.3, 250, 1800, 2650),), ((0.0, OFF, OFF, OFF),), elastic=0.7),
    "kcl": Phone(0.06, ((0.3, 280, 2000, 2500),), ((0.0, OFF, OFF, OFF),), elastic=0.7),
    "t": Phone(
        0.065,
        ((0.1, 300, 1800, 2650),),
        ((0.0, OFF, OFF, -5.0), (0.3, OFF, -14.0, -14.0), (0.7, OFF, -12.0, -26.0)),
        _T_BURST,
        elastic=0.4,
    ),
    "k": Phone(
        0.03,
        ((0.3, 300, 2000, 2500),),
        ((0.0, OFF, OFF, -12.0), (0.5, OFF, -26.0, -22.0)),
        _K_BURST,
        elastic=0.3,
    ),
}

#: The ten digits as phones, with closures as in TIMIT.
DIGIT_PHONES = {
    0: ("z", "ih", "r", "ow"),
    1: ("w", "ah", "n"),
    2: ("t", "uw"),
    3: ("th", "r", "iy"),
    4: ("f", "ao", "r"),
    5: ("f", "ay", "v"),
    6: ("s", "ih", "kcl", "k", "s"),
    7: ("s", "eh", "v", "ix", "n"),
    8: ("ey", "tcl", "t"),
    9: ("n", "ay", "n"),
}
