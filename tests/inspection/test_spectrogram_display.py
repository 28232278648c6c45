import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_speech.feature_extraction import MFCC, MelSpectrogram, Spectrogram
from sklearn_speech.filters import mel_frequencies
from sklearn_speech.inspection import SpectrogramDisplay

RATE = 8000
TONE = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)


def _levels(display):
    return np.asarray(display.im_.get_array()).reshape(np.shape(display.spectrogram))


def _edges(display):
    corners = display.im_.get_coordinates()
    return corners[0, :, 0], corners[:, 0, 1]


def test_full_scale_tone_is_at_its_frequency_with_zero_decibels():
    display = SpectrogramDisplay.from_waveform(TONE, sample_rate=RATE)
    middle = _levels(display)[:, 100]
    _, frequency_edges = _edges(display)
    peak = middle.argmax()
    assert frequency_edges[peak] < 1000 < frequency_edges[peak + 1]
    assert middle.max() == pytest.approx(0.0, abs=0.01)


def test_tone_of_a_tenth_is_twenty_decibels_lower():
    display = SpectrogramDisplay.from_waveform(TONE / 10, sample_rate=RATE)
    assert _levels(display)[:, 100].max() == pytest.approx(-20.0, abs=0.01)


def test_click_is_drawn_at_its_time():
    click = np.zeros(RATE)
    click[4000] = 1.0
    display = SpectrogramDisplay.from_waveform(click, sample_rate=RATE)
    loudest = _levels(display).sum(axis=0).argmax()
    time_edges, _ = _edges(display)
    assert time_edges[loudest] <= 0.5 <= time_edges[loudest + 1]


def test_silence_can_be_drawn():
    display = SpectrogramDisplay.from_waveform(np.zeros(100), sample_rate=RATE)
    assert np.unique(_levels(display)).tolist() == [-120.0]
    display.figure_.draw_without_rendering()


def test_axes_are_in_seconds_and_hertz_and_the_colour_bar_in_decibels():
    display = SpectrogramDisplay.from_waveform(TONE, sample_rate=RATE)
    assert display.ax_.get_xlabel() == "Time (s)"
    assert display.ax_.get_ylabel() == "Frequency (Hz)"
    assert display.colorbar_.ax.get_ylabel() == "Level (dB re full scale)"
    assert display.ax_.get_ylim() == (0, RATE / 2)
    assert display.ax_.get_xlim() == pytest.approx((-0.0025, 0.9975))


def test_colours_span_the_dynamic_range_below_the_loudest_level():
    levels = np.linspace(-200, -10, 60).reshape(6, 10)
    display = SpectrogramDisplay(levels, sample_rate=RATE, hop_length=80)
    assert display.plot().im_.get_clim() == (-90, -10)
    assert display.colorbar_.extend == "min"
    assert display.plot(dynamic_range=None).im_.get_clim() == (-200, -10)
    assert display.plot(vmin=-50, vmax=0, colorbar=False).im_.get_clim() == (-50, 0)
    assert display.colorbar_ is None


def test_mel_axis_spaces_mel_bands_evenly_and_marks_hertz():
    centers = mel_frequencies(12, 0, 4000, "htk")[1:-1]
    display = SpectrogramDisplay(
        np.zeros((10, 5)), sample_rate=RATE, hop_length=80, frequencies=centers
    ).plot(frequency_scale="mel")
    pixels = display.ax_.transData.transform([(0, f) for f in centers])[:, 1]
    assert np.diff(pixels) == pytest.approx(np.diff(pixels).mean())
    display.figure_.draw_without_rendering()
    low, high = display.ax_.get_ylim()
    marks = {
        t.get_text(): t.get_position()[1]
        for t in display.ax_.get_yticklabels()
        if low <= t.get_position()[1] <= high
    }
    assert marks == {"500": 500, "1000": 1000, "2000": 2000, "250": 250}


def test_segments_are_overlaid_at_their_times():
    display = SpectrogramDisplay.from_waveform(
        TONE, sample_rate=RATE, segments=[(0.25, 0.5, "a"), (0.5, 0.75, "b")]
    )
    lines = display.boundaries_.get_paths()
    assert [line.vertices[0, 0] for line in lines] == [0.25, 0.5, 0.75]
    assert [label.get_text() for label in display.segment_labels_] == ["a", "b"]


def test_without_sample_rate_axes_are_in_frames_and_bands():
    display = SpectrogramDisplay(np.zeros((4, 6))).plot()
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("Frame", "Band")
    assert display.ax_.get_xlim() == (-0.5, 5.5)
    assert display.ax_.get_ylim() == (-0.5, 3.5)


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"spectrogram": np.zeros(5)}, r"shape \(5,\); expected one clip"),
        ({"frequencies": [1.0, 2.0]}, "expected 4 ascending numbers in Hz"),
        ({"frequencies": [1.0, 3.0, 2.0, 4.0]}, "expected 4 ascending numbers in Hz"),
        ({"hop_length": None}, "hop_length=None"),
    ],
)
def test_errors_name_mismatched_parameters(parameters, message):
    fitting = {"spectrogram": np.zeros((4, 6)), "sample_rate": RATE, "hop_length": 80}
    with pytest.raises(ValueError, match=message):
        SpectrogramDisplay(**(fitting | parameters)).plot()


