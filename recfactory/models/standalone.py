"""A path as a model of its own: no elastic part, no dead part."""

from typing import Any

import keras

from recfactory.features.layout import Layout
from recfactory.layers.elastic import layer_class
from recfactory.layers.forward import forward
from recfactory.layers.stem import Stem
from recfactory.models.ranker import Ranker
from recfactory.space.path import Path
from recfactory.space.wiring import Part


def build_tower(path: Path) -> keras.Model:
    """The architecture of a path as a functional model.

    Args:
        path: the architecture.

    Returns:
        A model of `[numbers (batch, dense columns), fields (batch, fields, embedding_dim)]` to the logit
        `(batch, 1)`; its layers are named after their place, such as `block_3_fc`.
    """
    space = path.space
    numbers = keras.Input((space.numbers,), name="numbers")
    fields = keras.Input((space.fields, space.embedding_dim), name="fields")

    def run(part: Part, inputs: list[Any]) -> Any:
        return layer_class(part.kind)(_dim(path, part), name=layer_name(part))(inputs)

    def join(tensors: list[Any]) -> Any:
        return keras.layers.Concatenate()(tensors)

    logit = forward(path, Stem(space.raw_dense)([numbers, fields]), run, join)
    return keras.Model([numbers, fields], logit, name="path")


def build_ranker(path: Path, layout: Layout, **options: Any) -> Ranker:
    """A path as a model to train, evaluate and export like any other.

    Args:
        path: the architecture.
        layout: of the features.
        **options: as of `Ranker`.
    """
    return Ranker(layout, path.space.embedding_dim, build_tower(path), **options)


def layer_name(part: Part) -> str:
    """The name of a part's layer."""
    return f"block_{part.number}_{part.kind}"


def _dim(path: Path, part: Part) -> int:
    block = path.blocks[part.number - 1]
    dims = {
        "dense": block.dense_dim,
        "sparse": block.sparse_dim,
        "fm": block.dense_dim,
        "dense_to_sparse": path.space.merger_tokens,
        "head": 1,
    }
    return dims[part.role]
