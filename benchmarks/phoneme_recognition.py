"""Phone recognition: overfitting, held-out speakers, alignment and speed.

    python benchmarks/phoneme_recognition.py throughput alignment
    SKLEARN_SPEECH_DATA=FOLDER python benchmarks/phoneme_recognition.py overfit digits timit

`overfit`, `timit` and `timit_alignment` need the TIMIT sample, `digits` the Free Spoken Digit
Dataset; the other two use synthetic speech. Each row is saved when it is finished, and an
interrupted run continues with the next one. To repeat a measurement, remove its row from
``benchmarks/results/phoneme_recognition.json``.
"""

import argparse
import json
import time
from itertools import pairwise, product

import numpy as np
import torch
from report import RESULTS, write_report
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch
from timing import in_turns
from torch import nn

from sklearn_speech import make_recipe
from sklearn_speech.audio import AudioReader
from sklearn_speech.augmentation import (
    NoiseFloor,
    RandomEqualizer,
    TimeStretch,
    VocalTractWarp,
)
from sklearn_speech.datasets import (
    digits_from_phones,
    fetch_fsdd,
    load_timit,
    make_connected_digits,
    make_spoken_digits,
)
from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.metrics import phone_error_rate
from sklearn_speech.modules.ctc import CTCCriterion
from sklearn_speech.recognition import PhonemeRecognizer
from sklearn_speech.utils.validation import make_ragged

CAPTIONS = {
    "overfit": "20 sentences of the TIMIT sample learned by heart, 61 phones",
    "digits": "Connected digits of the Free Spoken Digit Dataset, 1 to 5 a clip, speakers held out",
    "timit": "TIMIT sample without sa sentences, speakers held out, 39 phones",
    "throughput": "Seconds of speech per second of processor time",
    "alignment": "Boundaries of connected synthetic digits, 4 of 12 speakers held out",
    "timit_alignment": "Boundaries of the TIMIT sample's sentences, 4 of 16 speakers held out",
}
#: Training of the published networks with our defaults and smaller batches.
DEFAULTS = PhonemeRecognizer().get_params(deep=False)
OUR_TRAINING = {
    name: DEFAULTS[name]
    for name in ("input_norm", "optimizer", "lr", "weight_decay", "lr_schedule", "gradient_clip",
                 "dropout")
} | {"batch_size": 8}  # fmt: skip


def augmentations(sample_rate):
    """Augmentations of tempo, vocal tract, microphone and noise."""
    return [
        TimeStretch(factor=(0.8, 1.25)),
        VocalTractWarp(sample_rate=sample_rate, factor=(0.85, 1.18)),
        RandomEqualizer(max_db=6),
        NoiseFloor(depth_db=(40, 80), p=0.8),
    ]


def n_trained(recognizer):
    return sum(p.numel() for p in recognizer.module_.parameters() if p.requires_grad)


def ragged_phones(sequences):
    return make_ragged([list(phones) for phones in sequences])


def overfit(options):
    speech = load_timit(drop_sa=True)
    some = np.linspace(0, len(speech.data) - 1, 20).astype(int)
    X = AudioReader(sample_rate=16000).fit_transform(speech.data[some])
    y = ragged_phones(speech.target[some])
    name = f"conv-lstm, {options.overfit_epochs} epochs"

    def measure():
        recognizer = PhonemeRecognizer(
            frontend=MelSpectrogram(16000), dropout=0.0, batch_size=4, random_state=0,
            max_epochs=options.overfit_epochs,
        )  # fmt: skip
        began = time.process_time()
        recognizer.fit(X, y)
        return {
            "sentences": len(X),
            "parameters": n_trained(recognizer),
            "phone error rate": phone_error_rate(y, recognizer.predict(X)),
            "limit": 0.05,
            "processor, s": time.process_time() - began,
        }

    yield name, measure


