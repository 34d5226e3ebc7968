"""Reads a piece of the input as blocks of raw rows in Arrow; lines that are no rows apart."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.reading.plan import PIECE_BYTES, PIECE_ROWS, Piece, not_parquet, rest_of_line
from pipelines.reading.text import BROKEN_GZIP, Rejected, broken_gzip, header_names, parse
from recfactory.errors import UserError
from recfactory.schema.columns import FileFormat


@dataclass(frozen=True)
class Block:
    """Raw rows.

    Args:
        name: unique and in input order.
        table: the wanted columns as they were read: strings from text, any type from Parquet.
        lines: `(rows,)` line number of each row.
        rejected: lines that are no rows.
    """

    name: str
    table: pa.Table
    lines: npt.NDArray[np.int64]
    rejected: list[Rejected]


def column_names(path: Path, kind: str, text_format: FileFormat) -> list[str]:
    """The columns of a file: from its header, its Parquet schema, or the format's list.

    Raises:
        UserError: when the file cannot be read.
    """
    if kind == "parquet":
        try:
            return list(pq.read_schema(path).names)
        except (pa.ArrowInvalid, OSError) as error:
            raise not_parquet(path, error) from error
    return header_names(path, kind, text_format) if text_format.header else list(text_format.columns)


def read_blocks(piece: Piece, text_format: FileFormat, wanted: tuple[str, ...]) -> Iterator[Block]:
    """Reads a piece block by block; memory does not grow with the file.

    Args:
        piece: what to read.
        text_format: of text files.
        wanted: columns to read; those the file lacks are left out.

    Raises:
        UserError: when the file is damaged.
    """
    if piece.kind == "synthetic":
        yield _synthetic_block(piece, wanted)
    elif piece.kind == "parquet":
        yield from _parquet_blocks(piece, wanted)
    else:
        names = column_names(Path(piece.path), piece.kind, text_format)
        if piece.kind == "text":
            with Path(piece.path).open("rb") as stream:
                stream.seek(piece.start)
                data = stream.read(piece.stop - piece.start)
            yield Block(piece.name, *parse(data, names, wanted, text_format, piece.first_line))
        else:
            for number, (data, line) in enumerate(_gzip_parts(piece, text_format.header)):
                name = f"{piece.name}-{number:06d}"
                yield Block(name, *parse(data, names, wanted, text_format, line))


def _gzip_parts(piece: Piece, header: bool) -> Iterator[tuple[bytes, int]]:
    """Whole lines, and the number of the first."""
    line = piece.first_line
    try:
        with gzip.open(piece.path) as stream:
            if header:
                stream.readline()
            while part := stream.read(PIECE_BYTES):
                first = line
                line += part.count(b"\n")
                if not part.endswith(b"\n"):
                    part += rest_of_line(stream, piece.path, line)
                    line += 1
                yield part, first
    except BROKEN_GZIP as error:
        raise broken_gzip(piece.path) from error


def _parquet_blocks(piece: Piece, wanted: tuple[str, ...]) -> Iterator[Block]:
    row = piece.first_line
    try:
        file = pq.ParquetFile(piece.path)
        present = [name for name in wanted if name in file.schema_arrow.names]
        batches = file.iter_batches(PIECE_ROWS, row_groups=range(piece.start, piece.stop), columns=present)
        for number, batch in enumerate(batches):
            table = pa.Table.from_batches([batch])
            lines = np.arange(row, row + len(batch), dtype=np.int64)
            yield Block(f"{piece.name}-{number:06d}", table, lines, [])
            row += len(batch)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"file '{piece.path}' is damaged: {str(error).splitlines()[0]}") from error


def _synthetic_block(piece: Piece, wanted: tuple[str, ...]) -> Block:
    from recfactory.data.synthetic import parse as parse_synthetic

    batch = parse_synthetic(piece.path).batch(piece.start, piece.stop - piece.start)
    table = pa.Table.from_batches([batch]).select([name for name in wanted if name in batch.schema.names])
    return Block(piece.name, table, np.arange(piece.start + 1, piece.stop + 1, dtype=np.int64), [])
