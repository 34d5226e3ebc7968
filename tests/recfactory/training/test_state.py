"""Early stopping as arithmetic."""

from recfactory.training.recipe import Recipe
from recfactory.training.state import State


def finish(state: State, logloss: float) -> bool:
    return state.finish_epoch({"valid_logloss": logloss, "valid_auc": 0.5}, examples=10)


def test_stops_after_patience_and_remembers_the_best() -> None:
    state, recipe = State(), Recipe(patience=2, epochs=9)
    assert [finish(state, loss) for loss in (0.5, 0.4, 0.45, 0.39)] == [True, True, False, True]
    assert not state.done(recipe)
    assert [finish(state, loss) for loss in (0.39, 0.41)] == [False, False]
    assert state.done(recipe)
    assert (state.best_epoch, state.best["valid_logloss"]) == (4, 0.39)


def test_stops_at_the_last_epoch() -> None:
    state = State()
    finish(state, 0.5)
    assert state.done(Recipe(epochs=1))


def test_dictionary_both_ways_and_speed() -> None:
    state = State(step=3, seconds=2.0)
    finish(state, 0.5)
    assert (state.step, state.seconds) == (0, 0.0)
    assert state.timings == [{"epoch": 1, "seconds": 2.0, "examples_per_second": 5.0}]
    assert State(**state.to_dict()) == state