def digits(options):
    singles = fetch_fsdd(download_if_missing=False, verbose=False)
    speech = make_connected_digits(singles, n_clips_per_speaker=150, random_state=0)
    # more strings of the same recordings: each recording is in several of them
    more = make_connected_digits(singles, n_clips_per_speaker=options.digit_strings,
                                 reuse_recordings=True, random_state=1)  # fmt: skip
    X, y = speech.data, speech.target
    folds = list(LeaveOneGroupOut().split(X, groups=speech.speaker))[: options.folds]
    for _, test in folds:
        (held_out,) = set(speech.speaker[test].tolist())

        def measure(test=test, train=more.speaker != held_out):
            recognizer = PhonemeRecognizer(
                n_conv_layers=4, n_filters=[32, 64, 64, 64],
                frontend=MelSpectrogram(8000, preemphasis=0.97), augment=augmentations(8000),
                decoder="beam", language_model=4, language_model_weight=1.0,
                max_epochs=options.digit_epochs, random_state=0,
            )  # fmt: skip
            began = time.process_time()
            recognizer.fit(more.data[train], more.target[train])
            seconds = time.process_time() - began
            greedy = recognizer.set_params(decoder="greedy", language_model=None).predict(X[test])
            recognizer.set_params(decoder="beam", language_model=4)
            found = recognizer.predict(X[test])
            strings = digits_from_phones(found)
            right = [list(a) == list(b) for a, b in zip(strings, speech.digits[test])]
            return {
                "clips learned": int(train.sum()),
                "clips": len(test),
                "phone error rate, greedy": phone_error_rate(y[test], greedy),
                "phone error rate": phone_error_rate(y[test], found),
                "limit": 0.1,
                "right digit strings": float(np.mean(right)),
                "fit, processor s": seconds,
            }

        yield f"held out: {held_out}; {options.digit_epochs} epochs", measure


def timit(options):
    speech = load_timit()
    X = AudioReader(sample_rate=16000).fit_transform(speech.data)
    whole = ragged_phones(speech.target)
    folds = list(GroupKFold(4).split(X, groups=speech.speaker))[: options.folds]

    fitted = {}

    def fit(pipeline):
        key = repr(sorted(pipeline.get_params().items(), key=str))
        if key not in fitted:
            fitted.clear()
            began = time.process_time()
            pipelines = [clone(pipeline).fit(X[train], whole[train]) for train, _ in folds]
            fitted[key] = pipelines, time.process_time() - began
        return fitted[key]

    def measure(pipeline, decoding):
        rates, insertions, sizes = [], [], 0
        pipelines, seconds = fit(pipeline)
        for pipeline, (_, test) in zip(pipelines, folds):
            recognizer = pipeline[-1].set_params(**decoding)
            found = pipeline.predict(X[test])
            rates.append(phone_error_rate(whole[test], found, folding=39))
            insertions.append(sum(map(len, found)) / sum(map(len, whole[test])))
            sizes = n_trained(recognizer)
        return {
            "parameters": sizes,
            "folds": len(rates),
            "39-phone error rate": float(np.mean(rates)),
            "phones found / said": float(np.mean(insertions)),
            "fit, processor s": seconds,
        }

    epochs = options.timit_epochs
    greedy = {"decoder": "greedy", "language_model": None}
    beam = {"decoder": "beam", "language_model": 2, "insertion_bonus": 0.5}

    def ours(**settings):
        return make_pipeline(
            PhonemeRecognizer(
                frontend=MelSpectrogram(16000), max_epochs=epochs, batch_size=8, dropout=0.4,
                random_state=0, **beam, **settings,
            )
        )  # fmt: skip

    larger = ours(n_conv_layers=4, n_filters=[32, 64, 64, 64], augment=augmentations(16000))
    for title, made in (("conv-lstm", ours()), ("conv-lstm of four layers, augmented", larger)):
        title = f"{title}, dropout 0.4, {epochs} epochs"
        yield title, lambda made=made: measure(made, greedy)
        yield f"{title}; beam and bigram", lambda made=made: measure(made, beam)
    ways = {"as published": {}, "trained our way": OUR_TRAINING}
    recipes = {"asr-simple": "simple", "asr-bcresnet": "BC-ResNet"}
    for (name, title), (way, training), setting in product(recipes.items(), ways.items(), "ABCD"):
        made = make_recipe(
            name, setting=setting, max_epochs=epochs, reads="waveforms", random_state=0,
            **{f"phonemerecognizer__{key}": value for key, value in training.items()},
        )  # fmt: skip
        yield (
            f"{title} {way}, setting {setting}, {epochs} epochs",
            lambda made=made: measure(made, greedy),
        )


