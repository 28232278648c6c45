import numpy as np
import pytest
from sklearn.svm import SVC

from sklearn_speech import MelSpectrogram, SpectrogramCNNClassifier, make_speech_pipeline
from sklearn_speech.augmentation import VocalTractWarp


def test_all_steps_have_the_same_sample_rate_and_duration():
    pipeline = make_speech_pipeline(SpectrogramCNNClassifier(), sample_rate=22050, duration=0.5)
    assert pipeline["audioreader"].sample_rate == 22050
    assert pipeline["melspectrogram"].sample_rate == 22050
    assert pipeline["padortrim"].n_times == 11025


def test_without_duration_clips_keep_their_lengths():
    pipeline = make_speech_pipeline(SpectrogramCNNClassifier(), duration=None)
    assert "padortrim" not in pipeline.named_steps


def test_front_end_inside_the_network_replaces_the_step():
    inside = SpectrogramCNNClassifier(frontend=MelSpectrogram(sample_rate=8000))
    pipeline = make_speech_pipeline(inside, sample_rate=8000)
    assert list(pipeline.named_steps) == ["audioreader", "padortrim", "spectrogramcnnclassifier"]


def test_steps_are_copies():
    classifier, features = SVC(), MelSpectrogram(sample_rate=8000)
    pipeline = make_speech_pipeline(classifier, sample_rate=8000, features=features)
    assert pipeline["svc"] is not classifier
    assert pipeline["melspectrogram"] is not features


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (dict(features=MelSpectrogram(sample_rate=16000)), "MelSpectrogram has sample_rate=16000"),
        (
            dict(classifier=SpectrogramCNNClassifier(frontend=MelSpectrogram(sample_rate=16000))),
            "SpectrogramCNNClassifier, in frontend, has sample_rate=16000",
        ),
        (
            dict(classifier=SpectrogramCNNClassifier(augment=[VocalTractWarp(sample_rate=16000)])),
            r"SpectrogramCNNClassifier, in augment\[0\], has sample_rate=16000",
        ),
    ],
)
def test_error_names_the_part_with_another_sample_rate(arguments, place):
    arguments = {"classifier": SpectrogramCNNClassifier(), "sample_rate": 8000, **arguments}
    with pytest.raises(ValueError, match=place + ", but the pipeline has sample_rate=8000"):
        make_speech_pipeline(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [dict(sample_rate=0), dict(duration=-1.0), dict(duration="1 s"), dict(features="mel")],
)
def test_errors_name_invalid_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"{name}="):
        make_speech_pipeline(SVC(), **arguments)


def test_pipeline_of_paths_learns_two_tones(tmp_path):
    import soundfile

    time = np.arange(4000) / 8000
    paths, labels = [], []
    for i in range(12):
        tone = ["low", "high"][i % 2]
        wave = 0.1 * np.sin(2 * np.pi * {"low": 400, "high": 2000}[tone] * time + i)
        paths.append(tmp_path / f"{i}.wav")
        soundfile.write(paths[-1], wave, 8000)
        labels.append(tone)
    net = SpectrogramCNNClassifier(n_layers=2, n_filters=4, max_epochs=60, random_state=0)
    pipeline = make_speech_pipeline(net, sample_rate=8000, duration=0.5)
    assert pipeline.fit(paths, labels).score(paths, labels) == 1.0