def test_unknown_frequency_scale_is_refused():
    with pytest.raises(ValueError, match="frequency_scale='bark'"):
        SpectrogramDisplay(np.zeros((4, 6))).plot(frequency_scale="bark")


@pytest.mark.parametrize("scaling", [None, "log", "db"])
@pytest.mark.parametrize("power", [1.0, 2.0])
def test_every_scaling_is_drawn_in_the_same_decibels(scaling, power):
    """The level of a tone is computed from the definition of the front end."""
    front_end = Spectrogram(sample_rate=RATE, n_fft=256, scaling=scaling, power=power)
    front_end.set_params(log_offset=1e-12)
    display = SpectrogramDisplay.from_estimator(front_end.fit(TONE[None]), TONE)
    expected = 20 * np.log10(np.hanning(257)[:-1].sum() / 2)
    assert _levels(display)[:, 50].max() == pytest.approx(expected, abs=0.01)
    assert display.colorbar_.ax.get_ylabel() == "Level (dB)"


def test_mel_spectrogram_is_drawn_at_the_centres_of_its_bands():
    front_end = MelSpectrogram(sample_rate=RATE, n_mels=20, fmin=100, fmax=3500).fit(TONE[None])
    display = SpectrogramDisplay.from_estimator(front_end, TONE)
    centers = mel_frequencies(22, 100, 3500)[1:-1]
    assert display.frequencies == pytest.approx(centers)
    assert display.ax_.get_yscale() == "function"
    peak = _levels(display)[:, 50].argmax()
    assert peak == np.abs(centers - 1000).argmin()
    assert (
        SpectrogramDisplay.from_estimator(
            front_end, TONE, frequency_scale="linear"
        ).ax_.get_yscale()
        == "linear"
    )


def test_frames_that_are_not_centred_begin_half_a_window_later():
    front_end = Spectrogram(sample_rate=RATE, n_fft=256, center=False).fit(TONE[None])
    display = SpectrogramDisplay.from_estimator(front_end, TONE)
    assert display.first_frame_time == 128 / RATE


def test_normalised_levels_have_no_unit():
    front_end = MelSpectrogram(sample_rate=RATE, normalize="clip").fit(TONE[None])
    display = SpectrogramDisplay.from_estimator(front_end, TONE)
    assert display.colorbar_.ax.get_ylabel() == "Level"
    later = make_pipeline(MelSpectrogram(sample_rate=RATE), FunctionTransformer(lambda S: S / 7))
    display = SpectrogramDisplay.from_estimator(later.fit(TONE[None]), TONE[None])
    assert display.colorbar_.ax.get_ylabel() == "Level"


def test_window_of_decibels_is_undone():
    plain = MelSpectrogram(sample_rate=RATE, scaling="db", top_db=None)
    windowed = MelSpectrogram(sample_rate=RATE, scaling="db", top_db=None, db_window=(-60, 60))
    levels = [
        _levels(SpectrogramDisplay.from_estimator(front_end.fit(TONE[None]), TONE))
        for front_end in (plain, windowed)
    ]
    assert levels[1] == pytest.approx(np.clip(levels[0], -60, 60), abs=1e-4)


def test_the_axis_of_mfccs_is_their_index():
    display = SpectrogramDisplay.from_estimator(MFCC(sample_rate=RATE).fit(TONE[None]), TONE)
    assert display.ax_.get_ylabel() == "Cepstral coefficient"
    assert display.ax_.get_ylim()[0] == -0.5
    assert display.colorbar_.ax.get_ylabel() == "Value"
    # coefficient 0 does not decide on the colours of the others
    others = _levels(display)[1:]
    assert display.im_.get_clim() == (others.min(), others.max())
    assert display.ax_.get_yscale() == "linear"


def test_the_error_names_an_estimator_without_front_end():
    with pytest.raises(ValueError, match="FunctionTransformer has no front end"):
        SpectrogramDisplay.from_estimator(FunctionTransformer(), TONE)


def test_several_clips_are_refused():
    front_end = MelSpectrogram(sample_rate=RATE).fit(TONE[None])
    with pytest.raises(ValueError, match="X gives 2 outputs"):
        SpectrogramDisplay.from_estimator(front_end, np.stack([TONE, TONE]))


def test_real_phones_of_a_sentence_are_drawn(timit_folder):
    import soundfile

    path = timit_folder / "dr1-fvmh0" / "si1466.wav"
    sentence, rate = soundfile.read(path)
    rows = [line.split() for line in path.with_suffix(".phn").read_text().splitlines()]
    segments = [(int(start) / rate, int(end) / rate, phone) for start, end, phone in rows]
    _, ax = plt.subplots(figsize=(16, 3))
    display = SpectrogramDisplay.from_waveform(sentence, sample_rate=rate, segments=segments, ax=ax)
    labels = [label.get_text().strip() for label in display.segment_labels_]
    assert labels == [phone for _, _, phone in rows]
    # the s of "simpler" is noise above 4 kHz, the vowel after it is not
    times = display.first_frame_time + np.arange(display.spectrogram.shape[1]) * 0.005
    high = display.spectrogram[len(display.frequencies) // 2 :].mean(axis=0)
    s, ih = segments[4], segments[5]
    assert (s[2], ih[2]) == ("s", "ih")
    during = [high[(times > start) & (times < end)].mean() for start, end, _ in (s, ih)]
    assert during[0] > during[1] + 5