def throughput(options):
    speech = make_connected_digits(make_spoken_digits(6, 8, random_state=0),
                                   n_clips_per_speaker=20, random_state=0)  # fmt: skip
    seconds = sum(map(len, speech.data)) / speech.sample_rate
    front_end = MelSpectrogram(8000)
    X = front_end.fit_transform(speech.data)
    epochs = 2

    def measure(encoder):
        ours = PhonemeRecognizer(encoder, max_epochs=epochs, random_state=0, device="cpu")
        ours.fit(X[:20], speech.target[:20])
        data = ours._dataset(X, speech.target, reset=False)
        sizes, bare = ours.get_params_for("module"), {}

        def bare_fit():
            module = bare["module"] = ours.module_class(**sizes).train()
            optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3, fused=True)
            criterion = CTCCriterion()
            for _ in range(epochs):
                order = torch.argsort(data.lengths * (1 + 0.1 * torch.rand(len(data))))
                for index in order.split(16):
                    x, y = batch = data.batch(index)
                    optimizer.zero_grad()
                    criterion(module(x, batch.lengths), y).mean().backward()
                    nn.utils.clip_grad_norm_(module.parameters(), 1.0)
                    optimizer.step()

        def bare_predict():
            bare["module"].eval()
            with torch.no_grad():
                for index in torch.argsort(data.lengths).split(16):
                    batch = data.batch(index)
                    best = bare["module"](batch[0], batch.lengths).argmax(2)
                    for row in best:
                        row = torch.unique_consecutive(row)
                        row[row > 0].tolist()

        rows = {}
        for what, candidates, passes in (
            ("fit", {"ours": lambda: ours.fit(X, speech.target), "bare": bare_fit}, epochs),
            ("predict", {"ours": lambda: ours.predict(X), "bare": bare_predict}, 1),
        ):
            times = in_turns(candidates, options.repeats)
            ratio = np.median(times["ours"][0] / times["bare"][0])
            rows |= {
                f"{what}": float(passes * seconds / np.median(times["ours"][0])),
                f"{what}, bare torch": float(passes * seconds / np.median(times["bare"][0])),
                f"{what}, time / bare": float(ratio),
            }
        return {**rows, "limit": 1.05}

    for encoder in ("conv-lstm", "linear-lstm", "bcresnet"):
        yield encoder, lambda encoder=encoder: measure(encoder)


def boundary_errors(found, segments, rate, phones):
    """Errors of the start and end of each phone, in seconds."""
    errors = []
    for predicted, true in zip(found, segments):
        true = [(a / rate, b / rate) for a, b, phone in true if phone in phones]
        errors.append(predicted[0][0] - true[0][0])
        for (before, after), (now, then) in zip(pairwise(predicted), pairwise(true)):
            errors.append(before[1] - now[1])
            if then[0] > now[1]:
                errors.append(after[0] - then[0])
        errors.append(predicted[-1][1] - true[-1][1])
    return np.array(errors)


