"""Files made to do harm when they are loaded: a registry, and a process that tries them all.

A new attack is a function with ``@attack``: it gets an empty path and writes the file.
"""

import functools
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from safetensors.numpy import save as to_bytes

from sklearn_speech.classification import SpectrogramCNNClassifier
from sklearn_speech.feature_extraction import MFCC, MelSpectrogram, TrainableFrontEnd
from sklearn_speech.persistence import save
from tests.persistence.forging import an_object, forge, holding, read_header

#: By name, what writes the file.
ATTACKS = {}

#: What loading a file may take, in MB beside the process itself.
MOST_MEMORY = 200


def attack(function):
    ATTACKS[function.__name__] = function
    return function


def attacks(name, variants):
    """One attack for each of several contents."""

    def register(function):
        for label, content in variants.items():
            ATTACKS[f"{name}: {label}"] = functools.partial(function, content=content)
        return function

    return register


@functools.cache
def honest(kind):
    """Bytes of a fitted net that an attack begins with."""
    rng = np.random.default_rng(0)
    options = {"n_layers": 1, "n_filters": 2, "max_epochs": 1, "random_state": 0, "device": "cpu"}
    if kind == "spectrograms":
        X = rng.normal(size=(8, 6, 8))
    else:
        X = rng.normal(size=(8, 800))
        mfcc = kind == "mfcc"
        options["frontend"] = MFCC(8000, n_mfcc=4) if mfcc else MelSpectrogram(8000, n_mels=8)
        if kind == "learned":
            options["frontend"] = TrainableFrontEnd(options["frontend"], train="both")
    net = SpectrogramCNNClassifier(**options).fit(X, np.resize(["no", "yes"], 8))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net"
        save(net, path)
        return read_header(path)["estimator"], load_file(path)


def edited(path, kind, state=None, frontend=None, arrays=None, **parts):
    """An honest net with other attributes."""
    text, stored = honest(kind)
    tree = json.loads(text)
    net = tree["object"]
    net["state"].update(state or {})
    if frontend:
        inside = net["state"]["frontend"]["object"]["state"]
        if "transformer" in inside:
            inside = inside["transformer"]["object"]["state"]
        inside.update(frontend)
    net["net"].update(parts)
    forge(path, tree, {**stored, **(arrays or {})})


def a_value(name):
    return {"value": name}


CALLBACKS = "skorch.callbacks"
WRITING = {
    "Checkpoint": {"dirname": "made-by-load", "fn_prefix": ""},
    "TrainEndCheckpoint": {"dirname": "made-by-load", "fn_prefix": ""},
    "training.Checkpoint": {"dirname": "made-by-load", "fn_prefix": "x"},
    "LoadInitState": {"checkpoint": None},
    "TensorBoard": {"writer": None},
    "WandbLogger": {"wandb_run": None},
    "NeptuneLogger": {"run": None},
    "MlflowLogger": {"run": None},
    "SacredLogger": {"experiment": None},
}


@attacks("a callback", WRITING)
def _(path, content):
    name = next(name for name, state in WRITING.items() if state is content)
    edited(path, "spectrograms", {"callbacks": [an_object(f"{CALLBACKS}.{name}", **content)]})


@attacks(
    "a class among callbacks",
    {
        "bytes": {"callbacks": [{"tuple": ["x", a_value("builtins.bytes")]}],
                  "callbacks__x__source": 10**10},
        "numpy": {"callbacks": [a_value("numpy.bytes_")]},
        "set whole": {"callbacks": [], "callbacks__x": a_value("builtins.bytes")},
        "range": {"callbacks": {"range": [0, 10**12, 1]}},
    },
)  # fmt: skip
def _(path, content):
    edited(path, "spectrograms", content)


HUGE = 10**9


@attacks(
    "sizes of a net",
    {
        "input_shape_": {"input_shape_": {"tuple": [60_000, 60_000]}, "head": "flatten"},
        "input_shape_ beyond 64 bits": {"input_shape_": {"tuple": [2**70, 2**70]}},
        "n_filters": {"n_filters": HUGE},
        "n_layers": {"n_layers": HUGE, "n_filters": None},
        "n_layers as a list": {"n_layers": 10**6, "n_filters": [2] * 10**5},
        "hidden_units": {"hidden_units": HUGE},
        "hidden_units in a range": {"hidden_units": {"range": [1, HUGE, 1]}},
        "kernel_size": {"kernel_size": {"tuple": [HUGE, HUGE]}},
        "classes": {"classes_inferred_": {"array": {"name": "many"}}},
        "pretrainer_": {"pretrainer_": an_object("sklearn.preprocessing.StandardScaler")},
    },
)  # fmt: skip
def _(path, content):
    edited(path, "spectrograms", content, arrays={"many": np.arange(10**5)})


