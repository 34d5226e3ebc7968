"""A path inside the supernet that computes with few bits."""

from dataclasses import replace

import tensorflow as tf

from recfactory.layers.elastic import Rounding, Slice, Slices, layer_class
from recfactory.layers.forward import forward
from recfactory.quantise.matrix import Arithmetic, ends_of_inputs, seed_of
from recfactory.quantise.precision import Precision
from recfactory.space.wiring import Part
from recfactory.supernet.subnet import Subnet, join, mean


def quantised_subnet(
    subnet: Subnet, precision: Precision, numbers: tf.Tensor, tokens: tf.Tensor, chip: int = 0
) -> Subnet:
    """A path whose matrices multiply as a precision says; the shared weights stay as they are.

    What is rounded are the matrices and what they multiply; biases, normalisation and the products of
    activations are left to the digital unit, in float32.

    Args:
        subnet: the path.
        precision: of its operators.
        numbers: of source 0, of some training rows: what the operators make of them in float32 decides what
            their inputs are rounded to.
        tokens: likewise.
        chip: number of the chip: another one has other noise.
    """
    found: dict[Part, Slices] = {}

    def run(part: Part, inputs: list[tf.Tensor]) -> tf.Tensor:
        slices, layer = subnet.slices[part], layer_class(part.kind)
        weights = {name: piece.matrix() for name, piece in slices.items()}
        slot = (part.number, part.role)
        bits = precision.bits.get(slot)
        if bits is None:
            found[part] = slices
            return layer.compute(weights, *inputs)
        arithmetic = Arithmetic.of(bits, precision.crossbar_of(slot))
        made, ends = ends_of_inputs(lambda w: layer.compute(w, *inputs), weights, bits.activation)
        found[part] = {
            name: piece._replace(rounding=Rounding(arithmetic, ends[name], seed_of(chip, part.name, name)))
            if name in ends
            else piece
            for name, piece in slices.items()
        }
        return made

    forward(subnet.path, (numbers, tokens), run, join, mean)
    return replace(subnet, slices=found)


def without_crossbars(subnet: Subnet) -> Subnet:
    """The same with exact products of what is rounded."""

    def exact(piece: Slice) -> Slice:
        if piece.rounding is None:
            return piece
        arithmetic = replace(piece.rounding.arithmetic, crossbar=None)
        return piece._replace(rounding=piece.rounding._replace(arithmetic=arithmetic))

    slices = {
        part: {name: exact(piece) for name, piece in pieces.items()} for part, pieces in subnet.slices.items()
    }
    return replace(subnet, slices=slices)
