"""Accuracy on synthetic digits of a network trained on real digits only.

Run ``SKLEARN_SPEECH_DATA=FOLDER python benchmarks/spoken_digits_recognisable.py``, where FOLDER has
``fsdd/recordings`` (otherwise they are downloaded). Trains on all of the Free Spoken Digit
Dataset, prints the accuracy on digits of `make_spoken_digits` by digit and by speaker, and draws
real and synthetic spectrograms to ``spoken_digits_recognisable.png`` in the current folder.
Chance level is 0.1. A support vector machine on 20 frames per clip is a second, independent
classifier.
"""

import argparse
import time

import matplotlib
import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from sklearn_speech.audio import AudioReader, PadOrTrim
from sklearn_speech.classification import SpectrogramCNNClassifier
from sklearn_speech.datasets import fetch_fsdd, make_spoken_digits
from sklearn_speech.feature_extraction import MelSpectrogram

matplotlib.use("Agg")

SAMPLE_RATE = 8000
REAL_SPEAKERS = ("jackson", "theo", "george")
SYNTHETIC_SPEAKERS = ("synth-00", "synth-01", "synth-02")
PICTURE = "spoken_digits_recognisable.png"


def make_network(max_epochs, random_state):
    return make_pipeline(
        PadOrTrim(n_times=SAMPLE_RATE),
        MelSpectrogram(sample_rate=SAMPLE_RATE, n_mels=40),
        SpectrogramCNNClassifier(
            n_layers=4, dropout=0.1, max_epochs=max_epochs, random_state=random_state
        ),
    )


def at_relative_times(spectrograms, n_steps=20):
    """Mean-free spectra of pairs of bands, at equally spaced times of each clip."""
    rows = []
    for clip in spectrograms:
        parts = np.array_split(np.repeat(clip, n_steps, axis=1), n_steps, axis=1)
        steps = np.stack([part.mean(axis=1) for part in parts], axis=1)
        steps = steps.reshape(len(steps) // 2, 2, n_steps).mean(axis=1)
        rows.append((steps - steps.mean()).ravel())
    return np.array(rows)


def make_support_vector_machine():
    return make_pipeline(
        MelSpectrogram(sample_rate=SAMPLE_RATE, n_mels=40, scaling="db", top_db=60),
        FunctionTransformer(at_relative_times),
        StandardScaler(),
        SVC(C=10),
    )


def report(name, speech, predicted):
    right = predicted == speech.target
    print(f"\n{name}: {right.mean():.3f} of {len(right)} synthetic digits recognised")
    print("  digit   " + " ".join(f"{d:5d}" for d in range(10)))
    print("          " + " ".join(f"{right[speech.target == d].mean():5.2f}" for d in range(10)))
    for speaker, voice in speech.speaker_info.items():
        share = right[speech.speaker == speaker].mean()
        print(
            f"  {speaker} {voice['kind']:5s} {voice['f0']:4.0f} Hz, "
            f"formants x {voice['formant_scale']:.2f}: {share:.2f}"
        )
    print("  rows: true, columns: recognised")
    print(confusion_matrix(speech.target, predicted, labels=range(10)))


def draw(real, real_clips, synthetic):
    import matplotlib.pyplot as plt

    columns = [(real, real_clips, name) for name in REAL_SPEAKERS]
    columns += [(synthetic, synthetic.data, name) for name in SYNTHETIC_SPEAKERS]
    figure, axes = plt.subplots(10, len(columns), figsize=(16, 22), layout="constrained")
    for digit, row in enumerate(axes):
        for axis, (speech, clips, name) in zip(row, columns):
            chosen = (speech.target == digit) & (speech.speaker == name)
            clip = clips[np.flatnonzero(chosen)[0]]
            spectrum, *_ = axis.specgram(
                clip, NFFT=128, pad_to=512, noverlap=112, Fs=SAMPLE_RATE, cmap="magma"
            )
            top = 10 * np.log10(spectrum.max())
            axis.images[0].set_clim(top - 60, top)
            axis.set_title(f"{digit} {name}", fontsize=8)
            axis.set_yticks([0, 2000, 4000], ["0", "2", "4 kHz"])
    figure.savefig(PICTURE, dpi=70)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()

    real = fetch_fsdd()
    real_clips = AudioReader(sample_rate=SAMPLE_RATE).fit_transform(real.data)
    models = {
        "network": make_network(arguments.max_epochs, random_state=0),
        "support vector machine": make_support_vector_machine(),
    }
    for name, model in models.items():
        start = time.perf_counter()
        model.fit(real_clips, real.target)
        print(f"{name} trained on {len(real.target)} clips in {time.perf_counter() - start:.0f} s")

    overall = {name: [] for name in models}
    for seed in arguments.seeds:
        start = time.perf_counter()
        speech = make_spoken_digits(sample_rate=SAMPLE_RATE, random_state=seed)
        print(f"\n== seed {seed}: {len(speech.target)} clips synthesised in "
              f"{time.perf_counter() - start:.1f} s")  # fmt: skip
        for name, model in models.items():
            predicted = model.predict(speech.data)
            report(name, speech, predicted)
            overall[name].append(np.mean(predicted == speech.target))
    print()
    for name, shares in overall.items():
        print(f"{name}: mean {np.mean(shares):.3f} over {len(shares)} sets of voices")
        assert np.mean(shares) >= 0.5, f"{name} recognises less than half of the digits"
    draw(real, real_clips, make_spoken_digits(sample_rate=SAMPLE_RATE, random_state=0))
    print(f"wrote {PICTURE}")


if __name__ == "__main__":
    main()
