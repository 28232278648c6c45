import copy

import numpy as np
import pytest
import torch

from sklearn_speech.feature_extraction import MFCC, MelSpectrogram, Spectrogram
from sklearn_speech.modules.front_end import FrontEnd

SETTINGS = {
    "A": {},
    "B": {"train_mel": True},
    "C": {"train_stft": True},
    "D": {"train_stft": True, "train_mel": True},
}
SHAPES = ["triangular", "gaussian", "rectangular"]
R4 = {"n_fft": 480, "hop_length": 160, "pad_mode": "reflect", "scaling": "log", "log_offset": 1e-10}
TRAINABLE = [
    *SETTINGS.values(),
    {"train_mel": True, "random_mel": True},
    {"train_stft": True, "train_mel": True, "masked_bins": (2, 4)},
    *({"train_mel": True, "filterbank": shape} for shape in SHAPES),
    *({"train_mel": True, "train_stft": True, "filterbank": shape} for shape in SHAPES),
]


def noise(n_clips=3, n_times=4000, dtype=torch.float32):
    return 0.1 * torch.randn(n_clips, n_times, dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("power", [1.0, 2.0, 1.5])
@pytest.mark.parametrize("pad_mode", ["constant", "reflect"])
def test_untrained_layer_and_transformer_agree_to_1e_minus_6(setting, power, pad_mode):
    x = noise()
    transformer = MelSpectrogram(16000, power=power, pad_mode=pad_mode, scaling=None)
    S = transformer.fit_transform(x.numpy())
    layer = transformer.to_module(**setting)
    assert abs(layer(x).detach().numpy() - S).max() < 1e-6 * S.max()


def test_layer_scales_like_the_transformer():
    x = noise()
    for transformer in (
        MelSpectrogram(8000, scaling="db", ref="max", top_db=60, normalize="band"),
        MelSpectrogram(8000, scaling="log", normalize="clip", preemphasis=0.97),
        MFCC(8000, scaling="db", deltas=2, normalize="minmax"),
        Spectrogram(8000, scaling="db", db_window=(-60, 20), density=True, detrend="linear"),
    ):
        S = transformer.fit_transform(x.numpy())
        np.testing.assert_allclose(transformer.to_module()(x).numpy(), S, atol=1e-4)


@pytest.mark.parametrize(
    ("setting", "n_parameters"),
    [("A", 0), ("B", 9_640), ("C", 231_360), ("D", 241_000)],
)
def test_settings_of_the_paper_have_its_numbers_of_parameters(setting, n_parameters):
    layer = MelSpectrogram(16000, **R4).to_module(**SETTINGS[setting])
    assert sum(p.numel() for p in layer.parameters()) == n_parameters
    assert layer(noise(1, 16000)).shape == (1, 40, 101)


@pytest.mark.parametrize("shape", SHAPES)
def test_fastaudio_has_80_parameters_and_half_bands_of_44_to_488_hz(shape):
    transformer = MelSpectrogram(16000, n_fft=480, mel_scale="htk", norm=None, power=1.0)
    layer = transformer.to_module(train_mel=True, filterbank=shape)
    assert sum(p.numel() for p in layer.parameters()) == 80
    half_bands = layer.bank.half_bands.detach() * 16000
    assert half_bands.min().item() == pytest.approx(44.4, abs=0.05)
    assert half_bands.max().item() == pytest.approx(487.7, abs=0.05)


def test_shaped_filters_match_their_formulae():
    transformer = MelSpectrogram(16000, n_fft=480, mel_scale="htk", norm=None)
    f = np.arange(241) / 480
    for shape, formula in {
        "triangular": lambda s: np.maximum(0, np.minimum(1 + s, 1 - s)),
        "gaussian": lambda s: np.exp(-0.5 * (s / 0.5) ** 2),
    }.items():
        bank = transformer.to_module(filterbank=shape).bank
        s = (f - bank.centers.numpy()[:, None]) / bank.half_bands.numpy()[:, None]
        np.testing.assert_allclose(bank.matrix().numpy(), formula(s), atol=1e-5)
    rectangles = transformer.to_module(filterbank="rectangular").bank
    inside = abs(f - rectangles.centers.numpy()[:, None]) < rectangles.half_bands.numpy()[:, None]
    matrix = rectangles.matrix().numpy()
    assert ((matrix > 0.5) == inside).all()
    assert 0 <= matrix.min() and matrix.max() <= 1


@pytest.mark.parametrize("options", TRAINABLE)
@pytest.mark.parametrize("power", [1.0, 2.0])
def test_gradients_match_finite_differences(options, power):
    layer = FrontEnd(
        8000, n_fft=16, hop_length=8, n_mels=3, power=power, dtype=torch.float64, **options
    )
    for i, p in enumerate(layer.bank.parameters()):
        # at first the first triangle starts on a bin, where its slope is discontinuous
        p.data *= 1.01 + 0.01 * i
    names = [name for name, _ in layer.named_parameters()]
    x = noise(2, 20, torch.float64).requires_grad_()
    lengths = torch.tensor([20, 11])

    def output(x, *parameters):
        return torch.func.functional_call(layer, dict(zip(names, parameters)), (x, lengths))

    assert torch.autograd.gradcheck(
        output, (x, *(p.detach().requires_grad_() for p in layer.parameters()))
    )


@pytest.mark.parametrize("options", TRAINABLE[1:])
def test_exactly_the_named_parameters_are_trained(options):
    layer = MelSpectrogram(16000, **R4).to_module(**options)
    before = copy.deepcopy(layer.state_dict())
    optimizer = torch.optim.SGD(layer.parameters(), lr=1e-3)
    layer(noise(4, 8000)).square().mean().backward()
    assert all(p.grad.isfinite().all() and p.grad.abs().max() > 0 for p in layer.parameters())
    optimizer.step()
    names = {name for name, _ in layer.named_parameters()}
    assert names
    for name, value in layer.state_dict().items():
        assert torch.equal(value, before[name]) == (name not in names), name


@pytest.mark.parametrize("options", TRAINABLE[1:])
@pytest.mark.parametrize("scaling", ["log", "db"])
def test_silence_has_finite_gradients(options, scaling):
    for power in (1.0, 2.0):
        transformer = MelSpectrogram(8000, power=power, scaling=scaling, normalize="clip")
        layer = transformer.to_module(**options)
        layer(torch.zeros(2, 1000)).sum().backward()
        assert all(p.grad.isfinite().all() for p in layer.parameters())


def test_free_filters_are_clipped_to_0_and_1():
    layer = MelSpectrogram(16000).to_module(train_mel=True)
    layer.bank.weights.data += torch.randn_like(layer.bank.weights)
    expected = layer.bank.weights.detach().clamp(0, 1)
    layer.bank.apply_constraints()
    assert torch.equal(layer.bank.weights, expected)


def test_centres_and_half_bands_are_clipped_to_their_limits():
    transformer = MelSpectrogram(16000, mel_scale="htk")
    layer = transformer.to_module(train_mel=True, filterbank="gaussian")
    layer.bank.centers.data += torch.linspace(-1, 1, 40)
    layer.bank.half_bands.data += torch.linspace(-1, 1, 40)
    computed = layer.bank.matrix().detach()
    layer.bank.apply_constraints()
    assert 0 <= layer.bank.centers.min() and layer.bank.centers.max() <= 0.5
    half_bands = layer.bank.half_bands.detach()
    assert half_bands.min() == pytest.approx(0.5 / 512)
    assert half_bands.max() == pytest.approx(603.7 / 16000)
    assert torch.equal(layer.bank.matrix(), computed)  # forward clips in any case


def test_constraints_leave_fixed_filters_unchanged():
    layer = MelSpectrogram(16000, norm=None).to_module()
    before = layer.bank.weights.clone()
    layer.bank.apply_constraints()
    assert torch.equal(layer.bank.weights, before)


def test_random_filters_are_kaiming_uniform_with_negatives_clipped():
    layer = MelSpectrogram(16000, n_fft=480).to_module(train_mel=True, random_mel=True)
    weights = layer.bank.weights.detach()
    assert weights.shape == (40, 241)
    assert weights.min() == 0
    assert weights.max() == pytest.approx((6 / 241) ** 0.5, rel=0.01)
    assert (weights == 0).float().mean() == pytest.approx(0.5, abs=0.03)


def test_random_filters_that_would_not_be_trained_are_refused():
    with pytest.raises(ValueError, match=r"random_mel=True needs free, learned filters"):
        MelSpectrogram().to_module(random_mel=True)
    with pytest.raises(ValueError, match=r"train_mel, random_mel and filterbank need a mel"):
        Spectrogram().to_module(train_mel=True)
    with pytest.raises(ValueError, match=r"filterbank='round': expected 'free', 'triangular'"):
        MelSpectrogram().to_module(filterbank="round")


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("power", [1.0, 2.0])
def test_masked_bins_count_as_zero_in_every_setting(setting, power):
    x = noise(1)
    plain = Spectrogram(16000, n_fft=480, power=power, scaling=None).fit_transform(x.numpy())
    plain[:, 25:49] = 0
    transformer = MelSpectrogram(16000, n_fft=480, power=power, scaling=None)
    layer = transformer.to_module(**setting, masked_bins=(25, 49))
    bank = layer.bank.matrix().detach().numpy()
    S = layer(x)
    expected = bank @ plain
    assert abs(S.detach().numpy() - expected).max() < 1e-5 * expected.max()
    if setting:
        S.sum().backward()
    spectrogram = Spectrogram(16000, n_fft=480, power=power, scaling=None)
    masked = spectrogram.to_module(masked_bins=(25, 49))(x).numpy()
    np.testing.assert_allclose(masked, plain, atol=1e-5 * plain.max())
    with pytest.raises(ValueError, match=r"masked_bins=\(25, 500\): expected"):
        transformer.to_module(masked_bins=(25, 500))


@pytest.mark.parametrize("pad_mode", ["constant", "reflect", "edge"])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"preemphasis": 0.97, "detrend": "linear", "scaling": "db", "ref": "max"},
        {"normalize": "clip", "scaling": "db", "top_db": 30},
        {"normalize": "band", "n_mfcc": 13, "deltas": 2},
        {"normalize": "minmax", "win_length": 100},
        {"normalize": "max", "train_stft": True, "n_fft": 201},
    ],
)
def test_padding_never_changes_the_output_of_a_clip(pad_mode, center, options):
    layer = FrontEnd(8000, n_mels=20, center=center, pad_mode=pad_mode, **options)
    lengths = torch.tensor([4000, 300, 1777, 2000])
    x = noise(4)
    batch = layer(x, lengths).detach()
    for i, length in enumerate(lengths.tolist()):
        alone = layer(x[i : i + 1, :length]).detach()
        n_frames = layer.n_frames(length)
        assert alone.shape[2] == n_frames == layer.n_frames(lengths)[i]
        np.testing.assert_allclose(batch[i, :, :n_frames], alone[0], atol=1e-4)
        assert (batch[i, :, n_frames:] == 0).all()


