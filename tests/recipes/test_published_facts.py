"""Published facts of each system: numbers of parameters, and inputs of the network."""

import librosa
import numpy as np
import pytest
import scipy.signal

from sklearn_speech.base import nets_of
from sklearn_speech.filters import mel_filterbank
from sklearn_speech.recipes import count_parameters, list_recipes, make_recipe

COUNTS = [
    ("spectrum-autoencoder-1", {}, (64, 64), 10, 1_169),
    ("spectrum-autoencoder-2", {}, (64, 64), 10, 38_081),
    ("spectrum-autoencoder-3", {}, (64, 64), 10, 125_185),
    ("spectrum-2cnn", {}, (64, 64), 10, 73_146),
    ("spectrum-3cnn", {}, (64, 64), 10, 61_082),
    ("spectrum-3cnn-pretrained", {}, (64, 64), 10, 61_082),
    ("dsp-autoencoder", {}, (128, 48), 10, 4_385),
    # Keras' totals of these two, 19,210 and 1,003,658, count 256 and 192 running statistics
    ("sample-cnn", {}, 18_262, 10, 19_210 - 256),
    ("spectro-cnn", {}, (129, 22), 10, 1_003_658 - 192),
    ("basics-mlp", {}, 30_000, 10, 3_841_418),
    ("basics-stft-cnn", {}, (1025, 40), 10, 4_701_610),
    ("basics-stft-cnn-two-block", {}, (1025, 40), 10, 162_762),
    ("basics-mel-cnn", {}, (128, 40), 10, 572_842),
    ("basics-mel-cnn", {"n_blocks": 2}, (128, 40), 10, 48_074),
    ("basics-mfcc-cnn", {}, (20, 40), 10, 75_178),
    ("kws-linear", {}, (40, 101), 12, 48_492),
    ("kws-linear", {"setting": "B"}, 16_000, 12, 58_132),
    ("kws-linear", {"setting": "C"}, 16_000, 12, 279_852),
    ("kws-linear", {"setting": "D"}, 16_000, 12, 289_492),
    ("kws-linear", {"setting": "B", "random_mel": True}, 16_000, 12, 58_132),
    ("kws-linear", {"setting": "B", "filterbank": "fastaudio"}, 16_000, 12, 48_492 + 80),
    ("kws-linear", {"setting": "A", "masked_bins": (25, 49)}, 16_000, 12, 48_492),
    ("kws-bcresnet", {}, (40, 101), 12, 9_160),
    ("kws-bcresnet", {"setting": "B"}, 16_000, 12, 18_800),
    ("kws-bcresnet", {"setting": "C"}, 16_000, 12, 240_520),
    ("kws-bcresnet", {"setting": "D"}, 16_000, 12, 250_160),
    ("kws-bcresnet", {"n_mels": 10}, (10, 101), 12, 9_160),
    ("kws-bcresnet", {"variant": "paper"}, (40, 101), 12, 9_232),
]


@pytest.mark.parametrize(
    "name, options, input_shape, n_classes, published",
    COUNTS,
    ids=[f"{name} {options}" for name, options, *_ in COUNTS],
)
def test_recipe_has_its_published_number_of_parameters(
    name, options, input_shape, n_classes, published
):
    made = make_recipe(name, random_state=0, **options)
    assert count_parameters(made, input_shape, n_classes) == published


def test_keras_counts_running_statistics_too():
    for name, shape, statistics in (
        ("sample-cnn", (18_262,), 256),
        ("spectro-cnn", (129, 22), 192),
    ):
        net = make_recipe(name, max_epochs=0, random_state=0)[-1]
        net.fit(np.zeros((10, *shape), dtype=np.float32), np.arange(10))
        running = sum(
            b.numel() for n, b in net.module_.named_buffers() if n.endswith(("_mean", "_var"))
        )
        assert running == statistics, name


#: Default weight initialisation of the framework of each source.
FRAMEWORKS = {"spectrum": "lecun_normal", "kws": "torch", "asr": "torch", "best": "torch"}


@pytest.mark.parametrize("name", [n for n in list_recipes() if nets_of(make_recipe(n))])
def test_weight_initialisation_is_that_of_the_framework_of_the_source(name):
    expected = FRAMEWORKS.get(name.split("-")[0], "glorot_uniform")  # Chainer, torch, else Keras
    nets = list(nets_of(make_recipe(name)).values())
    assert {net.weight_init for net in nets} == {expected}
    pretrainer = getattr(nets[0], "pretrainer", None)
    assert pretrainer is None or pretrainer.weight_init == expected


def test_code_of_the_sound_autoencoder_has_768_values():
    net = make_recipe("dsp-autoencoder", max_epochs=0, random_state=0)[-1]
    net.fit(np.random.default_rng(0).random((2, 128, 48)))
    assert net.n_codes_ == 768


def voice(n_times, sample_rate):
    """Harmonics of varying level with a little noise, so that no frame is silent."""
    rng = np.random.default_rng(0)
    time = np.arange(n_times) / sample_rate
    tones = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 20))
    return 0.1 * tones * np.sin(2 * np.pi * 2 * time) ** 2 + 0.001 * rng.normal(size=n_times)


def features(name, waveforms, **options):
    front = make_recipe(name, reads="waveforms", **options)[:-1]
    return front.fit_transform(np.asarray(waveforms))


