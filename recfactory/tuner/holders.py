"""Which worker holds which trial, and who has not been heard of."""

import time
from collections.abc import Iterable

from recfactory.tuner.ledger import Entry


class Holders:
    """Workers, by the names that keras-tuner calls tuner ids.

    Args:
        lost_seconds: a worker silent for so long may lose its trial.
    """

    def __init__(self, lost_seconds: float) -> None:
        self.lost_seconds = lost_seconds
        self.held: dict[str, int] = {}
        self._heard: dict[str, float] = {}
        self._since: dict[int, float] = {}

    def hear(self, tuner_id: str, number: int | None = None) -> None:
        """Notes a sign of life.

        Args:
            tuner_id: of the worker.
            number: of the trial that it says it is running.
        """
        self._heard[tuner_id] = time.monotonic()
        if number is not None:
            self.held.setdefault(tuner_id, number)

    def silent(self, tuner_id: str, seconds: float) -> bool:
        """Whether a worker has not been heard of for so long."""
        return time.monotonic() - self._heard.get(tuner_id, -seconds) >= seconds

    def hand(self, entry: Entry, tuner_id: str) -> Entry:
        """Gives a trial to a worker, which may hold it already."""
        if self.held.get(tuner_id) != entry.number:
            self._since[entry.number] = time.monotonic()
        entry.tuner_id = tuner_id
        self.held[tuner_id] = entry.number
        return entry

    def free(self, number: int) -> float:
        """Takes a trial that has ended from whoever held it.

        Returns:
            The seconds since it was handed out.
        """
        for tuner_id in [who for who, held in self.held.items() if held == number]:
            del self.held[tuner_id]
        now = time.monotonic()
        return now - self._since.pop(number, now)

    def left_over(self, running: Iterable[Entry], tuner_id: str) -> Entry | None:
        """A trial that this worker holds or, from before a restart, nobody does; its own one first."""
        taken = set(self.held.values()) - {self.held.get(tuner_id)}
        free = [entry for entry in running if entry.number not in taken]
        mine = self.held.get(tuner_id)
        return min(
            free,
            key=lambda entry: (entry.number != mine, entry.tuner_id != tuner_id, entry.number),
            default=None,
        )

    def lost(self, running: Iterable[Entry]) -> Entry | None:
        """A trial whose worker is silent; it is taken from that worker."""
        for entry in running:
            if self.silent(entry.tuner_id, self.lost_seconds):
                self.held.pop(entry.tuner_id, None)
                return entry
        return None
