"""Selection of settings for spoken digits by nested cross-validation over speakers.

    python benchmarks/nested_selection.py                      # every candidate, every block
    python benchmarks/nested_selection.py --n-jobs 2 --candidates louder fine whole "by band" \\
        "whole and by band"
    python benchmarks/nested_selection.py --n-jobs 2 --report nested_selection_augmentation \\
        --candidates plain padded ragged emphasis band "emphasis and band"

Each of ten blocks holds out three of the six speakers, so that any two speakers are held out
together in exactly two blocks (a balanced design). Networks are trained on the other three
speakers and tested on the three held-out ones. The settings for speaker s are selected in the
five blocks in which s is held out, by the accuracy on the other two held-out speakers: the
clips of s are used neither for training nor for selection. The best candidate is then trained
on all five other speakers and tested once on s, which gives an unbiased result.

The probabilities of every fit are saved, so that an interrupted run can continue.
"""

import argparse

import joblib
import numpy as np
from report import RESULTS, write_report
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from tqdm.auto import tqdm

from sklearn_speech import (
    AudioReader,
    MelSpectrogram,
    PadOrTrim,
    SpectrogramCNNClassifier,
    fetch_fsdd,
)
from sklearn_speech.recipes._best import BY_BAND, FOUR, augmentations, training

RATE = 8000
STORE = RESULTS / "nested_selection"
#: Balanced incomplete block design: each pair of speakers is in two of the ten blocks.
BLOCKS = [
    (0, 1, 2), (0, 1, 3), (0, 2, 4), (0, 3, 5), (0, 4, 5),
    (1, 2, 5), (1, 3, 4), (1, 4, 5), (2, 3, 4), (2, 3, 5),
]  # fmt: skip


#: Noise at a level below speech that is typical of recordings in a quiet room.
QUIET = augmentations(RATE, trim_and_mix=False, depth_db=(40, 80))

#: More noise, random trimming and mixed spectra.
LOUDER = {"augment": augmentations(RATE, trim_and_mix=True), "label_smoothing": 0.1}

#: Training of the recipe: also weight averaging, more epochs and smaller batches.
AVERAGED = training(RATE) | {"max_epochs": 24}


def cnn(**settings):
    return SpectrogramCNNClassifier(**{"max_epochs": 16, "augment": QUIET, **settings})


def front(seconds=1.0, **settings):
    """Steps that read, pad or trim (unless `seconds` is None) and compute mel bands."""
    steps = [AudioReader(sample_rate=RATE)]
    if seconds is not None:
        steps.append(PadOrTrim(n_times=round(seconds * RATE)))
    return make_pipeline(*steps, MelSpectrogram(sample_rate=RATE, **{"n_mels": 40, **settings}))


#: Trained networks: (steps that compute spectrograms of single clips; classifier).
MEMBERS = {
    "plain": (front(), cnn(augment=None)),
    "padded": (front(), cnn()),
    "ragged": (front(None), cnn()),
    "emphasis": (front(preemphasis=0.97), cnn()),
    "band": (front(top_db=50), cnn(input_norm="band")),
    "louder": (front(preemphasis=0.97), cnn(**LOUDER)),
    "fine": (front(preemphasis=0.97), cnn(**LOUDER, **FOUR)),
    "whole": (front(preemphasis=0.97), cnn(**AVERAGED, **FOUR)),
    "by band": (front(preemphasis=0.97), cnn(**AVERAGED, **BY_BAND)),
}

#: Candidates: ensembles of networks, each with a seed, whose probabilities are averaged.
CANDIDATES = {
    **{name: [(name, 0)] for name in MEMBERS},
    "emphasis and band": [("emphasis", 0), ("band", 0)],
    "whole and by band": [("whole", 0), ("by band", 0)],  # as in the recipe
}


def proba_path(member, out, seed):
    return STORE / f"{member.replace(' ', '_')}_{''.join(map(str, out))}_{seed}.npz"


