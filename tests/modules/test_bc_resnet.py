import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sklearn_speech.modules.bc_resnet import BCResNetNet
from sklearn_speech.modules.masked_norm import MaskedBatchNorm, SubSpectralNorm


def count(module):
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


@pytest.mark.parametrize(
    "tau, published",
    [(1, "9.2"), (1.5, "17.2"), (2, "27.3"), (3, "54.2"), (6, "188"), (8, "321")],
)
def test_each_width_has_the_published_number_of_parameters(tau, published):
    thousands = count(BCResNetNet(40, 101, 12, tau=tau)) / 1000
    assert f"{thousands:.{1 if '.' in published else 0}f}" == published


def test_reference_variant_has_the_parameters_of_the_reference_code_in_each_block():
    net = BCResNetNet(40, 101, 12, variant="reference")
    parts = [net.head, *net.blocks, net.tail, net.expand, net.classify]
    expected = [416, 352, 208, 480, 360, 768, 544, 544, 544, 1120, 760, 760, 760, 520, 640, 384]
    assert [count(part) for part in parts] == expected
    assert count(net) == sum(expected)


def test_reference_variant_drops_half_the_channels_in_transitions():
    net = BCResNetNet(40, 101, 12, variant="reference")
    assert [block.dropout.p for block in net.blocks][:3] == [0.5, 0.1, 0.5]
    assert {block.dropout.p for block in BCResNetNet(40, 101, 12).blocks} == {0.1}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("n_bands", [5, 10, 40])
