"""Settings for spoken digits, chosen for each speaker without hearing him.

    python benchmarks/nested_selection.py                      # every candidate, every block
    python benchmarks/nested_selection.py --candidates fine deep --n-jobs 2

Each block holds three of the six speakers out: a network is trained on the other three, and
asked about those. Blocks come in pairs that hold out each other's training speakers, so that
every speaker is held out equally often. What suits speaker s is judged by the blocks in
which s was not trained on either, and by the other two speakers held out there: his own
clips touch neither the training nor the judging. ``reference_systems.py`` then shows what
the candidate that wins has on s when it is trained on all five others.

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
from sklearn_speech.modules.augmentations import NoiseFloor
from sklearn_speech.recipes._best import FIVE, FOUR, augmentations

RATE = 8000
STORE = RESULTS / "nested_selection"
#: Speakers held out, in pairs of blocks that complete each other.
BLOCKS = [(0, 1, 2), (3, 4, 5), (0, 3, 4), (1, 2, 5)]


def cnn(**settings):
    return SpectrogramCNNClassifier(max_epochs=16, **settings)


def front(**settings):
    """Reader, length of one second, and 40 mel bands."""
    return make_pipeline(
        AudioReader(sample_rate=RATE),
        PadOrTrim(n_times=RATE),
        MelSpectrogram(sample_rate=RATE, n_mels=40, **settings),
    )


NOISE = augmentations(RATE, cut_and_colour=False)
LESS_NOISE = [*NOISE[:-1], NoiseFloor(depth_db=(40, 80), p=0.8)]

#: Training with all that helps.
ALL = {"augment": augmentations(RATE, cut_and_colour=True), "label_smoothing": 0.1}

#: Networks that are trained: (what makes spectrograms, of each clip alone; classifier).
MEMBERS = {
    "plain": (front(preemphasis=0.97), cnn()),
    "augmented": (front(preemphasis=0.97), cnn(augment=LESS_NOISE)),
    "more noise": (front(preemphasis=0.97), cnn(augment=NOISE)),
    "more noise, cut and coloured": (front(preemphasis=0.97), cnn(**ALL)),
    "fine": (front(preemphasis=0.97), cnn(**ALL, **FOUR)),
    "deep": (front(preemphasis=0.97), cnn(**ALL, **FIVE)),
    "band": (
        front(top_db=50),
        cnn(augment=NOISE, label_smoothing=0.1, input_norm="band", **FOUR),
    ),
}

#: What is chosen among: members whose probabilities are averaged, each with a seed.
CANDIDATES = {
    **{name: [(name, 0)] for name in MEMBERS},
    "fine and band": [("fine", 0), ("band", 0)],
    "fine, deep and band": [("fine", 0), ("deep", 0), ("band", 0)],
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


def inner_score(candidate, i, speech, blocks):
    """Accuracy on the others held out with speaker `i`, by networks that never heard either."""
    person = np.unique(speech.speaker)[i]
    return np.mean(
        [
            value
            for block in blocks
            if i in block
            for other, value in accuracies(candidate, block, speech).items()
            if other != person
        ]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", nargs="+", choices=list(CANDIDATES), default=None)
    parser.add_argument("--blocks", type=int, choices=[2, 4], default=4)
    parser.add_argument("--n-jobs", type=int, default=-1)
    options = parser.parse_args()
    names, blocks = options.candidates or list(CANDIDATES), BLOCKS[: options.blocks]
    speech = fetch_fsdd()
    STORE.mkdir(parents=True, exist_ok=True)
    compute(
        [(m, block, s) for block in blocks for name in names for m, s in CANDIDATES[name]],
        options.n_jobs,
        speech,
    )
    people = np.unique(speech.speaker)
    rows = []
    for name in names:
        inner = [inner_score(name, i, speech, blocks) for i in range(len(people))]
        heard = {person: [] for person in people}
        for block in blocks:
            for person, value in accuracies(name, block, speech).items():
                heard[person].append(value)
        own = {str(person): round(float(np.mean(values)), 3) for person, values in heard.items()}
        rows.append({"candidate": name, **own, "mean": np.mean(list(own.values())), "inner": inner})
    chosen = [
        {"speaker": str(person), "chosen": max(rows, key=lambda row: row["inner"][i])["candidate"]}
        for i, person in enumerate(people)
    ]
    shown = [{key: value for key, value in row.items() if key != "inner"} for row in rows]
    write_report(
        "nested_selection",
        "What helps on new speakers, and what is chosen without the speaker it is for",
        {
            "Accuracy on each speaker of networks trained on three others": shown,
            "What the other two speakers held out beside each choose for him": chosen,
        },
        [
            f"Means over {len(blocks)} blocks of three speakers held out, one seed. All candidates "
            "are trained for 16 epochs. Rows differ from the one above by what their name says; "
            "a vote averages probabilities."
        ],
    )
    print((RESULTS / "nested_selection.md").read_text())


if __name__ == "__main__":
    main()
