"""Times of functions that are compared with each other."""

import time

import numpy as np
import torch
from threadpoolctl import threadpool_limits


def in_turns(candidates, n_rounds, wait=None):
    """Time functions that are called alternately, after a warm-up.

    NumPy and SciPy use as many threads as torch is set to. Otherwise, further threads of OpenBLAS
    would wait busily after a product of matrices, within the processor time of the next function.

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
    for function in candidates.values():  # libraries that are loaded here have threads, too
        function()
    with threadpool_limits(torch.get_num_threads()):
        for i in range(n_rounds):
            # another function is first in each round
            for name in list(candidates)[:: -1 if i % 2 else 1]:
                cpu, clock = time.process_time(), time.perf_counter()
                candidates[name]()
                if wait is not None:
                    wait()
                times[name].append((time.process_time() - cpu, time.perf_counter() - clock))
    return {name: np.array(values).T for name, values in times.items()}
