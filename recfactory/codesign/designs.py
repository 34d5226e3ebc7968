"""Candidates of a co-design: a path, the bits of its operators and the machine, as one row of genes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import hw
from hw.config import Machine, PIMConfig
from recfactory.codesign.columns import AnyRows, Columns
from recfactory.codesign.hardware import Hardware
from recfactory.codesign.machines import machines_to_search
from recfactory.codesign.placement import digital_slots
from recfactory.codesign.variation import Variation
from recfactory.codesign.workload import paths_workload
from recfactory.errors import UserError
from recfactory.features.layout import Layout
from recfactory.quantise.precision import Bits, Crossbar, Precision, Slot
from recfactory.space import cost
from recfactory.space.effective import effective
from recfactory.space.genes import Rows, decode
from recfactory.space.path import Path
from recfactory.space.sampling import sample_uniform
from recfactory.space.space import Space

MEASURED = ("energy_j", "latency_s", "area_m2", "utilisation")
"""By `measure`, beside macs and params."""
CHUNK = 2048
"""Rows measured at a time: the wiring of each takes some 15 kB."""


class Design(NamedTuple):
    """A candidate.

    Args:
        path: the architecture.
        precision: of its live operators and of the embedding table.
        machine: that runs it.
    """

    path: Path
    precision: Precision
    machine: Machine


class Designs:
    """The candidates of a co-design (`recfactory/search/candidates.py`: `Candidates`).

    Rows are as `Columns` says.

    Args:
        space: of the paths.
        hardware: of the bits and machines.
        layout: of the features.

    Raises:
        UsageError: when a value of the hardware's choices can never be, or cannot be simulated.
    """

    def __init__(self, space: Space, hardware: Hardware, layout: Layout) -> None:
        self.space, self.hardware, self.layout = space, hardware, layout
        self.columns = Columns(space, hardware)
        self.machines = machines_to_search(hardware)
        self._variation = Variation(self.columns, self.machines)

    @property
    def symbols(self) -> tuple[int, ...]:
        """How many symbols each column of `genes` can hold."""
        return tuple(count + 1 for count in self.columns.counts)

    def sample(self, count: int, rng: np.random.Generator) -> Rows:
        """Random candidates: paths as of `sample_uniform`, bits and machines each as likely."""
        paths = sample_uniform(self.space, count, rng)
        counts = self.columns.counts[self.columns.bits]
        bits = rng.integers(counts, size=(count, len(counts)))
        parts: list[AnyRows] = [paths, bits, self._sample_machines(count, rng)]
        return np.concatenate(parts, axis=1).astype(np.int16)

    def around(self, paths: AnyRows, count: int, rng: np.random.Generator) -> Rows:
        """Random candidates with given paths, taken in turn; from the most bits to random ones.

        Args:
            paths: rows of the space, at least one.
            count: of candidates.
            rng: source of randomness.
        """
        rows = self.sample(count, rng)
        rows[:, self.columns.path] = paths[np.arange(count) % len(paths)]
        hardware = self.hardware
        most = np.zeros(rows.shape[1], np.int16)
        most[self.columns.weights] = np.argmax(hardware.weight_bits)
        most[self.columns.activations] = np.argmax(hardware.activation_bits)
        most[self.columns.table] = np.argmax(hardware.embedding_bits)
        bits = self.columns.bits
        kept = rng.random(rows[:, bits].shape) >= np.arange(count)[:, np.newaxis] / count
        rows[:, bits] = np.where(kept, most[bits], rows[:, bits])
        return rows

    def mutate(self, rows: AnyRows, rng: np.random.Generator, mutations: int = 1) -> Rows:
        """A mutant of each: another path, other bits, or another machine."""
        return self._variation.mutate(rows, rng, mutations)

    def crossover(self, one: AnyRows, other: AnyRows, rng: np.random.Generator) -> Rows:
        """A child of each pair: blocks, bits of operators and choices of the machine from either parent."""
        return self._variation.crossover(one, other, rng)

    def architectures(self, rows: AnyRows) -> Rows:
        """The effective genes of their paths alone."""
        return effective(self.space, rows[:, self.columns.path])

    def genes(self, rows: AnyRows) -> Rows:
        """Their effective genes: equal candidates have equal ones.

        Bits of an operator that is dead or has no matrix products are symbol 0.
        """
        genes: Rows = np.asarray(rows + 1, np.int16)
        genes[:, self.columns.path] = self.architectures(rows)
        live = self.columns.live(rows)
        genes[:, self.columns.weights] *= live
        genes[:, self.columns.activations] *= live
        if self.machines is not None:
            genes[:, self.columns.machine] = self.machines.canonical(rows[:, self.columns.machine]) + 1
        return genes

    def measure(self, rows: AnyRows) -> Mapping[str, npt.NDArray[Any]]:
        """`macs` and `params` of the paths; energy, latency, area and utilisation on their machines.

        Beside these `adc_shortfall`, the bits that the machines' ADCs lack to lose nothing.

        Raises:
            UserError: for a row whose machine cannot be built.
        """
        paths = rows[:, self.columns.path]
        found: dict[str, npt.NDArray[Any]] = {
            "macs": cost.macs(self.space, paths),
            "params": cost.params(self.space, paths),
        }
        parts = [self._estimate(rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK)]
        for name in MEASURED:
            values = np.concatenate([getattr(part, name) for part in parts]) if parts else np.zeros(0)
            if not np.isnan(values).any():  # the area of a processor is not known
                found[name] = values
        found["adc_shortfall"] = np.zeros(len(rows), np.int64)
        if self.machines is not None:
            found["adc_shortfall"] = self.machines.adc_shortfall(self._places(rows))
        return found

    def decode(self, rows: AnyRows) -> list[Design]:
        """The candidates of rows.

        Raises:
            UserError: when the rows are none of these candidates.
        """
        if rows.ndim != 2 or rows.shape[1] != len(self.columns.counts):
            raise UserError(
                f"genes: rows of this co-design have {len(self.columns.counts)} columns, these are of shape "
                f"{rows.shape}"
            )
        wrong = np.argwhere((rows < 0) | (rows >= np.array(self.columns.counts)))
        if len(wrong):
            row, column = wrong[0]
            raise UserError(
                f"genes: row {row}, column {column} must be 0 to {self.columns.counts[column] - 1}, "
                f"not {rows[row, column]}"
            )
        paths = decode(self.space, rows[:, self.columns.path])
        weights, activations, tables = self._bits_of(rows)
        digital = digital_slots(self.space, self._estimate(rows).on_crossbars)
        found = []
        for place, (path, live) in enumerate(zip(paths, self.columns.live(rows), strict=True)):
            machine = self.hardware.machine(rows[place, self.columns.machine].tolist())
            bits = {
                slot: Bits(int(weights[place, at]), int(activations[place, at]))
                for at, slot in enumerate(self.columns.slots)
                if live[at]
            }
            precision = self._precision(machine, bits, int(tables[place]), digital[place])
            found.append(Design(path, precision, machine))
        return found

    def _sample_machines(self, count: int, rng: np.random.Generator) -> AnyRows:
        return np.zeros((count, 0), np.int16) if self.machines is None else self.machines.sample(count, rng)

    def _estimate(self, rows: AnyRows) -> hw.Estimate:
        weights, activations, tables = self._bits_of(rows)
        workload = paths_workload(
            self.space, rows[:, self.columns.path], self.layout, weights, activations, tables
        )
        if self.machines is None:
            return hw.estimate(workload, self.hardware.base)
        return hw.estimate(workload, self.machines.circuit(self._places(rows)))

    def _places(self, rows: AnyRows) -> npt.NDArray[np.int64]:
        """Of the rows' machines among those that can be built."""
        assert self.machines is not None
        places = self.machines.places(rows[:, self.columns.machine])
        wrong = np.flatnonzero(places < 0)
        if len(wrong):
            raise UserError(f"genes: row {wrong[0]} asks for a machine that cannot be built")
        return places

    def _bits_of(self, rows: AnyRows) -> tuple[AnyRows, AnyRows, AnyRows]:
        """Weight and activation bits of each slot, and bits of the table."""
        return (
            np.array(self.hardware.weight_bits)[rows[:, self.columns.weights]],
            np.array(self.hardware.activation_bits)[rows[:, self.columns.activations]],
            np.array(self.hardware.embedding_bits)[rows[:, self.columns.table]],
        )

    def _precision(
        self, machine: Machine, bits: Mapping[Slot, Bits], table: int, digital: frozenset[Slot]
    ) -> Precision:
        if not isinstance(machine, PIMConfig):
            return Precision({})
        crossbar = Crossbar.of(machine, self.hardware.noise)
        return Precision(bits, table, crossbar, digital & bits.keys())
