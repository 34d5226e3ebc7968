"""The machines of a hardware, each worked out once however many candidates have it."""

from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

import hw
from hw.circuit import Circuit, resolve
from hw.config import PIMConfig
from recfactory.codesign.hardware import Hardware
from recfactory.errors import UsageError

AnyRows = npt.NDArray[np.integer[Any]]
Integers = npt.NDArray[np.int64]
ADC = "adc_bits"
TRIES = 200


class Machines:
    """The machines that can be built, found as they are asked for.

    Args:
        hardware: with a base of crossbars.
        place: what to call it in errors.

    Raises:
        UsageError: when a value of a choice goes together with none of the others.
    """

    def __init__(self, hardware: Hardware, place: str = "hardware") -> None:
        self.hardware = hardware
        self.sizes = tuple(len(values) for values in hardware.choices.values())
        self._place: dict[int, int] = {}
        self._circuits: Circuit | None = None
        self._adcs: list[int] = []
        """The ADC's choice of each circuit, by the first value that gives this very machine."""
        self._shortfalls: list[int] = []
        self._check(place)

    def places(self, rows: AnyRows) -> Integers:
        """Where the machines of choices are in `circuit`, `(n,)`; -1 where choices do not go together.

        Args:
            rows: `(n, choices)`.
        """
        codes, first, back = np.unique(self._codes(rows), return_index=True, return_inverse=True)
        built: list[PIMConfig] = []
        known = 0 if self._circuits is None else len(self._circuits)
        for code, at in zip(codes.tolist(), first, strict=True):
            if code in self._place:
                continue
            symbols = rows[at].tolist()
            try:
                machine = self.hardware.machine(symbols)
            except hw.HardwareError:
                self._place[code] = -1
                continue
            assert isinstance(machine, PIMConfig)
            self._place[code] = known + len(built)
            self._adcs.append(self._same_adc(machine, symbols))
            self._shortfalls.append(machine.adc_shortfall)
            built.append(machine)
        if built:
            self._circuits = _joined(self._circuits, resolve(built))
        return np.array([self._place[code] for code in codes.tolist()], np.int64)[back.reshape(-1)]

    def circuit(self, places: Integers) -> Circuit:
        """Machines by their places.

        Args:
            places: `(n,)`, none of them -1.
        """
        found = self._circuits
        return Circuit(**{each.name: getattr(found, each.name)[places] for each in fields(Circuit)})

    def adc_shortfall(self, places: Integers) -> Integers:
        """Bits that the ADCs of machines lack, `(n,)`; arguments as of `circuit`."""
        return np.array(self._shortfalls, np.int64)[places]

    def canonical(self, rows: AnyRows) -> AnyRows:
        """The choices that stand for all that give the same machine: ADCs can lose nothing by two names.

        Args:
            rows: `(n, choices)`.
        """
        if ADC not in self.hardware.choices:
            return rows
        column, places = list(self.hardware.choices).index(ADC), self.places(rows)
        same = rows.copy()
        same[:, column] = np.where(places >= 0, np.array(self._adcs)[places], rows[:, column])
        return same

    def sample(self, count: int, rng: np.random.Generator) -> Integers:
        """Random choices of machines that can be built, `(count, choices)`."""
        rows = rng.integers(self.sizes, size=(count, len(self.sizes)))
        for _ in range(TRIES):
            wrong = np.flatnonzero(self.places(rows) < 0)
            if not len(wrong):
                break
            rows[wrong] = rng.integers(self.sizes, size=(len(wrong), len(self.sizes)))
        return np.where(self.places(rows)[:, None] < 0, self._known, rows)

    def _codes(self, rows: AnyRows) -> Integers:
        """One number for all choices."""
        code = np.zeros(len(rows), np.int64)
        for column, size in enumerate(self.sizes):
            code = code * size + rows[:, column]
        return code

    def _same_adc(self, machine: PIMConfig, symbols: list[int]) -> int:
        values = self.hardware.choices.get(ADC, ())
        if machine.adc_bits in values:
            return values.index(machine.adc_bits)
        return symbols[list(self.hardware.choices).index(ADC)] if values else 0

    def _check(self, place: str) -> None:
        """Finds a machine with each value of each choice."""
        rng = np.random.default_rng(0)
        self._known = np.zeros(len(self.sizes), np.int64)
        for column, (name, values) in enumerate(self.hardware.choices.items()):
            for symbol, value in enumerate(values):
                rows = rng.integers(self.sizes, size=(TRIES, len(self.sizes)))
                rows[:, column] = symbol
                good = np.flatnonzero(self.places(rows) >= 0)
                if not len(good):
                    raise UsageError(
                        f"{place}: choices: {name}: none of {TRIES} machines with {value} can be built: "
                        f"{self._complaint(rows[0].tolist())}"
                    )
                self._known = rows[good[0]]
        if not self.hardware.choices:
            self.places(np.zeros((1, 0), np.int64))

    def _complaint(self, symbols: list[int]) -> str:
        try:
            self.hardware.machine(symbols)
        except hw.HardwareError as error:
            return str(error)
        raise AssertionError("this machine can be built")


def machines_to_search(hardware: Hardware, place: str = "hardware") -> Machines | None:
    """The machines that a search may choose; None for a processor, of which there is one.

    Args:
        hardware: of the bits and machines.
        place: what to call it in errors.

    Raises:
        UsageError: when a value of the hardware's choices can never be, or cannot be simulated.
    """
    hardware.check_simulated(place)
    return Machines(hardware, place) if isinstance(hardware.base, PIMConfig) else None


def _joined(one: Circuit | None, other: Circuit) -> Circuit:
    if one is None:
        return other
    names = [each.name for each in fields(Circuit)]
    return Circuit(**{name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in names})
