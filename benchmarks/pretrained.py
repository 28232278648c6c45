"""What a pretrained speech embedding gives: few voices, many voices, speed, and how it was chosen.

    SKLEARN_SPEECH_DATA=FOLDER python benchmarks/pretrained.py
        [--parts speakers pairs words additions 'by speaker' strength speed layers pooling
                 recognizer 'recognizer settings']
        [--recipes best-pretrained best] [--seeds 1] [--runs build/pretrained]

FOLDER holds ``fsdd/recordings`` (otherwise they are downloaded) and
``speech_commands_many/clips.csv``. These protocols compare the recipes:

- ``speakers``: each of the six speakers of FSDD held out in turn;
- ``pairs``: two speakers of FSDD train, the other four test. ``best-pretrained`` runs on all 15
  pairs, and on three pairs that have no speaker in common, as the networks do;
- ``words``: 15 words of Speech Commands, the official validation list.

``strength``, ``layers``, ``pooling``, ``recognizer`` and ``recognizer settings`` compare settings
by the speakers of the training list, which is how the recipes were chosen: the digits and the
validation list choose nothing. ``best`` learns from the given clips alone; the weights of the
others were trained on some 200 million clips, and those with a recogniser also on 200,000 hours,
so their rows do not compare to it as systems that learn from the same data.

A recipe has one C for any number of clips. Few clips need more than many: C=1 is best up to some
hundred clips, and anything from 0.01 to 0.3 with thousands. The recipe takes 0.03: on average of
these numbers, it makes a twentieth more errors than C=1, and C=0.01 a tenth more. A strong penalty
is safer where few voices say the same words often, which this corpus lacks.

Also tried, on speakers of the training list, and without gain over ``best-pretrained``: layers 15
and 17 beside the last two, means of thirds of a clip, linear discriminants with shrinkage, support
vector machines. Averages over positions and speeds of the test clip, for three to five times the
work, add 0.003. ``best-finetuned`` needs 40 epochs there: 0.950 from 612 clips, 0.908 after 10
epochs, 0.943 after 100; three trained layers have 0.956 and take twice as long. On FSDD, the errors
of ``best-pretrained`` and ``best`` are those of two of the six speakers: the "three" of one and the
"six" of the other.

``recognizer`` puts the encoder of a speech recogniser beside the embedding: 24 to 44 % fewer errors
on speakers of the training list. ``recognizer settings`` chose its last layer, and the
quarter of a second of silence that it gets at both ends: closely cut words need it.

``additions`` measures, on FSDD, two kinds of further training clips that help on Speech Commands:

- A copy of each clip at another speed (0.85 to 1.18) and with noise (5 to 25 dB), the recipe with
  ``n_copies=1``: on clips of words that were trained, 0.841 becomes 0.868 with 2 known speakers,
  and 0.917 becomes 0.932 with 8. A second copy adds 0.002 with 2 speakers and loses 0.002 with 8.
  If only half of the copies get noise, one copy helps half as much with 2 speakers. The fit takes
  twice as long. On FSDD, which has 50 clips of each word by each voice, copies make more errors:
  0.9657 for 0.9747 with five voices, 0.941 for 0.943 with two. So the recipe makes none.
- Clips of the same words from a public corpus, with balanced class weights. Half of the speakers
  of Speech Commands gave the corpus, with 7 of the 10 target words; 2 or 8 others trained. All
  words: 0.742 becomes 0.853, and 0.907 becomes 0.921. Words of the corpus: 0.763 becomes 0.977,
  and 0.947 becomes 0.977. The three others lose: 0.695 becomes 0.583, and 0.822 becomes 0.805;
  without balanced weights, 0.269 and 0.700. The scores of a classifier of the corpus as further
  features help less: 0.752 becomes 0.786, 0.907 becomes 0.913, and with 32 speakers 0.937 becomes
  0.946. On FSDD, clips of Speech Commands help most with two voices: 0.959 for 0.943.

Other words of a corpus hardly help: nine words of half of the speakers, for six words of 2, 8 or
32 others, who have 0.889, 0.958 and 0.965 alone. Whitening by the covariance within words of the
corpus has at most 0.897, 0.965 and 0.966; features weighted by their variance between words 0.896,
0.963 and 0.965; the hidden layer of a network beside the features 0.888, 0.959 and 0.965, and
instead of them 0.809, 0.938 and 0.953. The scores of a classifier of the nine words lose: 0.863
for 0.882, and 0.957 for 0.959. With the last layer of the embedding trained on them, its vectors
have 0.841, 0.955 and 0.959, and 0.850, 0.957 and 0.959 beside the plain ones, which have 0.849,
0.959 and 0.959 on the same clips.

``by speaker`` measures what a device of one person can do: features are standardised by speaker,
for the new voice with the mean and the spread of some of its clips, of which no labels are known.
These rows do not compare to those of single clips of strangers.

The probabilities that a fitted recipe gives to the test clips are kept in the folder `--runs` and
are not computed again, so that an interrupted benchmark continues. ``best-vote`` is computed from
those of its voters, with the weights of the recipe. Writes ``results/pretrained.md``; what does not
run keeps its earlier rows.
"""

