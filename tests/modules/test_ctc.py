"""The CTC loss and the networks that it trains, against enumeration and published counts."""

from itertools import product

import pytest
import torch

from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.modules.bilstm import BiLSTM
from sklearn_speech.modules.ctc import CTCCriterion, frames_needed, valid_frames
from sklearn_speech.modules.front_end_net import FrontEndNet
from sklearn_speech.modules.phoneme_net import ENCODERS, PhonemeNet

#: The two recognisers of the trainable front ends' reference system, for TIMIT's 61 phones.
REFERENCE = {
    "linear-lstm": ({"encoder": "linear-lstm"}, 22_974),
    "bcresnet": ({"encoder": "bcresnet", "variant": "reference"}, 29_640),
}


def collapse(path):
    """The labels of a path: repeats merged, blanks (0) removed."""
    merged = [label for i, label in enumerate(path) if i == 0 or label != path[i - 1]]
    return tuple(label for label in merged if label)


def test_loss_sums_over_all_paths():
    logits = torch.randn(3, 5, 3)
    targets = torch.tensor([[1, 2, 0], [2, 2, 1], [0, 0, 0]])
    log_probs = logits.log_softmax(2)
    expected = []
    for clip, codes in zip(log_probs, targets):
        phones = tuple(int(c) for c in codes if c)
        total = sum(
            torch.stack([clip[t, label] for t, label in enumerate(path)]).sum().exp()
            for path in product(range(3), repeat=5)
            if collapse(path) == phones
        )
        expected.append(-torch.log(total) / max(len(phones), 1))
    losses = CTCCriterion()(logits, targets)
    torch.testing.assert_close(losses, torch.stack(expected))


def test_mean_loss_equals_that_of_torch():
    logits = torch.randn(4, 9, 5)
    targets = torch.tensor([[1, 2, 3], [4, 4, 0], [2, 0, 0], [3, 1, 3]])
    expected = torch.nn.functional.ctc_loss(
        logits.log_softmax(2).transpose(0, 1), targets, torch.full((4,), 9), (targets > 0).sum(1)
    )
    torch.testing.assert_close(CTCCriterion()(logits, targets).mean(), expected)


def test_clip_too_short_for_its_phones_has_zero_loss_and_gradient():
    logits = torch.randn(1, 3, 3, requires_grad=True)
    loss = CTCCriterion()(logits, torch.tensor([[1, 1, 2]]))
    loss.sum().backward()
    assert loss.item() == 0
    assert not logits.grad.any()


@pytest.mark.parametrize("codes", [[1], [1, 2], [1, 1], [2, 2, 2], [1, 1, 2]])
def test_frames_needed_is_the_length_of_the_shortest_valid_path(codes):
    fewest = next(
        n for n in range(9) if any(collapse(p) == tuple(codes) for p in product(range(3), repeat=n))
    )
    assert frames_needed(torch.tensor([codes])).item() == fewest


def test_bilstm_without_padding_equals_that_of_torch():
    ours, theirs = BiLSTM(5, 4, 2), torch.nn.LSTM(5, 4, 2, batch_first=True, bidirectional=True)
    for i in range(2):
        for layers, suffix in ((ours.forward_layers, ""), (ours.backward_layers, "_reverse")):
            for name, parameter in layers[i].named_parameters():
                other = getattr(theirs, name.replace("l0", f"l{i}") + suffix)
                parameter.data.copy_(other.data)
    x = torch.randn(3, 7, 5)
    torch.testing.assert_close(ours(x), theirs(x)[0])


def test_bilstm_with_padding_equals_torch_on_packed_sequences():
    lstm = BiLSTM(5, 4)
    x, lengths = torch.randn(3, 7, 5), torch.tensor([7, 3, 1])
    out = lstm(x, lengths)
    for row, clip, n in zip(out, x, lengths):
        torch.testing.assert_close(row[:n], lstm(clip[None, :n])[0])


@pytest.mark.parametrize("name", REFERENCE)
def test_reference_recognisers_have_the_published_number_of_parameters(name):
    options, n_parameters = REFERENCE[name]
    network = PhonemeNet(40, None, 61, **options)
    assert sum(p.numel() for p in network.parameters()) == n_parameters


@pytest.mark.parametrize("name", REFERENCE)
@pytest.mark.parametrize(
    "trained, extra", [({}, 0), ({"train_mel": True}, 9_640), ({"train_stft": True}, 231_360),
                       ({"train_mel": True, "train_stft": True}, 241_000)],
)  # fmt: skip
def test_reference_front_ends_add_their_parameters(name, trained, extra):
    options, n_parameters = REFERENCE[name]
    front_end = MelSpectrogram(16000, n_fft=480, win_length=480, hop_length=160).to_module(
        **trained
    )
    network = FrontEndNet(front_end, PhonemeNet(40, None, 61, **options))
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == n_parameters + extra


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("n_bands", [1, 10, 20, 30])
def test_any_number_of_bands_is_allowed(encoder, n_bands):
    network = PhonemeNet(n_bands, None, 3, encoder=encoder, n_filters=4)
    out = network(torch.randn(2, n_bands, 11))
    assert out.shape == (2, network.out_frames(11), 4)
    assert network(torch.randn(2, n_bands)).shape == (2, 1, 4)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_padding_gives_blanks_and_changes_no_other_frame(encoder, training):
    network = PhonemeNet(8, None, 3, encoder=encoder, n_filters=4, input_norm="batch", dropout=0.0)
    if encoder == "bcresnet":
        for module in network.modules():
            if isinstance(module, torch.nn.Dropout1d):
                module.p = 0.0
    network.train(training)
    x, lengths = torch.randn(3, 8, 15), torch.tensor([15, 9, 4])
    narrow = network(x, lengths)
    wide = network(torch.cat([x, torch.full((3, 8, 6), 50.0)], dim=2), lengths)
    n_frames = network.out_frames(lengths)
    assert valid_frames(narrow).tolist() == valid_frames(wide).tolist() == n_frames.tolist()
    for i, n in enumerate(n_frames.tolist()):
        torch.testing.assert_close(wide[i, :n], narrow[i, :n])
        probabilities = wide[i, n:].softmax(1)
        assert (probabilities[:, 0] == 1).all() and (probabilities[:, 1:] == 0).all()
        if not training:
            torch.testing.assert_close(narrow[i, :n], network(x[i : i + 1, :, : lengths[i]])[0])


def test_each_convolutional_layer_halves_the_bands():
    network = PhonemeNet(40, None, 3, n_conv_layers=4, n_filters=[32, 64, 64, 64])
    assert network.encode.n_features == 64 * 3  # 40, 20, 10, 5, 3
    assert network(torch.randn(2, 40, 11)).shape == (2, 6, 4)
    with pytest.raises(ValueError, match=r"n_filters=.* 2 entries, but there are 3 layers"):
        PhonemeNet(40, None, 3, n_conv_layers=3, n_filters=[8, 8])


def test_unknown_encoder_is_refused():
    with pytest.raises(ValueError, match=r"encoder='lstm'.*conv-lstm"):
        PhonemeNet(8, None, 3, encoder="lstm")


def test_every_parameter_has_a_gradient():
    for encoder in ENCODERS:
        network = PhonemeNet(10, None, 3, encoder=encoder, n_filters=4, n_lstm_layers=2)
        losses = CTCCriterion()(
            network(torch.randn(2, 10, 12), torch.tensor([12, 8])), torch.tensor([[1, 2], [3, 0]])
        )
        losses.sum().backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None and parameter.grad.isfinite().all(), name
