"""The one interface of all search algorithms."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from recfactory.search.trial import Suggestion, Trial


class Sampler(Protocol):
    """Suggests candidates and learns how they did (after Vizier's designers); knows nothing of storage.

    What it suggests depends on its arguments and on the calls so far, nothing else. `conformance.py` tests
    that of any sampler.
    """

    @property
    def done(self) -> bool:
        """Whether nothing more will be suggested."""

    def suggest(self, count: int = 1) -> list[Suggestion]:
        """The next candidates, in a stage none suggested before.

        Args:
            count: wanted.

        Returns:
            `count` of them; fewer when the space is exhausted, or when trials must be waited for.
        """

    def update(self, trials: Sequence[Trial]) -> None:
        """Learns how suggestions did, in the order in which they were finished.

        Args:
            trials: whose scores have every objective; failed ones have none.

        Raises:
            UserError: when a score is missing or no finite number; nothing is learned then.
        """

    def dump(self) -> dict[str, Any]:
        """The state as JSON values."""

    def load(self, state: Mapping[str, Any]) -> None:
        """Takes the state that `dump` gave; this sampler goes on as the dumped one would have.

        Args:
            state: of a sampler with the same arguments.
        """
