"""Proposes a schema from a sample of the data, and says why."""

import pyarrow as pa

from recfactory.errors import UserError
from recfactory.schema.columns import RESERVED, Categorical, Dense, FileFormat, Schema
from recfactory.schema.infer_columns import guess
from recfactory.schema.infer_roles import find_label, find_split, find_timestamp, find_weight
from recfactory.schema.profile import Profile, profile

SLICES = 3
SLICE_VALUES = 30


def infer_schema(
    table: pa.Table,
    name: str,
    *,
    format: FileFormat,
    label: str | None = None,
    files: list[str] | None = None,
) -> tuple[Schema, list[str]]:
    """Proposes a schema.

    Args:
        table: a sample of the rows (some 10,000 to 100,000), its columns text or bytes as in the file, or
            of Parquet's types.
        name: of the data set.
        format: of the files, put into the schema as it is.
        label: the label's column, where the user named it.
        files: the names of the files, which may say the split.

    Returns:
        The schema, and for each column the reason of its place: `user_id: categorical, ...`.

    Raises:
        UserError: when no label is found, the label is constant, or no feature is left.
    """
    if table.num_rows == 0:
        raise UserError(f"{name}: the data hold no rows")
    columns = {column: profile(column, table.column(column)) for column in table.column_names}
    reasons: dict[str, str] = {}
    rest = dict(columns)
    found, why = find_label(columns, label)
    reasons[found.column] = why
    rest.pop(found.column)
    timestamp = None
    if (time := find_timestamp(rest)) is not None:
        timestamp, reasons[time[0]] = time
        rest.pop(timestamp)
    weight = None
    if (heavy := find_weight(rest)) is not None:
        weight, reasons[heavy[0]] = heavy
        rest.pop(weight)
    split, why = find_split(rest, timestamp, files or [])
    if split.column is not None:
        reasons[split.column] = f"the split, {why}"
        rest.pop(split.column)
    features = []
    for column in rest.values():
        feature, reasons[column.name] = _unusable(column.name) or guess(column)
        if feature is not None:
            features.append(feature)
    dense = tuple(feature for feature in features if isinstance(feature, Dense))
    categorical = tuple(feature for feature in features if isinstance(feature, Categorical))
    if not features:
        raise UserError(f"{name}: no column is left to learn from; " + "; ".join(_lines(columns, reasons)))
    slices = _slices(categorical, columns)
    lines = _lines(columns, reasons)
    if split.column is None:
        lines.append(f"split: {why}")
    if slices:
        lines.append(f"slices: {', '.join(slices)}, which have few values")
    return Schema(name, found, dense, categorical, format, split, weight, timestamp, slices=slices), lines


def _unusable(name: str) -> tuple[None, str] | None:
    """Why a column of this name is no feature, or None."""
    if not name:
        return None, "left out, it has no name"
    if name in RESERVED:
        return None, "left out, a feature may not have this name; rename the column to use it"
    return None


def _lines(columns: dict[str, Profile], reasons: dict[str, str]) -> list[str]:
    return [f"{column or repr(column)}: {reasons[column]}" for column in columns if column in reasons]


def _slices(categorical: tuple[Categorical, ...], columns: dict[str, Profile]) -> tuple[str, ...]:
    """The columns with the fewest values: parts large enough to be measured."""
    small = [
        column.name
        for column in categorical
        if not column.multivalued and columns[column.name].distinct <= SLICE_VALUES
    ]
    chosen = sorted(small, key=lambda column: columns[column].distinct)[:SLICES]
    return tuple(column for column in small if column in chosen)
