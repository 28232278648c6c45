"""Intelligibility of sound resynthesised from codes, measured with a classifier.

Run ``SKLEARN_SPEECH_DATA=FOLDER python benchmarks/autoencoder_sound.py [--quick]
[--sounds FOLDER]``, where FOLDER has ``fsdd/recordings`` and optionally ``timit_sample``. Both
autoencoders are trained on the same speakers, and reconstruct the same clips of held-out
speakers from 768 values per clip:

- "published": 128 mel bands at 22,050 Hz, decibels of power computed as if of magnitude, each
  clip scaled to [0, 1], 4,385 weights, cross-entropy, half of the clips unused. Its output is
  scaled by its own minimum and maximum, and inverted with another FFT size than that of the
  analysis.
- "ours": 48 mel bands in decibels, two layers with large kernels, trained on all clips, and the
  exact inverse of the analysis. The decoder returns a mean of decibels, which is lower than the
  level of the mean energy, by about a ninth of the squared error in dB. "ours, level set" corrects
  this by the mean difference in level of the training clips.
- "mel and back, no code": our analysis and its inverse without the autoencoder, to separate its
  losses from those of the code.

The classifier is trained on real clips of the training speakers. FSDD: digits, two speakers held
out at a time. TIMIT: the 21 words of the two sentences that all speakers read, eight speakers
held out at a time. The number of training steps is the same for both corpora; that of the
published autoencoder equals its 50 epochs on FSDD. Every corpus, fold and seed is appended to
``results/autoencoder_sound_runs.jsonl`` and is not repeated. ``--sounds`` writes the first clips
as sound files, and a figure of their spectrograms.
"""

import argparse
import json
import math
from pathlib import Path

import librosa
import numpy as np
import soundfile
from report import RESULTS, write_report
from sklearn.pipeline import make_pipeline

from sklearn_speech.audio import AudioReader, PadOrTrim
from sklearn_speech.classification import SpectrogramCNNClassifier
from sklearn_speech.datasets import fetch_fsdd, get_data_home
from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.pretraining import ConvAutoencoder
from sklearn_speech.utils.validation import make_ragged

RUNS = RESULTS / "autoencoder_sound_runs.jsonl"

#: Length of a clip in samples, and sample rate in Hz, of each system.
OURS, PUBLISHED = (8064, 8000), (24_064, 22_050)

#: Sentences read by all speakers of TIMIT.
SHARED_SENTENCES = ("sa1", "sa2")


def digits():
    """FSDD: waveforms at 8 kHz, digits and speakers."""
    speech = fetch_fsdd()
    clips = AudioReader(sample_rate=8000).fit_transform(speech.data)
    return clips, np.asarray(speech.target), np.asarray(speech.speaker)


def words():
    """TIMIT: words of the shared sentences at 8 kHz, and speakers; None if not available."""
    folder = Path(get_data_home()) / "timit_sample"
    clips, labels, speakers = [], [], []
    for path in sorted(folder.glob("*/*.wrd")):
        if path.stem not in SHARED_SENTENCES:
            continue
        wave, rate = soundfile.read(path.with_suffix(".wav"), dtype="float32")
        for line in path.read_text().splitlines():
            start, stop, word = line.split()
            clips.append(_resampled(wave[int(start) : int(stop)], rate, 8000))
            labels.append(word)
            speakers.append(path.parent.name)
    return (make_ragged(clips), np.array(labels), np.array(speakers)) if clips else None


def _resampled(wave, rate, wanted):
    return librosa.resample(wave, orig_sr=rate, target_sr=wanted, res_type="soxr_hq")


