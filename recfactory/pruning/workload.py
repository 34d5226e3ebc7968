"""What is left of a path, as it asks a machine for it, and the file that says what is left."""

from collections.abc import Iterator, Sequence
from pathlib import Path as File

from hw.operation import ABSENT, ELEMENTWISE, Operation, elementwise, lookup
from hw.workload import Workload
from recfactory.codesign.steps import Step, steps
from recfactory.codesign.workload import LOOKUPS, MEAN, without_absent
from recfactory.errors import UserError
from recfactory.features.layout import Layout
from recfactory.files import read_json, write_json
from recfactory.pruning.anatomy import operations, remaining
from recfactory.pruning.cut import RAW, Cut, from_json, inputs, to_json
from recfactory.space.operators import operator
from recfactory.space.path import Path
from recfactory.space.wiring import Part, live_parts

CUT = "cut.json"
"""In the folder of a pruned model: the whole path, and what is left of it."""


def write_cut(folder: File, path: Path, cut: Cut) -> None:
    """Writes what is left of a path into the folder of its smaller model."""
    write_json(folder / CUT, {"path": path.to_dict(), "cut": to_json(cut)})


def read_cut(folder: File) -> tuple[Path, Cut]:
    """What `write_cut` wrote.

    Raises:
        UserError: for a file that holds something else.
    """
    try:
        values = read_json(folder / CUT)
        path = Path.from_dict(values["path"])
        return path, from_json(path, values["cut"])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"'{folder / CUT}' does not say what is left of a path ({error!r})") from error


def cut_workload(path: Path, cut: Cut, layout: Layout) -> Workload:
    """The workload of what is left; operations are named as `path_workload` names them.

    Args:
        path: the architecture, whole.
        cut: what is left of it.
        layout: of the features.
    """
    width = path.space.embedding_dim
    made = [lookup(LOOKUPS, layout.slots, width, layout.table_rows * width)]
    if layout.slots > len(layout.fields):
        made.append(elementwise(MEAN, layout.slots * width, after=(LOOKUPS,)))
    last = {RAW["sparse"]: made[-1].name}
    if path.space.raw_dense != "numbers":
        last[RAW["dense"]] = made[-1].name
    for part in remaining(path, cut):
        tokens = int(cut[part].reads[0].sum()) if part.role == "fm" else 0
        todo = steps(part, operations(path, cut, part), tokens, width)
        names = {step.name: f"{part.name}.{step.name}" for step in todo}
        for step in todo:
            after = [name for what in step.after for name in _ends(path, cut, part, what, names, last)]
            made.append(_operation(step, names[step.name], tuple(dict.fromkeys(after))))
        last[part] = made[-1].name
    return without_absent(Workload.of(made))


def _ends(
    path: Path, cut: Cut, part: Part, what: str, own: dict[str, str], last: dict[Part, str]
) -> Iterator[str]:
    """The operations that must have ended before a part has what it waits for."""
    if what in own:
        yield own[what]
        return
    for maker in _makers(path, part, what):
        merger, behind = Part(maker.number, "fm", "fm"), part.role == "head" or maker.number < part.number
        final = merger if behind and maker.role == "dense" and merger in last else maker
        if final in last:
            yield last[final]


def _makers(path: Path, part: Part, what: str) -> Sequence[Part]:
    """Whose channels a part reads under a name."""
    if part.role in ("dense", "sparse"):
        return inputs(path, part)[operator(part.kind).reads.index(what)]
    if part.role == "head":
        return inputs(path, part)[("dense", "sparse").index(what)]
    # A merger: what its block's operators made.
    return [other for other in live_parts(path) if other.number == part.number and other.role == what]


def _operation(step: Step, name: str, after: tuple[str, ...]) -> Operation:
    rows, columns, uses, elements = (int(x) for x in (step.rows, step.columns, step.uses, step.elements))
    some = elements if step.kind == ELEMENTWISE else rows * columns * uses
    return Operation(name, step.kind if some else ABSENT, rows, columns, uses, elements, after=after)
