"""Coverage of the 95 % confidence interval over speakers.

Speakers are drawn from a population with a known mean score. Each clip is correct with the
probability of its speaker, and the interval is computed as in
`SpeakerScores.confidence_interval`. For comparison, an interval is computed under the common
but wrong assumption that clips are independent.

    python benchmarks/interval_coverage.py
"""

import argparse

import numpy as np

from sklearn_speech.model_selection._statistics import mean_interval

N_CLIPS = 50


def draw_scores(rng, n_speakers, population):
    """Accuracies of speakers drawn from a population, N_CLIPS clips each if it is skewed."""
    if population == "normal":
        return rng.normal(0.8, 0.06, n_speakers)
    return rng.binomial(N_CLIPS, _skewed(rng, n_speakers)) / N_CLIPS


def _skewed(rng, n):
    return 1 / (1 + np.exp(-rng.normal(2.5, 1.0, n)))


def population_mean(population):
    if population == "normal":
        return 0.8
    return _skewed(np.random.default_rng(1), 2_000_000).mean()


def coverage(method, n_speakers, population, n_repeats, target):
    """Coverage of the mean, and mean width of the intervals."""
    rng = np.random.default_rng([n_speakers, 0])
    bounds = []
    for _ in range(n_repeats):
        scores = draw_scores(rng, n_speakers, population)
        if method == "clips":
            mean = scores.mean()
            reach = 1.96 * np.sqrt(mean * (1 - mean) / (N_CLIPS * n_speakers))
            bounds.append((mean - reach, mean + reach))
        else:
            bounds.append(mean_interval(scores, method=method, n_resamples=1999))
    low, high = np.transpose(bounds)
    return ((low <= target) & (target <= high)).mean(), (high - low).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=2000)
    n_repeats = parser.parse_args().repeats
    print(f"coverage (mean width) of 95 % intervals, {n_repeats} repeats")
    print(f"{'population':<12}{'speakers':>8}{'chosen':>16}{'t':>16}{'bootstrap':>16}{'clips':>16}")
    for population in ("normal", "skewed"):
        target = population_mean(population)
        for n_speakers in (3, 6, 20, 60):
            line = f"{population:<12}{n_speakers:>8}"
            for method in ("auto", "t", "bootstrap", "clips"):
                if method == "bootstrap" and n_speakers < 20:
                    line += f"{'-':>16}"
                    continue
                share, width = coverage(method, n_speakers, population, n_repeats, target)
                line += f"{f'{share:.3f} ({width:.3f})':>16}"
            print(line)


if __name__ == "__main__":
    main()
