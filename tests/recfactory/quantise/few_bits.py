"""A small space, its rows and bits for all of its operators."""

import numpy as np

from recfactory.features.layout import make_layout
from recfactory.quantise.precision import Bits, Precision, slots
from recfactory.space import PRESETS, Space

LAYOUT = make_layout(("x", "y", "z"), [("a", 1, 9), ("b", 1, 7), ("c", 3, 9), ("d", 1, 5)])
DIMS = {"dense_dims": (8, 16, 24), "sparse_dims": (2, 4, 6), "embedding_dim": 8, "merger_tokens": 3}


def small_space(blocks):
    return Space(**{"numbers": 3, "fields": 4, "blocks": blocks, **DIMS, **PRESETS["full"]})


def all_of(space, weight, activation, crossbar=None, embedding=32):
    bits = {slot: Bits(weight, activation) for slot in slots(space)}
    return Precision(bits, embedding, crossbar)


def mixed(space, crossbar=None):
    """Other bits for each operator."""
    bits = {slot: Bits(4 + i % 5, 4 + i // 5) for i, slot in enumerate(slots(space))}
    assert len(set(bits.values())) == len(bits)
    return Precision(bits, crossbar=crossbar)


def rows(count=40, seed=0):
    """Inputs of a model."""
    rng = np.random.default_rng(seed)
    ids = [rng.integers(f.offset, f.offset + f.size, (count, f.slots)) for f in LAYOUT.fields]
    numbers = rng.normal(size=(count, len(LAYOUT.dense))).astype(np.float32)
    return {"numbers": numbers, "ids": np.concatenate(ids, axis=1).astype(np.int32)}


def clicks(inputs, seed=0):
    """That follow the first number."""
    chance = 1 / (1 + np.exp(-2 * inputs["numbers"][:, 0]))
    return (np.random.default_rng(seed).random(len(chance)) < chance).astype(np.float32)
