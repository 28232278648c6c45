"""
Words as picture files
======================

A spectrogram is a picture, and may be kept as one: a gray PNG of 64 by 64 pixels a
word, which any program for pictures reads. This writes such a data set, with the rules
of a published one on what is fit to enter it, lists every clip that is refused, and
reads the files back as numbers.

Run as a script, this prints the lists, fills the folders ``spectrogram_pictures`` and
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
    warnings.warn(f"no real recordings ({error}): SYNTHETIC digits are drawn", stacklevel=1)
    folder = Path("synthetic_recordings")
    folder.mkdir(exist_ok=True)
    names = zip(speech.target, speech.speaker, speech.take)
    paths = np.array([str(folder / f"{d}_{voice}_{take}.wav") for d, voice, take in names])
    for path, clip, voice in zip(paths, speech.data, speech.speaker):
        # one voice is played twice as fast, so that there is something to refuse
        hurry = 2 if voice == speech.speaker[-1] else 1
        soundfile.write(path, clip, hurry * speech.sample_rate)
print(f"{source}: {len(paths)} clips of {len(set(speech.speaker))} speakers")

# %%
# One clip of each digit
# ----------------------
# Chosen by its label. Taking every 150th file of a sorted list, as is sometimes seen,
# shows each digit once only as long as nobody adds a speaker.

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
# What is refused
# ---------------
# The published data set takes names that begin with a digit, leaves out one voice,
# and speech at 40 words a minute and slower or 260 and faster, which it reads in the file
# name. Our names hold no rate; the number in them counts takes, and the published rule,
# applied to it, would throw away the first 40 takes of everybody. So the rate is measured:
# words a minute, from the time between the first and the last moment that lies less than
# 35 dB below the loudest.

VOICE_BLACK_LIST = {"Steffi"}
SLOWEST, FASTEST = 40, 260


def words_a_minute(waveform):
    """Rate of speech of one word, without the silence around it."""
    levels = np.sqrt(np.convolve(np.square(waveform), np.ones(220) / 220, "same"))
    loud = np.flatnonzero(levels > levels.max() * 10 ** (-35 / 20))
    if not len(loud):
        return 0.0  # silence
    return 60 / ((loud[-1] - loud[0] + 1) / RATE)


def refuse(path, speaker, waveform):
    """Why a clip is not fit to enter the data set; None where it is."""
    name = Path(path).name
    if not name[0].isdigit():
        return "name does not begin with a digit"
    if speaker in VOICE_BLACK_LIST:
        return f"voice {speaker} is on the black list"
    rate = words_a_minute(waveform)
    if not SLOWEST < rate < FASTEST:
        return f"{rate:.0f} words a minute, not between {SLOWEST} and {FASTEST}"
    return None


waveforms = AudioReader(sample_rate=RATE).fit_transform(paths)
reasons = [refuse(*clip) for clip in zip(paths, speech.speaker, waveforms)]
refused = [i for i, reason in enumerate(reasons) if reason]
kept = np.array([i for i, reason in enumerate(reasons) if not reason])
print(f"{len(refused)} of {len(paths)} clips refused:")
for i in refused[:20]:
    print(f"  {Path(paths[i]).name}: {reasons[i]}")
if len(refused) > 20:
    print(f"  and {len(refused) - 20} more, listed in spectrogram_pictures/refused.txt")

# %%
# To pictures
# -----------
# The steps of the recipe before the network: 64 mel bands from 50 to 5000 Hz, frames
# 11.6 ms apart, and levels from -45 to 45 dB as 0 to 1. The first 64 frames are the
# picture. Frames in which a band is exactly 0 are dropped, and what is missing at the end
# stays black; the published pictures have random bytes there. Recordings at 8 kHz leave
# the uppermost bands empty, for they hold nothing above 4000 Hz.

from sklearn_speech import make_recipe

steps = make_recipe("spectrum-2cnn")[1:-1]
pictures = steps.fit_transform(waveforms[kept])
n_frames = np.array([S.shape[1] for S in steps[:-1].transform(waveforms[kept])])
n_all = 1 + (np.array([len(w) for w in waveforms[kept]]) - 1024) // 256
print(f"{len(pictures)} pictures of {pictures.shape[1]} bands x {pictures.shape[2]} frames")
longest = (63 * 256 + 1024) / RATE
print(f"  {(n_frames > 64).sum()} words are longer than {longest:.2f} s and lose their end")
print(f"  {np.maximum(n_all - n_frames, 0).sum()} frames dropped, in which a band is exactly 0")

# %%
# Time runs to the right and frequency upwards, so the first row of the file is the
# highest band.

from PIL import Image


def write_picture(path, picture):
    """Values from 0 to 1 as gray, the first row lowest."""
    Image.fromarray(np.round(255 * picture[::-1]).astype(np.uint8)).save(path)


folder = Path("spectrogram_pictures")
folder.mkdir(exist_ok=True)
for i, picture in zip(kept, pictures):
    write_picture(folder / f"{Path(paths[i]).stem}.png", picture)
lines = [f"{Path(paths[i]).name}\t{reasons[i]}\n" for i in refused]
(folder / "refused.txt").write_text("".join(lines))

# %%
# And back to numbers
# -------------------
# What a picture file loses is rounding: a step of gray is 90 dB / 255.

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
# Pictures restored
# -----------------
# The three autoencoders of the same source, of one to three stages, on five pictures of a
# speaker that they never saw. The more stages, the fewer numbers are left, and the coarser
# is what comes back. In a few epochs here; the recipes have thirty for each stage.
#
# Each leaves a folder behind: five pictures above what comes back of them after each epoch,
# the log, its curve, and the weights of each layer. A skorch callback sees the network
# after each epoch.

from skorch.callbacks import Callback

from sklearn_speech.inspection import TrainingCurveDisplay


class PicturesOfEpochs(Callback):
    """Draw, after each epoch, some pictures above what the network makes of them."""

    def __init__(self, pictures, folder):
        self.pictures, self.folder = pictures, folder

    def on_epoch_end(self, net, **kwargs):
        rows = np.hstack(net.reconstruct(self.pictures)), np.hstack(self.pictures)
        path = self.folder / f"epoch{len(net.history_)}.png"
        write_picture(path, np.clip(np.vstack(rows), 0, 1))


def write_log(autoencoder, folder):
    """Log, curve and weights of a fitted autoencoder."""
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
restored = {"picture": unseen}
for n_stages in (1, 2, 3):
    log = Path(f"autoencoder_log_{n_stages}")
    log.mkdir(exist_ok=True)
    autoencoder = make_recipe(f"spectrum-autoencoder-{n_stages}", max_epochs=6, random_state=0)[-1]
    autoencoder.set_params(callbacks=[PicturesOfEpochs(unseen, log)])
    autoencoder.fit(learned, X_val=read[new][:200])
    write_log(autoencoder, log)
    restored[f"{n_stages} stage{'s' * (n_stages > 1)},\n{autoencoder.n_codes_} numbers"] = (
        autoencoder.reconstruct(unseen)
    )
    print(f"  autoencoder of {n_stages} stage(s): squared error "
          f"{-autoencoder.score(unseen):.4f}, {autoencoder.n_codes_} numbers")  # fmt: skip
    print(f"    {log}: {', '.join(sorted(path.name for path in log.iterdir()))}")

figure, grid = plt.subplots(4, 5, figsize=(8, 6.6), layout="constrained")
for row, (name, images) in zip(grid, restored.items()):
    for axes, image in zip(row, images):
        axes.imshow(image, origin="lower", cmap="gray", vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
figure.suptitle(f"{source}: a speaker never seen in training")
figure.savefig("pictures_restored.png", dpi=110)
print("pictures: one_of_each_digit.png, picture_files.png, pictures_restored.png")
