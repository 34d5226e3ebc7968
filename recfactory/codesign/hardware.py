"""What of the machine is searched together with the architecture: a file such as examples/codesign.yaml."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path as File
from typing import Any

import hw
from hw.config import Machine, PIMConfig
from recfactory.errors import UsageError, UserError, did_you_mean
from recfactory.settings import require
from recfactory.yaml_text import parse_yaml

FEWEST_BITS = 2
MOST_BITS = {"weight_bits": 24, "activation_bits": 16, "embedding_bits": 32}
"""On crossbars, that rounding can be simulated with in float32."""
IN_FLOAT = 32
"""Bits of a processor on which a candidate computes as it is scored, not rounded."""
_OF_OPERATORS = ("weight_bits", "activation_bits")
CHOICES = tuple(entry.name for entry in fields(PIMConfig) if entry.name not in (*_OF_OPERATORS, "adc_law"))
"""Settings of a machine that can be searched. Bits belong to operators; no designer chooses the ADC law."""
_ENTRIES = ("base", "choices", *_OF_OPERATORS, "embedding_bits", "noise", "adc_law")


@dataclass(frozen=True)
class Hardware:
    """Machines that may be chosen, and bits.

    Args:
        base: what is not searched.
        choices: the values allowed of each setting that is searched, see `CHOICES`.
        weight_bits: that an operator's matrices may have; none for the base's.
        activation_bits: that their inputs may have; none for the base's.
        embedding_bits: that the embedding table may have; none for the base's weight bits.
        noise: standard deviation of a cell's conductance, as a share of its largest one.

    Raises:
        UsageError: when a value cannot be, or only a chip of crossbars can have it.
    """

    base: Machine
    choices: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    weight_bits: tuple[int, ...] = ()
    activation_bits: tuple[int, ...] = ()
    embedding_bits: tuple[int, ...] = ()
    noise: float = 0.0

    def __post_init__(self) -> None:
        pim = isinstance(self.base, PIMConfig)
        bits = self.base.weight_bits if isinstance(self.base, PIMConfig) else self.base.bits
        for name in (*_OF_OPERATORS, "embedding_bits"):
            given = getattr(self, name)
            if pim and given:
                _check_bits(name, given, MOST_BITS[name])
            object.__setattr__(self, name, given or (getattr(self.base, name, bits),))
        require(0 <= self.noise < 1, "hardware: noise", self.noise, "from 0 to below 1")
        object.__setattr__(self, "noise", float(self.noise))
        if not pim:
            self._check_of_processor(bits)
        for name, values in self.choices.items():
            if name not in CHOICES:
                near = did_you_mean(str(name), CHOICES)
                raise UsageError(f"hardware: choices: '{name}' is none; there are {', '.join(CHOICES)}{near}")
            _distinct(f"choices: {name}", values)
        # One order, whatever the file's: it is that of a candidate's genes.
        choices = {name: self.choices[name] for name in CHOICES if name in self.choices}
        object.__setattr__(self, "choices", choices)

    def check_simulated(self, place: str = "hardware") -> None:
        """Refuses bits that rounding cannot be simulated with; for an estimate alone any will do.

        Args:
            place: what to call it in errors.

        Raises:
            UsageError: for the base's own bits, where those of crossbars are too many, or those of a
                processor too few.
        """
        if not isinstance(self.base, PIMConfig):
            allowed = f"{IN_FLOAT}, which candidates are scored with on a {self.base.machine}"
            require(self.base.bits == IN_FLOAT, f"{place}: bits of the base", self.base.bits, allowed)
            return
        for name, most in MOST_BITS.items():
            default = max(getattr(self, name))
            require(default <= most, f"{place}: {name}", f"the base's {default}", f"at most {most}")

    @property
    def is_searched(self) -> bool:
        """Whether there is more than one machine, or number of bits."""
        bits = (self.weight_bits, self.activation_bits, self.embedding_bits)
        return any(len(values) > 1 for values in (*bits, *self.choices.values()))

    def machine(self, symbols: Sequence[int]) -> Machine:
        """The machine of some choices.

        Args:
            symbols: the place of each choice's value, in the order of `choices`.

        Raises:
            hw.HardwareError: when they do not go together.
        """
        if not isinstance(self.base, PIMConfig):
            return self.base
        values = {name: each[at] for (name, each), at in zip(self.choices.items(), symbols, strict=True)}
        machine = replace(self.base, **values)
        # So that machines with equal ADCs are equal.
        return replace(machine, adc_bits=machine.resolution)

    def to_dict(self) -> dict[str, Any]:
        """As `from_dict` takes it."""
        bits = {name: list(getattr(self, name)) for name in (*_OF_OPERATORS, "embedding_bits")}
        choices = {name: list(values) for name, values in self.choices.items()}
        return {"base": machine_to_dict(self.base), "choices": choices, **bits, "noise": self.noise}

    def _check_of_processor(self, bits: int) -> None:
        """Refuses all but the base, whose own bits may be named."""
        alone = {"choices": {}, **dict.fromkeys((*_OF_OPERATORS, "embedding_bits"), (bits,)), "noise": 0.0}
        given = [name for name, value in alone.items() if getattr(self, name) != value]
        if given:
            raise UsageError(
                f"hardware: the base is a {self.base.machine}, of which nothing can be searched and which "
                f"computes in its {bits} bits alone: leave out {' and '.join(given)}, or take a base of "
                "crossbars, such as handcrafted"
            )

    @classmethod
    def from_dict(cls, values: Any, place: str = "hardware") -> "Hardware":
        """What a file says.

        Args:
            values: `base` and what differs from the defaults, as JSON values.
            place: what to call it in errors.

        Raises:
            UsageError: for entries that are unknown or wrong.
        """
        if not isinstance(values, Mapping) or "base" not in values:
            raise UsageError(
                f"{place}: write base: and the name of a machine, such as base: handcrafted; "
                "or, in a machine's own file, machine: pim or machine: roofline with all of its settings"
            )
        for name in values:
            if name not in _ENTRIES:
                near = did_you_mean(str(name), _ENTRIES)
                raise UsageError(
                    f"{place}: there is no entry '{name}'; there are {', '.join(_ENTRIES)}{near}"
                )
        base = _base(values["base"], place)
        if "adc_law" in values:
            if not isinstance(base, PIMConfig):
                raise UsageError(f"{place}: adc_law is of machines with crossbars, the base is none")
            try:
                base = replace(base, adc_law=values["adc_law"])
            except hw.HardwareError as error:
                raise UsageError(f"{place}: {error}") from None
        choices = values.get("choices") or {}
        require(
            isinstance(choices, Mapping), f"{place}: choices", choices, "settings such as rows: [64, 128]"
        )
        noise = values.get("noise", 0.0)
        is_number = isinstance(noise, int | float) and not isinstance(noise, bool)
        require(is_number, f"{place}: noise", repr(noise), "a number")
        bits = {
            name: _listed(values.get(name, []), f"{place}: {name}")
            for name in (*_OF_OPERATORS, "embedding_bits")
        }
        listed = {name: _listed(each, f"{place}: choices: {name}") for name, each in choices.items()}
        try:
            return cls(base, listed, **bits, noise=noise)
        except UsageError as error:
            raise UsageError(str(error).replace("hardware", place, 1)) from None


def read_hardware(name_or_file: str | File) -> Hardware:
    """Hardware by the name of a preset of `hw`, from the file of a machine, or from one of what is searched.

    Args:
        name_or_file: one of `hw.PRESETS`, or a YAML file; of the first two kinds nothing is searched.

    Raises:
        UserError: for a file that is not there or not right.
    """
    if name_or_file in hw.PRESETS:
        return Hardware(hw.load(name_or_file))
    file = File(name_or_file)
    values = _read(file)
    if isinstance(values, dict) and "machine" in values:
        return Hardware(machine_from_dict(values, str(file)))
    if isinstance(values, dict) and isinstance(values.get("base"), str) and values["base"] not in hw.PRESETS:
        values["base"] = str(file.parent / values["base"])  # as seen from the file
    return Hardware.from_dict(values, str(file))


def machine_to_dict(machine: Machine) -> dict[str, Any]:
    """A machine as JSON values, as its YAML file has them."""
    return {"machine": machine.machine, **asdict(machine)}


def machine_from_dict(values: Any, place: str = "hardware") -> Machine:
    """The opposite of `machine_to_dict`.

    Raises:
        UsageError: for entries that are unknown, missing or wrong.
    """
    try:
        return hw.from_dict(values, place)
    except hw.HardwareError as error:
        raise UsageError(str(error)) from None


def _base(value: Any, place: str) -> Machine:
    if isinstance(value, Mapping):
        return machine_from_dict(dict(value), place)
    if value in hw.PRESETS:
        return hw.load(value)
    try:
        return machine_from_dict(_read(File(str(value))), str(value))
    except UserError as error:
        raise UsageError(f"{place}: base: {error}") from None


def _read(file: File) -> Any:
    try:
        return parse_yaml(file.read_text(encoding="utf-8"), f"'{file}'")
    except FileNotFoundError:
        raise UserError(
            f"there is neither hardware nor a file '{file}'; hardware known by name is "
            f"{', '.join(hw.PRESETS)}{did_you_mean(file.name, hw.PRESETS)}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"'{file}' cannot be read as a YAML file: {error}") from None


def _listed(values: Any, place: str) -> tuple[Any, ...]:
    require(isinstance(values, list | tuple), place, repr(values), "a list, such as [4, 8]")
    return tuple(values)


def _check_bits(name: str, values: tuple[Any, ...], most: int) -> None:
    for value in values:
        whole = isinstance(value, int) and not isinstance(value, bool) and FEWEST_BITS <= value <= most
        require(whole, f"hardware: {name}", repr(value), f"whole numbers from {FEWEST_BITS} to {most}")
    _distinct(name, values)


def _distinct(name: str, values: tuple[Any, ...]) -> None:
    require(len(values) > 0, f"hardware: {name}", "empty", "a list of at least one value")
    twice = [value for place, value in enumerate(values) if value in values[:place]]
    require(
        not twice,
        f"hardware: {name}",
        f"{list(values)}: {(twice or [0])[0]} is there twice",
        "distinct values",
    )