import argparse
import functools
import json
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import torch
from pretrained_choices import (
    compare_layers,
    compare_pooling,
    compare_recognizer,
    compare_recognizer_settings,
    compare_strength,
)
from pretrained_recordings import FAST, HEARD, RATE, RECIPES, features, made, recordings
from report import RESULTS, write_report
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from timing import in_turns

from sklearn_speech import SpeechEmbedding, fetch_fsdd, make_recipe, standardize_by_speaker
from sklearn_speech.classification._augmented_copies import add_copies
from sklearn_speech.utils.random import draw_seed

#: The vote of ``best`` and ``best-pretrained``, without and with the encoder of a recogniser, and
#: the voter in it.
LIGHT_VOTE, VOTE = "best-vote, recognizer=False", "best-vote"
VOTERS = {LIGHT_VOTE: FAST, VOTE: HEARD}
VOTES = {voter: vote for vote, voter in VOTERS.items()}
#: What the rows have learned before.
VIDEOS = "200 million clips of videos"
LEARNED = {
    "best": "nothing",
    HEARD: f"{VIDEOS}, 200,000 hours of English",
    VOTE: f"{VIDEOS}, 200,000 hours of English",
}
#: Names of the digits; Speech Commands has seven of them.
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
#: Clips of a new voice whose mean and spread are taken, and how often they are drawn.
N_CLIPS, N_DRAWS = (10, 20, 50, 100, 500), 5

CAPTIONS = {
    "speakers": "FSDD, five voices known, each of six speakers held out in turn",
    "pairs": "FSDD, two voices known, tested on the other four",
    "words": "Speech Commands, 15 words, official validation list",
    "additions": "FSDD, with a changed copy of each clip, and with clips of Speech Commands",
    "by speaker": "FSDD, where it is known who speaks, and the speaker has said more",
    "speed": "Speed on one core",
    "strength": "Strength of the logistic regression, Speech Commands, speakers of the training "
    "list held out",
    "layers": "Layers of the embedding, Speech Commands, speakers of the training list held out",
    "pooling": "Pooling of the last layer, Speech Commands, speakers of the training list held out",
    "recognizer": "With the encoder of a speech recogniser, Speech Commands, speakers of the "
    "training list held out",
    "recognizer settings": "The encoder of a speech recogniser alone, closely cut clips of Speech "
    "Commands, 16 speakers of the training list known",
}


