"""Classifiers of tables get a table; otherwise the error names the missing step."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC

from sklearn_speech import (
    AudioReader,
    MelSpectrogram,
    PadOrTrim,
    SpectrogramLinearClassifier,
    TemporalPooling,
    cross_validate_by_speaker,
    make_speech_pipeline,
)
from sklearn_speech.utils.chain import check_chain
from tests.members import FRONT_END_CLASSES

RATE = 8000
Y = np.tile(["low", "high"], 6)
SPEAKERS = np.repeat(["ann", "bob", "cy"], 4)


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    return [
        (0.1 * np.sin(np.arange(n) * (0.1 if word == "low" else 0.8)), RATE)
        for word, n in zip(Y, rng.integers(3000, 6000, len(Y)))
    ]


@pytest.mark.parametrize(
    "classifier",
    [
        SVC(),
        LogisticRegression(),
        RandomForestClassifier(10, random_state=0),
        BaggingClassifier(random_state=0),
    ],
)
def test_the_usual_pipeline_gives_a_table_to_a_scikit_learn_classifier(classifier, clips):
    pipeline = make_speech_pipeline(classifier, sample_rate=RATE)
    assert "padortrim" not in pipeline.named_steps
    scores = cross_validate_by_speaker(pipeline, clips, Y, SPEAKERS)
    assert scores["test_score"].mean() == 1
    assert pipeline.fit(clips, Y)[:-1].transform(clips).shape == (
        12,
        4 * 3 * MelSpectrogram().n_mels,
    )


@pytest.mark.parametrize("front_end", FRONT_END_CLASSES)
@pytest.mark.parametrize("classifier", [SVC(), BaggingClassifier(SVC())])
def test_a_front_end_before_a_classifier_of_tables_is_refused_with_a_remedy(
    front_end, classifier, clips
):
    name = type(classifier).__name__
    message = f"{name} reads tables, but {front_end.__name__} gives spectrograms, .*TemporalPooling"
    pipeline = make_pipeline(AudioReader(RATE), front_end(sample_rate=RATE), classifier)
    with pytest.raises(ValueError, match=message):
        cross_validate_by_speaker(pipeline, clips, Y, SPEAKERS)
    features = front_end(sample_rate=RATE)
    with pytest.raises(ValueError, match=r"AudioReader gives waveforms, .*TemporalPooling"):
        make_speech_pipeline(classifier, sample_rate=RATE, features=None)
    made = make_speech_pipeline(classifier, sample_rate=RATE, features=features)
    assert isinstance(made[-3], TemporalPooling)


def test_estimators_that_read_clips_are_not_taken_for_classifiers_of_tables():
    for step in (DummyClassifier(), SpectrogramLinearClassifier(), TemporalPooling()):
        check_chain(make_pipeline(MelSpectrogram(), step))
    check_chain(make_pipeline(AudioReader(16000), PadOrTrim(100), SVC()))


def test_a_union_of_pooled_front_ends_names_its_features(clips):
    union = make_union(
        *(
            make_pipeline(AudioReader(RATE), front(sample_rate=RATE), TemporalPooling("mean"))
            for front in FRONT_END_CLASSES
        )
    ).set_params(verbose_feature_names_out=False)
    names = union.fit(clips).get_feature_names_out()
    assert len(names) == len(set(names)) == union.transform(clips).shape[1]
    assert {"mean_mel0", "mean_mfcc0", "mean_bin0"} <= set(names)


def test_bagging_takes_paths_or_recordings_as_one_column(clips):
    column = np.empty((len(clips), 1), dtype=object)
    column[:, 0] = [{"array": clip, "sampling_rate": rate} for clip, rate in clips]
    bag = BaggingClassifier(make_speech_pipeline(SVC(), sample_rate=RATE), 3, random_state=0)
    assert bag.fit(column, Y).score(column, Y) == 1


def test_self_training_can_wrap_a_network_with_a_front_end_after_the_reader(clips):
    net = SpectrogramLinearClassifier(
        frontend=MelSpectrogram(RATE, n_mels=8), max_epochs=60, random_state=0
    )
    pipeline = make_pipeline(AudioReader(RATE), PadOrTrim(), SelfTrainingClassifier(net))
    codes = np.where(Y == "low", 0, 1)
    known = np.where(np.arange(12) < 8, codes, -1)
    assert pipeline.fit(clips, known).score(clips[8:], codes[8:]) == 1


@pytest.mark.parametrize("labels", [[-1, 0, 1], [-1, 3, 5, 9]])
def test_a_class_of_minus_one_without_a_pretrainer_warns_once(labels):
    y = np.tile(labels, 4)
    X = np.random.default_rng(0).normal(size=(len(y), 5))
    with pytest.warns(UserWarning, match="y contains -1 and .* leave them out") as record:
        SpectrogramLinearClassifier(max_epochs=1).fit(X, y)
    assert len(record) == 1 and record[0].filename == __file__


@pytest.mark.parametrize("labels", [[-1, 1], [-1, 0], [-2, -1, 0], [0, 1, 2], ["-1", "0", "1"]])
def test_other_classes_do_not_warn(labels, recwarn):
    y = np.tile(labels, 4)
    SpectrogramLinearClassifier(max_epochs=1).fit(np.zeros((len(y), 5)), y)
    assert not recwarn.list


def test_minus_one_among_strings_without_a_pretrainer_is_an_error():
    y = np.array(["no", -1, "yes", -1], dtype=object)
    with pytest.raises(ValueError, match="-1 marks clips without a label only where a pretrainer"):
        SpectrogramLinearClassifier(max_epochs=1).fit(np.zeros((4, 5)), y)
