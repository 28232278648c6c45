"""Matching of events and rates by time, against counts by hand and exhaustive search."""

from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sklearn_speech.metrics import EventTable, detection_curve, match_events, miss_rate_at

TIMES = st.integers(0, 12).map(lambda n: n / 4)
TRUE = st.lists(st.tuples(st.just(0), st.sampled_from("ab"), TIMES), max_size=5)
FOUND = st.lists(
    st.tuples(st.just(0), st.sampled_from("ab"), TIMES, st.sampled_from([0.2, 0.5, 0.5, 0.9])),
    max_size=5,
)


def with_ends(rows):
    return [(name, word, start, start + 0.1, *rest) for name, word, start, *rest in rows]


def most_hits(true, found, collar):
    """The largest number of pairs, by trying all assignments."""
    best = 0
    for partners in product(range(-1, len(true)), repeat=len(found)):
        used = [p for p in partners if p >= 0]
        if len(set(used)) == len(used) and all(
            p < 0 or (true[p][1] == f[1] and abs(true[p][2] - f[2]) <= collar)
            for p, f in zip(partners, found)
        ):
            best = max(best, len(used))
    return best


@settings(max_examples=120, deadline=None)
@given(TRUE, FOUND, st.sampled_from([0.0, 0.25, 0.5]))
def test_as_many_events_are_found_as_can_be_at_every_threshold(true, found, collar):
    match = match_events(with_ends(true), with_ends(found), collar=collar)
    for threshold in (0.0, 0.3, 0.6):
        above = [f for f in found if f[3] >= threshold]
        counted = match.is_hit[match.predicted.score >= threshold].sum()
        assert counted == most_hits(true, above, collar)
    assert match.is_found.sum() == match.is_hit.sum()
    for i in np.flatnonzero(match.is_hit):
        j = match.partner[i]
        assert match.true.word[j] == match.predicted.word[i]
        assert abs(match.error[i]) <= collar
    assert len(set(match.partner[match.is_hit])) == match.is_hit.sum()


@settings(max_examples=60, deadline=None)
@given(TRUE.filter(len), FOUND)
def test_rates_at_each_threshold_are_those_of_the_events_above_it(true, found):
    true, found = with_ends(true), with_ends(found)
    curve = detection_curve(true, found, [7200.0])
    assert np.all(np.diff(curve.thresholds) < 0)
    assert np.all(np.diff(curve.miss_rate) <= 0)
    assert np.all(np.diff(curve.false_alarms_per_hour) >= 0)
    for threshold, misses, alarms in zip(
        curve.thresholds, curve.miss_rate, curve.false_alarms_per_hour
    ):
        match = match_events(true, [f for f in found if f[4] >= threshold])
        assert misses == pytest.approx(1 - match.is_found.mean())
        assert alarms == (~match.is_hit).sum() / 2


@settings(max_examples=60, deadline=None)
@given(TRUE.filter(len), FOUND, st.sampled_from([0.0, 0.5, 1.0, 100.0]))
def test_a_threshold_keeps_to_its_rate_and_has_its_misses(true, found, rate):
    true, found = EventTable(with_ends(true)), EventTable(with_ends(found))
    curve = detection_curve(true, found, [7200.0])
    misses, threshold = miss_rate_at(curve, rate)
    match = match_events(true, found.above(threshold))
    assert (~match.is_hit).sum() / curve.hours <= rate
    assert misses == pytest.approx(1 - match.is_found.mean())


def test_where_no_event_is_left_the_floor_stands_for_the_next_one():
    curve = detection_curve([(0, "a", 1.0, 1.5)], [(0, "a", 1.0, 1.5, 0.9)], [7200.0])
    assert miss_rate_at(curve, 1.0) == (0.0, 0.9)
    assert miss_rate_at(curve, 1.0, floor=0.1) == (0.0, 0.5)


def test_curves_of_speakers_add_up_to_that_of_all():
    true = with_ends([(0, "a", 1.0), (1, "a", 1.0), (1, "a", 2.0), (2, "a", 5.0)])
    found = with_ends([(0, "a", 1.0, 0.9), (1, "a", 2.0, 0.4), (2, "a", 9.0, 0.6)])
    curve = detection_curve(true, found, [3600.0, 1800.0, 1800.0], speakers=["x", "y", "x"])
    assert curve.speakers.tolist() == ["x", "y"]
    np.testing.assert_allclose(
        np.average(curve.miss_rate_by_speaker, axis=0, weights=[2, 2]), curve.miss_rate
    )
    np.testing.assert_allclose(
        np.average(curve.false_alarms_per_hour_by_speaker, axis=0, weights=[1.5, 0.5]),
        curve.false_alarms_per_hour,
    )


