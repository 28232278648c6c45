"""Settings for spoken digits, chosen for each speaker without hearing him.

    python benchmarks/nested_selection.py                      # every candidate, every block
    python benchmarks/nested_selection.py --n-jobs 2 --candidates louder fine whole "by band" \\
        "whole and by band"
    python benchmarks/nested_selection.py --n-jobs 2 --report nested_selection_augmentation \\
        --candidates plain padded ragged emphasis band "emphasis and band"

Ten blocks hold three of the six speakers out each, so that any two of them are held out
together in exactly two blocks (a balanced design). A network is trained on the other
three, and asked about the three held out. What suits speaker s is judged by those five
blocks in which s was not trained on either, and by the other two speakers held out there:
his own clips touch neither the training nor the judging. The candidate that wins for s is
then trained on all five others and asked about s, once: that is the honest figure.

The probabilities of every fit are kept, so that an interrupted run goes on where it stopped.
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
#: A balanced design: each pair of the six is together in two of the ten blocks.
BLOCKS = [
    (0, 1, 2), (0, 1, 3), (0, 2, 4), (0, 3, 5), (0, 4, 5),
    (1, 2, 5), (1, 3, 4), (1, 4, 5), (2, 3, 4), (2, 3, 5),
]  # fmt: skip


#: Noise as deep below speech as in recordings of a quiet room.
QUIET = augmentations(RATE, trim_and_mix=False, depth_db=(40, 80))

#: More noise, other cuts and colours.
LOUDER = {"augment": augmentations(RATE, trim_and_mix=True), "label_smoothing": 0.1}

#: The recipe's training: weights averaged as well, over more epochs and smaller batches.
AVERAGED = training(RATE) | {"max_epochs": 24}


def cnn(**settings):
    return SpectrogramCNNClassifier(**{"max_epochs": 16, "augment": QUIET, **settings})


def front(seconds=1.0, **settings):
    """Reader, length and mel bands; no length where `seconds` is None."""
    steps = [AudioReader(sample_rate=RATE)]
    if seconds is not None:
        steps.append(PadOrTrim(n_times=round(seconds * RATE)))
    return make_pipeline(*steps, MelSpectrogram(sample_rate=RATE, **{"n_mels": 40, **settings}))


#: Networks that are trained: (what makes spectrograms, of each clip alone; classifier).
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

#: What is chosen among: members whose probabilities are averaged, each with a seed.
CANDIDATES = {
    **{name: [(name, 0)] for name in MEMBERS},
    "emphasis and band": [("emphasis", 0), ("band", 0)],
    "whole and by band": [("whole", 0), ("by band", 0)],  # what the recipe does
}


def place(member, out, seed):
    return STORE / f"{member.replace(' ', '_')}_{''.join(map(str, out))}_{seed}.npz"


def fit(member, out, seed, X, speech):
    """Train on all but those held out, and keep the probabilities of their clips."""
    import torch

    torch.set_num_threads(1)
    held_out = is_out(speech, out)
    classifier = clone(MEMBERS[member][1]).set_params(random_state=seed)
    classifier.fit(X[~held_out], speech.target[~held_out])
    path = place(member, out, seed)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, proba=classifier.predict_proba(X[held_out]))
    part.replace(path)


def is_out(speech, out):
    return np.isin(speech.speaker, np.unique(speech.speaker)[list(out)])


def compute(jobs, n_jobs, speech):
    """Run the fits (member, held out, seed) that are not kept yet."""
    jobs = [job for job in dict.fromkeys(jobs) if not place(*job).exists()]
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
    """Accuracy of the averaged members on each speaker held out."""
    votes = [np.load(place(m, out, s))["proba"] for m, s in CANDIDATES[candidate]]
    held_out = is_out(speech, out)
    right = np.mean(votes, axis=0).argmax(1) == speech.target[held_out].astype(int)
    who = speech.speaker[held_out]
    return {str(person): float(right[who == person].mean()) for person in np.unique(who)}


def inner_score(candidate, i, speech):
    """Accuracy on the others held out with speaker `i`, by networks that never heard either."""
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
    parser.add_argument("--report", default="nested_selection", help="name of its files")
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
