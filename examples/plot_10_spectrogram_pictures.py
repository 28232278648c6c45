"""
Spectrograms as image files
===========================

A spectrogram can be stored as an image: a gray PNG of 64 by 64 pixels per word, which any
image viewer can open. This example writes such a data set, applies the selection rules of
a published one, lists the rejected clips, and reads the files back as arrays.

When run as a script, it prints the lists, fills the folders ``spectrogram_pictures`` and
``autoencoder_log_1`` to ``_3``, and writes ``one_of_each_digit.png``, ``picture_files.png`` and
``pictures_restored.png``, all in the working directory.
"""

# %%
# The recordings
# --------------

import warnings
from pathlib import Path

import numpy as np
import soundfile

from sklearn_speech.datasets import fetch_fsdd, make_spoken_digits

try:
    speech = fetch_fsdd(subset="test", verbose=1)
    source, paths = "Free Spoken Digit Dataset", speech.data
except OSError as error:
    speech = make_spoken_digits(n_speakers=4, n_takes=2, sample_rate=22050, random_state=1)
    source = "SYNTHETIC digits"
    warnings.warn(f"no real recordings ({error}): using SYNTHETIC digits", stacklevel=1)
    folder = Path("synthetic_recordings")
    folder.mkdir(exist_ok=True)
    names = zip(speech.target, speech.speaker, speech.take)
    paths = np.array([str(folder / f"{d}_{voice}_{take}.wav") for d, voice, take in names])
    for path, clip, voice in zip(paths, speech.data, speech.speaker):
        # one speaker is played twice as fast, so that some clips are rejected
        speed = 2 if voice == speech.speaker[-1] else 1
        soundfile.write(path, clip, speed * speech.sample_rate)
print(f"{source}: {len(paths)} clips of {len(set(speech.speaker))} speakers")

# %%
# One clip of each digit
# ----------------------
# The clips are selected by label. Taking every 150th file of a sorted list, as is sometimes
# done, shows each digit once only for a fixed number of speakers.

import matplotlib.pyplot as plt

from sklearn_speech import AudioReader
from sklearn_speech.inspection import SpectrogramDisplay, WaveformDisplay

RATE = 22050
shown = [np.flatnonzero(speech.target == digit)[0] for digit in range(10)]
waveforms = AudioReader(sample_rate=RATE).fit_transform(paths[shown])
figure = plt.figure(figsize=(14, 8.5), layout="constrained")
for half, digits in zip(figure.subfigures(2, 1), (range(5), range(5, 10))):
    rows = half.subplots(2, 5, sharex="col", height_ratios=(1, 2))
    for column, digit in zip(rows.T, digits):
        WaveformDisplay(waveforms[digit], sample_rate=RATE).plot(ax=column[0])
        SpectrogramDisplay.from_waveform(
            waveforms[digit], sample_rate=RATE, ax=column[1], colorbar=False
        )
        column[0].set(title=f"{digit}: {speech.speaker[shown[digit]]}", xlabel="")
        column[1].set_ylim(0, 5000)
        if digit % 5:
            column[0].set_ylabel("")
            column[1].set_ylabel("")
figure.suptitle(source)
figure.savefig("one_of_each_digit.png", dpi=100)

# %%
# Selection of clips
# ------------------
# The published data set requires file names that start with a digit. It excludes one voice,
# and rates of speech of at most 40 or at least 260 words per minute, which it takes from
# the file name. Our file names have the number of the take instead of the rate; with the
# published rule, the first 40 takes of all speakers would be rejected. The rate is
# therefore measured, from the time between the first and the last moment with a level
# less than 35 dB below the maximum.

VOICE_BLACK_LIST = {"Steffi"}
SLOWEST, FASTEST = 40, 260


