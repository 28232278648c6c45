"""A function applied to all clips of a data set, batch by batch."""

import pytest
import torch

from sklearn_speech.base._batches import ClipDataset, map_clips

CPU = torch.device("cpu")


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("n_clips", [1, 3, 7])
def test_batches_are_joined_in_order_and_in_their_layout(layout, n_clips):
    X = torch.randn(n_clips, 2, 5, 4)

    def doubled(x, lengths):
        return (2 * x).contiguous(memory_format=layout), lengths

    found = map_clips(ClipDataset(X), doubled, CPU, batch_size=3)
    assert torch.equal(found, 2 * X)
    assert found.is_contiguous(memory_format=layout)


def test_clips_of_a_list_come_back_in_order_without_padding():
    clips = [torch.randn(2, n) for n in (4, 9, 1, 6)]
    found = map_clips(ClipDataset(clips), lambda x, n: (-x, n), CPU, batch_size=2)
    for clip, result in zip(clips, found, strict=True):
        assert torch.equal(result, -clip)