@attacks(
    "a front end",
    {
        "n_fft": {"n_fft": 2**26},
        "n_fft and win_length": {"n_fft": 2**26, "win_length": 2**26},
        "win_length": {"win_length": 2**27},
        "sample_rate": {"sample_rate": 1e12},
        "infinite sample_rate": {"sample_rate": {"float": "inf"}},
        "n_mels": {"n_mels": 10**8},
        "n_mels without bins": {"n_mels": 5000, "n_fft": 8, "win_length": 8},
        "more digits": {"n_mels": {"int": hex(10**6000)}},
        "taylor window": {"window": {"tuple": ["taylor", 10**8, 30, True]}, "n_mels": 9},
        "window of laughs": {"window": "hann" * 10**6},
    },
)
@attacks(
    "a learned front end",
    {"sines": {"n_fft": 40_000, "win_length": 40_000}, "n_fft": {"n_fft": 2**26}},
)
def _(path, content):
    kind = "learned" if content.get("n_fft") in (40_000, 2**26) else "mel"
    edited(path, kind, frontend=content)


@attacks(
    "a cepstrum",
    {"n_mels": {"n_mels": 10**5, "n_fft": 2, "win_length": 2}, "width": {"delta_width": 10**9 + 1}},
)
def _(path, content):
    edited(path, "mfcc", frontend={"deltas": 1, **content})


@attack
def empty_bands(path):
    _, stored = honest("mel")
    many = np.zeros((4000, 9), np.float32)
    bank = next(name for name in stored if name.endswith("bank.weights"))
    edited(
        path, "mel", frontend={"n_mels": 4000, "n_fft": 16, "win_length": 16}, arrays={bank: many}
    )


@attacks(
    "a history",
    {"range": {"range": [0, 10**12, 1]}, "words": ["x"], "dict": {"dict": [["x", 1]]}},
)
def _(path, content):
    edited(path, "spectrograms", history=content)


def doubled(depth, number=1):
    """Lists that hold the next one twice: 2 ** depth values for a few hundred bytes."""
    return [doubled(depth - 1, number + 1), {"ref": number + 1}] if depth else []


#: Numbers that Python hashes to 0.
ONE_HASH = [{"int": hex(i * (2**61 - 1))} for i in range(1, 20_000)]


@attacks(
    "a parameter",
    {
        "doubled lists": doubled(60),
        "in itself": [[{"ref": 1}]],
        "a range": {"range": [0, 10**15, 1]},
        "a range beyond 64 bits": {"range": [0, 10**30, 1]},
        "empty array": {"array": {"name": "empty"}},
        "one array twice": [{"array": {"name": "large"}} for _ in range(300)],
        "masked stack": {"masked": [[{"array": {"name": "large"}}, *[{"ref": 2}] * 300], None, 0]},
        "one hash": {"set": ONE_HASH},
        "one hash of keys": {"dict": [[node, 0] for node in ONE_HASH]},
        "shape of objects": {"objects": {"shape": [0, 10**12], "items": []}},
        "the object that it is part of": {"ref": 0},
        "the owner of no request": an_object("sklearn.pipeline.Pipeline", owner={"ref": 0}),
    },
)  # fmt: skip
def _(path, content):
    arrays = {"large": np.zeros(2**18), "empty": np.zeros((10**9, 0))}
    forge(path, holding(content), arrays)


@attack
def isotonic_stack(path):
    rows = [{"array": {"name": "large"}}, *[{"ref": 2}] * 300]
    tree = an_object(
        "sklearn.isotonic.IsotonicRegression", X_thresholds_=rows, y_thresholds_={"ref": 1},
        out_of_bounds="clip",
    )  # fmt: skip
    forge(path, tree, {"large": np.zeros(2**18)})


