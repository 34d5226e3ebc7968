"""Writes tf.Examples for the tests of the evaluation."""

from pathlib import Path


def serialize(**features):
    """One tf.Example; bytes, ints and floats become the matching lists."""
    import tensorflow as tf

    example = tf.train.Example()
    for name, values in features.items():
        feature = example.features.feature[name]
        values = values if isinstance(values, list) else [values]
        if not values:
            continue
        if isinstance(values[0], bytes):
            feature.bytes_list.value.extend(values)
        elif isinstance(values[0], int):
            feature.int64_list.value.extend(values)
        else:
            feature.float_list.value.extend(values)
    return example.SerializeToString(deterministic=True)


def write_records(path, records):
    """Writes an uncompressed TFRecord file."""
    import tensorflow as tf

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
