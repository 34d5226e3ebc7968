"""Searches in keras-tuner's style: oracles, and a tuner whose trials are paths of a supernet.

Example, with a features folder that `recfactory features` has made:

    from recfactory.space import make_space
    from recfactory.supernet.shot import ShotRecipe
    from recfactory.training.source import open_source
    from recfactory.tuner import EvolutionOracle, SupernetTuner

    source = open_source("run/features")
    space = make_space(source.layout, "small", blocks=3)
    tuner = SupernetTuner(
        oracle=EvolutionOracle(space, objective="val_logloss", max_trials=40, finalists=2, seed=0),
        supernet=ShotRecipe(epochs=2),
        directory="run",
        project_name="search",
    )
    tuner.search(source.split("train"), source.split("valid"))
    tuner.results_summary()
    best = tuner.get_best_hyperparameters()[0]
    model = tuner.get_best_models()[0]

Killed at any moment, the same lines go on where they were. `FGPSOracle` searches in two shots, `ParetoOracle`
for several objectives; `RandomOracle` is what to compare with.

A model of your own: `Tuner(oracle, hypermodel)` takes any `kt.HyperModel`, whose `build(hp)` gets the path
by `recfactory.space.hyperparameters.from_hyperparameters(space, hp)`. `kt.Tuner` itself takes the oracles
too, but keeps its own ways in parallel.

In parallel: run the same lines in several processes, on machines that share `directory`, with keras-tuner's
environment variables: KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT of the chief, and a
KERASTUNER_TUNER_ID of its own for each; the chief's is `chief`. The port is not encrypted and asks for no
password: keep it within a network that you trust. Workers end with the chief, once their trial has; a worker
that dies loses its trial to another.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recfactory.tuner.loop import Tuner as Tuner
    from recfactory.tuner.one_shot import EvolutionOracle as EvolutionOracle
    from recfactory.tuner.one_shot import MetropolisOracle as MetropolisOracle
    from recfactory.tuner.one_shot import ParetoOracle as ParetoOracle
    from recfactory.tuner.one_shot import RandomOracle as RandomOracle
    from recfactory.tuner.oracle import SamplerOracle as SamplerOracle
    from recfactory.tuner.tuner import SupernetTuner as SupernetTuner
    from recfactory.tuner.two_shot import FGPSOracle as FGPSOracle

_PLACES = {
    "Tuner": "loop",
    "SamplerOracle": "oracle",
    "EvolutionOracle": "one_shot",
    "FGPSOracle": "two_shot",
    "MetropolisOracle": "one_shot",
    "ParetoOracle": "one_shot",
    "RandomOracle": "one_shot",
    "SupernetTuner": "tuner",
}


def __getattr__(name: str) -> Any:
    # keras-tuner and TensorFlow take seconds to import; parts such as the ledger need neither.
    if name not in _PLACES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