@attacks(
    "text",
    {
        "60 MB of lists": lambda: "[" + "[]," * 20_000_000 + "[]]",
        "nested 60 MB": lambda: "[" * 10**5 + "]" * 10**5,
        "15 MB of lists": lambda: "[" + "[]," * 5_000_000 + "[]]",
        "15 MB of dicts": lambda: "[" + "{}," * 5_000_000 + "{}]",
        "quotes without an end": lambda: '"' + '\\"' * 3_000_000,
        "digits": lambda: "1" * 10**6,
    },
)
def _(path, content):
    content = content()
    if len(content) < 15 * 2**20:
        forge(path, content)
    else:  # too long to be signed
        path.write_bytes(to_bytes({}, {"estimator": content}))


@attacks(
    "header",
    {
        "length": lambda: b"\xff" * 7 + b"\x7f" + b"{}",
        "length of 90 MB": lambda: (90 * 2**20).to_bytes(8, "little") + b" " * (90 * 2**20),
        "many tensors": lambda: to_bytes({f"{i:x}": np.zeros(0) for i in range(200_000)}),
        "empty": lambda: b"",
    },
)
def _(path, content):
    path.write_bytes(content())


FUNCTIONS = [
    "os.system", "builtins.eval", "builtins.open", "numpy.load", "joblib.load", "torch.load",
    "sklearn.datasets.fetch_openml", "sklearn.utils.estimator_checks.check_estimator",
    "sklearn_speech.datasets.fetch_fsdd", "skorch.hf.HfHubStorage",
]  # fmt: skip


@attacks("a function", dict(zip(FUNCTIONS, FUNCTIONS)))
def _(path, content):
    forge(path, holding(a_value(content)))


@attacks(
    "place to write",
    {
        "memory": ("sklearn.pipeline.Pipeline", {"memory": "made-by-load", "steps": []}),
        "storage": ("sklearn_speech.model_selection.OptunaSearchCV", {"storage": "sqlite:///x.db"}),
    },
)
def _(path, content):
    forge(path, an_object(content[0], **content[1]))


@attacks("place to read", {"name": "/dev/zero", "path": {"path": "/dev/zero"}})
def _(path, content):
    forge(path, an_object("sklearn_speech.SpeechEmbedding", encoder=content, sample_rate=16000))


#: What most files need is imported once, not by the process of each file.
SETUP = """
import sklearn.pipeline, torch
import sklearn_speech.base, sklearn_speech.classification, sklearn_speech.feature_extraction
from sklearn_speech.persistence import load
torch.set_num_threads(1)
"""

TRY = """
import json, os, resource, sys, time
job = json.load(sys.stdin)
exec(job["setup"])  # defines load
WRITES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.chmod",
          "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "subprocess.Popen",
          "socket.connect", "shutil", "pickle.find_class", "sqlite3.connect", "urllib.Request")
done = []
def listen(event, arguments):
    write = event == "open" and isinstance(arguments[2], int) and (
        arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    if write or event.startswith(WRITES):
        done.append(f"{event} {arguments}"[:200])
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
for path in job["paths"]:
    sys.stdout.flush()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        before, start = peak(), time.perf_counter()
        sys.addaudithook(listen)
        try:
            load(path)
            end = "loaded"
        except ValueError as error:
            end = "refused" if path in str(error) else "unnamed"
            message = str(error)
        except BaseException as error:
            end, message = type(error).__name__, str(error)
        seconds = time.perf_counter() - start
        os.write(writer, json.dumps([end, peak() - before, seconds, done,
                                     "" if end == "loaded" else message[-300:]]).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    print(answer or json.dumps(["crashed", 0, 0, [], ""]), flush=True)
"""


def try_to_load(paths, folder, timeout=300, setup=SETUP):
    """What becomes of files in a process of their own, which is listened to.

    Parameters
    ----------
    paths : iterable of Path
    folder : Path
        Working folder of the process.
    timeout : float
        Seconds for all files.
    setup : str
        Program that defines ``load(path)``.

    Returns
    -------
    results : list of (end, MB, seconds, list of what it wrote or ran, message)
    """
    done = subprocess.run(
        [sys.executable, "-B", "-W", "ignore", "-c", TRY],
        input=json.dumps({"setup": setup, "paths": [str(path) for path in paths]}),
        capture_output=True, text=True, cwd=folder, timeout=timeout, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    if len(lines) != len(paths):
        raise RuntimeError(f"{len(lines)} of {len(paths)} files were tried:\n{done.stderr}")
    return [json.loads(line) for line in lines]
