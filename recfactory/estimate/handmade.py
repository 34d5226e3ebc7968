"""What hand-made models ask of a machine. Importing this does not import TensorFlow."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from hw.operation import Operation, elementwise, lookup, matrix, pairs
from hw.workload import Workload
from recfactory.codesign.workload import LOOKUPS, MEAN
from recfactory.errors import UsageError
from recfactory.features.layout import Layout
from recfactory.training.recipe import Recipe

Operations = list[Operation]
After = tuple[str, ...]
_BIAS_AND_RELU = 2


def handmade_workload(model: str, layout: Layout, recipe: Recipe | None = None) -> Workload:
    """The workload of a hand-made model; see `recfactory/models` for what the models are.

    In serving, batch normalisation is part of the matrix before it. Additions, activations and the like are
    counted as one multiply-add per result.

    Args:
        model: one of `MODELS`.
        layout: of the features.
        recipe: its sizes are looked at; default: those that models are trained with.

    Raises:
        UsageError: for a model that is not there.
    """
    if model not in MODELS:
        raise UsageError(
            f"there is no estimate of the model '{model}'; there are {', '.join(MODELS)}, and files of "
            "searched paths such as best.json"
        )
    made, width = MODELS[model](layout, recipe or Recipe())
    looked_up: Operations = [lookup(LOOKUPS, layout.slots, width, layout.table_rows * width)]
    if layout.slots > len(layout.fields):
        looked_up.append(elementwise(MEAN, layout.slots * width, after=(LOOKUPS,)))
    return Workload.of([*looked_up, *made])


def _mlp(layout: Layout, recipe: Recipe) -> tuple[Operations, int]:
    fields, width = _fields(layout), recipe.embedding_dim
    features = len(layout.dense) + len(layout.fields) * width
    hidden, out, last = _layers("hidden", features, recipe.hidden, (fields,))
    return [*hidden, *_logit(out, last)], width


def _dcnv2(layout: Layout, recipe: Recipe) -> tuple[Operations, int]:
    fields, width = _fields(layout), recipe.embedding_dim
    features = len(layout.dense) + len(layout.fields) * width
    crossed: Operations = []
    before = fields
    for number in range(1, recipe.crosses + 1):
        name = f"cross_{number}"
        crossed.append(matrix(f"{name}.kernel", features, features, after=(before,)))
        # x0 (W x + b) + x (Wang et al. 2021, equation 1).
        crossed.append(elementwise(f"{name}.elements", 3 * features, after=(f"{name}.kernel",)))
        before = f"{name}.elements"
    hidden, out, last = _layers("hidden", features, recipe.hidden, (fields,))
    return [*crossed, *hidden, *_logit(features + out, (before, *last))], width


def _deepfm(layout: Layout, recipe: Recipe) -> tuple[Operations, int]:
    fields, width = _fields(layout), recipe.embedding_dim
    vectors = len(layout.dense) + len(layout.fields)
    features = len(layout.dense) + len(layout.fields) * width
    # Scaled rows of the dense columns, first-order weights, sums of the vectors and of their squares.
    work = len(layout.dense) * (width + 1) + vectors + (2 * vectors + 1) * width
    machine = elementwise("fm.core", work, after=(fields,))
    hidden, out, last = _layers("hidden", features, recipe.hidden, (fields,))
    return [machine, *hidden, *_logit(out, (machine.name, *last))], width + 1


def _dlrm(layout: Layout, recipe: Recipe) -> tuple[Operations, int]:
    fields, width = _fields(layout), recipe.embedding_dim
    vectors = len(layout.fields)
    features: After = (fields,)
    made: Operations = []
    if layout.dense:
        made, _, numbers = _layers("bottom", len(layout.dense), [*recipe.bottom, width], ())
        vectors, features = vectors + 1, (fields, *numbers)
    if vectors > 1:
        made.append(pairs("pairs", vectors, width, after=features))
        features = ("pairs",)
    size = vectors * width + vectors * (vectors - 1) // 2
    hidden, out, last = _layers("hidden", size, recipe.hidden, features)
    return [*made, *hidden, *_logit(out, last)], width


MODELS: Mapping[str, Callable[[Layout, Recipe], tuple[Operations, int]]] = MappingProxyType(
    {"dlrm": _dlrm, "deepfm": _deepfm, "dcnv2": _dcnv2, "mlp": _mlp}
)
"""The operations of each model behind the lookup, and the width of its table."""


def _fields(layout: Layout) -> str:
    """The operation after which the embedded fields are there."""
    return MEAN if layout.slots > len(layout.fields) else LOOKUPS


def _layers(name: str, inputs: int, widths: Sequence[int], after: After) -> tuple[Operations, int, After]:
    """Hidden layers with ReLU, how wide they end, and what to wait for then."""
    made: Operations = []
    for number, width in enumerate(widths, 1):
        kernel = matrix(f"{name}_{number}.kernel", inputs, width, after=after)
        elements = elementwise(f"{name}_{number}.elements", _BIAS_AND_RELU * width, after=(kernel.name,))
        made += [kernel, elements]
        inputs, after = width, (elements.name,)
    return made, inputs, after


def _logit(inputs: int, after: After) -> Operations:
    """The last layer and the sigmoid."""
    kernel = matrix("logit.kernel", inputs, 1, after=after)
    return [kernel, elementwise("logit.elements", _BIAS_AND_RELU, after=(kernel.name,))]
