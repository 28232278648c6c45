"""Time of hyperparameter searches on real digits, six speakers held out in turn.

``OptunaSearchCV`` of this library against ``RandomizedSearchCV`` and optuna-integration's
``OptunaSearchCV``, over the same space and the same folds: time for an equal number of
trials, and time until the score of the random search was reached, with as many trials as
that takes. The steps in between are added one at a time, each with the settings that the
random search drew, to show the gain of each: this library's training engine beside a stock
skorch net of the same layers, the features shared between folds and trials, the pruner; then
the sampler.

    pip install optuna-integration
    python benchmarks/search_speed.py FOLDER_OF_FSDD --model linear --trials 40 --seed 0

Seeds are of the settings drawn; the table is over all seeds that were run. Each search is
appended to ``results/search_speed_runs.jsonl`` and never repeated, so that a
run may be stopped; ``--only`` runs some, and those that are there are reported. Without
optuna-integration its rows are left out.
"""

import argparse
import functools
import json
import time
import warnings
from pathlib import Path

import numpy as np
import optuna
import torch
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.pruners import MedianPruner, NopPruner
from optuna.samplers import RandomSampler
from report import RESULTS, write_report
from scipy.stats import loguniform, randint, uniform
from sklearn.model_selection import GroupKFold, ParameterSampler, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import nn

from sklearn_speech import OptunaSearchCV
from sklearn_speech.audio import AudioReader, PadOrTrim
from sklearn_speech.classification import SpectrogramCNNClassifier, SpectrogramLinearClassifier
from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.search._preparation import default_pruner

RUNS = RESULTS / "search_speed_runs.jsonl"
MODELS = {
    "linear": SpectrogramLinearClassifier,
    "small": functools.partial(SpectrogramCNNClassifier, n_layers=2, n_filters=8),
    "cnn": SpectrogramCNNClassifier,
}
N_MELS = IntDistribution(24, 48, step=8)
LR = FloatDistribution(1e-3, 3e-2, log=True)
DROPOUT = FloatDistribution(0.0, 0.5)
N_LAYERS = IntDistribution(2, 4)
BASE = "RandomizedSearchCV, stock skorch"
#: Limit of trials, relative to the base, of a search that runs until the score of the base.
MAX_TRIALS_RATIO = 8
#: Rounding error of running means over folds.
ROUNDING = 1e-9
COLUMNS = {
    "processor, s": "processor",
    "wall, s": "seconds",
    "trials": "trials",
    "folds run to the end": "folds",
    "best mean score": "best",
}


class SetShape(Callback):
    """Sets the input shape of a stock net, as in the documentation of skorch."""

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        net.set_params(module__n_bands=X.shape[1], module__n_frames=X.shape[2])


def pipeline(model):
    return make_pipeline(
        AudioReader(8000), PadOrTrim(n_times=8000), MelSpectrogram(8000), model
    )  # fmt: skip


def ours(kind, max_epochs):
    # the learning rate stays as it is drawn, as in the stock net, so that scores are comparable
    return MODELS[kind](max_epochs=max_epochs, lr_schedule="constant", device="cpu", random_state=0)


class PlainTorch(nn.Module):
    """The layers of one of this library's modules, written by hand with layers of torch.

    Parameters
    ----------
    module_class : type
        SpectrogramLinearNet, or SpectrogramCNNNet with its default head.
    **sizes
        Parameters of `module_class`.
    """

    def __init__(self, module_class, **sizes):
        super().__init__()
        net = module_class(**sizes)
        self.input_norm = net.input_norm
        self.is_linear = hasattr(net, "linear")
        if self.is_linear:
            self.layers = nn.Dropout(sizes["dropout"])
            self.dense = net.linear
        else:
            layers = [layer for stage in net.stages for layer in _plain_stage(stage)]
            self.layers = nn.Sequential(*layers)
            self.dense = net.dense

    def forward(self, x):
        x = self.input_norm(x)
        if self.is_linear:
            return self.dense(self.layers(x).flatten(1))
        x = self.layers(x[:, None])
        return self.dense(torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1))


def _plain_stage(stage):
    conv = stage.conv
    yield nn.Conv2d(
        conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding
    )
    yield nn.BatchNorm2d(conv.out_channels, eps=stage.norm.eps)
    yield nn.ReLU(inplace=True)
    yield nn.MaxPool2d(stage.pool_size)
    if stage.dropout is not None:
        yield nn.Dropout(stage.dropout.p)


def stock(kind, max_epochs):
    """A skorch net with default settings and the layers of `ours` as modules of torch."""
    model = ours(kind, max_epochs)
    X = np.random.default_rng(0).normal(size=(20, 40, 101)).astype(np.float32)
    sizes = model.fit(X, np.arange(20) % 10).get_params_for("module")
    _check_same(model, sizes, X)
    return NeuralNetClassifier(
        PlainTorch,
        module__module_class=model.module_class,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=model.weight_decay,
        max_epochs=max_epochs,
        batch_size=model.batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
        callbacks=[SetShape()],
        **{f"module__{name}": value for name, value in sizes.items()},
    )


