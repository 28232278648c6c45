"""The convolution that a file computes is the front end, whatever its parameters."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_speech import (
    MFCC,
    MelSpectrogram,
    PitchContour,
    Spectrogram,
    TemporalPooling,
    load_onnx,
    to_onnx,
)
from sklearn_speech.export._front_end import ExportedFrontEnd
from tests.export.cases import waveforms

VARIANTS = [
    Spectrogram(8000),
    Spectrogram(8000, n_fft=101, win_length=80, hop_length=33),
    Spectrogram(8000, n_fft=128, win_length=100, center=False),
    Spectrogram(8000, n_fft=127, win_length=90, center=False),
    Spectrogram(8000, scaling=None, density=True, detrend="constant"),
    Spectrogram(8000, power=1.0, detrend="linear"),
    Spectrogram(8000, n_fft=2048),
    MelSpectrogram(8000, pad_mode="reflect", preemphasis=0.97),
    MelSpectrogram(8000, n_fft=255, win_length=200, pad_mode="reflect"),
    MelSpectrogram(8000, pad_mode="edge", preemphasis=0.5),
    MelSpectrogram(8000, preemphasis=0.97, center=False),
    MelSpectrogram(8000, ref="max", top_db=None),
    MelSpectrogram(8000, ref=2.0, top_db=40.0),
    MelSpectrogram(8000, db_window=(-60.0, 0.0)),
    MelSpectrogram(8000, scaling="log", normalize="clip"),
    MelSpectrogram(8000, scaling="log", log_offset=0.0, normalize="band"),
    MelSpectrogram(8000, scaling=None, normalize="max"),
    MelSpectrogram(8000, normalize="minmax", power=0.5),
    MelSpectrogram(8000, n_fft=512, win_length=10, hop_length=200),
    MFCC(8000),
    MFCC(8000, deltas=2, lifter=22, dct_type=3),
]


@pytest.mark.parametrize("transformer", VARIANTS, ids=repr)
@pytest.mark.parametrize("n_times", [2100, 1437])
def test_a_front_end_for_export_gives_the_features_of_the_transformer(transformer, n_times):
    X = waveforms(3, n_times)
    expected = transformer.fit_transform(X)
    with torch.no_grad():
        found = ExportedFrontEnd(transformer.to_module())(torch.from_numpy(X)).numpy()
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-4 * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("train", ["mel", "stft", "both"])
@pytest.mark.parametrize("power", [1.0, 2.0])
def test_a_trained_front_end_keeps_its_kernels_and_filters(train, power):
    module = MelSpectrogram(8000, power=power).to_module(
        train_stft=train != "mel", train_mel=train != "stft", masked_bins=(3, 6)
    )
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(1 + 0.1 * torch.rand_like(parameter))
        X = torch.from_numpy(waveforms(2, 1500))
        torch.testing.assert_close(ExportedFrontEnd(module)(X), module(X), atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize(
    "front_end",
    [MelSpectrogram(16000, n_mels=8, scaling="log", log_offset=1e-10), PitchContour()],
    ids=["offset of 1e-10", "pitch"],
)
def test_what_is_added_to_silence_is_in_the_file(front_end, tmp_path):
    # torch's exporter takes a single constant below 1e-8 for zero
    X, y = waveforms(8, 4000), np.arange(8) % 2
    clf = make_pipeline(front_end, TemporalPooling("mean"), LogisticRegression()).fit(X, y)
    to_onnx(clf, tmp_path / "m.onnx")
    silence = np.zeros((1, 4000), np.float32)
    found = load_onnx(tmp_path / "m.onnx").predict_proba(silence)
    np.testing.assert_allclose(found, clf.predict_proba(silence), atol=1e-5)