def fit(member, out, seed, X, speech):
    """Train without the held-out speakers, and save the probabilities of their clips."""
    import torch

    torch.set_num_threads(1)
    held_out = is_out(speech, out)
    classifier = clone(MEMBERS[member][1]).set_params(random_state=seed)
    classifier.fit(X[~held_out], speech.target[~held_out])
    path = proba_path(member, out, seed)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, proba=classifier.predict_proba(X[held_out]))
    part.replace(path)


def is_out(speech, out):
    return np.isin(speech.speaker, np.unique(speech.speaker)[list(out)])


def compute(jobs, n_jobs, speech):
    """Do the fits (member, held out, seed) that are not saved yet."""
    jobs = [job for job in dict.fromkeys(jobs) if not proba_path(*job).exists()]
    clips = {}
    for member, _, _ in jobs:
        key = str(MEMBERS[member][0])
        if key not in clips:
            clips[key] = MEMBERS[member][0].fit_transform(speech.data)
    results = joblib.Parallel(n_jobs, return_as="generator_unordered")(
        joblib.delayed(fit)(*job, clips[str(MEMBERS[job[0]][0])], speech) for job in jobs
    )
    for _ in tqdm(results, total=len(jobs), desc="fits"):
        pass


def accuracies(candidate, out, speech):
    """Accuracy of an ensemble on each held-out speaker."""
    votes = [np.load(proba_path(m, out, s))["proba"] for m, s in CANDIDATES[candidate]]
    held_out = is_out(speech, out)
    right = np.mean(votes, axis=0).argmax(1) == speech.target[held_out].astype(int)
    who = speech.speaker[held_out]
    return {str(person): float(right[who == person].mean()) for person in np.unique(who)}


def inner_score(candidate, i, speech):
    """Accuracy on the speakers held out together with speaker `i`."""
    person = np.unique(speech.speaker)[i]
    return np.mean(
        [
            value
            for block in BLOCKS
            if i in block
            for other, value in accuracies(candidate, block, speech).items()
            if other != person
        ]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", nargs="+", choices=list(CANDIDATES), default=None)
    parser.add_argument("--n-jobs", type=int, default=-1)
    parser.add_argument("--report", default="nested_selection", help="name of the report files")
    options = parser.parse_args()
    names = options.candidates or list(CANDIDATES)
    speech = fetch_fsdd()
    STORE.mkdir(parents=True, exist_ok=True)
    compute(
        [(m, block, s) for block in BLOCKS for name in names for m, s in CANDIDATES[name]],
        options.n_jobs,
        speech,
    )
    people = np.unique(speech.speaker)
    inner = [{n: inner_score(n, i, speech) for n in names} for i in range(len(people))]
    chosen = [max(scores, key=scores.get) for scores in inner]
    compute(
        [(m, (i,), s) for i, name in enumerate(chosen) for m, s in CANDIDATES[name]],
        options.n_jobs,
        speech,
    )
    outer = [accuracies(name, (i,), speech)[people[i]] for i, name in enumerate(chosen)]
    rows = [
        {"speaker": person, **scores, "chosen": name, "accuracy": accuracy}
        for person, scores, name, accuracy in zip(people, inner, chosen, outer)
    ]
    summary = {"mean": np.mean(outer), "standard deviation": np.std(outer, ddof=1)}
    write_report(
        options.report,
        f"Settings chosen without the speaker that they are judged on: {', '.join(names)}",
        {
            "Inner accuracy of each candidate; the one chosen, and its accuracy on the speaker": (
                rows
            ),
            "Over speakers": [{**summary, "worst": min(outer)}],
        },
        [
            "Inner accuracies are those of networks trained on three speakers, the last column "
            "of one trained on five. Candidates are trained for 16 epochs, whole and by band for "
            "24; these and fine have other sizes than the default."
        ],
    )
    print((RESULTS / f"{options.report}.md").read_text())


if __name__ == "__main__":
    main()
