"""The chief's oracle, as a worker of a parallel search sees it."""

import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_client import OracleClient
from keras_tuner.src.engine.trial import Trial, TrialStatus

from recfactory.errors import UserError
from recfactory.tuner.oracle import ERROR_LENGTH, SamplerOracle
from recfactory.tuner.wire import REPORT, Wire, chief_address

HEART_SECONDS = 10.0
"""Between signs of life."""
JOURNAL_SECONDS = 60.0
"""How long a worker waits for the chief, and for other workers that read it, to let go of the journal."""
SETTINGS = ("space", "objectives", "candidates", "project_dir")
"""Attributes that follow from the arguments alone; keras-tuner's client knows four others and no more."""


class Client(OracleClient):  # type: ignore[misc]
    """Keras-tuner's client, which ends when the chief does.

    While a trial runs, the chief is given a sign of life every few seconds.

    Args:
        oracle: of the same arguments as the chief's; asked for its settings, and for results at the end.
    """

    _over = False
    """Whether the search is; the chief is gone then, and results are read from the folder."""

    def __init__(self, oracle: SamplerOracle) -> None:
        super().__init__(oracle)
        self.stub = Wire(chief_address(), lambda: oracle.digest)
        self.verbose: Any = 0
        self._scores: dict[str, float] = {}
        self._ended = threading.Event()

    def __getattr__(self, name: str) -> Any:
        if name in SETTINGS or self._over:
            return getattr(self._oracle, name)
        return super().__getattr__(name)

    def add_context(self, context: Mapping[str, Any]) -> None:
        """See `SamplerOracle.add_context`; the chief takes trials of its own search only."""
        self._oracle.add_context(context)

    def create_trial(self, tuner_id: str) -> Trial:
        """See `SamplerOracle.create_trial`."""
        trial = super().create_trial(tuner_id)
        if trial.status == TrialStatus.RUNNING:
            self._scores, self._ended = {}, threading.Event()
            threading.Thread(target=self._live, args=(trial.trial_id, self._ended), daemon=True).start()
        self._over = trial.status == TrialStatus.STOPPED
        return trial

    def update_trial(self, trial_id: str, metrics: Mapping[str, float], step: int = 0) -> Trial:
        """Keeps the scores until the end, since the protocol would round them."""
        self._scores.update({name: float(value) for name, value in metrics.items()})
        return super().update_trial(trial_id, {}, step)

    def end_trial(self, trial: Trial) -> None:
        """See `SamplerOracle.end_trial`."""
        self.close()
        message = (trial.message or "").encode()[-ERROR_LENGTH:].decode(errors="replace")
        report = json.dumps({"scores": self._scores, "message": message or None}, ensure_ascii=False)
        request = protos.get_service().EndTrialRequest(trial=trial.to_proto())
        self.stub.EndTrial(request, metadata=((REPORT, report.encode()),))

    def get_best_trials(self, num_trials: int = 1) -> list[Trial]:
        """See `SamplerOracle.get_best_trials`."""
        until = time.monotonic() + JOURNAL_SECONDS
        while self._over:
            try:
                return self._oracle.get_best_trials(num_trials)
            except UserError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)
        return list(super().get_best_trials(num_trials))

    def close(self) -> None:
        """Ends the signs of life."""
        self._ended.set()

    def _live(self, trial_id: str, ended: threading.Event) -> None:
        request = protos.get_service().UpdateTrialRequest(trial_id=trial_id)
        while not ended.wait(HEART_SECONDS):
            self.stub.once("UpdateTrial", request)
