"""Candidates of a co-design: a path, the bits of its operators and the machine, as one row of genes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import hw
from hw.config import Machine, PIMConfig
from recfactory.codesign.hardware import Hardware
from recfactory.codesign.machines import TRIES, Machines
from recfactory.codesign.precision import Bits, Crossbar, Precision, Slot, slots
from recfactory.codesign.workload import paths_workload
from recfactory.errors import UserError
from recfactory.features.layout import Layout
from recfactory.space import cost
from recfactory.space.effective import effective
from recfactory.space.genes import Rows, choices, decode
from recfactory.space.path import Path
from recfactory.space.sampling import sample_uniform
from recfactory.space.space import Space
from recfactory.space.variation import crossover, mutate

AnyRows = npt.NDArray[np.integer[Any]]
Flags = npt.NDArray[np.bool_]
MEASURED = ("energy_j", "latency_s", "area_m2", "utilisation")
"""By `measure`, beside macs and params."""
CHUNK = 2048
"""Rows measured at a time: the wiring of each takes some 15 kB."""
OF_PATH = 0.5
"""The share of mutations that change the path, where bits or the machine can change too."""


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

    A row holds the path's genes (`recfactory/space/genes.py`), then places in the hardware's lists: weight
    bits of each slot (`precision.slots`), activation bits of each slot, embedding bits, the choices of the
    machine.

    Args:
        space: of the paths.
        hardware: of the bits and machines.
        layout: of the features.

    Raises:
        UsageError: when a value of the hardware's choices can never be.
    """

    def __init__(self, space: Space, hardware: Hardware, layout: Layout) -> None:
        self.space, self.hardware, self.layout = space, hardware, layout
        self.slots = list(slots(space))
        self.machines = Machines(hardware) if isinstance(hardware.base, PIMConfig) else None
        count = len(self.slots)
        self.of_path = slice(0, len(choices(space)))
        self.of_weights = slice(self.of_path.stop, self.of_path.stop + count)
        self.of_activations = slice(self.of_weights.stop, self.of_weights.stop + count)
        self.of_embedding = self.of_activations.stop
        self.of_machine = slice(self.of_embedding + 1, self.of_embedding + 1 + len(hardware.choices))
        self.counts = (
            *choices(space),
            *[len(hardware.weight_bits)] * count,
            *[len(hardware.activation_bits)] * count,
            len(hardware.embedding_bits),
            *map(len, hardware.choices.values()),
        )
        """Symbols that each column of a row can hold."""

    @property
    def symbols(self) -> tuple[int, ...]:
        """How many symbols each column of `genes` can hold."""
        return tuple(count + 1 for count in self.counts)

    def sample(self, count: int, rng: np.random.Generator) -> Rows:
        """Random candidates: paths as of `sample_uniform`, bits and machines each as likely."""
        paths = sample_uniform(self.space, count, rng)
        bits = rng.integers(
            self.counts[self.of_path.stop : self.of_embedding + 1], size=(count, 2 * len(self.slots) + 1)
        )
        return self._joined(paths, bits, self._sample_machines(count, rng))

    def around(self, paths: AnyRows, count: int, rng: np.random.Generator) -> Rows:
        """Random candidates with given paths, taken in turn.

        Args:
            paths: rows of the space, at least one.
            count: of candidates.
            rng: source of randomness.
        """
        rows = self.sample(count, rng)
        rows[:, self.of_path] = paths[np.arange(count) % len(paths)]
        return rows

    def mutate(self, rows: AnyRows, rng: np.random.Generator, mutations: int = 1) -> Rows:
        """A mutant of each.

        A mutation changes the path (see `recfactory/space/variation.py`), with probability 1/2 where
        something else can change too; else the bits of one live operator or of the table, or one choice of
        the machine.
        """
        mutants: Rows = np.array(rows, np.int16)
        others = [
            change
            for change, columns in (
                (self._mutate_bits, slice(self.of_weights.start, self.of_embedding + 1)),
                (self._mutate_machine, self.of_machine),
            )
            if max(self.counts[columns], default=1) > 1
        ]
        for _ in range(mutations):
            of_path = rng.random(len(mutants)) < (OF_PATH if others else 1)
            which = rng.integers(max(len(others), 1), size=len(mutants))
            at = np.flatnonzero(of_path)
            mutants[at, self.of_path] = mutate(self.space, mutants[at, self.of_path], rng)
            for place, change in enumerate(others):
                at = np.flatnonzero(~of_path & (which == place))
                mutants[at] = change(mutants[at], rng)
        return mutants

    def crossover(self, one: AnyRows, other: AnyRows, rng: np.random.Generator) -> Rows:
        """A child of each pair: blocks, bits of operators and choices of the machine from either parent."""
        paths = crossover(self.space, one[:, self.of_path], other[:, self.of_path], rng)
        slot = rng.random((len(one), len(self.slots))) < 0.5
        table = rng.random((len(one), 1)) < 0.5
        of_bits = slice(self.of_weights.start, self.of_embedding + 1)
        bits = np.where(np.concatenate([slot, slot, table], axis=1), one[:, of_bits], other[:, of_bits])
        first, second = one[:, self.of_machine], other[:, self.of_machine]
        machines = np.where(rng.random(first.shape) < 0.5, first, second)
        return self._joined(paths, bits, np.where(self._can_be(machines)[:, None], machines, first))

    def genes(self, rows: AnyRows) -> Rows:
        """Their effective genes: equal candidates have equal ones.

        Bits of an operator that is dead or has no matrix products are symbol 0.
        """
        genes: Rows = np.asarray(rows + 1, np.int16)
        genes[:, self.of_path] = effective(self.space, rows[:, self.of_path])
        live = self._live(rows)
        genes[:, self.of_weights] *= live
        genes[:, self.of_activations] *= live
        if self.machines is not None:
            genes[:, self.of_machine] = self.machines.canonical(rows[:, self.of_machine]) + 1
        return genes

    def measure(self, rows: AnyRows) -> Mapping[str, npt.NDArray[Any]]:
        """`macs` and `params` of the paths; energy, latency, area and utilisation on their machines.

        Raises:
            UserError: for a row whose machine cannot be built.
        """
        paths = rows[:, self.of_path]
        found: dict[str, npt.NDArray[Any]] = {
            "macs": cost.macs(self.space, paths),
            "params": cost.params(self.space, paths),
        }
        parts = [self._estimate(rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK)]
        for name in MEASURED:
            values = np.concatenate([getattr(part, name) for part in parts]) if parts else np.zeros(0)
            if not np.isnan(values).any():  # the area of a processor is not known
                found[name] = values
        return found

    def decode(self, rows: AnyRows) -> list[Design]:
        """The candidates of rows.

        Raises:
            UserError: when the rows are none of these candidates.
        """
        if rows.ndim != 2 or rows.shape[1] != len(self.counts):
            raise UserError(
                f"genes: rows of this co-design have {len(self.counts)} columns, these are of shape "
                f"{rows.shape}"
            )
        wrong = np.argwhere((rows < 0) | (rows >= np.array(self.counts)))
        if len(wrong):
            row, column = wrong[0]
            raise UserError(
                f"genes: row {row}, column {column} must be 0 to {self.counts[column] - 1}, "
                f"not {rows[row, column]}"
            )
        if self.machines is not None:
            self._places(rows)
        paths = decode(self.space, rows[:, self.of_path])
        weights, activations, tables = self._bits_of(rows)
        found = []
        for place, (path, live) in enumerate(zip(paths, self._live(rows), strict=True)):
            machine = self.hardware.machine(rows[place, self.of_machine].tolist())
            bits = {
                slot: Bits(int(weights[place, at]), int(activations[place, at]))
                for at, slot in enumerate(self.slots)
                if live[at]
            }
            found.append(Design(path, self._precision(machine, bits, int(tables[place])), machine))
        return found

    def _sample_machines(self, count: int, rng: np.random.Generator) -> AnyRows:
        return np.zeros((count, 0), np.int16) if self.machines is None else self.machines.sample(count, rng)

    def _joined(self, paths: AnyRows, bits: AnyRows, machines: AnyRows) -> Rows:
        return np.concatenate([paths, bits, machines], axis=1).astype(np.int16)

    def _can_be(self, machines: AnyRows) -> Flags:
        if self.machines is None:
            return np.ones(len(machines), np.bool_)
        return self.machines.places(machines) >= 0

    def _live(self, rows: AnyRows) -> Flags:
        """Which slots have matrix products, `(n, slots)`."""
        live = np.zeros((len(rows), len(self.slots)), np.bool_)
        for part, at, made in cost.each_part(self.space, rows[:, self.of_path]):
            macs = sum((operation.macs for operation in made), np.zeros(len(at), np.int64))
            live[at, self.slots.index((part.number, part.role))] = macs > 0
        return live

    def _mutate_bits(self, rows: AnyRows, rng: np.random.Generator) -> AnyRows:
        """Other bits at one place where they matter."""
        live = self._live(rows)
        counts = np.array(self.counts[self.of_path.stop : self.of_embedding + 1])
        open_ = np.concatenate([live, live, np.ones((len(rows), 1), np.bool_)], axis=1) & (counts > 1)
        column = (rng.random(open_.shape) * open_).argmax(axis=1)
        at = np.flatnonzero(open_.any(axis=1))
        return _changed(rows, at, self.of_weights.start + column[at], np.array(self.counts), rng)

    def _mutate_machine(self, rows: AnyRows, rng: np.random.Generator) -> AnyRows:
        """Another value of one choice, drawn until the machine can be built; else the parent's."""
        columns = self.of_machine.start + np.flatnonzero(np.array(self.counts[self.of_machine]) > 1)
        mutants, left = np.array(rows), np.arange(len(rows))
        for _ in range(TRIES):
            mutants[left] = rows[left]
            chosen = columns[rng.integers(len(columns), size=len(left))]
            mutants = _changed(mutants, left, chosen, np.array(self.counts), rng)
            left = left[~self._can_be(mutants[left, self.of_machine])]
            if not len(left):
                return mutants
        mutants[left] = rows[left]
        return mutants

    def _estimate(self, rows: AnyRows) -> hw.Estimate:
        weights, activations, tables = self._bits_of(rows)
        workload = paths_workload(
            self.space, rows[:, self.of_path], self.layout, weights, activations, tables
        )
        if self.machines is None:
            return hw.estimate(workload, self.hardware.base)
        return hw.estimate(workload, self.machines.circuit(self._places(rows)))

    def _places(self, rows: AnyRows) -> npt.NDArray[np.int64]:
        """Of the rows' machines among those that can be built."""
        assert self.machines is not None
        places = self.machines.places(rows[:, self.of_machine])
        wrong = np.flatnonzero(places < 0)
        if len(wrong):
            raise UserError(f"genes: row {wrong[0]} asks for a machine that cannot be built")
        return places

    def _bits_of(self, rows: AnyRows) -> tuple[AnyRows, AnyRows, AnyRows]:
        """Weight and activation bits of each slot, and bits of the table."""
        return (
            np.array(self.hardware.weight_bits)[rows[:, self.of_weights]],
            np.array(self.hardware.activation_bits)[rows[:, self.of_activations]],
            np.array(self.hardware.embedding_bits)[rows[:, self.of_embedding]],
        )

    def _precision(self, machine: Machine, bits: Mapping[Slot, Bits], table: int) -> Precision:
        if not isinstance(machine, PIMConfig):
            return Precision({})
        return Precision(bits, table, Crossbar.of(machine, self.hardware.noise))


def _changed(
    rows: AnyRows, at: AnyRows, columns: AnyRows, counts: AnyRows, rng: np.random.Generator
) -> AnyRows:
    """Rows with another symbol in one column of each of the rows `at`."""
    changed = np.array(rows)
    size = counts[columns]
    changed[at, columns] = (changed[at, columns] + rng.integers(1, size)) % size
    return changed