def run(name, protocol, fold, seed, runs):
    """Probabilities of the test clips of one fold, and the seconds of the fit."""
    _, y, _, rate, folds = recordings(protocol)
    model = made(name, sample_rate=rate, random_state=seed)
    parameters = [(key, repr(value)) for key, value in sorted(model.get_params().items())]
    file = runs / f"{name}-{protocol}-{fold}-{seed}-{joblib.hash(parameters)}.npz"
    if not file.exists():
        X, (train, test) = features(protocol == "words", name), folds[fold]
        model = model[-RECIPES[name] :]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "sample_rate=8000 Hz is below")
            start = time.process_time()
            model.fit(X[train], y[train])
            seconds = time.process_time() - start
            probabilities = model.predict_proba(X[test])
        score = np.mean(model.classes_[probabilities.argmax(axis=1)] == y[test])
        print(f"{name}, {protocol}, fold {fold}: {score:.4f} in {seconds:.0f} s", flush=True)
        runs.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".part")
        with partial.open("wb") as open_file:
            np.savez(open_file, probabilities=probabilities, seconds=seconds)
        partial.replace(file)
    with np.load(file) as stored:
        return stored["probabilities"], float(stored["seconds"])


def vote(name, protocol, fold, seed, runs):
    """Probabilities of ``best-vote`` and the seconds of its fit, from the runs of its voters."""
    pretrained, seconds = run(VOTERS[name], protocol, fold, seed, runs)
    voted, more = with_networks(pretrained, protocol, fold, seed, runs)
    return voted, seconds + more


def with_networks(pretrained, protocol, fold, seed, runs):
    """Probabilities averaged with those of ``best``, by the weights of the recipe; its seconds."""
    first, *others = make_recipe("best-vote")[-1].weights
    networks, seconds = run("best", protocol, fold, seed, runs)
    return np.average([pretrained, networks], axis=0, weights=[first, sum(others)]), seconds


def compare(protocol, options):
    """A row for each recipe; of many pairs of speakers, networks train on the first three."""
    _, y, speakers, _, folds = recordings(protocol)
    classes, rows = np.unique(y), []
    n_first = 3 if protocol == "pairs" else len(folds)
    plan = [(name, n_first) for name in options.recipes]
    if protocol == "pairs":
        plan += [(name, len(folds)) for name in (FAST, HEARD) if name in options.recipes]
    for name, n_folds in plan:
        of_seeds, times = [], []
        # the logistic regression has no random start
        for seed in range(1 if name in (FAST, HEARD) else options.seeds):
            scores = []
            for fold in range(n_folds):
                judge = vote if name in VOTERS else run
                probabilities, seconds = judge(name, protocol, fold, seed, options.runs)
                test = folds[fold][1]
                right = classes[probabilities.argmax(axis=1)] == y[test]
                if protocol == "words":
                    scores.append(right.mean())
                else:
                    scores += [
                        right[speakers[test] == one].mean() for one in np.unique(speakers[test])
                    ]
                times.append(seconds)
            of_seeds.append(scores)
        means, by_speaker = np.mean(of_seeds, axis=1), np.mean(of_seeds, axis=0)
        row = {
            "recipe": name,
            "learned before": LEARNED.get(name, VIDEOS),
            "mean": f"{np.mean(means):.4f}",
            "sd over seeds": f"{np.std(means, ddof=1):.4f}" if len(means) > 1 else "-",
        }
        if protocol != "words":
            row["worst speaker"] = f"{by_speaker.min():.3f}"
            row["folds"] = n_folds
        rows.append(row | {"seeds": len(means), "processor s a fit": f"{np.median(times):.1f}"})
        print(rows[-1], flush=True)
    return rows


def stored(runs, name, compute):
    """An array from the folder of runs, where it is computed only once."""
    file = runs / f"{name}.npy"
    if not file.exists():
        runs.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".part")
        with partial.open("wb") as open_file:
            np.save(open_file, compute())
        partial.replace(file)
        print(f"computed {file.name}", flush=True)
    return np.load(file)


def digits_and_copies(runs):
    """Features of FSDD, and of one copy of each clip, of shape (2, n_clips, n_features).

    A copy does not depend on other clips, so that copies made once serve all folds.
    """
    paths, _, _, rate, _ = recordings("speakers")
    *read, copied = make_recipe(FAST, sample_rate=rate, n_copies=1, random_state=0)
    augment = copied.augment
    version = joblib.hash(repr([(change, change.get_params()) for change in augment]))

    def compute():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "sample_rate=8000 Hz is below")
            clips = add_copies(make_pipeline(*read).fit_transform(paths), augment, 1, draw_seed(0))
            return copied.estimator[:-2].fit_transform(clips)

    table = stored(runs, f"digits-and-copies-{version}", compute)
    return table.reshape(2, len(paths), -1)