class Published:
    """The published system, with its analysis, scaling and inverse."""

    def __init__(self, epochs, seed, device):
        self.net = ConvAutoencoder(
            3, n_filters=[16, 8, 8], kernel_size=3, down="pool", extra_conv=True,
            batch_norm=False, training="joint", loss="bce", output_activation="sigmoid",
            input_norm=None, optimizer="adam", lr=0.001, weight_decay=0.0,
            lr_schedule="constant", batch_size=112, max_epochs=epochs, random_state=seed,
            device=device,
        )  # fmt: skip

    def _analyse(self, clips):
        images, ranges = [], []
        for clip in clips:
            wave = _resampled(clip, 8000, PUBLISHED[1])[: PUBLISHED[0]]
            wave = np.pad(wave, (0, PUBLISHED[0] - len(wave)))
            power = librosa.feature.melspectrogram(
                y=wave, sr=PUBLISHED[1], n_fft=1024, hop_length=512
            )
            image = librosa.amplitude_to_db(power)
            low, high = image.min(), image.max()
            images.append((image - low) / max(high - low, 1e-6))
            ranges.append((low, high))
        return np.stack(images).astype(np.float32), ranges

    def fit(self, clips):
        # every second clip, since the files are sorted by word
        images, _ = self._analyse(clips[::2])
        self.net.fit(images)
        return self

    def rebuild(self, clips):
        images, ranges = self._analyse(clips)
        rebuilt = []
        for image, (low, high) in zip(self.net.reconstruct(images), ranges):
            image = (image - image.min()) / max(image.max() - image.min(), 1e-6)
            power = librosa.db_to_amplitude(image * (high - low) + low)
            wave = librosa.feature.inverse.mel_to_audio(power, sr=PUBLISHED[1], hop_length=512)
            rebuilt.append(_resampled(wave.astype(np.float32), PUBLISHED[1], 8000))
        return rebuilt


class Ours:
    """An invertible pipeline; without `autoencoder`, only the front end."""

    def __init__(self, epochs, seed, device, autoencoder=True):
        steps = [
            PadOrTrim(n_times=OURS[0]),
            MelSpectrogram(
                OURS[1], n_fft=256, hop_length=128, n_mels=48, top_db=60, random_state=0
            ),
        ]
        if autoencoder:
            steps.append(
                ConvAutoencoder(
                    2,
                    n_filters=[32, 16],
                    kernel_size=[8, 5],
                    stride=[4, 2],
                    training="joint",
                    max_epochs=epochs,
                    batch_size=32,
                    lr=0.01,
                    random_state=seed,
                    device=device,
                )
            )
        self.pipeline = make_pipeline(*steps)

    def fit(self, clips):
        self.pipeline.fit(clips)
        return self

    def rebuild(self, clips):
        return list(self.pipeline[1:].inverse_transform(self.pipeline.transform(clips)))

    def gain(self, clips):
        """Mean loss of level of the reconstructions, in dB of total energy."""
        levels = self.pipeline[:2].transform(clips)
        back = self.pipeline[2].reconstruct(levels)
        return float(10 * np.log10(np.mean(10 ** (levels / 10)) / np.mean(10 ** (back / 10))))


def mel_error(clips, rebuilt):
    """Mean absolute difference in dB, over bins less than 60 dB below the clip's maximum."""
    judge = MelSpectrogram(8000, n_fft=256, hop_length=80, n_mels=40, scaling=None)
    pad = PadOrTrim(n_times=8000)
    wanted = judge.fit_transform(pad.fit_transform(make_ragged(clips)))
    got = judge.transform(pad.transform(make_ragged(rebuilt)))
    wanted, got = (10 * np.log10(np.maximum(S, 1e-10)) for S in (wanted, got))
    loud = wanted > wanted.max(axis=(1, 2), keepdims=True) - 60
    errors = np.abs(wanted - got)
    return float(np.mean([e[at].mean() for e, at in zip(errors, loud)]))


def level_errors(clips, rebuilt):
    """Mean and mean absolute difference in dB between the levels of whole clips."""
    levels = [
        10 * np.log10(max(np.sum(np.square(a)), 1e-9) / max(np.sum(np.square(b)), 1e-9))
        for a, b in zip(rebuilt, clips)
    ]
    return float(np.mean(levels)), float(np.mean(np.abs(levels)))


