"""Times of functions that are compared with each other."""

import time

import numpy as np


def in_turns(candidates, n_rounds, wait=None):
    """Time functions that are called alternately, after a warm-up.

    Parameters
    ----------
    candidates : dict of str to callable
    n_rounds : int
    wait : callable, default=None
        Called after each function, within its time, such as ``torch.cuda.synchronize``.

    Returns
    -------
    times : dict of str to ndarray of shape (2, n_rounds)
        Seconds of processor time, and of the clock, of each function.
    """
    times = {name: [] for name in candidates}
    for i in range(n_rounds + 1):
        # another function is first in each round
        for name in list(candidates)[:: 1 if i % 2 else -1]:
            cpu, clock = time.process_time(), time.perf_counter()
            candidates[name]()
            if wait is not None:
                wait()
            if i:
                times[name].append((time.process_time() - cpu, time.perf_counter() - clock))
    return {name: np.array(values).T for name, values in times.items()}
