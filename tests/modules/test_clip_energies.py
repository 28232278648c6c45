"""Energies of many clips at a time: those of the plain formula, however they are computed."""

import itertools

import numpy as np
import pytest
import torch

from sklearn_speech.modules import clip_energies
from sklearn_speech.modules.clip_energies import ClipEnergies
from sklearn_speech.modules.front_end import FrontEnd
from sklearn_speech.modules.scaling import SCALINGS, Scaling

SETTINGS = (
    {"n_mels": 40},
    {"n_mels": 23, "n_fft": 320, "win_length": 200, "hop_length": 77, "center": False},
    {"n_mels": 10, "n_fft": 64, "win_length": 64, "hop_length": 100, "pad_mode": "edge"},
    {"n_mels": 40, "power": 1.0, "preemphasis": 0.97},
    {"n_mels": None, "density": True, "detrend": "linear"},
)


def noise(*shape, dtype=torch.float32):
    return torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, shape)).to(dtype)


def energies_of(front_end):
    return ClipEnergies(front_end, front_end.blocks())


def by_formula(front_end, clip):
    """Energies in double precision, one frame after the other."""
    framing, window = front_end.framing, front_end.stft.window.double().numpy()
    frames = framing(clip.double().unsqueeze(0))[0].numpy()
    if front_end.stft.detrend == "linear":
        ramp = np.arange(len(window))
        frames = np.array(
            [frame - np.polyval(np.polyfit(ramp, frame, 1), ramp) for frame in frames]
        )
    magnitudes = np.abs(np.fft.rfft(frames * window, front_end.n_fft)) ** front_end.power
    if front_end.gain is not None:
        magnitudes *= front_end.gain.double().numpy()
    if front_end.bank is None:
        return magnitudes.T
    return front_end.bank.matrix().double().numpy() @ magnitudes.T


@pytest.mark.parametrize("setting", SETTINGS)
def test_energies_are_those_of_the_formula(setting):
    front_end = FrontEnd(8000, **setting)
    clips = noise(3, 2000)
    found = energies_of(front_end).of_batch(clips, 10_000).numpy()
    for clip, energies in zip(clips, found, strict=True):
        expected = by_formula(front_end, clip)
        assert energies.shape == expected.shape
        assert abs(energies - expected).max() < 1e-5 * expected.max()


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tiles_pieces_and_neighbours_do_not_change_a_bit(setting, dtype, monkeypatch):
    front_end = FrontEnd(8000, **setting, dtype=dtype)
    clips = noise(5, 9000, dtype=dtype)
    expected = energies_of(front_end).of_batch(clips, 10_000)
    for samples in (1, 2**15):
        monkeypatch.setattr(clip_energies, "_TILE_SAMPLES", samples)
        energies = energies_of(front_end)
        assert energies.of_batch(clips, 10_000).equal(expected)
        for budget, clip in itertools.product((1, 48, 50, 10_000), (0, 4)):
            found = energies.of_batch(clips[clip : clip + 1], budget)[0]
            assert found.equal(expected[clip]), (samples, budget, clip)
        row, starts, counts = energies.of_list([clips[0, :700], *clips, clips[1, :650]])
        for i in range(5):
            found = row[:, starts[i + 1] : starts[i + 1] + counts[i + 1]]
            assert found.equal(expected[i]), (samples, i)


def test_memory_of_a_former_call_leaves_no_trace():
    front_end = FrontEnd(8000, n_mels=40)
    clips = noise(4, 8000)
    energies = energies_of(front_end)
    first = energies.of_batch(clips[:1, :3000], 10_000).clone()
    energies.of_batch(1e3 * clips, 10_000)
    assert energies.of_batch(clips[:1, :3000], 10_000).equal(first)


def test_energies_are_written_where_they_are_wanted():
    front_end = FrontEnd(8000, n_mels=40)
    clips = noise(2, 3000)
    expected = energies_of(front_end).of_batch(clips, 10_000)
    out = torch.full_like(expected, torch.nan)
    assert energies_of(front_end).of_batch(clips, 10_000, out) is out
    assert out.equal(expected)


@pytest.mark.parametrize("normalize", [None, "clip", "band", "minmax", "max"])
@pytest.mark.parametrize("ref", [1.0, 0.5, "max"])
@pytest.mark.parametrize("scaling", [None, *SCALINGS])
@torch.inference_mode()
def test_a_row_of_clips_is_scaled_as_each_clip_alone(scaling, ref, normalize):
    scale = Scaling(scaling, ref=ref, normalize=normalize)
    row = noise(90, 12).square()
    # what lies between clips, such as infinity, belongs to none
    starts, counts = [0, 33, 41, 90], [30, 8, 47]
    row[30:33] = row[88:] = torch.inf
    expected = [
        scale.scale(row[start : start + count].clone().unsqueeze(0))
        for start, count in zip(starts, counts)
    ]
    features, ranges = scale.scale_row(row.clone(), starts, counts)
    assert len(features) == 3
    for i, (clip, clip_ranges) in enumerate(expected):
        assert features[i].equal(clip[0])
        assert ranges[i].equal(clip_ranges[0])