def one_fold(clips, labels, speakers, held_out, seed, arguments):
    """Results of all systems on the clips of some speakers, and examples of reconstructions."""
    test = np.isin(speakers, held_out)
    train = np.flatnonzero(~test)
    if arguments.quick:
        train = train[:: max(1, len(train) // 600)]
    judge = make_pipeline(
        PadOrTrim(n_times=8000),
        MelSpectrogram(8000, n_fft=256, hop_length=80, n_mels=40),
        SpectrogramCNNClassifier(
            dropout=0.1, max_epochs=epochs_of(arguments.judge_steps, len(train), 64),
            random_state=seed,
            device=arguments.device,
        ),
    )  # fmt: skip
    judge.fit(clips[train], labels[train])
    test = np.flatnonzero(test)[:: arguments.every]
    # all systems are limited to one second
    test_clips = make_ragged(clip[: OURS[0]] for clip in clips[test])
    original = float(np.mean(judge.predict(test_clips) == labels[test]))
    results, examples = {}, {"original": list(test_clips[: arguments.examples])}
    for name, rebuilt in rebuild_all(clips[train], test_clips, seed, arguments):
        rebuilt = [np.asarray(r)[: len(c)] for r, c in zip(rebuilt, test_clips)]
        accuracy = float(np.mean(judge.predict(make_ragged(rebuilt)) == labels[test]))
        level, level_error = level_errors(test_clips, rebuilt)
        results[name] = {
            "mel_error": mel_error(test_clips, rebuilt),
            "level": level,
            "level_error": level_error,
            "original": original,
            "accuracy": accuracy,
        }
        examples[name] = rebuilt[: arguments.examples]
        print(held_out, seed, name, {k: round(v, 3) for k, v in results[name].items()}, flush=True)
    return results, examples


def epochs_of(steps, n_clips, batch_size):
    """Number of epochs with at least a given number of steps."""
    return math.ceil(steps / math.ceil(n_clips / batch_size))


def rebuild_all(train, test_clips, seed, arguments):
    """Name and reconstructions of each system."""
    epochs, device = epochs_of(arguments.steps, len(train), 32), arguments.device
    analysis = Ours(epochs, seed, device, autoencoder=False).fit(train)
    yield "mel and back, no code", analysis.rebuild(test_clips)
    ours = Ours(epochs, seed, device).fit(train)
    rebuilt = ours.rebuild(test_clips)
    yield "ours", rebuilt
    factor = 10 ** (ours.gain(train) / 20)
    yield "ours, level set", [factor * clip for clip in rebuilt]
    epochs = epochs_of(arguments.published_steps, len(train) // 2, 112)
    published = Published(epochs, seed, device)
    yield "published", published.fit(train).rebuild(test_clips)


def write_sounds(folder, name, examples):
    """Write a sound file for each clip and system, and a figure of their spectrograms."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    n_clips = len(examples["original"])
    figure, axes = plt.subplots(
        len(examples), n_clips, figsize=(2.6 * n_clips, 2 * len(examples)), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    mel = MelSpectrogram(8000, n_fft=256, hop_length=80, n_mels=40, scaling="db")
    for row, (system, clips) in zip(axes, examples.items()):
        for i, (panel, clip) in enumerate(zip(row, clips)):
            clip = np.asarray(clip, dtype=np.float32)
            soundfile.write(folder / f"{name}-{i}-{system.replace(' ', '-')}.wav", clip, 8000)
            panel.imshow(mel.fit_transform(clip[None])[0], origin="lower", aspect="auto")
            panel.set_title(f"{system} {i}", fontsize="small")
    figure.savefig(folder / f"{name}.png", dpi=80)
    plt.close(figure)


def summary(rows):
    table = []
    for corpus in sorted({row["corpus"] for row in rows}):
        members = [row for row in rows if row["corpus"] == corpus]
        for system in members[0]["results"]:
            cells = [row["results"][system] for row in members]
            mean = {key: float(np.mean([cell[key] for cell in cells])) for key in cells[0]}
            kept = [cell["accuracy"] / max(cell["original"], 1e-9) for cell in cells]
            table.append(
                {
                    "corpus": corpus,
                    "system": system,
                    "mel error (dB)": round(mean["mel_error"], 2),
                    "level (dB)": round(mean["level"], 2),
                    "level error (dB)": round(mean["level_error"], 2),
                    "accuracy, original": round(mean["original"], 3),
                    "accuracy, rebuilt": round(mean["accuracy"], 3),
                    "kept": f"{100 * mean['accuracy'] / max(mean['original'], 1e-9):.1f} %",
                    "kept, least and most": f"{100 * min(kept):.0f} to {100 * max(kept):.0f} %",
                    "folds": len(cells),
                }
            )
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one fold, 600 clips, few epochs")
    parser.add_argument("--corpora", nargs="+", default=["FSDD", "TIMIT"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1500, help="steps of our autoencoder")
    parser.add_argument("--published-steps", type=int, default=450, help="of the published one")
    parser.add_argument("--judge-steps", type=int, default=400)
    parser.add_argument("--every", type=int, default=4, help="use every n-th held-out clip")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--examples", type=int, default=4)
    parser.add_argument("--sounds", help="folder of sound files and figures")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.seeds, arguments.folds = 1, [0]
        arguments.steps = arguments.published_steps = arguments.judge_steps = 100
    earlier_runs = (
        [json.loads(line) for line in RUNS.read_text().splitlines()] if RUNS.exists() else []
    )
    known = {json.dumps(row["setting"]) for row in earlier_runs}
    RUNS.parent.mkdir(parents=True, exist_ok=True)
    for corpus in arguments.corpora:
        data = {"FSDD": digits, "TIMIT": words}[corpus]()
        if data is None:
            print(f"{corpus} is not available")
            continue
        names = np.unique(data[2])
        folds = np.array_split(names, 3 if len(names) < 10 else 2)
        for seed in range(arguments.seeds):
            for fold in [folds[i] for i in arguments.folds if i < len(folds)]:
                fold = [str(name) for name in fold]
                setting = {
                    "corpus": corpus, "held_out": fold, "seed": seed, "quick": arguments.quick,
                    "steps": arguments.steps, "published_steps": arguments.published_steps,
                    "judge_steps": arguments.judge_steps, "every": arguments.every,
                }  # fmt: skip
                if json.dumps(setting) in known:
                    continue
                results, examples = one_fold(*data, fold, seed, arguments)
                with RUNS.open("a") as file:
                    row = {"corpus": corpus, "setting": setting, "results": results}
                    file.write(json.dumps(row) + "\n")
                if arguments.sounds and seed == 0:
                    write_sounds(arguments.sounds, f"{corpus}-{fold[0]}", examples)
    rows = [json.loads(line) for line in RUNS.read_text().splitlines()]
    # results of other numbers of steps are not comparable
    lengths = ("quick", "steps", "published_steps", "judge_steps", "every")
    rows = [r for r in rows if all(r["setting"][n] == getattr(arguments, n) for n in lengths)]
    write_report(
        "autoencoder_sound",
        "Sound out of a code of 768 numbers a second",
        {"Rebuilt clips of speakers never heard": summary(rows)},
        ["Mel error: 40 bands of the waveform found against those of the waveform given. Level: of "
         "whole clips, rebuilt over original, mean and mean absolute value. Kept: accuracy of a "
         "judge trained on real clips, rebuilt over original. "
         f"Steps: ours {arguments.steps}, published {arguments.published_steps}, judge "
         f"{arguments.judge_steps}; of the clips held out, one in {arguments.every}."],
    )  # fmt: skip


if __name__ == "__main__":
    main()
