"""A source-filter synthesiser: glottal pulses and noise filtered by moving formants.

After D. H. Klatt, "Software for a cascade/parallel formant synthesizer", J. Acoust. Soc. Am.
67, 971 (1980), and D. H. Klatt and L. C. Klatt, ibid. 87, 820 (1990). The filters do not run
sample by sample: the source is cut into short overlapping frames, the spectrum of each frame is
multiplied by the frequency response of the vocal tract at that time, and the frames are added
up again. All responses are those of analogue resonators, so a voice sounds the same at every
sample rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.interpolate import PchipInterpolator

from ._digit_phones import FRICATION_FREQUENCIES, PHONES, SILENCE

#: Hop of the frames, s; a frame is two hops long. Formants move at most this often.
HOP = 0.004

#: Longest time that the filtered sound of a frame lasts beyond the frame, s.
RINGING = 0.04

#: Sample rate (Hz) at which white noise of unit variance has the spectral density of this noise.
NOISE_RATE = 16000

#: Fixed formants above the third, of a 17.5 cm tract, Hz.
UPPER_FORMANTS = (3400.0, 4300.0, 5400.0, 6400.0, 7400.0, 8400.0, 9400.0, 10400.0, 11400.0)

#: Pole of the nasal tract, its zero with an open velum, and the bandwidth of both, Hz.
NASAL_POLE, NASAL_ZERO, NASAL_BANDWIDTH = 270.0, 620.0, 100.0

#: Fall of level along the last phone, dB.
FINAL_DECAY = 18.0

TABLE_LENGTH = 2048


@dataclass(frozen=True)
class Voice:
    """The constant properties of one speaker.

    Parameters
    ----------
    kind : str
        "man", "woman" or "child".
    f0 : float
        Mean fundamental frequency, Hz.
    formant_scale : float
        Formant frequencies relative to those of a man of average size (1 / tract length).
    formant_offsets : tuple of 3 floats
        Accent: factors of F1, F2 and F3 in addition to `formant_scale`.
    tempo : float
        Speed of speaking; 2 is twice as fast.
    pitch_range : float
        Fall of the pitch along a word, in octaves.
    breathiness : float
        Aspiration relative to the phone table, dB.
    open_quotient : float
        Fraction of a period in which the glottis is open.
    tilt : float
        Slope of the voice's spectrum in addition to that of the pulses, dB per octave above 500 Hz.
    frication : float
        Level of fricatives and bursts relative to the phone table, dB.
    jitter, shimmer : float
        Relative standard deviation of period and amplitude from cycle to cycle.
    room_tilt : float
        Slope of room and microphone, dB per octave above 500 Hz.
    room_lower_edge : float
        Cut-off frequency (Hz) of the microphone's high pass.
    snr : float
        Speech level relative to background noise, dB.
    level : float
        Peak amplitude of a typical clip.
    """

    kind: str
    f0: float
    formant_scale: float
    formant_offsets: tuple
    tempo: float
    pitch_range: float
    breathiness: float
    open_quotient: float
    tilt: float
    frication: float
    jitter: float
    shimmer: float
    room_tilt: float
    room_lower_edge: float
    snr: float
    level: float


def lay_out(phones: Sequence[str], voice: Voice, rng: np.random.Generator) -> np.ndarray:
    """Draw the phone boundaries of one utterance of a word, with silence around it.

    Returns
    -------
    boundaries : ndarray of shape (n_phones + 3,)
        Times (s) at which the first silence, each phone and the last silence begin and end.
    """
    take_tempo = voice.tempo * np.exp(0.06 * rng.standard_normal())
    durations = [rng.uniform(0.005, 0.04)]
    for i, name in enumerate(phones):
        phone = PHONES[name]
        last = 1.15 if i == len(phones) - 1 and phone.elastic > 0.5 else 1.0
        durations.append(
            phone.duration
            * last
            * take_tempo ** (-phone.elastic)
            * np.exp(0.08 * rng.standard_normal())
        )
    durations.append(rng.uniform(0.005, 0.05))
    return np.concatenate([[0.0], np.cumsum(durations)])


def synthesize(
    phones: Sequence[str],
    boundaries: np.ndarray,
    voice: Voice,
    sample_rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Synthesise a sequence of phones.

    Parameters
    ----------
    phones : sequence of str
        Including the silences at both ends.
    boundaries : ndarray of shape (n_phones + 1,)
        In samples, beginning with 0.
    voice : Voice
    sample_rate : int
        Hz.
    rng : numpy.random.Generator

    Returns
    -------
    waveform : ndarray of shape (boundaries[-1],)
        float64, of arbitrary level.
    """
    n_times = int(boundaries[-1])
    hop = round(HOP * sample_rate)
    n_frames = n_times // hop + 2
    frame_times = np.arange(n_frames) * hop
    formants, nasal = _formant_tracks(phones, boundaries, frame_times, voice, rng)
    voicing, aspiration, frication = _level_tracks(phones, boundaries, sample_rate, voice)
    voiced, open_glottis = _glottal_source(boundaries, voicing, voice, sample_rate, rng)
    noise = rng.standard_normal((2, n_times)) * np.sqrt(sample_rate / NOISE_RATE)
    buzz = np.where(voicing > 0.05, 0.3 + 1.4 * open_glottis, 1.0)
    tract_source = voiced + aspiration * buzz * noise[0]
    frication_source = frication * (0.4 + 0.6 * buzz) * noise[1]

    n_fft = 1 << int(np.ceil(np.log2(2 * hop + RINGING * sample_rate)))
    frequencies = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    tract = _tract_response(frequencies, formants, nasal, voice)
    mouth = _frication_response(phones, boundaries, frame_times, frequencies, voice)
    room = _room_response(frequencies, voice)
    spectrum = np.fft.rfft(_frames(tract_source, hop, n_frames), n_fft) * tract
    spectrum += np.fft.rfft(_frames(frication_source, hop, n_frames), n_fft) * mouth
    return _overlap_add(np.fft.irfft(spectrum * room, n_fft), hop)[hop : hop + n_times]