def test_sub_spectral_norm_is_batch_norm_on_the_plain_view(n_bands, training):
    ours, plain = SubSpectralNorm(6, 5), nn.BatchNorm2d(30, momentum=None)
    with torch.no_grad():
        for name, value in plain.named_parameters():
            value.normal_()
            getattr(ours, name).copy_(value)
    by_hand = copy.deepcopy(ours)
    for module in (ours, by_hand, plain):
        module.train(training)
    for _ in range(2):
        x = torch.randn(3, 6, n_bands, 7)
        expected = plain(x.view(3, 30, n_bands // 5, 7)).view(x.shape)
        torch.testing.assert_close(ours(x), expected)
        torch.testing.assert_close(by_hand._by_hand(x, None), expected, rtol=1e-4, atol=1e-5)
    for name, value in plain.named_buffers():
        torch.testing.assert_close(getattr(ours, name), value)
        torch.testing.assert_close(getattr(by_hand, name), value)


def test_masked_statistics_are_those_of_the_valid_steps_alone():
    x = torch.randn(2, 3, 6, dtype=torch.float32)
    mask = torch.tensor([[True] * 6, [True] * 2 + [False] * 4])
    ours, plain = MaskedBatchNorm(3), nn.BatchNorm1d(3, momentum=None)
    valid = torch.cat([x[0], x[1, :, :2]], dim=1)[None]
    out, expected = ours(x, mask), plain(valid)
    torch.testing.assert_close(torch.cat([out[0], out[1, :, :2]], dim=1)[None], expected)
    torch.testing.assert_close(ours.running_mean, plain.running_mean)
    torch.testing.assert_close(ours.running_var, plain.running_var)


@pytest.mark.parametrize("with_mask", [False, True])
def test_running_statistics_start_as_plain_means_and_later_decay(with_mask):
    norm = MaskedBatchNorm(2, momentum=0.25)
    mask = torch.ones(5, 7, dtype=torch.bool) if with_mask else None
    expected, batches = torch.zeros(2), torch.randn(9, 5, 2, 7)
    for i, x in enumerate(batches):
        norm(x, mask)
        expected = expected + max(0.25, 1 / (i + 1)) * (x.mean((0, 2)) - expected)
        if i == 4:  # a loaded copy continues with the saved statistics
            loaded = MaskedBatchNorm(2, momentum=0.25)
            loaded.load_state_dict(norm.state_dict())
            norm = loaded
    torch.testing.assert_close(norm.running_mean, expected)


def test_uneven_groups_are_normalised_separately():
    norm = SubSpectralNorm(1, 5)
    x = torch.randn(4, 1, 8, 50) * torch.arange(1.0, 9.0)[:, None]
    out = norm(x)
    group = torch.arange(8) * 5 // 8
    for g in range(5):
        part = out[:, :, group == g]
        torch.testing.assert_close(part.mean(), torch.tensor(0.0), atol=1e-5, rtol=0)
        torch.testing.assert_close(part.var(unbiased=False), torch.tensor(1.0), atol=1e-3, rtol=0)


def plain_bc_resnet(net, x):
    """BC-ResNet as published, for 40 (or 80) bands, with the weights of net."""

    def norm(module, value, groups=1):
        split = value.reshape(len(value), value.shape[1] * groups, -1, value.shape[-1])
        return F.batch_norm(
            split, module.running_mean, module.running_var, module.weight, module.bias
        ).reshape(value.shape)

    x = F.relu(norm(net.head_norm, F.conv2d(x[:, None], net.head.weight, None, (2, 1), 2)))
    for block, stride, dilation in zip(
        net.blocks, [1, 1, 2, 1, 2, 1, 1, 1, 1, 1, 1, 1], [1, 1, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8]
    ):
        identity = 0
        if hasattr(block, "widen"):
            x = F.relu(norm(block.widen_norm, F.conv2d(x, block.widen.weight)))
        else:
            identity = x
        groups = x.shape[1]
        maps = F.conv2d(x, block.frequency.weight, None, (stride, 1), (1, 0), 1, groups)
        maps = norm(block.frequency_norm, maps, 5)
        y = maps.mean(2)
        y = F.conv1d(y, block.time.weight, None, 1, dilation, dilation, groups)
        y = F.conv1d(F.silu(norm(block.time_norm, y)), block.mix.weight)
        x = F.relu(identity + maps + y[:, :, None])
    x = F.conv2d(x, net.tail.weight, None, 1, (0, 2), 1, x.shape[1])
    x = F.relu(norm(net.expand_norm, F.conv2d(x, net.expand.weight)))
    return net.classify(x.mean((2, 3)))


@pytest.mark.parametrize("n_bands", [40, 80])
def test_network_equals_the_published_definition(n_bands):
    net = BCResNetNet(n_bands, 30, 12, input_norm=None)
    net(torch.randn(8, n_bands, 30))  # running statistics away from 0 and 1
    net.eval()
    x = torch.randn(3, n_bands, 30)
    torch.testing.assert_close(net(x), plain_bc_resnet(net, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("variant", ["paper", "reference"])
@pytest.mark.parametrize("n_bands", [1, 5, 10, 20, 30, 33, 40, 64, 128])
def test_any_number_of_bands_trains_every_parameter(n_bands, variant):
    net = BCResNetNet(
        n_bands, 9, 3, variant=variant, dropout=0.0, transition_dropout=0.0, input_norm=None
    )
    x = torch.randn(6, n_bands, 9)
    logits = net(x)
    assert logits.shape == (6, 3)
    F.cross_entropy(logits, torch.tensor([0, 1, 2] * 2)).backward()
    silent = [n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []
    net.eval()
    assert torch.isfinite(net(x[:, :, :1])).all()
    torch.testing.assert_close(net(x[:, :, 0]), net(x[:, :, :1]))


@pytest.mark.parametrize("input_norm", [None, "batch", "clip", "band"])
@pytest.mark.parametrize("variant", ["paper", "reference"])
@pytest.mark.parametrize("n_bands", [4, 33, 40])
def test_output_of_a_clip_is_the_same_in_a_padded_batch(n_bands, variant, input_norm):
    net = BCResNetNet(n_bands, None, 3, variant=variant, input_norm=input_norm)
    net(torch.randn(8, n_bands, 20) - 3)
    net.eval()
    lengths = torch.tensor([1, 2, 7, 25])
    clips = [torch.randn(n_bands, n) - 3 for n in lengths]
    batch = torch.zeros(4, n_bands, 25)
    for row, clip in zip(batch, clips):
        row[:, : clip.shape[1]] = clip
    together = net(batch, lengths)
    if input_norm in ("clip", "band"):  # a clip of one frame uses other statistics when alone
        clips, together = clips[1:], together[1:]
    alone = torch.cat([net(clip[None]) for clip in clips])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_padding_does_not_change_what_a_training_step_learns():
    nets = [BCResNetNet(20, None, 3, dropout=0.0) for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    x, lengths = torch.randn(4, 20, 12), torch.tensor([12, 9, 5, 3])
    x = x * (torch.arange(12) < lengths[:, None])[:, None]
    F.cross_entropy(nets[0](x, lengths), torch.tensor([0, 1, 2, 0])).backward()
    padded = F.pad(x, (0, 30))
    F.cross_entropy(nets[1](padded, lengths), torch.tensor([0, 1, 2, 0])).backward()
    for (name, p), q in zip(nets[0].named_parameters(), nets[1].parameters()):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-3, atol=1e-5, msg=name)
    for p, q in zip(nets[0].buffers(), nets[1].buffers()):
        torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-6)


def test_one_clip_of_one_frame_can_be_trained_on():
    net = BCResNetNet(40, 1, 2)
    net(torch.randn(1, 40, 1)).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())


def test_encode_gives_one_feature_vector_a_frame_and_zeros_in_the_padding():
    net = BCResNetNet(40, None, 12, tau=2).eval()
    features = net.encode(torch.randn(2, 40, 11), torch.tensor([11, 4]))
    assert features.shape == (2, net.n_features, 11) == (2, 64, 11)
    assert not features[1, :, 4:].any()
    assert features[1, :, :4].any()


def test_network_can_overfit_forty_clips():
    y = torch.arange(40) % 4
    x = torch.randn(4, 10, 8)[y] + torch.randn(40, 10, 8)
    net = BCResNetNet(10, 8, 4, tau=2, dropout=0.0)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(30):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
    assert (net.eval()(x).argmax(1) == y).all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"variant": "papr"}, "variant='papr'"),
        ({"tau": 0}, "tau=0"),
        ({"tau": "1"}, "tau='1'"),
        ({"input_norm": "clips"}, "input_norm='clips'"),
    ],
)
def test_errors_name_wrong_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        BCResNetNet(40, 101, 12, **arguments)


def test_the_error_names_a_wrong_number_of_bands():
    with pytest.raises(ValueError, match="x has 39 bands, the network was built for 40"):
        BCResNetNet(40, 101, 12)(torch.zeros(1, 39, 4))
