"""Where each categorical column lives in the matrix of ids and in the one fused embedding table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """One categorical column.

    Args:
        name: the column's name.
        start: its first slot in the matrix of ids.
        slots: its number of slots: 1, or the most values a multi-valued row keeps.
        offset: its first row in the fused table; that row stands for a missing value and fills unused slots.
        size: its number of rows in the fused table.
    """

    name: str
    start: int
    slots: int
    offset: int
    size: int


@dataclass(frozen=True)
class Layout:
    """The shape of encoded features.

    Args:
        dense: names of the dense columns, in the order of the dense matrix `(rows, len(dense))`.
        fields: the categorical columns, in the order of the ids matrix `(rows, slots)`.
    """

    dense: tuple[str, ...]
    fields: tuple[Field, ...]

    @property
    def slots(self) -> int:
        """Columns of the matrix of ids."""
        return sum(field.slots for field in self.fields)

    @property
    def table_rows(self) -> int:
        """Rows of the fused embedding table."""
        return sum(field.size for field in self.fields)


def make_layout(dense: tuple[str, ...], sizes: list[tuple[str, int, int]]) -> Layout:
    """Lays fields out one after another.

    Args:
        dense: names of the dense columns.
        sizes: (name, slots, table rows) of each categorical column.
    """
    fields: list[Field] = []
    start = offset = 0
    for name, slots, size in sizes:
        fields.append(Field(name, start, slots, offset, size))
        start, offset = start + slots, offset + size
    return Layout(dense, tuple(fields))
