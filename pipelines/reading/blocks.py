"""Reads a piece of the input as blocks of raw rows in Arrow; rows with too few or many columns apart."""

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from pipelines.reading.plan import PIECE_BYTES, PIECE_ROWS, Piece
from recfactory.errors import UserError
from recfactory.schema.columns import FileFormat


@dataclass(frozen=True)
class Rejected:
    """A row that cannot be used.

    Args:
        line: its line in the file (row for Parquet), from 1.
        reason: why, naming the column.
        text: the row as it stands, shortened.
    """

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class Block:
    """Raw rows.

    Args:
        name: unique and in input order.
        table: the wanted columns as they were read: strings from text, any type from Parquet.
        lines: `(rows,)` line number of each row.
        rejected: rows with a wrong number of columns.
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
        return list(pq.read_schema(path).names)
    if not text_format.header:
        return list(text_format.columns)
    try:
        with gzip.open(path) if kind == "gzip" else path.open("rb") as stream:
            first = stream.readline(1 << 20)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(_broken_gzip(str(path))) from error
    if not first.strip():
        raise UserError(f"file '{path}' has an empty first line where the column names should be")
    try:
        row = pacsv.read_csv(
            io.BytesIO(first.removeprefix(b"\xef\xbb\xbf")),
            read_options=pacsv.ReadOptions(autogenerate_column_names=True),
            parse_options=_parse_options(text_format),
            convert_options=pacsv.ConvertOptions(strings_can_be_null=False),
        )
        return [str(row[i][0].as_py()) for i in range(row.num_columns)]
    except pa.ArrowInvalid as error:
        raise UserError(f"file '{path}': the line of column names cannot be read: {error}") from error


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
            yield _parse(data, names, wanted, text_format, piece.name, piece.first_line)
        else:
            line = piece.first_line
            for number, data in enumerate(_gzip_parts(piece.path, text_format.header)):
                yield _parse(data, names, wanted, text_format, f"{piece.name}-{number:06d}", line)
                line += data.count(b"\n")


def _gzip_parts(path: str, header: bool) -> Iterator[bytes]:
    try:
        with gzip.open(path) as stream:
            if header:
                stream.readline()
            while part := stream.read(PIECE_BYTES):
                yield part if part.endswith(b"\n") else part + stream.readline()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(_broken_gzip(path)) from error


def _broken_gzip(path: str) -> str:
    return f"file '{path}' is a truncated or damaged .gz; fetch it again (`gzip -t` checks it)"


def _parse_options(text_format: FileFormat) -> pacsv.ParseOptions:
    # Click logs separated by tabs carry quotes as plain characters; spreadsheets' formats quote.
    quote = False if text_format.delimiter == "\t" else '"'
    return pacsv.ParseOptions(delimiter=text_format.delimiter, quote_char=quote, ignore_empty_lines=True)


def _parse(
    data: bytes,
    names: list[str],
    wanted: tuple[str, ...],
    text_format: FileFormat,
    name: str,
    first_line: int,
) -> Block:
    rejected: list[Rejected] = []
    options = _parse_options(text_format)

    def refuse(row: pacsv.InvalidRow) -> str:
        reason = f"{row.actual_columns} columns where {row.expected_columns} were expected"
        rejected.append(Rejected(row.number or 0, reason, row.text[:500]))
        return "skip"

    options.invalid_row_handler = refuse
    present = [column for column in wanted if column in names]
    if not data.strip():
        empty = pa.table({column: pa.array([], pa.binary()) for column in present})
        return Block(name, empty, np.empty(0, np.int64), [])
    table = pacsv.read_csv(
        io.BytesIO(data),
        # Numbers of refused rows are only known where one thread reads one block.
        read_options=pacsv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1),
        parse_options=options,
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(present, pa.binary()),
            include_columns=present,
            null_values=[""],
            strings_can_be_null=True,
            check_utf8=False,
        ),
    )
    lines, rejected = _number_lines(data, table.num_rows, first_line, rejected)
    return Block(name, table, lines, rejected)


def _number_lines(
    data: bytes, rows: int, first_line: int, rejected: list[Rejected]
) -> tuple[npt.NDArray[np.int64], list[Rejected]]:
    """Gives every row its line; empty lines are skipped by the reader but counted here."""
    if not rejected and data.count(b"\n") + (not data.endswith(b"\n")) == rows:
        return np.arange(first_line, first_line + rows, dtype=np.int64), []
    filled = [i for i, line in enumerate(data.split(b"\n")) if line not in (b"", b"\r")]
    refused = {row.line - 1 for row in rejected}
    numbered = [Rejected(first_line + filled[row.line - 1], row.reason, row.text) for row in rejected]
    kept = [first_line + place for i, place in enumerate(filled) if i not in refused]
    return np.asarray(kept, dtype=np.int64), numbered


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
    from recfactory.data.synthetic import parse

    batch = parse(piece.path).batch(piece.start, piece.stop - piece.start)
    table = pa.Table.from_batches([batch]).select([name for name in wanted if name in batch.schema.names])
    return Block(piece.name, table, np.arange(piece.start + 1, piece.stop + 1, dtype=np.int64), [])