def digits_of_many(name):
    """Features and labels of the digits in Speech Commands: zero to five, and eight."""
    y = recordings("words")[1]
    chosen = np.isin(y, DIGITS)
    return features(True, name)[chosen], np.array([DIGITS.index(word) for word in y[chosen]])


#: Recipes, numbers of copies, and whether clips of Speech Commands train too.
ADDITIONS = [
    *((FAST, n_copies, added) for n_copies in (0, 1) for added in (False, True)),
    (HEARD, 0, False),
    (HEARD, 0, True),
]


def compare_additions(options):
    """FSDD by the recipes with further training clips: copies, and clips of another corpus."""
    X = {FAST: digits_and_copies(options.runs), HEARD: features(False, HEARD)[None]}
    X_many = {name: digits_of_many(name)[0] for name in X}
    y_many = digits_of_many(FAST)[1]
    rows = []
    for protocol in ("speakers", "pairs"):
        _, y, speakers, _, folds = recordings(protocol)
        y, scores = y.astype(int), {}
        for fold, (train, test) in enumerate(folds):
            for name, n_copies, added in ADDITIONS:
                tables = [*X[name][: 1 + n_copies, train], *([X_many[name]] if added else [])]
                labels = [*[y[train]] * (1 + n_copies), *([y_many] if added else [])]
                model = made(name, random_state=0)[-2:]
                if added:
                    model.set_params(logisticregression__class_weight="balanced")
                model.fit(np.vstack(tables), np.concatenate(labels))
                answers = {name: model.predict_proba(X[name][0, test])}
                vote = VOTES[name]
                if protocol == "speakers" and vote in options.recipes:
                    answers[vote], _ = with_networks(answers[name], protocol, fold, 0, options.runs)
                for judged, probabilities in answers.items():
                    right = model.classes_[probabilities.argmax(axis=1)] == y[test]
                    scores.setdefault((judged, n_copies, added), []).extend(
                        right[speakers[test] == one].mean() for one in np.unique(speakers[test])
                    )
        for (name, n_copies, added), found in sorted(scores.items()):
            before = LEARNED.get(name, VIDEOS)
            beside = f", {len(y_many):,} of Speech Commands" if added else ""
            rows.append(
                {
                    "recipe": f"{name}, n_copies={n_copies}",
                    "learned before or beside": before + beside,
                    "voices known": len(np.unique(speakers[folds[0][0]])),
                    "mean": f"{np.mean(found):.4f}",
                    "worst speaker": f"{min(found):.3f}",
                    "folds": len(folds),
                }
            )
            print(rows[-1], flush=True)
    return rows


def compare_by_speaker(options):
    """FSDD with features relative to the speaker, from some clips of each without their labels."""
    return [row for name in (FAST, HEARD) for row in relative_to_speaker(name, options)]


def relative_to_speaker(name, options):
    """The rows of one recipe, and of its vote with ``best``."""
    X = features(False, name).astype(np.float64)
    voted_name = VOTES[name]
    rows = []
    for protocol in ("speakers", "pairs"):
        _, y, speakers, _, folds = recordings(protocol)
        relative, scores = standardize_by_speaker(X, speakers), {}
        for fold, (train, test) in enumerate(folds):
            model = made(name, random_state=0)[-2:].fit(relative[train], y[train])
            for speaker in np.unique(speakers[test]):
                own = test[speakers[test] == speaker]
                for n_clips in N_CLIPS:
                    right = []
                    for draw in range(N_DRAWS if n_clips < len(own) else 1):
                        known = np.random.default_rng(draw).permutation(own)[:n_clips]
                        seen = StandardScaler().fit(X[known]).transform(X[own])
                        found = model.predict_proba(seen)
                        right.append(model.classes_[found.argmax(axis=1)] == y[own])
                    scores.setdefault((name, min(n_clips, len(own))), []).append(np.mean(right))
                if protocol == "speakers" and voted_name in options.recipes:
                    voted, _ = with_networks(found, protocol, fold, 0, options.runs)
                    right = model.classes_[voted.argmax(axis=1)] == y[own]
                    scores.setdefault((voted_name, len(own)), []).append(np.mean(right))
        for (judged, n_clips), found in scores.items():
            rows.append(
                {
                    "recipe": f"{judged}, standardised by speaker",
                    "voices known": len(np.unique(speakers[folds[0][0]])),
                    "clips of the new voice, without labels": n_clips,
                    "mean": f"{np.mean(found):.4f}",
                    "worst speaker": f"{min(found):.3f}",
                    "folds": len(folds),
                }
            )
            print(rows[-1], flush=True)
    return rows


