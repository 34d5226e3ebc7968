"""Co-designs near other co-designs: mutants, and children of two parents."""

import numpy as np

from recfactory.codesign.columns import AnyRows, Columns, Flags
from recfactory.codesign.machines import TRIES, Machines
from recfactory.space import variation
from recfactory.space.genes import Rows

OF_PATH = 0.5
"""The share of mutations that change the path, where bits or the machine can change too."""


class Variation:
    """Varies candidates of a co-design.

    Args:
        columns: of their rows.
        machines: that can be built; None where the machine is fixed.
    """

    def __init__(self, columns: Columns, machines: Machines | None) -> None:
        self.columns, self.machines = columns, machines
        self._counts = np.array(columns.counts)
        changes = (self._change_bits, columns.bits), (self._change_machine, columns.machine)
        self._changes = [change for change, where in changes if max(columns.counts[where], default=1) > 1]

    def mutate(self, rows: AnyRows, rng: np.random.Generator, mutations: int) -> Rows:
        """A mutant of each.

        A mutation changes the path (see `recfactory/space/variation.py`), with probability 1/2 where
        something else can change too; else the bits of one live operator or of the table, or one choice of
        the machine.
        """
        mutants: Rows = np.array(rows, np.int16)
        path = self.columns.path
        for _ in range(mutations):
            of_path = rng.random(len(mutants)) < (OF_PATH if self._changes else 1)
            which = rng.integers(max(len(self._changes), 1), size=len(mutants))
            at = np.flatnonzero(of_path)
            mutants[at, path] = variation.mutate(self.columns.space, mutants[at, path], rng)
            for place, change in enumerate(self._changes):
                at = np.flatnonzero(~of_path & (which == place))
                mutants[at] = change(mutants[at], rng)
        return mutants

    def crossover(self, one: AnyRows, other: AnyRows, rng: np.random.Generator) -> Rows:
        """A child of each pair: blocks, bits of operators and choices of the machine from either parent."""
        columns = self.columns
        paths = variation.crossover(columns.space, one[:, columns.path], other[:, columns.path], rng)
        slot = rng.random((len(one), len(columns.slots))) < 0.5
        table = rng.random((len(one), 1)) < 0.5
        first = np.concatenate([slot, slot, table], axis=1)
        bits = np.where(first, one[:, columns.bits], other[:, columns.bits])
        machine = one[:, columns.machine]
        machines = np.where(rng.random(machine.shape) < 0.5, machine, other[:, columns.machine])
        machines = np.where(self._can_be(machines)[:, None], machines, machine)
        return np.concatenate([paths, bits, machines], axis=1).astype(np.int16)

    def _can_be(self, machines: AnyRows) -> Flags:
        if self.machines is None:
            return np.ones(len(machines), np.bool_)
        return self.machines.places(machines) >= 0

    def _change_bits(self, rows: AnyRows, rng: np.random.Generator) -> AnyRows:
        """Other bits at one place where they matter."""
        live = self.columns.live(rows)
        matter = np.concatenate([live, live, np.ones((len(rows), 1), np.bool_)], axis=1)
        open_ = matter & (self._counts[self.columns.bits] > 1)
        column = (rng.random(open_.shape) * open_).argmax(axis=1)
        at = np.flatnonzero(open_.any(axis=1))
        return self._changed(rows, at, self.columns.bits.start + column[at], rng)

    def _change_machine(self, rows: AnyRows, rng: np.random.Generator) -> AnyRows:
        """Another value of one choice, drawn until the machine can be built; else the parent's."""
        where = self.columns.machine
        open_ = where.start + np.flatnonzero(self._counts[where] > 1)
        mutants, left = np.array(rows), np.arange(len(rows))
        for _ in range(TRIES):
            mutants[left] = rows[left]
            chosen = open_[rng.integers(len(open_), size=len(left))]
            mutants = self._changed(mutants, left, chosen, rng)
            left = left[~self._can_be(mutants[left, where])]
            if not len(left):
                return mutants
        mutants[left] = rows[left]
        return mutants

    def _changed(self, rows: AnyRows, at: AnyRows, columns: AnyRows, rng: np.random.Generator) -> AnyRows:
        """Rows with another symbol in one column of each of the rows `at`."""
        changed = np.array(rows)
        size = self._counts[columns]
        changed[at, columns] = (changed[at, columns] + rng.integers(1, size)) % size
        return changed
