"""Exports what `recfactory train` left in a model folder."""

import os
import shutil
import subprocess
import sys
import threading
from itertools import islice
from pathlib import Path

import tensorflow as tf

from recfactory.errors import UserError
from recfactory.features.spec import read_spec
from recfactory.files import read_json, write_json
from recfactory.models.registry import load
from recfactory.training.folder import MODEL, RESULT
from serving.export import export

WARMUP_ROWS = 128
EXPORTED = "exported.json"
"""Beside a SavedModel: whose weights it holds."""
_REFUSED = 3


def export_once(model: Path, features: Path | str, out: Path) -> Path:
    """Exports a trained model unless `out` holds its export already; that of another training is replaced.

    With more seeds another one may be the best.

    Args:
        model: the folder of a finished training.
        features: the features folder it was trained on.
        out: the SavedModel's folder.

    Returns:
        `out`.
    """
    note = out.with_name(EXPORTED)
    weights = read_json(model / RESULT)["weights_sha256"]
    if not (out.is_dir() and note.is_file() and read_json(note) == weights):
        note.unlink(missing_ok=True)
        shutil.rmtree(out, ignore_errors=True)
        export_trained(model, features, out)
        write_json(note, weights)
    return out


def export_trained(model: Path | str, features: Path | str, out: Path | str) -> Path:
    """Exports a trained model with its preprocessing, warmed up by real training examples.

    The export is done by a process of its own. TensorFlow numbers names by all that a process did before,
    and names are part of what identifies a model: so the same weights give the same digest, whether they
    were trained a moment ago or in a run that was interrupted since.

    Args:
        model: the folder that holds model.keras.
        features: the features folder it was trained on.
        out: the SavedModel's folder; must not exist.

    Returns:
        `out`.

    Raises:
        UserError: when there is no trained model, or no features.
    """
    command = [sys.executable, "-m", "serving.trained", str(model), str(features), str(out)]
    # The pipe to its standard input tells the process when this one is killed.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        said = process.stdout.read()
    if process.returncode == _REFUSED:
        raise UserError(said.strip().splitlines()[-1])
    if process.returncode != 0:
        raise RuntimeError(f"the export of '{model}' failed:\n{said}")
    return Path(out)


def first_examples(features: Path | str, split: str, count: int) -> list[bytes]:
    """The first raw tf.Examples of a split, at most `count`."""
    paths = sorted(str(path) for path in (Path(features) / "examples" / split).glob("part-*.tfrecord"))
    return [record.numpy() for record in islice(tf.data.TFRecordDataset(paths), count)]


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def _export(model: str, features: str, out: str) -> None:
    trained = load(Path(model) / MODEL)
    export(trained, read_spec(features), out, first_examples(features, "train", WARMUP_ROWS))


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _export(*sys.argv[1:])
    except UserError as error:
        print(error)
        sys.exit(_REFUSED)
