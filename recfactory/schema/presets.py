"""Schemas of well-known data sets, as their publishers ship the files."""

from importlib import resources

from recfactory.errors import UsageError, UserError, did_you_mean
from recfactory.schema.columns import Schema
from recfactory.schema.yaml_file import parse_schema

PRESETS = ("criteo", "avazu", "kdd12", "movielens", "frappe")


def preset(name: str, header: list[str] | None = None) -> Schema:
    """The schema of a well-known data set.

    Args:
        name: one of `PRESETS`.
        header: the names in the first line of the data, or of the Parquet columns; picks the form of a
            data set that exists in several. None means the publisher's own form.

    Returns:
        The schema.

    Raises:
        UsageError: for a name that is no preset.
        UserError: when the header fits no form of the data set.
    """
    if name not in PRESETS:
        raise UsageError(
            f"there is no schema preset '{name}'{did_you_mean(name, PRESETS)}; "
            f"there are {', '.join(PRESETS)} and auto"
        )
    forms = _forms(name)
    if header is None:
        return forms[0]
    for form in forms:
        if form.format.header and set(form.columns) <= set(header):
            return form
    for form in forms:
        # Without a header the first line is a row: only its length can be compared.
        if not form.format.header and len(form.format.columns) == len(header):
            return form
    lacking = [[column for column in _expected(form) if column not in header] for form in forms]
    nearest = min(lacking, key=len)
    raise UserError(
        f"the data do not look like {name}: "
        + (f"column '{nearest[0]}' is not in the first line" if nearest else "the first line does not fit")
        + "; write a schema file or use --schema auto"
    )


def _expected(form: Schema) -> tuple[str, ...]:
    return form.columns if form.format.header else form.format.columns


def _forms(name: str) -> list[Schema]:
    """The publisher's form first, then the others: the files NAME.yaml and NAME_*.yaml."""
    folder = resources.files("recfactory.schema") / "presets"
    names = sorted(entry.name for entry in folder.iterdir())
    chosen = [f"{name}.yaml", *(other for other in names if other.startswith(f"{name}_"))]
    return [parse_schema((folder / file).read_text(encoding="utf-8"), file) for file in chosen]
