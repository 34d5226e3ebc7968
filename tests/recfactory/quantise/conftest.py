"""A tiny features folder."""

import numpy as np
import pytest
import tensorflow as tf
from few_bits import LAYOUT, clicks, rows

from recfactory.features.packed import Encoded, blocks
from recfactory.training.source import Source


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    folder, counts = tmp_path_factory.mktemp("few") / "features", {"train": 512, "valid": 256}
    for seed, (split, count) in enumerate(counts.items()):
        inputs = rows(count, seed)
        ones = np.ones(count, np.float32)
        part = Encoded(inputs["numbers"], inputs["ids"], clicks(inputs, seed), ones)
        file = folder / "encoded" / split / "part-00000.tfrecord"
        file.parent.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(file)) as writer:
            for block in blocks(part):
                writer.write(block)
    return Source(folder, LAYOUT, counts, "digest")
