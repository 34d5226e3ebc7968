"""Whose work a folder holds: told before anything is written over."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recfactory.errors import UserError
from recfactory.files import read_json, remove_partial, write_json

LONG = 40
"""Characters from which a value, such as a digest, tells a reader nothing."""


def claim(out: Path, file: str, ours: Mapping[str, Any], kind: str) -> None:
    """Marks a folder as that of a job, or finds that it is already.

    Args:
        out: the folder.
        file: of the mark, in the folder.
        ours: what the job is made of, JSON values.
        kind: what the job is called, such as `training`.

    Raises:
        UserError: when the folder holds another job of this kind, or other things.
    """
    if (out / file).is_file():
        changed = list(_differences(read_json(out / file), ours))
        if changed:
            raise UserError(
                f"'{out}' holds another {kind} ({'; '.join(changed)}); give another folder or delete it"
            )
        remove_partial(out)
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"'{out}' exists and holds no {kind}; give another folder")
    else:
        write_json(out / file, ours)


def _differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys([*ours, *theirs]):
        was, now = theirs.get(name), ours.get(name)
        if was == now:
            continue
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from _differences(was, now)
        elif max(len(str(was)), len(str(now))) < LONG:
            yield f"{name} {was}, not {now}"
        else:
            yield f"other {name}"