def _frames(source: np.ndarray, hop: int, n_frames: int) -> np.ndarray:
    """Overlapping frames, centred on multiples of hop, with windows that add up to one."""
    padded = np.zeros((n_frames + 1) * hop)
    padded[hop : hop + len(source)] = source
    halves = padded.reshape(n_frames + 1, hop)
    window = 0.5 - 0.5 * np.cos(np.pi * (np.arange(2 * hop) + 0.5) / hop)
    return np.hstack([halves[:-1], halves[1:]]) * window


def _overlap_add(frames: np.ndarray, hop: int) -> np.ndarray:
    n_frames, length = frames.shape
    n_blocks = -(-length // hop)
    blocks = np.zeros((n_frames, n_blocks * hop))
    blocks[:, :length] = frames
    blocks = blocks.reshape(n_frames, n_blocks, hop)
    sound = np.zeros((n_frames + n_blocks, hop))
    for i in range(n_blocks):
        sound[i : i + n_frames] += blocks[:, i]
    return sound.ravel()


def _formant_tracks(
    phones: Sequence[str],
    boundaries: np.ndarray,
    times: np.ndarray,
    voice: Voice,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """F1 to F3 (Hz) and the opening of the velum at each frame, gliding between targets."""
    knots: list[float] = []
    targets: list[np.ndarray] = []
    centres: list[float] = []
    openings: list[float] = []
    for name, start, end in zip(phones, boundaries[:-1], boundaries[1:]):
        phone = PHONES[name]
        wobble = 1 + 0.02 * rng.standard_normal(3)
        for fraction, *target in phone.formants:
            knots.append(start + fraction * (end - start))
            targets.append(np.array(target) * wobble)
        if name != SILENCE:
            # the velum is slow: it opens within the vowel before a nasal
            inset = 0.15 * (end - start)
            centres += [start + inset, end - inset]
            openings += [phone.nasal, phone.nasal]
    # the formants rest before the first target and after the last
    knots = [-1.0, *knots, times[-1] + 1.0]
    targets = [targets[0], *targets, targets[-1]]
    formants = PchipInterpolator(knots, np.array(targets), axis=0)(times)
    formants *= voice.formant_scale * np.array(voice.formant_offsets)
    return formants, np.interp(times, centres, openings)


def _level_tracks(
    phones: Sequence[str], boundaries: np.ndarray, sample_rate: int, voice: Voice
) -> list[np.ndarray]:
    """Amplitudes of voicing, aspiration and frication at each sample."""
    levels = np.zeros((3, int(boundaries[-1])))
    for name, start, end in zip(phones, boundaries[:-1], boundaries[1:]):
        for fraction, *source in PHONES[name].sources:
            levels[:, int(start + fraction * (end - start)) : int(end)] = np.array(source)[:, None]
    levels += np.array([[0.0], [voice.breathiness], [voice.frication]])
    levels += _final_decay(boundaries) * np.array([[1.0], [0.5], [0.7]])
    amplitudes = 10 ** (levels / 20)
    amplitudes[levels < -60] = 0.0
    # voicing begins and ends more slowly than noise; bursts are sudden
    return [
        _smooth(amplitude, int(seconds * sample_rate))
        for amplitude, seconds in zip(amplitudes, (0.024, 0.016, 0.008))
    ]


def _final_decay(boundaries: np.ndarray) -> np.ndarray:
    """Change of level (dB) at each sample: the last phone of a word fades."""
    start, end = boundaries[-3], boundaries[-2]
    progress = (np.arange(int(boundaries[-1])) - start) / (end - start)
    return -FINAL_DECAY * np.clip(progress - 0.25, 0, 0.75) / 0.75


def _smooth(track: np.ndarray, width: int) -> np.ndarray:
    window = np.hanning(width + 3)[1:-1]
    padded = np.pad(track, (len(window) // 2, (len(window) - 1) // 2), mode="edge")
    return np.convolve(padded, window / window.sum(), mode="valid")


def _glottal_source(
    boundaries: np.ndarray,
    voicing: np.ndarray,
    voice: Voice,
    sample_rate: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Differentiated glottal flow, and 1 where the glottis is open, at each sample."""
    n_times = len(voicing)
    progress = (np.arange(n_times) - boundaries[1]) / (boundaries[-2] - boundaries[1])
    shape = rng.normal([0.5, 0.35, 0.0], [0.15, 0.1, 0.03])
    # a small rise to an accent in the first half, then a fall
    contour = (
        shape[0] - np.clip(progress, 0, 1) + 0.3 * np.exp(-(((progress - shape[1]) / 0.2) ** 2))
    )
    f0 = voice.f0 * 2 ** (voice.pitch_range * (contour - 0.1) + shape[2])
    n_cycles = int(np.sum(f0) / sample_rate) + 3
    jitter, shimmer = rng.standard_normal((2, n_cycles)) * [[voice.jitter], [voice.shimmer]]
    cycle = (np.cumsum(f0) / sample_rate).astype(int)
    phase = np.cumsum(f0 * (1 + jitter[cycle])) / sample_rate
    amplitude = 1 + np.interp(phase, np.arange(n_cycles), shimmer)
    table = _pulse_table(f0.max(), voice, sample_rate)
    position = phase % 1 * TABLE_LENGTH
    left = position.astype(int)
    pulses = table[left] + (position - left) * (table[left + 1] - table[left])
    return voicing * amplitude * pulses, phase % 1 < voice.open_quotient


def _pulse_table(f0: float, voice: Voice, sample_rate: int) -> np.ndarray:
    """One period of the differentiated flow, without harmonics above the Nyquist frequency."""
    t = np.arange(TABLE_LENGTH) / TABLE_LENGTH / voice.open_quotient
    # Klatt and Klatt's pulse, flow t^2 - t^3 while the glottis is open
    pulse = np.where(t < 1, 2 * t - 3 * t**2, 0.0)
    spectrum = np.fft.rfft(pulse - pulse.mean())
    frequencies = np.arange(len(spectrum)) * f0
    spectrum *= _slope(frequencies, voice.tilt)
    scale = np.sqrt(2 * np.sum(np.abs(spectrum) ** 2)) / TABLE_LENGTH
    spectrum[frequencies >= sample_rate / 2] = 0
    table = np.fft.irfft(spectrum, TABLE_LENGTH) / scale
    return np.append(table, table[0])


def _slope(frequencies: np.ndarray, db_per_octave: float) -> np.ndarray:
    # without a kink at 500 Hz, whose response would ring on through closures
    return 10 ** (db_per_octave / 20 * np.log2(1 + (frequencies / 500.0) ** 2) / 2)


def _anti_resonance(
    frequencies: np.ndarray, centre: float | np.ndarray, bandwidth: float | np.ndarray
) -> np.ndarray:
    """Response of a pair of analogue zeros with unit gain at 0 Hz; its inverse is a formant."""
    power = centre**2 + bandwidth**2 / 4
    return 1 - frequencies**2 / power + 1j * frequencies * (bandwidth / power)


def _tract_response(
    frequencies: np.ndarray, formants: np.ndarray, nasal: np.ndarray, voice: Voice
) -> np.ndarray:
    """Cascade of all formants and of the nasal pole and zero, (n_frames, n_frequencies)."""
    scale = voice.formant_scale
    fixed = _anti_resonance(frequencies, NASAL_POLE * scale, NASAL_BANDWIDTH)
    for i, formant in enumerate(UPPER_FORMANTS):
        fixed *= _anti_resonance(frequencies, formant * scale, (200.0 + 60.0 * i) * scale)
    widths = np.array([60.0, 90.0, 140.0]) + np.array([40.0, 60.0, 60.0]) * nasal[:, np.newaxis]
    widths[:, 0] += 3.0 * max(voice.breathiness, 0.0)
    poles = np.repeat(fixed[np.newaxis], len(formants), axis=0)
    for formant, width in zip(formants.T, widths.T):
        poles *= _anti_resonance(frequencies, formant[:, np.newaxis], width[:, np.newaxis])
    # while the velum is closed, the zero cancels the pole
    zero = (NASAL_POLE + (NASAL_ZERO - NASAL_POLE) * nasal[:, np.newaxis]) * scale
    return _anti_resonance(frequencies, zero, NASAL_BANDWIDTH) / poles


def _frication_response(
    phones: Sequence[str],
    boundaries: np.ndarray,
    times: np.ndarray,
    frequencies: np.ndarray,
    voice: Voice,
) -> np.ndarray:
    """Spectrum of each frame's frication; delayed by 2 ms, so that no response precedes it."""
    spoken = [
        (spectrum, start, end)
        for name, start, end in zip(phones, boundaries[:-1], boundaries[1:])
        if (spectrum := PHONES[name].spectrum) is not None
    ]
    if not spoken:
        return np.zeros((len(times), len(frequencies)))
    # resonances of the mouth change less with size than those of the whole tract
    centres = np.array(FRICATION_FREQUENCIES) * voice.formant_scale**0.5
    shapes = [np.interp(frequencies, centres, spectrum) for spectrum, _, _ in spoken]
    changes = [(end + start) / 2 for (_, _, end), (_, start, _) in pairwise(spoken)]
    shape = np.array(shapes)[np.searchsorted(changes, times)]
    return 10 ** (shape / 20) * np.exp(-2j * np.pi * frequencies * 0.002)


def _room_response(frequencies: np.ndarray, voice: Voice) -> np.ndarray:
    ratio = frequencies / voice.room_lower_edge
    high_pass = -(ratio**2) / (1 - ratio**2 + 1.4142j * ratio)
    return _slope(frequencies, voice.room_tilt) * high_pass
