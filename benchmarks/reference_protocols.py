"""Systems, recordings and splits of ``reference_systems.py``."""

import hashlib

import numpy as np
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, StratifiedShuffleSplit

from sklearn_speech import (
    fetch_fsdd,
    fetch_speech_commands,
    get_data_home,
    list_recipes,
    load_speech_manifest,
)
from sklearn_speech.augmentation import FrameShift, TimeStretch, VocalTractWarp

#: Variants of recipes: recipe and overrides.
VARIANTS = {
    f"{name} {setting}{', normalised' if norm else ''}": (
        name,
        {"setting": setting, **({"input_norm": norm} if norm else {})},
    )
    for name in ("kws-linear", "kws-bcresnet")
    for setting in "ABCD"
    for norm in (None, "batch")
}


def keyword_variants():
    """All settings of the reference system with trainable front ends, by name.

    Settings A to D with 10, 20 and 40 mel bands, filters of nnAudio and FastAudio, masked bins
    and random filters, each with and without normalised features. The front end learns as fast
    as the rest, as in the source, or at a tenth ("slow"), a thousandth ("very slow") or a
    millionth of its rate. "lr 0.1" is the rate of the paper of BC-ResNet, a hundred times that of
    the source; the front end then keeps the source's.
    """
    found = {}
    steps = {"kws-linear": "spectrogramlinearclassifier", "kws-bcresnet": "bcresnetclassifier"}
    for name, step in steps.items():
        for setting in "ABCD":
            changes = [("", {}), (", 10 bands", {"n_mels": 10}), (", 20 bands", {"n_mels": 20})]
            changes.append((", masked", {"masked_bins": (25, 49)}))
            if setting in "BD":
                changes.append((", random mel", {"random_mel": True}))
                changes.append((", FastAudio", {"filterbank": "fastaudio"}))
            if setting != "A":
                changes.append((", slow", {f"{step}__frontend__lr": 1e-4}))
                changes.append((", very slow", {f"{step}__frontend__lr": 1e-6}))
                changes.append((", rate 1e-9", {f"{step}__frontend__lr": 1e-9}))
            if name == "kws-bcresnet":
                published = {f"{step}__frontend__lr": 1e-3} if setting != "A" else {}
                fast = {f"{step}__lr": 0.1, f"{step}__lr_schedule": "one_cycle"}
                changes.append((", lr 0.1", {**fast, **published}))
            for change, options in changes:
                for norm in (None, "batch"):
                    normal = {"input_norm": norm} if norm else {}
                    label = f"{name} {setting}{change}{', normalised' if norm else ''}"
                    found[label] = name, {"setting": setting, **options, **normal}
    return found


#: BC-ResNet-1 with the learning rate of its paper, and with augmentation.
AUGMENTED = "kws-bcresnet A, lr 0.1, augmented"
VARIANTS[AUGMENTED] = (
    "kws-bcresnet",
    {
        "variant": "paper",
        "input_norm": "clip",
        "bcresnetclassifier__lr": 0.1,
        "bcresnetclassifier__lr_schedule": "one_cycle",
        "bcresnetclassifier__augment": [
            TimeStretch(factor=(0.75, 1.3)),
            VocalTractWarp(sample_rate=16000, factor=(0.85, 1.18)),
            FrameShift(),
        ],
    },
)

#: Variants with random initial biases, to show their effect on the quiet speaker theo.
QUIET = {
    "basics-stft-cnn, torch's weights": (
        "basics-stft-cnn",
        {"spectrogramcnnclassifier__weight_init": "torch"},
    )
}

DIGITS = ("digits-speakers", "digits-random", "digits-theo")
COMMANDS = "commands"
#: The official lists of the words of ``speech_commands_many``; asked for by name only.
MANY = "keywords-many"

#: Splits of the clips of three speakers in the sources, and their reported results.
REPORTED = {
    ("sample-cnn", "digits-random"): "0.60",
    ("spectro-cnn", "digits-random"): "0.70",
    ("basics-mlp", "digits-theo"): "horrible",
    ("basics-stft-cnn", "digits-theo"): "0.616",
    ("basics-mel-cnn", "digits-theo"): "0.188",
}

