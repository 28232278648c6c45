"""Vectors of an encoder, which is no spectrogram, stand at their times in pictures and segments."""

import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline

from sklearn_speech import (
    PhonemeRecognizer,
    SpectrogramDisplay,
    SpeechEmbedding,
    TrainableFrontEnd,
    make_spoken_digits,
)
from sklearn_speech.inspection._front_end import describe_front_end

RATE = 8000


class Energies(torch.nn.Module):
    """Mean squares of blocks, which stand in for an encoder."""

    def forward(self, waveforms):
        blocks = waveforms.unfold(1, 400, 160)
        return torch.stack([blocks.square().mean(2), blocks.abs().mean(2)], dim=1)


def embedding(center=True, **parameters):
    sizes = {"window_length": 400, "hop_length": 160, "encoder_sample_rate": RATE, **parameters}
    return SpeechEmbedding(RATE, encoder=Energies(), center=center, **sizes)


@pytest.mark.parametrize("center", [True, False])
def test_a_click_is_drawn_at_its_time(center):
    click = np.zeros((1, RATE))
    click[0, 4000] = 1.0
    display = SpectrogramDisplay.from_estimator(embedding(center).fit(click), click[0])
    edges = display.im_.get_coordinates()[0, :, 0]
    middle = np.asarray(display.im_.get_array()).reshape(2, -1)[0]
    loud = np.flatnonzero(middle > middle.max() / 2)
    assert edges[loud[0]] <= 0.5 <= edges[loud[-1] + 1]
    assert display.ax_.get_ylabel() == "Dimension"
    assert display.im_.get_clim() == (display.spectrogram.min(), display.spectrogram.max())


def test_times_are_those_of_the_encoder_whatever_the_sampling_rate():
    axes = describe_front_end(embedding(encoder_sample_rate=16000))
    assert axes.hop_length / axes.sample_rate == pytest.approx(0.01)
    axes = describe_front_end(make_pipeline(embedding(False)))
    assert axes.first_frame_time == pytest.approx(0.025)


def test_one_vector_per_clip_has_no_time():
    whole = SpeechEmbedding(RATE, encoder=torch.nn.Identity(), encoder_sample_rate=RATE)
    with pytest.raises(ValueError, match="one vector per clip: vectors have no times"):
        describe_front_end(whole)


def test_a_recogniser_on_an_encoder_aligns_phones():
    speech = make_spoken_digits(n_speakers=1, n_takes=1, digits=[1, 8], random_state=0)
    recognizer = PhonemeRecognizer(
        frontend=TrainableFrontEnd(embedding(), train=None), max_epochs=1, random_state=0
    ).fit(speech.data, speech.phones)
    for clip, segments in zip(speech.data, recognizer.align(speech.data, speech.phones)):
        times = np.array([segment[:2] for segment in segments])
        assert (np.diff(times.ravel()) >= 0).all()
        assert 0 <= times.min() and times.max() <= len(clip) / RATE + 1e-9