def _check_same(model, sizes, X):
    """Raise an error unless both networks give equal output with equal weights."""
    plain, our_net = PlainTorch(model.module_class, **sizes).eval(), model.module_.eval()
    with torch.no_grad():
        weights = [*our_net.parameters(), *our_net.buffers()]
        for own, value in zip([*plain.parameters(), *plain.buffers()], weights, strict=True):
            own.copy_(value)
        x = torch.from_numpy(X)
        torch.testing.assert_close(plain(x), our_net(x))


def spaces(kind, prefix, module=""):
    """The same space for Optuna and for SciPy."""
    names = {
        "melspectrogram__n_mels": N_MELS,
        f"{prefix}__lr": LR,
        f"{prefix}__{module}dropout": DROPOUT,
    }
    if kind != "linear":
        names[f"{prefix}__{module}n_layers"] = N_LAYERS
    return names, {name: _of_scipy(values) for name, values in names.items()}


def _of_scipy(values):
    if isinstance(values, IntDistribution) and values.step == 1:
        return randint(values.low, values.high + 1)
    if isinstance(values, IntDistribution):
        return list(range(values.low, values.high + 1, values.step))
    kind = loguniform if values.log else (lambda low, high: uniform(low, high - low))
    return kind(values.low, values.high)


def searches(kind, n_trials, max_epochs, cv, seed):
    """Functions that make each search, by name."""
    our_pipeline = pipeline(ours(kind, max_epochs))
    optuna_space, scipy_space = spaces(kind, our_pipeline.steps[-1][0])
    common = {"cv": cv, "refit": False, "error_score": "raise"}
    random_options = {"n_iter": n_trials, "random_state": seed, **common}

    def with_stock_net(search, space):
        net = pipeline(stock(kind, max_epochs))
        return search(net, spaces(kind, net.steps[-1][0], "module__")[space])

    def same_settings(pruner=None, **options):
        if pruner is None:
            pruner = default_pruner(options.get("prune_by_epoch", False))
        study = optuna.create_study(direction="maximize", pruner=pruner, sampler=RandomSampler())
        for params in ParameterSampler(scipy_space, n_trials, random_state=seed):
            study.enqueue_trial({n: getattr(v, "item", lambda v=v: v)() for n, v in params.items()})
        return OptunaSearchCV(
            our_pipeline, optuna_space, n_trials=n_trials, study=study, **common, **options
        )

    def integration(model, space):
        from optuna_integration import OptunaSearchCV as Integration

        return Integration(model, space, n_trials=n_trials, random_state=seed, **common)

    def optuna_search(n_trials, **options):
        same_seed = {"random_state": seed, **common, **options}
        return OptunaSearchCV(our_pipeline, optuna_space, n_trials=n_trials, **same_seed)

    def random(model, space):
        return RandomizedSearchCV(model, space, **random_options)

    return {
        BASE: lambda: with_stock_net(random, 1),
        "optuna-integration, stock skorch": lambda: with_stock_net(integration, 0),
        "RandomizedSearchCV, our net": lambda: random(our_pipeline, scipy_space),
        "optuna-integration, our net": lambda: integration(our_pipeline, optuna_space),
        "ours, same settings, no pruning": lambda: same_settings(NopPruner()),
        "ours, same settings, median pruner": lambda: same_settings(MedianPruner()),
        "ours, same settings, pruned by fold": lambda: same_settings(),
        "ours, same settings, pruned by epoch": lambda: same_settings(prune_by_epoch=True),
        "ours as it comes": lambda: optuna_search(n_trials),
        "ours, prune_by_epoch=True": lambda: optuna_search(n_trials, prune_by_epoch=True),
        "ours as it comes, until the score": lambda: optuna_search(MAX_TRIALS_RATIO * n_trials),
        "ours, prune_by_epoch=True, until the score": lambda: optuna_search(
            MAX_TRIALS_RATIO * n_trials, prune_by_epoch=True
        ),
    }  # fmt: skip


def run(search, paths, digits, speakers, target=None):
    """Wall and processor time, and the processor time at which each best score was reached."""
    reached = []
    began, processor = time.perf_counter(), time.process_time()

    def note(study, trial):
        if trial.state == optuna.trial.TrialState.COMPLETE:
            reached.append((time.process_time() - processor, study.best_value))
            if target is not None and study.best_value >= target - ROUNDING:
                study.stop()

    if not isinstance(search, RandomizedSearchCV):
        search.set_params(callbacks=[note])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(paths, digits, groups=speakers)
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    if isinstance(search, RandomizedSearchCV):
        found = search.cv_results_
        share = np.cumsum(found["mean_fit_time"] + found["mean_score_time"])
        best = np.maximum.accumulate(found["mean_test_score"])
        reached = list(zip((processor * share / share[-1]).tolist(), best.tolist()))
    n_trials = len(search.trials_ if hasattr(search, "trials_") else search.cv_results_["params"])
    n_folds = search.n_splits_ * n_trials
    if isinstance(search, OptunaSearchCV):
        n_folds = int(search.cv_results_["n_folds_run"].sum())
    return {
        "seconds": seconds,
        "processor": processor,
        "trials": n_trials,
        "folds": n_folds,
        "best": max(score for _, score in reached),
        "reached": reached,
    }


