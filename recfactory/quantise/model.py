"""A trained model of a path that computes with few bits: to be measured, fine-tuned and exported."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import keras
import tensorflow as tf

from recfactory.errors import UserError
from recfactory.layers.elastic import LAYERS
from recfactory.layers.normalised import NormalisedOperator
from recfactory.layers.operator import OperatorLayer
from recfactory.models.ranker import Ranker
from recfactory.quantise.matrix import Arithmetic, ends_of_inputs
from recfactory.quantise.precision import Precision, Slot
from recfactory.space.operators import operator
from recfactory.space.wiring import Role


def quantised(ranker: Ranker, precision: Precision, calibration: Mapping[str, Any], chip: int = 0) -> Ranker:
    """A copy of a model that multiplies as a precision says.

    Its weights are the model's float ones, rounded whenever it runs, so that it can be trained on: gradients
    pass through the rounding. It is saved, loaded and exported like any other; on a crossbar that loses
    something the simulation is part of it, so export one without.

    Args:
        ranker: of a path.
        precision: of its operators.
        calibration: `{"numbers", "ids"}` of some training rows: what the model makes of them in float32
            decides what inputs of matrices are rounded to.
        chip: number of the chip: another one has other noise.

    Raises:
        UserError: for a model that is not a path's.
    """
    parts = dict(_parts(ranker))
    if not parts:
        raise UserError(f"the model '{ranker.name}' is not that of a path: only paths have bits per operator")
    config = ranker.get_config()
    for layer in config["tower"]["config"]["layers"]:
        slot = parts.get(layer["config"]["name"], (0, "head"))
        bits = precision.bits.get(slot)
        if bits is not None:
            arithmetic = Arithmetic.of(bits, precision.crossbar_of(slot)).to_dict()
            layer["config"] |= {"arithmetic": arithmetic, "chip": chip}
    copy = Ranker.from_config({**config, "embedding_bits": precision.embedding})
    copy.embedding.table.assign(ranker.embedding.table)
    inputs = [tf.convert_to_tensor(calibration["numbers"]), ranker.embedding(calibration["ids"])]
    read = [ranker.tower.get_layer(name).input for name in parts]
    for name, given in zip(parts, keras.Model(ranker.tower.inputs, read)(inputs), strict=True):
        _fill(copy.tower.get_layer(name), ranker.tower.get_layer(name), given)
    return copy


def _parts(ranker: Ranker) -> Iterator[tuple[str, Slot]]:
    """The layers of a path that have bits, by name."""
    for layer in getattr(ranker.tower, "layers", ()):
        if isinstance(layer, OperatorLayer):
            role = layer.kind if layer.kind in LAYERS else operator(layer.kind).stream
            yield layer.name, (int(layer.name.split("_")[1]), cast(Role, role))


def _fill(layer: OperatorLayer, original: OperatorLayer, inputs: Any) -> None:
    """Gives a layer the weights of the original, and the ends of what its matrices multiply.

    A model that has such ends already, of as many bits, keeps them: it may have been trained with them.
    """
    for variable, value in zip(_weights(layer), _weights(original), strict=True):
        variable.assign(value)
    if layer.arithmetic is None:
        return
    bits = layer.arithmetic.bits.activation
    if original.arithmetic is not None and original.arithmetic.bits.activation == bits:
        found = {name: ends.numpy() for name, ends in original.ends.items()}
    else:
        weights = {name: tuple(map(tf.convert_to_tensor, each)) for name, each in original.named.items()}
        given = inputs if isinstance(inputs, list | tuple) else [inputs]
        # Batches are normalised with vectors that are not the operator's own, after the last product.
        compute = original.product if isinstance(original, NormalisedOperator) else original.compute
        _, found = ends_of_inputs(lambda w: compute(w, *given), weights, bits)
    for name, ends in layer.ends.items():
        ends.assign(found[name])


def _weights(layer: OperatorLayer) -> list[keras.Variable]:
    """All but the ends."""
    ends = {id(variable) for variable in layer.ends.values()}
    return [variable for variable in layer.weights if id(variable) not in ends]
