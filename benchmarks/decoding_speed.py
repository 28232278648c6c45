"""Time of forced alignment and beam search as a function of the length of a clip.

    python benchmarks/decoding_speed.py

The posteriors are made up: 50 frames and 12 phones a second, 40 kinds of phones, a peak of one
frame for each phone and noise elsewhere. Segment alignment has twice as many frames, at least
three of them a phone, as ``PhonemeRecognizer(segment_model=True)`` has. Times are processor time,
medians of alternating runs. The exponent b is that of the least-squares fit time = a * length ** b:
1 is linear. An exact alignment looks at every phone in every frame: 348 of them, in 29 s, take
little longer than 24, in 2 s, since most of the time goes into calls of NumPy.
"""

import argparse

import numpy as np
from report import write_report
from timing import in_turns

from sklearn_speech.recognition._alignment import forced_alignment
from sklearn_speech.recognition._decoding import beam_decode
from sklearn_speech.recognition._language_model import PhoneNGram

FRAMES_PER_SECOND, PHONES_PER_SECOND, N_PHONES = 50, 12, 40


def make_posteriors(seconds, random_state=0):
    """Log posteriors of a clip, and its phones."""
    rng = np.random.default_rng(random_state)
    n_frames = FRAMES_PER_SECOND * seconds
    codes = rng.integers(1, N_PHONES + 1, PHONES_PER_SECOND * seconds)
    labels = np.zeros(n_frames, dtype=int)
    # an even frame for each phone leaves a blank between equal phones
    labels[2 * np.sort(rng.choice(n_frames // 2, len(codes), replace=False))] = codes
    logits = 1.5 * rng.normal(size=(n_frames, N_PHONES + 1))
    logits[np.arange(n_frames), labels] += 6
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True), codes.tolist()


def algorithms(log_probs, codes):
    """Calls to time, by name."""
    model = PhoneNGram(3, N_PHONES).fit([codes])
    slow = np.repeat(log_probs, 2, axis=0)
    return {
        "CTC alignment": lambda: forced_alignment(log_probs, codes),
        "segment alignment": lambda: forced_alignment(
            slow, codes, min_frames=3, pause_penalty=20.0
        ),
        "beam search": lambda: beam_decode(log_probs),
        "beam search with a trigram": lambda: beam_decode(log_probs, 16, model, 0.5, 0.1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lengths", nargs="+", type=int, default=[2, 8, 29], help="in seconds")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    times = {}
    for length in arguments.lengths:
        rounds = in_turns(algorithms(*make_posteriors(length)), arguments.repeats)
        for name, (processor, _) in rounds.items():
            times.setdefault(name, []).append(float(np.median(processor)))
    rows = []
    for name, row in times.items():
        rates = {f"{n} s": 1000 * t / n for t, n in zip(row, arguments.lengths)}
        exponent = np.polyfit(np.log(arguments.lengths), np.log(row), 1)[0]
        rows.append({"ms per second of speech": name, **rates, "exponent": float(exponent)})
        print(rows[-1], flush=True)
    notes = [
        "Clips with made-up posteriors of 50 frames and 12 phones a second; processor time of one "
        "thread, medians of alternating runs. An exponent of 1 is linear in the length of a clip."
    ]
    write_report("decoding_speed", "Alignment and beam search", {"By length of clip": rows}, notes)


if __name__ == "__main__":
    main()
