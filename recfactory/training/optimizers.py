"""The pair of optimizers a recipe names."""

import keras

from recfactory.models.ranker import Ranker
from recfactory.models.sparse_update import SparseAdagrad, SparseAdam
from recfactory.training.recipe import Recipe

PAIRS = {
    "adam": (keras.optimizers.Adam, SparseAdam),
    "adagrad": (keras.optimizers.Adagrad, SparseAdagrad),
}
"""Each optimizer's form for dense variables and for the table."""


def compile_for(ranker: Ranker, recipe: Recipe) -> None:
    """Compiles `ranker` with the optimizers of `recipe`."""
    dense, sparse = PAIRS[recipe.optimizer]
    ranker.compile(dense(recipe.learning_rate), sparse(recipe.learning_rate))
