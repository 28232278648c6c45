"""Displays of a trained autoencoder: reconstructions, and the loss of each stage."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.inspection import ReconstructionDisplay, TrainingCurveDisplay, WaveformDisplay
from sklearn_speech.pretraining import ConvAutoencoder


def fitted():
    W = 0.1 * np.random.default_rng(0).normal(size=(6, 2000)).astype(np.float32)
    autoencoder = ConvAutoencoder(2, n_filters=3, max_epochs=2, device="cpu", random_state=0)
    return make_pipeline(MelSpectrogram(8000, n_mels=16, scaling="log", n_iter=2), autoencoder).fit(
        W
    ), W


def test_reconstructions_are_shown_below_their_clips():
    pipeline, W = fitted()
    display = ReconstructionDisplay.from_estimator(pipeline, W, max_clips=3)
    # natural logarithms of power are drawn as decibels
    decibels = 10 / np.log(10)
    S = pipeline[0].transform(W[:3])
    errors = decibels * np.sqrt(np.square(S - pipeline[1].reconstruct(S)).mean((1, 2)))
    np.testing.assert_allclose(display.errors_, errors, rtol=0.02)
    plt.close(display.figure_)


def test_each_stage_has_its_own_curve():
    pipeline, _ = fitted()
    display = TrainingCurveDisplay(pipeline[-1].history_).plot()
    shown = display.lines_["", "train_loss"].get_ydata()
    losses = [row["train_loss"] for row in pipeline[-1].history_]
    np.testing.assert_allclose(shown[np.isfinite(shown)], losses)
    assert np.isnan(shown).sum() == 1  # a gap between the two stages
    plt.close(display.figure_)


def test_waveform_is_shown_with_its_reconstruction():
    pipeline, W = fitted()
    back = pipeline.inverse_transform(pipeline.transform(W))
    display = WaveformDisplay(W[0], sample_rate=8000).plot()
    WaveformDisplay(back[0], sample_rate=8000).plot(ax=display.ax_)
    assert len(back[0]) == len(W[0])
    plt.close(display.figure_)