def test_centres_and_ends_can_be_compared_too():
    true, found = [(0, "a", 1.0, 1.4)], [(0, "a", 1.1, 1.7, 0.5)]
    assert match_events(true, found, collar=0.1).is_hit.all()
    assert not match_events(true, found, collar=0.1, at="both").is_hit.any()
    assert match_events(true, found, collar=0.2, at="center").error[0] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(0, "a", 1.0)], r"event 0 is \(0, 'a', 1.0\): expected \(recording"),
        ([(0, "a", 1.0, 0.5)], "start=1.0 and end=0.5: expected finite"),
        ([(0, "a", 1.0, np.inf)], "end=inf"),
        ([(0, "a", "1", 2)], "start='1': expected a number"),
        ([(None, "a", 1, 2)], "recording=None: expected a path or a position"),
        ([(0, ["a"], 1, 2)], r"word=\['a'\]: expected a string or a number"),
        ([(0, None, 1, 2)], "word=None: expected a string or a number"),
        ([(0, np.nan, 1, 2)], "word=nan: expected a string or a number"),
        ([(0, "a", True, 2)], "start=True: expected a number"),
        ([(0, "a", 1, 10**400)], "1000.*: expected a finite number"),
        ([(0, "a", 1, 2, np.inf)], "score=inf: expected a finite number"),
        ([(0, "a", 1, 2, -(10**400))], "score=-1000.*: expected a finite number"),
    ],
)
def test_wrong_events_are_named(rows, message):
    with pytest.raises((TypeError, ValueError), match=message):
        EventTable(rows)
    with pytest.raises((TypeError, ValueError), match="true: .*" + message):
        match_events(rows, [])


def test_wrong_durations_and_scores_are_named():
    true = [(0, "a", 1.0, 1.5)]
    with pytest.raises(ValueError, match="true holds no event"):
        detection_curve([], [], [10.0])
    with pytest.raises(ValueError, match="event 0 of predicted has no score"):
        detection_curve(true, true, [10.0])
    with pytest.raises(ValueError, match="recording 0, which has no entry in durations"):
        detection_curve(true, [], {"a.wav": 10.0})
    with pytest.raises(ValueError, match=r"durations\[0\]=0"):
        detection_curve(true, [], [0])
    with pytest.raises(ValueError, match=r"durations\[0\]=1000.*: expected a finite number"):
        detection_curve(true, [], [10**400])
    for durations in (None, 10.0, "ab"):
        with pytest.raises(TypeError, match=r"durations is of type .*: expected a dict"):
            detection_curve(true, [], durations)
    for speakers in ([None], [np.nan], [["x"]]):
        with pytest.raises((TypeError, ValueError), match="speakers"):
            detection_curve(true, [], [10.0], speakers=speakers)
    with pytest.raises((TypeError, ValueError), match="speakers"):
        detection_curve(true, [], [10.0, 20.0], speakers=[1, "b"])
    with pytest.raises(ValueError, match="speakers has 2 entries for 1 recordings"):
        detection_curve(true, [], [10.0], speakers=["x", "y"])
    with pytest.raises(ValueError, match="collar=-1"):
        match_events(true, true, collar=-1)


@pytest.mark.parametrize("curve", [None, {}, 3, [1]])
def test_what_is_no_curve_is_named(curve):
    with pytest.raises(TypeError, match=r"curve is of type .*: expected what detection_curve"):
        miss_rate_at(curve, 1.0)


@pytest.mark.parametrize("rate", [None, "a", -1, np.nan])
def test_what_is_no_rate_and_no_floor_is_named(rate):
    true = [(0, "a", 1.0, 1.5, 0.5)]
    curve = detection_curve(true, true, [10.0])
    with pytest.raises(ValueError, match=r"false_alarms_per_hour=.*: expected rates"):
        miss_rate_at(curve, rate)
    if rate not in (None, -1):
        with pytest.raises(ValueError, match=r"floor=.*: expected a finite score or None"):
            miss_rate_at(curve, 1.0, floor=rate)