TITLES = {
    "digits-speakers": "FSDD, each of six speakers held out in turn: accuracy",
    "digits-random": "FSDD, three speakers, 150 of 1,500 clips drawn at random: accuracy",
    "digits-theo": "FSDD, trained on jackson and nicolas, tested on theo: accuracy",
    COMMANDS: "Speech Commands slice, five words, unknown and silence, speakers held out: accuracy",
    MANY: "Speech Commands, 15 words of 1,554 speakers, official validation list: accuracy",
}

#: Tasks that other benchmarks measure.
OTHERS = ("phones", "emotions and other whole utterances")

#: Recipes whose weights others have trained, on other speech: ``pretrained.py`` tells of them.
PRETRAINED = {"best-finetuned", "best-pretrained", "best-vote"}

OF_THREE = ["jackson", "nicolas", "theo"]


def systems(protocol):
    """Recipe and overrides of each system of a protocol, by name."""
    rows = {row["name"]: row for row in list_recipes(details=True) if row["task"] not in OTHERS}
    plain = {n: (n, {}) for n in rows if not n.startswith("kws-") and n not in PRETRAINED}
    if protocol == COMMANDS:
        own = {name: (name, {"sample_rate": 16000}) for name in ("best", "best-waveform")}
        return {**VARIANTS, **own}
    if protocol == MANY:
        return {**keyword_variants(), "best": ("best", {"sample_rate": 16000})}
    if protocol == "digits-speakers":
        keywords = {name: (name, {}) for name in ("kws-linear", "kws-bcresnet")}
        return {**plain, **keywords, AUGMENTED: VARIANTS[AUGMENTED]}
    restored = {name for name, row in rows.items() if "reconstruction" in row["task"]}
    judged = {name: plain[name] for name in plain if name not in restored}
    return {**judged, **QUIET} if protocol == "digits-theo" else judged


def clips(protocol):
    """Paths, labels and speakers of a protocol."""
    if protocol == COMMANDS:
        speech = fetch_speech_commands(
            "v0.01", words=["down", "go", "left", "right", "up"], download_if_missing=False
        )
    elif protocol == MANY:
        speech = load_speech_manifest(get_data_home() / "speech_commands_many" / "clips.csv")
    else:
        speech = fetch_fsdd(speakers=None if protocol == "digits-speakers" else OF_THREE)
    return speech.data, np.asarray(speech.target), np.asarray(speech.speaker)


def of_validation_list(speaker):
    """Whether the official lists of Speech Commands have a speaker for validation: a tenth.

    P. Warden, "Speech Commands: a dataset for limited-vocabulary speech recognition", 2018: the
    lists are made from a hash of the name of the speaker.
    """
    largest = 2**27 - 1
    return int(hashlib.sha1(speaker.encode()).hexdigest(), 16) % (largest + 1) < 0.1 * largest


def at_hand(protocol):
    """Whether the recordings of a protocol are available or can be downloaded."""
    try:
        clips(protocol)
    except OSError as error:
        print(f"protocol {protocol!r} is skipped: {error}", flush=True)
        return False
    return True


def folds(protocol, y, speakers):
    """(train, test) positions of each fold."""
    if protocol == "digits-random":
        return list(StratifiedShuffleSplit(3, test_size=150, random_state=0).split(y, y))
    if protocol == MANY:
        validation = np.array([of_validation_list(str(speaker)) for speaker in speakers])
        return [(np.flatnonzero(~validation), np.flatnonzero(validation))]
    if protocol == COMMANDS:
        splitter = GroupKFold(5, shuffle=True, random_state=0)
    else:
        splitter = LeaveOneGroupOut()
    found = list(splitter.split(y, y, speakers))
    if protocol == "digits-theo":
        return [split for split in found if speakers[split[1][0]] == "theo"]
    return found
