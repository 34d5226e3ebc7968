import json
import random
from functools import partial

import numpy as np
import pytest

from recfactory.search.conformance import CHECKS, check_sampler
from recfactory.search.evolution import RegularisedEvolution
from recfactory.search.listed import Listed
from recfactory.search.metropolis import MetropolisEvolution
from recfactory.search.objectives import Objective
from recfactory.search.pareto import ParetoEvolution
from recfactory.search.random_search import RandomSearch
from recfactory.search.rehearsal import Rehearsal
from recfactory.search.stages import Stage, Stages
from recfactory.search.trial import ALONE, Suggestion, Trial

LOSS = (Objective("loss"),)
TWO = (Objective("loss"), Objective("gain", "max"))


def started_evolution(candidates, objectives, constraints, seed):
    start = candidates.sample(6, np.random.default_rng(5))
    return RegularisedEvolution(
        candidates, objectives, constraints, seed, population=10, children=3, trials=48, start=start
    )


def in_stages(candidates, objectives, constraints, seed):
    arguments = (candidates, objectives, constraints, seed)

    def best(trials):
        worked = [trial for trial in trials if trial.scores]
        rows = [trial.row for trial in sorted(worked, key=lambda trial: trial.scores["loss"])[:5]]
        return Listed(rows, candidates=candidates, objectives=objectives, stage=ALONE)

    return Stages(
        [
            Stage("first", 20, lambda trials: RandomSearch(*arguments)),
            Stage("second", 15, lambda trials: RegularisedEvolution(*arguments, "second", population=6)),
            Stage(ALONE, 5, best),
        ]
    )


SAMPLERS = {
    "random": (RandomSearch, LOSS),
    "evolution": (partial(RegularisedEvolution, population=10, children=3, trials=48), LOSS),
    "evolution from rows": (started_evolution, LOSS),
    "evolution upwards": (partial(RegularisedEvolution, population=10, trials=48), TWO[1:]),
    "metropolis": (partial(MetropolisEvolution, round_size=4, trials=48), LOSS),
    "pareto": (partial(ParetoEvolution, population=8), TWO),
    "pareto of one": (partial(ParetoEvolution, population=8), LOSS),
    "stages": (in_stages, LOSS),
}


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_conforms(sampler, name):
    make, objectives = SAMPLERS[sampler]
    check_sampler(make, [name], objectives)


class Unseeded(RandomSearch):
    def propose(self, count, rng):
        return super().propose(count, np.random.default_rng(random.getrandbits(32)))


class ZeroIsNoSeed(RandomSearch):
    def __init__(self, candidates, objectives, constraints, seed):
        super().__init__(candidates, objectives, constraints, seed or random.getrandbits(32))


class OneSeed(RandomSearch):
    def __init__(self, candidates, objectives, constraints, seed):
        super().__init__(candidates, objectives, constraints, 3)


class Forgets(MetropolisEvolution):
    def __init__(self, *args):
        super().__init__(*args, round_size=4, burn_in=6, trials=48)

    def load_own(self, state):
        pass


class ForgetsWhatIsPending(RandomSearch):
    def load(self, state):
        finished = [trial["row"] for trial in state["trials"]]
        super().load({**state, "suggested": finished})


class Repeats(RandomSearch):
    def suggest(self, count=1):
        rows = self.candidates.sample(count, np.random.default_rng((self.seed, len(self.suggested) // 5)))
        self.suggested += list(map(tuple, rows.tolist()))
        return [Suggestion(tuple(row)) for row in rows.tolist()]


class BreaksConstraints(RandomSearch):
    def __init__(self, candidates, objectives, constraints, seed):
        super().__init__(candidates, objectives, (), seed)


class TakesAnything(RandomSearch):
    def update(self, trials):
        self.trials += trials


class LearnsTheGoodOnes(RandomSearch):
    def update(self, trials):
        for trial in trials:
            super().update([trial])


class NeedsScores(RandomSearch):
    def learn(self, trials):
        min(trial.scores["loss"] for trial in trials)


class Waits(RandomSearch):
    def suggest(self, count=1):
        return super().suggest(count) if len(self.suggested) < 10 else []


class Numpy(RandomSearch):
    def suggest(self, count=1):
        return [Suggestion(tuple(np.array(found.row))) for found in super().suggest(count)]


class NoCandidates(RandomSearch):
    def suggest(self, count=1):
        return [Suggestion((99, *found.row[1:])) for found in super().suggest(count)]


class NeverDone(RandomSearch):
    def suggest(self, count=1):
        return super().suggest(count) or [Suggestion(row) for row in self.suggested[:count]]

    @property
    def done(self):
        return False


BROKEN = [
    (Unseeded, "seed", "seed 0 gives other suggestions"),
    (ZeroIsNoSeed, "seed", "seed 0 gives other suggestions"),
    (OneSeed, "seed", "different seeds"),
    (Forgets, "resume", "goes on otherwise when loaded"),
    (ForgetsWhatIsPending, "resume", "goes on otherwise when loaded"),
    (Repeats, "new", "twice"),
    (BreaksConstraints, "constraints", "macs|params"),
    (TakesAnything, "scores", "may not be nan"),
    (LearnsTheGoodOnes, "scores", "something was learned"),
    (Waits, "failures", "waits for no trial and is not done"),
    (Numpy, "valid", "tuple of int"),
    (NoCandidates, "valid", "no candidate"),
    (NeverDone, "end", "tiny space"),
]


@pytest.mark.parametrize(("make", "name", "told"), BROKEN, ids=[make.__name__ for make, *_ in BROKEN])
def test_what_a_broken_sampler_does_wrong_is_told(make, name, told):
    with pytest.raises(AssertionError, match=told):
        check_sampler(make, [name])


def test_a_sampler_that_fails_with_failed_trials_is_found():
    with pytest.raises(TypeError):
        check_sampler(NeedsScores, ["failures"])


def test_all_checks_are_run_when_none_is_named():
    check_sampler(RandomSearch, trials=12)


def test_states_are_plain_json():
    make, objectives = SAMPLERS["stages"]
    search = Rehearsal(make, objectives)
    search.finish(
        *[Trial(one.row, one.stage, {"loss": np.float32(1.5)}) for one in search.sampler.suggest(2)]
    )
    assert json.loads(json.dumps(search.sampler.dump())) == search.sampler.dump()
