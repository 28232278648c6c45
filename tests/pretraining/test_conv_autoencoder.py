"""Stacked and joint training, codes and reconstructions."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback
from torch.nn import functional as F
from torch.utils.data import DataLoader

from sklearn_speech.feature_extraction import MelSpectrogram, SpectrogramScaler
from sklearn_speech.modules.conv_stage import ConvStage
from sklearn_speech.pretraining import ConvAutoencoder
from sklearn_speech.utils.validation import make_ragged


def clips(n_clips=24, n_bands=12, n_frames=17, seed=0):
    """Products of a spectrum and an envelope, which need only a small code."""
    rng = np.random.default_rng(seed)
    bands, frames = np.arange(n_bands)[:, None], np.arange(n_frames)
    at_band, at_frame = rng.uniform(0, n_bands, n_clips), rng.uniform(0, n_frames, n_clips)
    return np.stack(
        [
            np.exp(-((bands - b) ** 2) / 8) * np.exp(-((frames - t) ** 2) / 16)
            for b, t in zip(at_band, at_frame)
        ]
    ).astype(np.float32)


def cut_clips(X):
    """Clips cut to different lengths, down to one frame."""
    return make_ragged(x[:, : 1 + 5 * i % X.shape[2]] for i, x in enumerate(X))


def quick(**parameters):
    defaults = {
        "n_layers": 2, "n_filters": 4, "max_epochs": 2, "batch_size": 8, "device": "cpu",
        "random_state": 0,
    }  # fmt: skip
    return ConvAutoencoder(**{**defaults, **parameters})


X = clips()


def state_of(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


class Snapshots(Callback):
    """The state of the network after each epoch, by stage."""

    def __init__(self):
        self.stages = []

    def on_epoch_end(self, net, **kwargs):
        self.stages.append((net.history_[-1]["stage"], state_of(net.module_)))


@pytest.mark.parametrize("stage_target", ["hidden", "input"])
def test_frozen_layers_do_not_change(stage_target):
    snapshots = Snapshots()
    net = quick(n_layers=3, stage_target=stage_target, callbacks=[snapshots], lr=0.1, l2=0.1)
    net.fit(X)
    assert [stage for stage, _ in snapshots.stages] == [1, 1, 2, 2, 3, 3]
    for (_, before), (stage, after) in zip(snapshots.stages, snapshots.stages[1:]):
        changed = {
            int(name.split(".")[1]) + 1
            for name in after
            if name.startswith(("stages", "mirrors")) and not torch.equal(before[name], after[name])
        }
        assert changed == {stage}, f"stage {stage} changed the layers {changed}"
        assert same(
            {k: v for k, v in before.items() if k.startswith("input_norm")},
            {k: v for k, v in after.items() if k.startswith("input_norm")},
        )


def test_later_stages_do_not_change_earlier_layers():
    one, three = quick(n_layers=1).fit(X), quick(n_layers=3)
    snapshots = Snapshots()
    three.set_params(callbacks=[snapshots]).fit(X)
    last_of = dict(snapshots.stages)
    final = three.module_.state_dict()
    for stage in (1, 2):
        kept = [n for n in final if n.startswith((f"stages.{stage - 1}", f"mirrors.{stage - 1}"))]
        assert kept
        assert same({n: last_of[stage][n] for n in kept}, final)
    assert one.history_[-1]["stage"] == 1


def test_callbacks_can_reconstruct_between_epochs():
    seen = []

    class Watch(Callback):
        def on_epoch_end(self, net, **kwargs):
            seen.append(net.reconstruct(X))

    watched, alone = quick(callbacks=[Watch()]).fit(X), quick().fit(X)
    assert [pictures.shape for pictures in seen] == 4 * [X.shape]
    assert np.array_equal(seen[-1], watched.reconstruct(X))
    assert np.array_equal(watched.reconstruct(X), alone.reconstruct(X))


def test_weights_are_averaged_stage_by_stage():
    snapshots = Snapshots()
    net = quick(max_epochs=4, lr_schedule="swa", callbacks=[snapshots]).fit(X)
    last, final = dict(snapshots.stages), net.module_.state_dict()
    for stage in (1, 2):
        name = f"stages.{stage - 1}.conv.weight"
        assert not torch.equal(last[stage][name], final[name])
        assert torch.allclose(last[stage][name], final[name], atol=0.05)
    assert torch.equal(last[2]["stages.0.conv.weight"], final["stages.0.conv.weight"])


def test_frozen_layers_run_once_per_stage_for_any_number_of_epochs(monkeypatch):
    calls = []
    forward = ConvStage.forward

    def counted(self, x, lengths=None):
        channels = self.conv.in_channels, self.conv.out_channels
        calls.append((channels, len(x), torch.is_grad_enabled()))
        return forward(self, x, lengths)

    monkeypatch.setattr(ConvStage, "forward", counted)
    quick(n_layers=3, n_filters=[3, 4, 5], max_epochs=4).fit(X)
    for layer in ((1, 3), (3, 4)):
        assert sum(n for which, n, grad in calls if which == layer and grad) == 4 * len(X)
        # once without gradients, to compute the input of the next stage
        assert sum(n for which, n, grad in calls if which == layer and not grad) == len(X)
    assert all(grad for which, _, grad in calls if which == (4, 5))


def fit_fixed(clips=X, **parameters):
    """Train one epoch with fixed weights, so that its loss is that of the final weights."""
    return quick(
        max_epochs=1, lr=1e-30, weight_decay=0.0, batch_norm=False, lr_schedule="constant",
        **parameters,
    ).fit(clips)  # fmt: skip


def test_hidden_stage_reconstructs_the_output_of_the_layers_before_it():
    net = fit_fixed()
    module = net.module_
    x = module.input_norm(torch.from_numpy(X))[:, None]
    with torch.no_grad():
        h1 = F.relu(module.stages[0].conv(x))
        h2 = F.relu(module.stages[1].conv(h1))
        back = module.mirrors[1](h2, *h1.shape[2:])
        loss = F.mse_loss(back, h1)
        assert (back >= 0).all()
    assert net.history_[1]["train_loss"] == pytest.approx(loss.item(), rel=1e-5)


def test_stage_with_target_input_reconstructs_it_through_the_frozen_decoder():
    net = fit_fixed(stage_target="input", input_norm=None)
    error = -net.score(X)
    assert net.history_[1]["train_loss"] == pytest.approx(error, rel=1e-5)
    assert fit_fixed(training="joint", input_norm=None).history_[0]["train_loss"] == pytest.approx(
        error, rel=1e-5
    )


@pytest.mark.parametrize("stage_target", ["hidden", "input"])
def test_loss_gives_clips_of_different_lengths_equal_weight(stage_target):
    lengths = [3, 17, 8, 1] * 6
    short = make_ragged(x[:, :n] for x, n in zip(X, lengths))
    net = fit_fixed(short, input_norm=None, stage_target=stage_target, n_layers=1)
    assert net.history_[0]["train_loss"] == pytest.approx(-net.score(short), rel=1e-5)


def test_cross_entropy_equals_that_of_torch():
    net = fit_fixed(training="joint", loss="bce", output_activation="sigmoid", input_norm=None)
    rebuilt = torch.from_numpy(net.reconstruct(X))
    expected = F.binary_cross_entropy(rebuilt, torch.from_numpy(X)).item()
    assert net.history_[0]["train_loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "parameters",
    [
        {"training": "joint"},
        {"fine_tune": 15},
        {"training": "joint", "down": "pool", "extra_conv": True},
        {"training": "joint", "mirror": "kernel", "kernel_size": 4, "padding": "valid"},
        {"training": "joint", "input_norm": "clip"},
        {"training": "joint", "noise": 0.1, "masking": 0.1, "mask_size": 2},
    ],
)
def test_reconstruction_is_much_closer_than_the_mean(parameters):
    net = quick(max_epochs=30, lr=0.03, n_filters=6, **parameters).fit(X)
    unseen = clips(seed=1)
    assert -net.score(X) < 0.35 * X.var(axis=0).mean()
    assert -net.score(unseen) < 0.5 * unseen.var(axis=0).mean()


def test_fine_tuning_lowers_the_reconstruction_error():
    stacked = quick(max_epochs=10, lr=0.02).fit(X)
    tuned = quick(max_epochs=10, lr=0.02, fine_tune=10).fit(X)
    assert [row["stage"] for row in tuned.history_] == [1] * 10 + [2] * 10 + [0] * 10
    assert tuned.score(X) > stacked.score(X)


def test_joint_training_has_no_stages():
    net = quick(training="joint").fit(X)
    assert len(net.history_) == 2
    assert "stage" not in net.history_[0]


@pytest.mark.parametrize("training", ["stacked", "joint"])
def test_partial_fit_trains_all_layers(training):
    net = quick(training=training, lr=0.01).fit(X)
    before, score = state_of(net.module_), net.score(X)
    for _ in range(5):
        net.partial_fit(X)
    changed = {n.rpartition(".")[0] for n, v in net.module_.state_dict().items()
               if not torch.equal(v, before[n])}  # fmt: skip
    assert {"stages.0.conv", "stages.1.conv", "mirrors.0.deconv", "mirrors.1.deconv"} <= changed
    assert net.score(X) > score
    assert len(net.history_) == {"stacked": 14, "joint": 12}[training]


def test_first_partial_fit_trains_in_stages():
    assert [row["stage"] for row in quick().partial_fit(X).history_] == [1, 1, 2, 2]


def test_equal_seeds_give_equal_weights():
    codes = [quick(noise=0.2, masking=0.2, random_state=s).fit(X).transform(X) for s in (0, 0, 1)]
    assert np.array_equal(codes[0], codes[1])
    assert not np.allclose(codes[0], codes[2])


def test_noise_is_added_in_training_only():
    net = quick(noise=3.0, masking=0.5).fit(X)
    assert np.array_equal(net.reconstruct(X), net.reconstruct(X))


# Codes


@pytest.mark.parametrize("mirror", ["output_padding", "kernel"])
@pytest.mark.parametrize("input_norm", [None, "batch"])
def test_decoded_codes_equal_reconstructions(mirror, input_norm):
    net = quick(mirror=mirror, input_norm=input_norm).fit(X)
    codes = net.transform(X)
    assert codes.shape == (len(X), net.n_codes_) == (24, 4 * 3 * 5)
    np.testing.assert_allclose(net.inverse_transform(codes), net.reconstruct(X), atol=1e-5)


def test_ragged_codes_are_decoded_to_the_given_lengths():
    short = cut_clips(X)
    net = quick().fit(short)
    codes = net.transform(short)
    assert codes.dtype == object
    assert net.n_codes_ is None
    back = net.inverse_transform(codes, n_frames=[x.shape[1] for x in short])
    for one, other in zip(back, net.reconstruct(short)):
        np.testing.assert_allclose(one, other, atol=1e-5)
    # by default, the smallest number of frames with such a code
    for code, clip in zip(codes, net.inverse_transform(codes)):
        assert net.module_.sizes(clip.shape[1])[-1][1] == code.shape[1]


def test_code_of_a_clip_does_not_depend_on_the_other_clips():
    short = cut_clips(X)
    net = quick().fit(short)
    together = net.transform(short)
    for i in (0, 7, 16):
        np.testing.assert_allclose(net.transform(short[i : i + 1])[0], together[i], atol=1e-5)


def test_clips_may_have_other_lengths_than_in_fit():
    net = quick().fit(X)
    longer = clips(3, n_frames=30)
    codes = net.transform(longer)
    assert net.reconstruct(longer).shape == longer.shape
    assert net.inverse_transform(codes, n_frames=30).shape == longer.shape
    assert net.inverse_transform(net.transform(X)).shape == X.shape
    net.partial_fit(longer)  # also in training


def test_clips_of_one_frame_are_allowed():
    net = quick().fit(X[:, :, 0])
    assert net.reconstruct(X[:, :, 0]).shape == (24, 12, 1)
    assert net.inverse_transform(net.transform(X[:, :, 0])).shape == (24, 12, 1)


def test_scores_are_negative_mean_squared_errors_on_the_scale_of_X():
    net = quick().fit(10 * X)
    expected = -np.square(10 * X - net.reconstruct(10 * X)).mean((1, 2))
    np.testing.assert_allclose(net.score_samples(10 * X), expected, rtol=1e-6)
    assert net.score(10 * X) == pytest.approx(expected.mean())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_output_has_the_precision_of_the_input(dtype):
    net = quick().fit(X)
    codes = net.transform(X.astype(dtype))
    assert codes.dtype == dtype
    assert net.inverse_transform(codes).dtype == net.reconstruct(X.astype(dtype)).dtype == dtype


def test_codes_have_feature_names():
    names = quick().fit(X).get_feature_names_out()
    assert len(names) == 60
    assert names[0] == "convautoencoder0"


# From waveforms and back


def test_pipeline_decodes_codes_to_waveforms():
    rng = np.random.default_rng(0)
    W = 0.1 * rng.normal(size=(6, 2000))
    mel = MelSpectrogram(8000, n_mels=16, n_iter=2, random_state=0)
    pipeline = make_pipeline(mel, SpectrogramScaler(), quick()).fit(W)
    codes = pipeline.transform(W)
    assert codes.ndim == 2
    back = pipeline.inverse_transform(codes)
    assert back.shape == W.shape
    spectrograms = pipeline[1].inverse_transform(pipeline[2].inverse_transform(codes))
    np.testing.assert_array_equal(back, pipeline[0].inverse_transform(spectrograms))


def test_levels_of_loud_and_soft_clips_are_restored():
    # loud and soft clips: a rebuilt waveform that is stretched to one level fails
    t, rng = np.arange(2000) / 8000, np.random.default_rng(0)
    gains = np.repeat([0.5, 0.05, 0.005], 8)
    W = np.stack([g * np.sin(2 * np.pi * rng.uniform(300, 3000) * t) for g in gains])
    W += 1e-4 * rng.normal(size=W.shape)
    autoencoder = quick(
        n_layers=1, n_filters=16, stride=1, max_epochs=60, lr=0.02, input_norm="batch"
    )
    pipeline = make_pipeline(MelSpectrogram(8000, n_mels=32, random_state=0), autoencoder).fit(W)
    back = pipeline.inverse_transform(pipeline.transform(W))
    decibels = 10 * np.log10(np.square(back).mean(1) / np.square(W).mean(1))
    assert np.abs(decibels).max() < 3


def test_pipeline_decodes_codes_to_ragged_waveforms():
    W = make_ragged(0.1 * np.random.default_rng(i).normal(size=900 + 300 * i) for i in range(4))
    pipeline = make_pipeline(MelSpectrogram(8000, n_mels=16, n_iter=2), quick()).fit(W)
    back = pipeline.inverse_transform(pipeline.transform(W))
    assert [x.ndim for x in back] == [1] * 4
    for clip, original in zip(back, W):
        assert 0 <= len(original) - len(clip) < 5 * 80  # 4 lengths share a code length


# Early stopping and errors


def test_early_stopping_keeps_speakers_apart():
    class Spy(Callback):
        def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
            self.sizes = len(dataset_train), len(dataset_valid)

    spy, speakers = Spy(), np.repeat(["a", "b", "c", "d"], 6)
    net = quick(early_stopping=True, validation_fraction=0.25, callbacks=[spy])
    net.fit(X, groups=speakers)
    assert spy.sizes == (18, 6)
    assert all("valid_loss" in row for row in net.history_)


def test_validation_clips_can_be_given():
    net = quick().fit(X, X_val=clips(5, n_frames=9, seed=3))
    assert all(np.isfinite(row["valid_loss"]) for row in net.history_)


def test_fit_does_not_change_parameters():
    net = quick()
    before = net.get_params()
    net.fit(X)
    assert net.get_params() == before
    assert clone(net).fit(clips(8, n_bands=5)).n_features_in_ == 5


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "bce"}, "loss='bce' needs values in"),
        (
            {"loss": "bce", "output_activation": "sigmoid", "input_norm": None},
            "X has values outside this range",
        ),
        ({"training": "layerwise"}, "'training' parameter"),
        ({"masking": 1.0}, "'masking' parameter"),
        ({"n_layers": 0}, "'n_layers' parameter"),
    ],
)
def test_errors_name_invalid_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        quick(**parameters).fit(2 * X)


@pytest.mark.parametrize("name", ["frontend", "augment", "train_frontend", "layers"])
def test_errors_name_unknown_arguments(name):
    with pytest.raises(TypeError, match=name):
        ConvAutoencoder(**{name: "x"}).fit(X)
    assert name not in quick().get_params()


def test_kernel_mirror_rejects_clips_of_other_lengths():
    with pytest.raises(ValueError, match="mirror='kernel' makes kernels for clips of one length"):
        quick(mirror="kernel").fit(cut_clips(X))
    net = quick(mirror="kernel").fit(X)
    with pytest.raises(ValueError, match="built for clips of 17 frames, got clips of 9"):
        net.transform(X[:, :, :9])
    with pytest.raises(ValueError, match="got n_frames=18"):
        net.inverse_transform(net.transform(X), n_frames=18)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda codes: codes[:, :-1], "a multiple of 12"),
        (lambda codes: codes[:, :, None], r"codes has shape \(24, 60, 1\)"),
        (lambda codes: codes * np.nan, "code 0 contains NaN"),
        (lambda codes: make_ragged(c.reshape(6, 10) for c in codes), r"code 0 has shape \(6, 10\)"),
        (lambda codes: codes[:0], "codes is empty"),
    ],
)
def test_codes_of_another_network_are_rejected(change, message):
    net = quick().fit(X)
    with pytest.raises(ValueError, match=message):
        net.inverse_transform(change(net.transform(X)))


@pytest.mark.parametrize("n_frames", [12, 0, [17, 17], 17.0])
def test_n_frames_that_does_not_match_the_code_is_rejected(n_frames):
    net = quick().fit(X)
    with pytest.raises(ValueError, match="n_frames"):
        net.inverse_transform(net.transform(X), n_frames=n_frames)


@pytest.mark.parametrize("make", [np.asarray, cut_clips], ids=["one length", "several lengths"])
@pytest.mark.parametrize("training", ["stacked", "joint"])
def test_a_stock_data_loader_trains_as_the_own_iterator(make, training):
    X = make(clips())
    net = quick(training=training, iterator_train__shuffle=False).fit(X)
    loaders = {"iterator_train": DataLoader, "iterator_valid": DataLoader}
    stock = quick(training=training, **loaders).fit(X)
    assert stock.history[:, "train_loss"] == pytest.approx(net.history[:, "train_loss"], rel=1e-5)