def report(kind):
    """One table for each setting of a model, from all saved runs."""
    tables = {}
    for row in _log():
        setting = row["setting"]
        if setting["model"] == kind:
            caption = (
                f"{setting['trials']} trials of the {kind} model, {setting['epochs']} epochs, "
                f"{setting['recordings']} recordings, six speakers held out in turn"
            )
            by_seed = tables.setdefault(caption, {}).setdefault(row["search"], {})
            by_seed[setting["seed"]] = row
    tables = {caption: rows_of(runs) for caption, runs in tables.items()}
    notes = [
        "Processor time of one process with one thread, which a busy machine changes less than "
        "the wall's; ratios are of processor times. Times and scores are means over seeds, ratios "
        "of sums over the seeds that both were run with. None of the searches refits. 'Same "
        "settings' are those that the random search drew. The stock net trains the same layers "
        "in torch's own modules for as many epochs, also at a constant learning rate, with "
        "skorch's own iterators and unfused AdamW. "
        "A search that never completed a trial as good has no time until that score, and the ratio "
        "is over the other seeds. 'As it comes' is TPE and FoldPruner; 'until the score' runs on "
        f"until it is reached, for up to {MAX_TRIALS_RATIO} times as many trials.",
    ]
    return write_report(f"search_speed_{kind}", f"Searches: {kind}", tables, notes)


def rows_of(runs):
    """Rows of all runs of one setting, compared with the random search of the stock net."""
    first, rows = runs.get(BASE, {}), []
    for name, found in runs.items():
        both = sorted(first.keys() & found.keys())
        row = {
            "search": name,
            "seeds": len(found),
            **{
                title: float(np.mean([run[key] for run in found.values()]))
                for title, key in COLUMNS.items()
            },
        }
        if both:
            row["times less than random"] = "-"
            if "until" not in name:
                spent = [sum(by_seed[s]["processor"] for s in both) for by_seed in (first, found)]
                row["times less than random"] = spent[0] / spent[1]
            until = {s: _until(found[s], first[s]["best"]) for s in both}
            there = [s for s in both if until[s] is not None]
            theirs = sum(_until(first[s], first[s]["best"]) for s in there)
            ratio = f"{theirs / sum(until[s] for s in there):.3g}" if there else "-"
            row["times less until its score"] = f"{ratio} ({len(there)} of {len(both)} seeds)"
        rows.append(row)
    return rows


def _until(found, target):
    return next((at for at, score in found["reached"] if score >= target - ROUNDING), None)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the Free Spoken Digit Dataset")
    parser.add_argument("--model", choices=list(MODELS), default="linear")
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--every", type=int, default=1, help="use every n-th recording")
    parser.add_argument("--seed", type=int, default=0, help="seed of the drawn settings")
    parser.add_argument("--only", nargs="*", help="beginnings of the names of searches")
    options = parser.parse_args()
    paths = sorted((options.folder / "recordings").glob("*.wav"))[:: options.every]
    if not paths:
        parser.error(f"no recordings/*.wav under {options.folder}")
    digits = np.array([int(path.name.split("_")[0]) for path in paths])
    speakers = np.array([path.name.split("_")[1] for path in paths])
    cv = GroupKFold(len(set(speakers)))
    setting = {
        "model": options.model,
        "trials": options.trials,
        "epochs": options.epochs,
        "recordings": len(paths),
        "seed": options.seed,
    }
    runs = _kept(setting)
    makers = searches(options.model, options.trials, options.epochs, cv, options.seed)
    for name, make in makers.items():
        if name in runs or not any(name.startswith(only) for only in options.only or [""]):
            continue
        try:
            search = make()
        except ImportError as error:
            print(f"{name}: left out ({error})")
            continue
        target = None
        if "until" in name:
            if BASE not in runs:
                print(f"{name}: left out, {BASE} has not been run")
                continue
            target = runs[BASE]["best"]
        found = run(search, paths, digits, speakers, target)
        with RUNS.open("a") as file:
            file.write(json.dumps({"setting": setting, "search": name, **found}) + "\n")
        runs[name] = found
        print(name, {key: value for key, value in found.items() if key != "reached"}, flush=True)
    if _kept(setting):
        print(report(options.model).read_text())


def _log():
    """All saved runs, one dict for each search."""
    return list(map(json.loads, RUNS.read_text().splitlines())) if RUNS.exists() else []


def _kept(setting):
    return {row["search"]: row for row in _log() if row["setting"] == setting}


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
