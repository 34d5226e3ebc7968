"""Crossbars in plain NumPy: each array, slice and cycle by itself, in whole numbers."""

import numpy as np


def digits(codes, bits, count):
    return [(codes >> (bits * i)) & (2**bits - 1) for i in range(count)]


def multiply(inputs, weights, crossbar, weight_bits, activation_bits, noise=None, signed=False):
    """Products of inputs `(n, K)`, perhaps signed, and of codes `(K, outputs)`, read by ADCs.

    Signed inputs are in two's complement, with DACs of one bit.
    `noise` is `(K, slices, outputs)` in units of a cell's largest value.
    """
    full = 2**crossbar.cell_bits - 1
    inputs = inputs % 2**activation_bits
    total = np.zeros((len(inputs), weights.shape[1]), np.int64)
    for start in range(0, len(weights), crossbar.rows):
        used = slice(start, start + crossbar.rows)
        planes = digits(weights[used], crossbar.cell_bits, -(-weight_bits // crossbar.cell_bits))
        for s, plane in enumerate(planes):
            flipped = 2 * plane.sum(0) > full * len(plane)
            cells = np.where(flipped, full - plane, plane).astype(np.float64)
            if noise is not None:
                cells += noise[used, s] * full
            cycles = digits(inputs[:, used], crossbar.dac_bits, -(-activation_bits // crossbar.dac_bits))
            for t, given in enumerate(cycles):
                read = np.clip(np.rint(given @ cells), 0, 2**crossbar.adc_bits - 1).astype(np.int64)
                column = np.where(flipped, full * given.sum(1, keepdims=True) - read, read)
                if signed and t == activation_bits - 1:
                    column = -column
                total += column << (crossbar.cell_bits * s + crossbar.dac_bits * t)
    return total
