"""The hand-made models by name. Importing this does not import TensorFlow."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recfactory.errors import UsageError, UserError
from recfactory.features.layout import Layout
from recfactory.schema.mapping import did_you_mean
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
"""The module of each model; its `make(recipe)` returns the tower and the width of the table it reads."""


def check_name(name: str) -> None:
    """Refuses the name of no model.

    Raises:
        UsageError: listing the names there are.
    """
    if name not in MODELS:
        raise UsageError(
            f"there is no model '{name}'; there are {', '.join(MODELS)}{did_you_mean(name, MODELS)}"
        )


def build(name: str, layout: Layout, hyperparameters: Recipe | Mapping[str, Any] | None = None) -> "Ranker":
    """Makes a model, not yet compiled; the same arguments give the same initial values.

    Args:
        name: one of `MODELS`.
        layout: of the features it reads.
        hyperparameters: a recipe, or some of its entries; the others keep their defaults.

    Raises:
        UsageError: for an unknown name or hyperparameter.
    """
    check_name(name)
    import keras

    from recfactory.models.ranker import Ranker

    make = importlib.import_module(MODELS[name]).make
    recipe = (
        hyperparameters if isinstance(hyperparameters, Recipe) else Recipe.from_dict(hyperparameters or {})
    )
    # Keras draws initial values from Python's random state, which imports may move on: seed after them.
    keras.utils.set_random_seed(recipe.seed)
    tower, width = make(recipe)
    return Ranker(
        layout, width, tower, embedding_l2=recipe.embedding_l2, clip_norm=recipe.clip_norm, name=name
    )


def load(path: Path | str) -> "Ranker":
    """Loads a model.keras, whatever model it holds; it is not compiled.

    Raises:
        UserError: when there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"there is no trained model '{path}'; train one with `recfactory train`")
    import keras

    for module in ("recfactory.models.ranker", *MODELS.values()):
        importlib.import_module(module)  # Keras finds a class by its name once its module is imported
    return keras.models.load_model(path, compile=False)
