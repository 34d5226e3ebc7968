"""The loop of a search: keras-tuner's, with what it lacks between trials and in parallel."""

import time
import traceback
from typing import Any

import keras_tuner as kt
from keras_tuner.src.distribute import utils as places
from keras_tuner.src.engine.trial import Trial, TrialStatus

from recfactory.errors import UsageError, UserError
from recfactory.tuner.client import Client
from recfactory.tuner.oracle import SamplerOracle
from recfactory.tuner.server import serve

FIRST_WAIT, LONGEST_WAIT = 0.25, 4.0
"""Seconds between two questions of a worker that waits for others."""


class Tuner(kt.Tuner):  # type: ignore[misc]
    """A `kt.Tuner` whose searches survive interruption, and whose workers end when the chief does.

    It takes the same arguments and any `kt.HyperModel`. The search itself is the
    oracle's journal; what `run_trial` writes, such as keras-tuner's checkpoint of each trial of a HyperModel,
    lies beside it.

    Args:
        oracle: one of `recfactory.tuner`.
        hypermodel: as of `kt.Tuner`.
        **options: as of `kt.Tuner`.

    Raises:
        UsageError: for an oracle that keeps no journal.
    """

    def __init__(self, oracle: SamplerOracle, hypermodel: Any = None, **options: Any) -> None:
        if not isinstance(oracle, SamplerOracle):
            raise UsageError(f"oracle must be one of recfactory.tuner, such as FGPSOracle, not {oracle!r}")
        if self._is_worker():
            options["overwrite"] = False  # the folder is the chief's
        self._asked = 0
        super().__init__(oracle, hypermodel, **options)
        if self._is_worker():
            self.oracle = Client(oracle)

    def search(self, *arguments: Any, **options: Any) -> None:
        """Runs trials until the search is over; the chief of a parallel search serves workers instead.

        Args:
            *arguments: for `run_trial`.
            **options: for `run_trial`; `verbose` also says whether there is a line per trial.

        Raises:
            UserError: when the search cannot go on.
        """
        try:
            if places.is_chief_oracle():
                self.oracle.verbose = options.get("verbose", self.oracle.verbose)
                self.oracle.open()
                serve(self.oracle)
            else:
                super().search(*arguments, **options)
        finally:
            self.oracle.close()

    def pre_create_trial(self) -> None:
        """Waits before it asks again for a trial that there was not."""
        if self._asked:
            time.sleep(min(FIRST_WAIT * 2 ** (self._asked - 1), LONGEST_WAIT))
        self._asked += 1

    def on_trial_begin(self, trial: Trial) -> None:
        """Notes that there was a trial."""
        self._asked = 0
        super().on_trial_begin(trial)

    def _try_run_and_update_trial(self, trial: Trial, *arguments: Any, **options: Any) -> None:
        """Runs a trial; what is not the trial's own failure ends the search."""
        try:
            self._run_and_update_trial(trial, *arguments, **options)
            trial.status = TrialStatus.COMPLETED
        except (UserError, kt.errors.FatalError, OSError):
            raise
        except kt.errors.FailedTrialError as error:
            trial.status, trial.message = TrialStatus.FAILED, str(error)
        except Exception:
            trial.status, trial.message = TrialStatus.FAILED, traceback.format_exc()

    def save(self) -> None:
        """Nothing to do, see `SamplerOracle`."""

    def reload(self) -> None:
        """Nothing to do, see `SamplerOracle`."""
