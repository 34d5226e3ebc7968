"""Machines as the entries of YAML files."""

import re
from collections.abc import Hashable
from dataclasses import MISSING, asdict, fields
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from hw.config import Machine, PIMConfig, Roofline
from hw.errors import HardwareError

PRESETS = ("isaac", "handcrafted", "recnmp", "cpu")
_KINDS: dict[str, type[PIMConfig] | type[Roofline]] = {kind.machine: kind for kind in (PIMConfig, Roofline)}


def load(name_or_file: str | Path) -> Machine:
    """A machine by the name of a preset, or from a YAML file.

    Args:
        name_or_file: one of `PRESETS`, or a path.

    Raises:
        HardwareError: for a file that is not there or not right.
    """
    if name_or_file in PRESETS:
        text = (resources.files("hw") / "presets" / f"{name_or_file}.yaml").read_text(encoding="utf-8")
        return from_yaml(text, f"preset {name_or_file}")
    path = Path(name_or_file)
    try:
        return from_yaml(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise HardwareError(
            f"there is neither a preset nor a file '{name_or_file}': presets are {', '.join(PRESETS)}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise HardwareError(f"{path} cannot be read as a YAML file: {error}") from None


def from_yaml(text: str, place: str = "hardware") -> Machine:
    """The machine that a YAML text describes.

    Args:
        text: YAML; see `from_dict` for its entries.
        place: what to call it in errors.

    Raises:
        HardwareError: for entries that are unknown, missing, wrong or there twice.
    """
    try:
        entries = yaml.load(text, Loader=_Loader)
    except RecursionError:
        raise HardwareError(f"{place} is nested too deeply: write settings such as NAME: VALUE") from None
    # ValueError: a date that is none; the others: a tag that does not fit
    except (yaml.YAMLError, ValueError, LookupError, AttributeError) as error:
        raise HardwareError(f"{place} is not YAML: {' '.join(str(error).split())}") from None
    return from_dict(entries, place)


def from_dict(entries: Any, place: str = "hardware") -> Machine:
    """The machine of entries: `machine` (pim or roofline), and all of its settings.

    Args:
        entries: by name.
        place: what to call them in errors.

    Raises:
        HardwareError: for entries that are unknown, missing or wrong.
    """
    if not isinstance(entries, dict):
        raise HardwareError(f"{place}: write settings such as NAME: VALUE")
    kind = _KINDS.get(str(entries.get("machine")))
    if kind is None:
        raise HardwareError(f"{place}: write machine: {' or machine: '.join(_KINDS)}")
    settings = {name: value for name, value in entries.items() if name != "machine"}
    names = [field.name for field in fields(kind)]
    unknown = [str(name) for name in settings if name not in names]
    if unknown:
        raise HardwareError(f"{place}: there is no entry '{unknown[0]}'; there are {', '.join(names)}")
    missing = [each.name for each in fields(kind) if each.name not in settings and each.default is MISSING]
    if missing:
        raise HardwareError(f"{place}: the entry '{missing[0]}' is missing")
    try:
        return kind(**settings)
    except HardwareError as error:
        raise HardwareError(f"{place}: {error}") from None


def to_yaml(machine: Machine) -> str:
    """The opposite of `from_yaml`."""
    return yaml.safe_dump({"machine": machine.machine, **asdict(machine)}, sort_keys=False)


class _Loader(yaml.SafeLoader):
    """A key given twice is an error, and numbers are those of YAML 1.2: 0100 is not 64, nor 2:48 168."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (as PyYAML has it)
        first: [(tag, pattern) for tag, pattern in each if not tag.endswith((":int", ":float"))]
        for first, each in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_document(self, node: yaml.Node) -> Any:
        return self.construct_object(node, deep=True)  # refuses what contains itself

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                said = f"the key '{key.value}' stands twice"
                raise yaml.constructor.ConstructorError(None, None, said, key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


_EXPONENT = r"(?:[eE][-+]?[0-9]+)"
for _tag, _pattern, _first in (
    ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    (
        "float",
        rf"-?(?:[0-9]+\.[0-9]*|\.[0-9]+){_EXPONENT}?|-?[0-9]+{_EXPONENT}|[-+]?\.inf|\.nan",
        "-+.0123456789",
    ),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))
