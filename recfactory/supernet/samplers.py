"""Which paths a step of the supernet trains."""

from typing import Protocol

from recfactory.space.path import Path
from recfactory.space.space import Space


class Sampler(Protocol):
    """Draws paths; what it draws for a step is a function of its own arguments and the step."""

    def paths(self, space: Space, step: int) -> list[Path]:
        """The paths of a step, trained together on its batch."""
