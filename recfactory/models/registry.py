"""Models by name, hand-made or found by a search. Importing this does not import TensorFlow."""

import hashlib
import importlib
from collections.abc import Mapping
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

from recfactory.errors import UsageError, UserError, did_you_mean
from recfactory.features.layout import Layout
from recfactory.files import whole_file
from recfactory.space.path import Path
from recfactory.space.path_file import ENDING, read_path
from recfactory.training.recipe import Recipe

if TYPE_CHECKING:
    from recfactory.models.ranker import Ranker

MODELS = {
    "dlrm": "recfactory.models.dlrm",
    "deepfm": "recfactory.models.deepfm",
    "dcnv2": "recfactory.models.dcnv2",
    "mlp": "recfactory.models.mlp",
    "tfrs": "recfactory.models.tfrs_ranking",
}
"""The module of each hand-made model; its `make(recipe)` returns the tower and the width of its table."""


def check_name(name: str) -> None:
    """Refuses what is neither the name of a model nor that of a path file.

    Raises:
        UserError: as `find`.
    """
    find(name)


def find(model: str | Path) -> str | Path:
    """The model that is meant.

    Args:
        model: one of `MODELS`, a path, or the name of a path file such as best.json.

    Returns:
        The name of a hand-made model, or a path.

    Raises:
        UsageError: for an unknown name, listing the names there are.
        UserError: when a path file is missing or holds no path.
    """
    if isinstance(model, Path) or model in MODELS:
        return model
    if model.endswith(ENDING):
        return read_path(model)
    raise UsageError(
        f"there is no model '{model}'; there are {', '.join(MODELS)}{did_you_mean(model, MODELS)}, and files "
        "of searched paths such as best.json"
    )


def build(
    model: str | Path,
    layout: Layout,
    hyperparameters: Recipe | Mapping[str, Any] | None = None,
    prior: float = 0.0,
) -> "Ranker":
    """Makes a model, not yet compiled; the same arguments give the same initial values.

    Args:
        model: as of `find`.
        layout: of the features it reads.
        hyperparameters: a recipe, or some of its entries; the others keep their defaults. A path has its own
            sizes and leaves those of the recipe alone.
        prior: as of `Ranker`.

    Raises:
        UsageError: for an unknown name or hyperparameter.
    """
    model = find(model)
    import keras

    from recfactory.models.ranker import Ranker
    from recfactory.models.standalone import build_ranker

    recipe = (
        hyperparameters if isinstance(hyperparameters, Recipe) else Recipe.from_dict(hyperparameters or {})
    )
    options: dict[str, Any] = {
        "embedding_l2": recipe.embedding_l2,
        "clip_norm": recipe.clip_norm,
        "prior": prior,
    }
    # Keras draws initial values from Python's random state, which imports may move on: seed after them.
    if isinstance(model, Path):
        keras.utils.set_random_seed(recipe.seed)
        return build_ranker(model, layout, recipe.batch_norm, recipe.dropout, name="path", **options)
    make = importlib.import_module(MODELS[model]).make
    keras.utils.set_random_seed(recipe.seed)
    tower, width = make(recipe)
    return Ranker(layout, width, tower, name=model, **options)


def save(ranker: "Ranker", path: File | str) -> "Ranker":
    """Writes a model.keras, whole or not at all.

    Args:
        ranker: any model; one that was trained has optimizers, whose slots stay out of the file.
        path: of the file.

    Returns:
        A copy of the model that was never compiled.
    """
    with whole_file(path) as partial:
        copy = type(ranker).from_config(ranker.get_config())
        copy.set_weights(ranker.get_weights())
        copy.save(partial)
    return copy


def weights_sha256(ranker: "Ranker") -> str:
    """Digest of all weights of a model."""
    digest = hashlib.sha256()
    for weights in ranker.get_weights():
        digest.update(weights.tobytes())
    return digest.hexdigest()


def load(path: File | str) -> "Ranker":
    """Loads a model.keras, whatever model it holds; it is not compiled.

    Raises:
        UserError: when there is no such file.
    """
    path = File(path)
    if not path.is_file():
        raise UserError(f"there is no trained model '{path}'; train one with `recfactory train`")
    import keras

    from recfactory.models.standalone import import_layers

    import_layers()
    for module in ("recfactory.models.ranker", "recfactory.pruning.layers", *MODELS.values()):
        importlib.import_module(module)  # Keras finds a class by its name once its module is imported
    return keras.models.load_model(path, compile=False)
