"""Measures what a roofline of this machine needs, see `hw/presets/cpu.yaml`."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from recfactory.benchmarks.supernet import gemm_gflops

SIDE, SMALL = 1024, 64
"""Rows and columns of a matrix in the cache, and of one whose product takes next to no time."""
CHAINS = (10, 110)
"""Products one after the other, in the two graphs that are compared."""
REPEATS = 200


def bench_processor() -> dict[str, Any]:
    """Measures the best rates of float32 products, as many repeats as it takes to see them undisturbed.

    Returns:
        `macs_per_s` of a product of two matrices of 1024 x 1024; `bytes_per_s` of one of them, in the cache,
        times a vector; `start_s`, what another product of 64 x 64 with a vector and its ReLU adds to a
        compiled graph.
    """
    short, long = (_fastest(_chain(products)) for products in CHAINS)
    return {
        "macs_per_s": gemm_gflops() * 1e9 / 2,
        "bytes_per_s": 4 * SIDE**2 / _fastest(_through_cache()),
        "start_s": (long - short) / (CHAINS[1] - CHAINS[0]),
    }


def _through_cache() -> Callable[[], Any]:
    rng = np.random.default_rng(0)
    matrix, vector = rng.random((SIDE, SIDE), np.float32), rng.random(SIDE, np.float32)
    return lambda: matrix @ vector


def _chain(products: int) -> Callable[[], Any]:
    matrices = [tf.random.normal((SMALL, SMALL)) for _ in range(products)]
    vector = tf.random.normal((1, SMALL))

    @tf.function
    def run() -> tf.Tensor:
        made = vector
        for matrix in matrices:
            made = tf.nn.relu(tf.matmul(made, matrix))
        return made

    return run


def _fastest(run: Callable[[], Any]) -> float:
    """Seconds of the fastest of many runs."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