def words_per_minute(waveform):
    """Rate of speech of one word, without the silence around it."""
    levels = np.sqrt(np.convolve(np.square(waveform), np.ones(220) / 220, "same"))
    loud = np.flatnonzero(levels > levels.max() * 10 ** (-35 / 20))
    if not len(loud):
        return 0.0  # silence
    return 60 / ((loud[-1] - loud[0] + 1) / RATE)


def rejection(path, speaker, waveform):
    """Reason to reject a clip, or None."""
    name = Path(path).name
    if not name[0].isdigit():
        return "name does not start with a digit"
    if speaker in VOICE_BLACK_LIST:
        return f"voice {speaker} is on the black list"
    rate = words_per_minute(waveform)
    if not SLOWEST < rate < FASTEST:
        return f"{rate:.0f} words per minute, not between {SLOWEST} and {FASTEST}"
    return None


waveforms = AudioReader(sample_rate=RATE).fit_transform(paths)
reasons = [rejection(*clip) for clip in zip(paths, speech.speaker, waveforms)]
rejected = [i for i, reason in enumerate(reasons) if reason]
kept = np.array([i for i, reason in enumerate(reasons) if not reason])
print(f"{len(rejected)} of {len(paths)} clips rejected:")
for i in rejected[:20]:
    print(f"  {Path(paths[i]).name}: {reasons[i]}")
if len(rejected) > 20:
    print(f"  and {len(rejected) - 20} more, listed in spectrogram_pictures/rejected.txt")

# %%
# To images
# ---------
# The steps of the recipe before the network compute 64 mel bands from 50 to 5000 Hz with a
# hop of 11.6 ms, and scale levels from -45 to 45 dB to the range 0 to 1. The image has the
# first 64 frames. Frames in which a band is exactly 0 are dropped. Short clips are padded
# with black, where the published images have random bytes. The highest bands of recordings
# at 8 kHz are empty, because these have no content above 4000 Hz.

from sklearn_speech import make_recipe

steps = make_recipe("spectrum-2cnn")[1:-1]
pictures = steps.fit_transform(waveforms[kept])
n_frames = np.array([S.shape[1] for S in steps[:-1].transform(waveforms[kept])])
n_all = 1 + (np.array([len(w) for w in waveforms[kept]]) - 1024) // 256
print(f"{len(pictures)} images of {pictures.shape[1]} bands x {pictures.shape[2]} frames")
longest = (63 * 256 + 1024) / RATE
print(f"  {(n_frames > 64).sum()} words are longer than {longest:.2f} s and are trimmed")
print(f"  {np.maximum(n_all - n_frames, 0).sum()} frames with a band that is exactly 0 are dropped")

# %%
# Time is on the horizontal axis and frequency on the vertical axis, so the first row of the
# file is the highest band.

from PIL import Image


def write_picture(path, picture):
    """Write values from 0 to 1 as gray levels, with the first band at the bottom."""
    Image.fromarray(np.round(255 * picture[::-1]).astype(np.uint8)).save(path)


folder = Path("spectrogram_pictures")
folder.mkdir(exist_ok=True)
for i, picture in zip(kept, pictures):
    write_picture(folder / f"{Path(paths[i]).stem}.png", picture)
lines = [f"{Path(paths[i]).name}\t{reasons[i]}\n" for i in rejected]
_ = (folder / "rejected.txt").write_text("".join(lines))

# %%
# From images to arrays
# ---------------------
# Image files round the values to steps of 90 dB / 255.

files = [folder / f"{Path(paths[i]).stem}.png" for i in kept]
read = np.array([np.asarray(Image.open(file))[::-1] for file in files], dtype=np.float32) / 255
labels = np.array([int(file.name[0]) for file in files])
print(f"read back: {read.shape}, {len(set(labels))} digits")
print(f"  largest difference {90 * np.abs(read - pictures).max():.2f} dB")