def test_tables_are_written_and_read(tmp_path):
    events = EventTable([("b a.wav", "yes", 1.5, 2.0, 0.75), ("b a.wav", "oh no", 0.25, 0.5)])
    events.to_csv(tmp_path / "events.csv")
    again = EventTable.from_csv(tmp_path / "events.csv")
    assert repr(again) == repr(events)
    assert list(again)[1] == list(events)[1]
    events.to_audacity(tmp_path / "labels.txt")
    assert (tmp_path / "labels.txt").read_text().splitlines() == [
        "0.250000\t0.500000\toh no",
        "1.500000\t2.000000\tyes",
    ]
    events.to_rttm(tmp_path / "events.rttm")
    assert (tmp_path / "events.rttm").read_text().splitlines() == [
        "LEXEME b_a.wav 1 0.2500 0.2500 oh_no lex <NA> <NA> <NA>",
        "LEXEME b_a.wav 1 1.5000 0.5000 yes lex <NA> 0.7500 <NA>",
    ]
    frame = events.to_frame()
    assert match_events(frame, frame).is_hit.all()
    several = EventTable([(0, "a", 1, 2), (1, "a", 1, 2)])
    with pytest.raises(ValueError, match="belongs to one recording, but there are 2"):
        several.to_audacity(tmp_path / "labels.txt")
    several.to_audacity(tmp_path / "labels.txt", recording=1)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["a b", "a,b", 'say "x"', "a\tb", "a\nb", "a\rb", "a\r\nb", "=1", "007", "-0", "'", "\x00"]
)
#: Names of files of any system: bytes that are not UTF-8 become lone surrogates.
FILES = TEXT | st.binary(max_size=4).map(lambda name: name.decode("utf-8", "surrogateescape"))
SCORES = st.just(float("nan")) | st.floats(0, 1)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    names=st.lists(FILES, min_size=1) | st.lists(st.integers(-2, 99), min_size=1),
    words=st.lists(TEXT, min_size=1) | st.lists(st.integers(-9, 9), min_size=1),
    times=st.lists(st.tuples(TIMES, SCORES), max_size=5),
)
def test_any_names_words_and_scores_are_read_as_they_were_written(tmp_path, names, words, times):
    rows = [
        (names[i % len(names)], words[i % len(words)], start, start + 0.000001, score)
        for i, (start, score) in enumerate(times)
    ]
    if isinstance(names[0], str) and rows:  # a file does not tell 1 from "1"
        rows.append(("a.wav", words[0], 0.0, 1.0, 0.5))
    events = EventTable(rows)
    events.to_csv(tmp_path / "events.csv")
    again = EventTable.from_csv(tmp_path / "events.csv", word_type=type(words[0]))
    assert list(map(repr, again)) == list(map(repr, events))
    for name in dict.fromkeys(events.recording):
        events.to_audacity(tmp_path / "labels.txt", name)
        lines = (tmp_path / "labels.txt").read_bytes().decode().split("\n")
        assert [line.count("\t") for line in lines] == [2] * len(events.of(name)) + [0]
    events.to_rttm(tmp_path / "events.rttm")
    content = (tmp_path / "events.rttm").read_bytes().decode("utf-8", "surrogateescape")
    assert [len(line.split()) for line in content.split("\n")] == [10] * len(events) + [0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no column recording, word, start, end"),
        (b"recording,word,start,end\nx,y,1,z\n", "line 2: could not convert"),
        (b"recording,word,start,end\nx,y,1,2\nx,y\n", "line 3 has 2 fields: expected 4"),
        (b"recording,word,start,end\nx,y,1,2,3\n", "line 2 has 5 fields: expected 4"),
        (b"recording,word,start,end\nx,y,3,2\n", "line 2: has start=3.0 and end=2.0"),
        (b"recording,word,start,end\nx,\xe9,1,2\n", "line 2 has a word that is not UTF-8"),
        (b'recording,word,start,end\nx,"y,1,2\n', r"line \d: unexpected end of data"),
        (b"recording,word,start,end\nx," + b"y" * 200_000 + b",1,2\n", "line 2: field larger"),
    ],
    ids=["empty", "text", "short", "long", "order", "encoding", "quotes", "huge"],
)
def test_a_wrong_table_is_named_with_its_line(tmp_path, content, message):
    (tmp_path / "events.csv").write_bytes(content)
    with pytest.raises(ValueError, match=rf"events\.csv,? {message}"):
        EventTable.from_csv(tmp_path / "events.csv")