@pytest.mark.parametrize(
    "name, n_times, shape",
    [
        ("spectrum-2cnn", 20_000, (64, 64)),
        ("dsp-autoencoder", 10_000, (128, 48)),
        ("spectro-cnn", 3_000, (129, 22)),
        ("basics-stft-cnn", 9_609, (1025, 40)),
        ("basics-mel-cnn", 9_609, (128, 40)),
        ("basics-mfcc-cnn", 9_609, (20, 40)),
        ("kws-linear", 14_000, (40, 101)),
        ("sample-cnn", 3_000, (18_262,)),
        ("basics-mlp", 9_609, (30_000,)),
    ],
)
@pytest.mark.filterwarnings("ignore:n_times=64 cuts:UserWarning")  # as published
def test_input_of_the_network_has_the_published_shape(name, n_times, shape):
    assert features(name, voice(n_times, 16000)[None]).shape == (1, *shape)


def test_digit_images_match_the_published_formula():
    """Frames, magnitudes, mel, decibels, -45 to 45 as 0 to 1, step by step."""
    x = voice(12_000, 22050)
    n_frames = (len(x) - (1024 - 256)) // 256
    frames = np.stack([x[256 * t : 256 * t + 1024] for t in range(n_frames)])
    magnitudes = np.abs(np.fft.rfft(frames * np.hamming(1024)))
    points = np.linspace(*(2595 * np.log10(1 + np.array([50, 5000]) / 700)), 66)
    hertz = 700 * (10 ** (points / 2595) - 1)
    bins = np.linspace(0, 11025, 513)
    mel = np.stack(
        [np.interp(bins, hertz[i : i + 3], [0, 1, 0], left=0, right=0) for i in range(64)]
    )
    decibels = 20 * np.log10(magnitudes @ mel.T)
    picture = np.clip((decibels + 45) / 90, 0, 1).T
    ours = features("spectrum-2cnn", x[None])[0]
    np.testing.assert_allclose(ours[:, :n_frames], picture, atol=1e-5)
    assert not ours[:, n_frames:].any(), "what the word does not fill is silence"


def test_digit_images_have_no_silent_frames():
    x = voice(12_000, 22050)
    parted = np.concatenate([x[:6000], np.zeros(4096), x[6000:]])
    silent = features("spectrum-2cnn", parted[None])[0].any(0).sum()
    # ten of the sixteen frames that 4096 samples add are all zeros
    assert silent < 1 + (len(parted) - 1024) // 256


def test_images_of_the_sound_autoencoder_match_librosa():
    """Published with the decibels of amplitudes; scaled to 0 and 1, the numbers are the same."""
    x = voice(24_064, 22050)
    mel = librosa.feature.melspectrogram(y=x, sr=22050, n_fft=1024, hop_length=512)
    decibels = librosa.amplitude_to_db(mel)
    scaled = (decibels - decibels.min()) / (decibels.max() - decibels.min())
    np.testing.assert_allclose(features("dsp-autoencoder", x[None])[0], scaled, atol=1e-5)


def test_linear_spectrogram_matches_scipy_divided_by_its_maximum():
    x = voice(5000, 8000)
    _, _, power = scipy.signal.spectrogram(x, 8000)
    ours = features("spectro-cnn", x[None])[0]
    np.testing.assert_allclose(ours, power / power.max(), atol=1e-6)


@pytest.mark.parametrize(
    "name, of_librosa",
    [
        ("basics-stft-cnn", lambda x: np.abs(librosa.stft(x))),
        ("basics-mel-cnn", lambda x: librosa.feature.melspectrogram(y=x, sr=22050)),
        ("basics-mfcc-cnn", lambda x: librosa.feature.mfcc(y=x, sr=22050)),
    ],
)
def test_features_of_the_basics_match_librosa_defaults(name, of_librosa):
    x = voice(9_609, 22050)
    reference = of_librosa(x)
    ours = features(name, x[None])[0]
    scale = np.abs(reference).max()
    np.testing.assert_allclose(ours[:, : reference.shape[1]] / scale, reference / scale, atol=1e-5)
    assert not ours[:, reference.shape[1] :].any()


def test_keyword_features_are_log_mel_power():
    x = voice(16_000, 16000)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(x, 240, mode="reflect"), 480)[::160]
    power = np.abs(np.fft.rfft(frames * scipy.signal.get_window("hann", 480))) ** 2
    mel = power @ mel_filterbank(16000, 480, 40, mel_scale="slaney", norm="slaney").T
    ours = features("kws-linear", x[None])[0]
    np.testing.assert_allclose(ours, np.log(mel + 1e-10).T, atol=1e-4)


def test_fastaudio_triangles_are_symmetric_about_their_centre():
    made = make_recipe("kws-linear", setting="B", filterbank="fastaudio", max_epochs=0)
    net = made[-1].fit(np.zeros((2, 16_000), dtype=np.float32), [0, 1])
    bank = net.module_.front_end.bank
    points = librosa.mel_frequencies(42, fmin=0, fmax=8000, htk=True)
    np.testing.assert_allclose(16000 * bank.centers.detach(), points[1:-1], rtol=1e-5)
    reach = 16000 * bank.half_bands.detach().numpy()
    np.testing.assert_allclose(reach, np.diff(points)[:-1], rtol=1e-4)
    assert reach.min() == pytest.approx(44.4, abs=0.1)
    assert reach.max() == pytest.approx(487.7, abs=0.5)
