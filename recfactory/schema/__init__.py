"""The schema: what each column of a click log is for."""

from recfactory.schema.columns import Categorical, Dense, FileFormat, Label, Schema, Split
from recfactory.schema.presets import PRESETS, preset
from recfactory.schema.yaml_file import (
    format_schema,
    parse_schema,
    read_schema,
    schema_from_dict,
    schema_to_dict,
    write_schema,
)

__all__ = [
    "PRESETS",
    "Categorical",
    "Dense",
    "FileFormat",
    "Label",
    "Schema",
    "Split",
    "format_schema",
    "parse_schema",
    "preset",
    "read_schema",
    "schema_from_dict",
    "schema_to_dict",
    "write_schema",
]