def alignment(options):
    # not seed 0, whose speakers were used in the development of the segment model
    speech = make_connected_digits(make_spoken_digits(12, 8, random_state=1),
                                   n_clips_per_speaker=22, random_state=1)  # fmt: skip
    test = np.isin(speech.speaker, np.unique(speech.speaker)[-4:])
    recognizer = PhonemeRecognizer(
        frontend=MelSpectrogram(8000), segment_model=True, max_epochs=20, random_state=0
    )
    yield from aligned(recognizer, speech, speech.data, test)


def timit_alignment(options):
    speech = load_timit()
    X = AudioReader(sample_rate=16000).fit_transform(speech.data)
    train, test = next(GroupKFold(4).split(X, groups=speech.speaker))
    # rare phones that occur only in clips of held-out speakers cannot be aligned
    learned = {phone for i in train for phone in speech.target[i]}
    kept = [i for i, phones in enumerate(speech.target) if learned.issuperset(phones)]
    X, speech = X[kept], Bunch(target=speech.target[kept], segments=speech.segments[kept],
                               sample_rate=speech.sample_rate)  # fmt: skip
    test = np.isin(kept, test)
    recognizer = PhonemeRecognizer(
        frontend=MelSpectrogram(16000), segment_model=True, max_epochs=options.timit_epochs,
        batch_size=8, dropout=0.4, random_state=0,
    )  # fmt: skip
    yield from aligned(recognizer, speech, X, test)


def aligned(recognizer, speech, X, test):
    """One row for the CTC path of the network, and one for the segment model."""
    y, rate = ragged_phones(speech.target), speech.sample_rate

    def measure(segment_model):
        if not recognizer.initialized_:
            recognizer.fit(X[~test], y[~test])
        kept = recognizer.segment_model_
        if not segment_model:
            del recognizer.segment_model_
        phones = set(recognizer.phones_.tolist())
        errors = boundary_errors(recognizer.align(X[test], y[test]), speech.segments[test], rate,
                              phones)  # fmt: skip
        recognizer.segment_model_ = kept
        return {
            "boundaries": len(errors),
            "within 20 ms": float(np.mean(np.abs(errors) <= 0.02)),
            "within 50 ms": float(np.mean(np.abs(errors) <= 0.05)),
            "median error, ms": 1e3 * float(np.median(errors)),
            "phone error rate": 1 - recognizer.score(X[test], y[test]),
        }

    yield "network's own path", lambda: measure(False)
    yield "segment_model=True", lambda: measure(True)


PARTS = {"overfit": overfit, "digits": digits, "timit": timit, "throughput": throughput,
         "alignment": alignment, "timit_alignment": timit_alignment}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="+", choices=list(PARTS))
    parser.add_argument("--folds", type=int, default=None, help="number of folds to run")
    parser.add_argument("--only", help="run only rows whose name contains this")
    parser.add_argument("--timit-epochs", type=int, default=60)
    parser.add_argument("--digit-epochs", type=int, default=20)
    parser.add_argument("--digit-strings", type=int, default=300, help="strings per speaker")
    parser.add_argument("--overfit-epochs", type=int, default=150)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    path = RESULTS / "phoneme_recognition.json"
    tables = json.loads(path.read_text())["tables"] if path.exists() else {}
    for part in options.parts:
        rows = tables.setdefault(CAPTIONS[part], [])
        for name, measure in PARTS[part](options):
            if name in [row[""] for row in rows] or (options.only and options.only not in name):
                continue
            rows.append({"": name, **measure()})
            print(rows[-1], flush=True)
            write_report(
                "phoneme_recognition",
                "Phone recognition",
                {caption: tables[caption] for caption in tables if tables[caption]},
                [
                    "Times are of the processor, on one thread unless asked otherwise. Rows 'as "
                    "published' have the reference's networks and optimiser; it trained them for "
                    "400 epochs, on 4,000 sentences. For connected digits, layers and strings "
                    "were chosen by what helped on george and yweweler, held out together, so "
                    "that these two are flattered; the others' voices chose nothing."
                ],
            )


if __name__ == "__main__":
    main()
