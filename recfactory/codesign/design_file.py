"""Files that hold a candidate of a co-design: a path file that also names bits and the machine.

`recfactory train` reads them as any path file (`recfactory/space/path_file.py`).
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path as File
from typing import Any

from recfactory.codesign.designs import Design
from recfactory.codesign.hardware import MOST_BITS, machine_from_dict, machine_to_dict
from recfactory.errors import UserError
from recfactory.files import read_json
from recfactory.quantise.precision import Bits, Crossbar, Precision, slots
from recfactory.settings import read_settings, require, write_settings
from recfactory.space.path_file import read_path, write_path
from recfactory.space.space import Space


def write_design(file: File | str, design: Design, **about: Mapping[str, Any]) -> None:
    """Writes a candidate, whole or not at all.

    Args:
        file: becomes JSON: what `write_path` writes, `precision` and `machine`.
        design: the candidate.
        **about: as of `write_path`.
    """
    write_path(
        file,
        design.path,
        precision=precision_to_dict(design.precision),
        machine=machine_to_dict(design.machine),
        **about,
    )


def read_design(file: File | str) -> Design | None:
    """The candidate of a file that `write_design` wrote; None for a file with a path alone.

    Raises:
        UserError: when there is no such file, or what it holds is none.
    """
    path = read_path(file)
    values = read_json(file)
    if "precision" not in values and "machine" not in values:
        return None
    try:
        precision = precision_from_dict(values.get("precision"), path.space)
        return Design(path, precision, machine_from_dict(values.get("machine"), "machine"))
    except UserError as error:
        raise UserError(f"'{file}': {error}") from error


def precision_to_dict(precision: Precision) -> dict[str, Any]:
    """A precision as JSON values; slots are written as `block_2_dense`."""
    return {
        "bits": {_name(slot): write_settings(bits) for slot, bits in precision.bits.items()},
        "embedding": precision.embedding,
        "crossbar": None if precision.crossbar is None else write_settings(precision.crossbar),
        "digital": sorted(map(_name, precision.digital)),
    }


def precision_from_dict(values: Any, space: Space) -> Precision:
    """The opposite of `precision_to_dict`.

    Args:
        values: JSON values.
        space: whose slots there are.

    Raises:
        UserError: for entries that are unknown, missing, of another type or out of their range.
    """
    names = ("bits", "embedding", "crossbar", "digital")
    if not isinstance(values, dict) or set(values) != set(names):
        raise UserError(f"precision: expected a mapping of {', '.join(names)}, not {values!r:.60}")
    by_name = {_name(slot): slot for slot in slots(space)}
    if not isinstance(values["bits"], dict):
        raise UserError(f"precision: bits: expected a mapping of operators, not {values['bits']!r:.60}")
    for name in values["bits"]:
        if name not in by_name:
            raise UserError(f"precision: there is no operator '{name}' in a space of {space.blocks} blocks")
    bits = {by_name[name]: _read(Bits, each, f"precision: {name}") for name, each in values["bits"].items()}
    embedding, crossbar, digital = values["embedding"], values["crossbar"], values["digital"]
    known = isinstance(digital, list) and all(
        isinstance(name, str) and name in values["bits"] for name in digital
    )
    require(known, "precision: digital", repr(digital), "a list of operators that have bits")
    whole = isinstance(embedding, int) and not isinstance(embedding, bool)
    require(whole, "precision: embedding", repr(embedding), "a whole number")
    given = [("embedding", "embedding_bits", embedding)]
    for slot, each in bits.items():
        given += [(f"{_name(slot)}: {kind}", f"{kind}_bits", value) for kind, value in asdict(each).items()]
    for name, kind, value in given:
        require(1 <= value <= MOST_BITS[kind], f"precision: {name}", value, f"from 1 to {MOST_BITS[kind]}")
    return Precision(
        bits,
        embedding,
        None if crossbar is None else _read(Crossbar, crossbar, "precision: crossbar"),
        frozenset(by_name[name] for name in digital),
    )


def _read(kind: Any, values: Any, place: str) -> Any:
    try:
        return read_settings(kind, values, place)
    except TypeError:
        raise UserError(f"{place}: an entry is missing in {values!r:.80}") from None


def _name(slot: tuple[int, str]) -> str:
    number, role = slot
    return f"block_{number}_{role}"