def measure_speed(options):
    """Clips of 1 s a second on one core, and the fit of the recipe on 2,500 digits."""
    torch.set_num_threads(1)
    X = np.random.default_rng(0).normal(scale=0.1, size=(200, RATE)).astype(np.float32)
    embeddings = [SpeechEmbedding(center=True), SpeechEmbedding(center=False)]
    embeddings.append(SpeechEmbedding(encoder="moonshine"))
    times = in_turns({repr(e): functools.partial(e.fit(X).transform, X) for e in embeddings}, 5)
    rows = []
    for work, (seconds, _) in times.items():
        rate = f"{len(X) / np.median(seconds):.0f} clips of 1 s a processor second"
        rows.append({"work": work, "measured": rate})
    speech = fetch_fsdd()
    known = np.asarray(speech.speaker) != "theo"
    paths, y = np.asarray(speech.data)[known], np.asarray(speech.target)[known]
    for name in (FAST, HEARD):
        start, clock = time.process_time(), time.perf_counter()
        made(name, random_state=0).fit(paths, y)
        rows.append(
            {
                "work": f"fit of {name} on {len(y):,} files",
                "measured": f"{time.process_time() - start:.1f} processor seconds, "
                f"{time.perf_counter() - clock:.1f} s by the clock",
            }
        )
    print(rows, flush=True)
    return rows


PARTS = {
    "speakers": functools.partial(compare, "speakers"),
    "pairs": functools.partial(compare, "pairs"),
    "words": functools.partial(compare, "words"),
    "additions": compare_additions,
    "by speaker": compare_by_speaker,
    "speed": measure_speed,
    "strength": compare_strength,
    "layers": compare_layers,
    "pooling": compare_pooling,
    "recognizer": compare_recognizer,
    "recognizer settings": compare_recognizer_settings,
}

NOTES = [
    "Accuracy. The weights of all recipes but best come from other corpora: compare them with "
    "each other, and best with other systems that learn from the given clips alone. The fit "
    "of best-pretrained is without its embeddings, which the table of speed includes.",
    "The clips of Speech Commands say seven of the ten digits, zero to five and eight, and train "
    "beside those of FSDD, with balanced class weights.",
    "With center=True, the default, a clip of 1 s gets 782 ms of silence and gives 13 vectors; "
    "without it, 3. Closely cut words need the silence.",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    known = [*RECIPES, *VOTERS]
    parser.add_argument("--recipes", nargs="+", choices=known, default=known)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--runs", type=Path, default=Path("build/pretrained"))
    options = parser.parse_args()
    earlier = RESULTS / "pretrained.json"
    tables = json.loads(earlier.read_text())["tables"] if earlier.exists() else {}
    for part in options.parts:
        rows = PARTS[part](options)
        if part in ("speakers", "pairs", "words"):
            done = {row["recipe"] for row in rows}
            rows += [row for row in tables.get(CAPTIONS[part], []) if row["recipe"] not in done]
            rows.sort(key=lambda row: known.index(row["recipe"]))
        tables[CAPTIONS[part]] = rows
        tables = {c: tables[c] for c in CAPTIONS.values() if c in tables}
        write_report("pretrained", "Pretrained speech embeddings", tables, NOTES)


if __name__ == "__main__":
    main()
