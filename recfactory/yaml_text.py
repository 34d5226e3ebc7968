"""YAML without its surprises, for everything that users write."""

import re
from collections.abc import Hashable
from typing import Any

import yaml

from recfactory.errors import UserError


def parse_yaml(content: str, where: str) -> Any:
    """Reads YAML in which few words are anything but text: null, true and false, and decimal numbers.

    So `no`, `012`, `1:30` and dates are text, and `1e-3` is a number, as in YAML 1.2.

    Args:
        content: YAML.
        where: the name of the text in errors, such as that of its file.

    Raises:
        UserError: naming `where`, with what is wrong and in which line.
    """
    try:
        return yaml.load(content, Loader=_Loader)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    except RecursionError:
        raise UserError(f"{where}: nested too deeply; write it with fewer levels") from None
    # All but the first of tags that do not fit
    except (yaml.YAMLError, ValueError, LookupError, AttributeError) as error:
        raise UserError(f"{where}: {_problem(error)}") from None


def format_yaml(values: Any, **options: Any) -> str:
    """Writes what `parse_yaml` reads as the same values, in their order.

    Args:
        values: of plain types.
        options: as of `yaml.dump`.
    """
    return str(yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, **options))


def _problem(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    return f"not valid YAML{place}: {problem}; put text with special characters in quotes"


class _Loader(yaml.SafeLoader):
    """A key given twice is an error, and few words are anything but text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (filled below, as PyYAML wants it)

    def construct_document(self, node: yaml.Node) -> Any:
        return self.construct_object(node, deep=True)  # refuses what contains itself

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise UserError(f"the key '{key.value}' stands twice (line {key.start_mark.line + 1})")
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_FLOAT = re.compile(
    r"^(?:-?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)
for _tag, _pattern, _first in (
    ("null", re.compile(r"^(?:null|Null|NULL|~|)$"), ["n", "N", "~", ""]),
    ("bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    ("int", re.compile(r"^(?:0|-?[1-9][0-9]*)$"), list("-0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, _first)


class _Dumper(yaml.SafeDumper):
    """Writes no references: a value used twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    # PyYAML loses unusual line breaks except between double quotes, and takes 1e3 for text.
    quoted = re.search("[\\x85\\u2028\\u2029]", value) or _FLOAT.match(value)
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"' if quoted else None)


_Dumper.add_representer(str, _represent_text)
