"""`recfactory search`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recfactory.cli.terminal import Result, quietly, say, setting
from recfactory.errors import UsageError, UserError
from recfactory.files import read_json
from recfactory.search.objectives import OF_HARDWARE, SHORT, parse_constraint
from recfactory.space.path_file import read_path

CODESIGN = ("logloss", "energy", "latency")
"""Objectives where hardware is searched."""
MINUTES = 30.0
"""Of a search for which neither minutes nor trials are given."""


def do_search(asked: argparse.Namespace) -> Result:
    """Searches an architecture."""
    if asked.plan and asked.minutes:
        raise UsageError("--plan has all numbers of a search already: leave out --minutes")
    settings = _read_plan(asked.plan) if asked.plan else {}
    for text in asked.set:
        name, value = setting(text)
        *groups, name = name.split(".")
        place = settings
        for group in groups:
            place = place.setdefault(group, {})
            if not isinstance(place, dict):
                raise UsageError(f"--set '{text}': '{group}' was given a value itself; give one of the two")
        place[name] = value
    for name in ("space", "oracle", "seed", "trials", "objectives", "hardware", "minutes"):
        if getattr(asked, name) is not None:
            settings[name] = getattr(asked, name)
    for name, given in (("constraints", asked.constraint), ("start", asked.start)):
        if given:
            settings[name] = given
    if asked.resume and not (Path(asked.out) / "search.json").is_file():
        raise UserError(f"'{asked.out}' holds no search to go on with; leave out --resume to begin one")
    return search(asked.features, asked.out, *planned(settings))


def planned(settings: dict[str, Any]) -> tuple[dict[str, Any], float | None]:
    """The settings of a search, complete, and its minutes; None where trials are its budget.

    Raises:
        UserError: as `with_defaults`, and for minutes that cannot be.
    """
    settings = dict(settings)
    minutes = settings.pop("minutes", None if "trials" in settings else MINUTES)
    if minutes is not None and (not isinstance(minutes, int | float) or not 0 < minutes < float("inf")):
        raise UsageError(f"search: minutes must be a number above 0, not {minutes!r}")
    return with_defaults(settings), minutes


def _read_plan(file: str) -> dict[str, Any]:
    """All numbers of a search that was planned before."""
    try:
        recipe = {name: value for name, value in read_json(file)["recipe"].items() if value is not None}
        for part in (recipe["shot"], recipe.get("second", {}), *recipe["final"]):
            part.pop("seed", None)  # that of the search is for all
        return recipe
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"'{file}' is no plan of a search ({error!r}); name the plan.json of one") from error


def with_defaults(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of a search with the files read that they name, and what fits to them.

    With hardware, energy and latency are objectives too, unless others are given, a budget is, or an oracle
    that takes only one.

    Raises:
        UserError: for a file that is not there or not right.
    """
    hardware = settings.get("hardware")
    start, objectives = (_listed(settings, name) for name in ("start", "objectives"))
    for_several = settings.get("oracle", "pareto") in ("pareto", "random")
    if hardware is not None and for_several and not _has_budget(settings):
        settings = {"objectives": CODESIGN, **settings}
    several = hardware is not None or start or len(objectives) > 1
    settings = {"oracle": "pareto" if several else "fgps", **settings}
    if start:
        settings["start"] = [read_path(one).to_dict() if isinstance(one, str) else one for one in start]
    if isinstance(hardware, str):
        from recfactory.codesign.hardware import read_hardware
        from recfactory.codesign.machines import machines_to_search

        found = read_hardware(hardware)
        machines_to_search(found, hardware)  # what cannot be is told while the file's name is known
        settings["hardware"] = found.to_dict()
    return settings


def _has_budget(settings: dict[str, Any]) -> bool:
    """Whether a constraint is on what a machine takes."""
    texts = [text for text in _listed(settings, "constraints") if isinstance(text, str)]
    bounded = [parse_constraint(text).name for text in texts]
    return any(SHORT.get(name, name) in OF_HARDWARE for name in bounded)


def _listed(settings: dict[str, Any], name: str) -> Sequence[Any]:
    """The entries of a setting; none of what is no list, as is told later."""
    given = settings.get(name)
    return given if isinstance(given, list | tuple) else ()


def search(features: str, out: str, settings: dict[str, Any], minutes: float | None) -> Result:
    """Searches an architecture and says what was found."""
    quietly()
    from recfactory.tuner.job import search

    found = search(features, out, settings, minutes, say)
    say(
        f"  best of {found['trials']:,} trials: valid logloss {found['logloss']:.5f}, "
        f"auc {found['auc']:.5f}, {found['macs']:,.0f} macs, {found['params']:,.0f} params; {found['best']}"
    )
    if "entropy" in found:
        sets = ", ".join(f"{name} {bits:.1f}" for name, bits in found["entropy"].items() if name != "chosen")
        say(f"  entropy of the second shot's paths: {found['entropy']['chosen']:.1f} bits ({sets})")
    if "energy_j" in found:
        energy, latency = found["energy_j"] * 1e9, found["latency_s"] * 1e6
        say(f"  on its machine: {energy:,.1f} nJ and {latency:,.2f} us an example")
    return found