def test_values_beyond_the_end_of_a_clip_are_ignored():
    layer = FrontEnd(8000, n_mels=20, scaling="db", normalize="clip")
    x = noise(2)
    lengths = torch.tensor([4000, 1000])
    changed = x.clone()
    changed[1, 1000:] = 1e6
    assert torch.equal(layer(x, lengths), layer(changed, lengths))


def test_one_sample_gives_one_frame():
    assert FrontEnd(16000, n_mels=40)(torch.ones(1, 1)).shape == (1, 40, 1)


def test_autocast_does_not_change_the_layer():
    layer = FrontEnd(16000, n_mels=40, scaling="log")
    x = 10 * noise()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = layer(x)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, layer(x))


def test_double_converts_the_whole_layer():
    layer = FrontEnd(16000, n_mels=40).double()
    assert layer(noise()).dtype == torch.float64


def test_dropping_frames_inside_a_network_is_refused():
    with pytest.raises(ValueError, match=r"zero_frames='drop' cannot be used inside a network"):
        MelSpectrogram(zero_frames="drop").to_module()
    with pytest.raises(ValueError, match=r"zero_frames='drop' cannot be used inside a network"):
        FrontEnd(8000, zero_frames="drop")(noise())


@pytest.mark.parametrize("setting", list(SETTINGS.values()), ids=SETTINGS)
def test_state_dict_can_be_loaded_into_another_layer(setting):
    transformer = MelSpectrogram(8000)
    first, second = transformer.to_module(**setting), transformer.to_module(**setting)
    for p in first.parameters():
        p.data *= 0.9
    second.load_state_dict(first.state_dict())
    x = noise()
    assert torch.equal(first(x), second(x))


def test_cepstral_coefficients_need_mel_bands():
    with pytest.raises(ValueError, match="n_mfcc needs a mel filter bank"):
        FrontEnd(16000, n_mfcc=13)