figure, grid = plt.subplots(3, 10, figsize=(14, 4.8), layout="constrained")
for column, digit in zip(grid.T, range(10)):
    rows = np.flatnonzero(labels == digit)
    for axes, row in zip(column, rows[:: max(1, len(rows) // 3)]):
        axes.imshow(read[row], origin="lower", cmap="gray", vmin=0, vmax=1)
        axes.set_title(files[row].name, fontsize=7)
for axes in grid.flat:
    axes.set(xticks=[], yticks=[])
grid[-1, 0].set_xlabel("64 frames, 0.78 s", fontsize=8)
grid[-1, 0].set_ylabel("64 mel bands,\n50 to 5000 Hz", fontsize=8)
figure.suptitle(f"{source}: files in {folder}")
figure.savefig("picture_files.png", dpi=110)

# %%
# Reconstructed images
# --------------------
# The three autoencoders of the same source, with one to three stages, reconstruct five
# images of a held-out speaker. With more stages, the code is smaller and the
# reconstruction coarser. They are trained for a few epochs here; the recipes have thirty
# epochs for each stage.
#
# Each autoencoder writes a folder with the log, the training curve, the weights of each
# layer, and five images with their reconstructions after each epoch, which a skorch
# callback draws.

from skorch.callbacks import Callback

from sklearn_speech.inspection import TrainingCurveDisplay


class PicturesOfEpochs(Callback):
    """Draw some images and their reconstructions after each epoch."""

    def __init__(self, pictures, folder):
        self.pictures, self.folder = pictures, folder

    def on_epoch_end(self, net, **kwargs):
        rows = np.hstack(net.reconstruct(self.pictures)), np.hstack(self.pictures)
        path = self.folder / f"epoch{len(net.history_)}.png"
        write_picture(path, np.clip(np.vstack(rows), 0, 1))


def write_log(autoencoder, folder):
    """Write the log, training curve and weights of a fitted autoencoder."""
    autoencoder.history_.to_file(folder / "log.json")
    figure = TrainingCurveDisplay.from_estimator(autoencoder, panels=["loss"]).figure_
    figure.savefig(folder / "loss.png", dpi=100)
    plt.close(figure)
    stages, mirrors = autoencoder.module_.stages, autoencoder.module_.mirrors
    for k, (stage, mirror) in enumerate(zip(stages, mirrors), start=1):
        for name, layer in ((f"conv{k}", stage.conv), (f"dconv{k}", mirror.deconv)):
            for kind, values in layer.named_parameters():
                np.save(folder / f"{name}_{kind}.npy", values.detach().numpy())


speakers = np.asarray(speech.speaker)[kept]
new = speakers == speakers[-1]
learned, unseen = read[~new][:600], read[new][:: max(1, new.sum() // 5)][:5]
restored = {"image": unseen}
for n_stages in (1, 2, 3):
    log = Path(f"autoencoder_log_{n_stages}")
    log.mkdir(exist_ok=True)
    autoencoder = make_recipe(f"spectrum-autoencoder-{n_stages}", max_epochs=6, random_state=0)[-1]
    autoencoder.set_params(callbacks=[PicturesOfEpochs(unseen, log)])
    autoencoder.fit(learned, X_val=read[new][:200])
    write_log(autoencoder, log)
    restored[f"{n_stages} stage{'s' * (n_stages > 1)},\n{autoencoder.n_codes_} values"] = (
        autoencoder.reconstruct(unseen)
    )
    print(f"  autoencoder of {n_stages} stage(s): squared error "
          f"{-autoencoder.score(unseen):.4f}, {autoencoder.n_codes_} values")  # fmt: skip
    print(f"    {log}: {', '.join(sorted(path.name for path in log.iterdir()))}")

figure, grid = plt.subplots(4, 5, figsize=(8, 6.6), layout="constrained")
for row, (name, images) in zip(grid, restored.items()):
    for axes, image in zip(row, images):
        axes.imshow(image, origin="lower", cmap="gray", vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
figure.suptitle(f"{source}: a held-out speaker")
figure.savefig("pictures_restored.png", dpi=110)
print("pictures: one_of_each_digit.png, picture_files.png, pictures_restored.png")
