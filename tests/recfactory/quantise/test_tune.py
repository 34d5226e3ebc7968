"""Fine-tuning with few bits on."""

import numpy as np
import pytest
from few_bits import LAYOUT, all_of, small_space

from recfactory.errors import UserError
from recfactory.files import read_json
from recfactory.models import registry
from recfactory.quantise.model import quantised
from recfactory.quantise.tune import calibration, fine_tune
from recfactory.space.genes import decode
from recfactory.space.sampling import sample_uniform
from recfactory.training.optimizers import compile_for
from recfactory.training.recipe import Recipe
from recfactory.training.score import measure, probabilities, read_answers
from recfactory.training.train import ignore_line

SPACE = small_space(1)
PATH = decode(SPACE, sample_uniform(SPACE, 1, np.random.default_rng(0)))[0]
RECIPE = Recipe(batch_size=64, learning_rate=0.02, epochs=4, embedding_l2=0.0)


class Killed(Exception):
    pass


def test_tuning_goes_on_where_it_was(source, tmp_path):
    ranker = registry.build(PATH, LAYOUT, RECIPE)
    precision = all_of(SPACE, 4, 4)

    def die(line):
        if line.startswith("epoch 2"):
            raise Killed

    whole = fine_tune(ranker, precision, source, RECIPE, tmp_path / "whole", log=ignore_line)
    with pytest.raises(Killed):
        fine_tune(ranker, precision, source, RECIPE, tmp_path / "few", log=die, checkpoint_seconds=0)
    again = fine_tune(ranker, precision, source, RECIPE, tmp_path / "few", log=ignore_line)
    assert read_json(tmp_path / "few" / "result.json") == read_json(tmp_path / "whole" / "result.json")
    for one, other in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not list(tmp_path.rglob("checkpoint.npz"))


@pytest.mark.slow
def test_tuning_wins_back_what_rounding_lost(source, tmp_path):
    ranker, lines, out = registry.build(PATH, LAYOUT, RECIPE), [], tmp_path / "few"
    compile_for(ranker, RECIPE)
    ranker.fit(source.epoch(RECIPE, 0, 0).repeat(4), verbose=0)
    precision, answers = all_of(SPACE, 2, 2), read_answers(source, "valid")
    rounded = quantised(ranker, precision, calibration(source))
    tuned = fine_tune(ranker, precision, source, RECIPE, out, log=lines.append)
    before, after = (measure(answers, probabilities(m, source, "valid")) for m in (rounded, tuned))
    result = read_json(out / "result.json")
    assert result["logloss_rounded"] == pytest.approx(before[0])
    assert result["logloss"] == pytest.approx(after[0])
    assert after[0] < before[0]
    # Again: it is there already, and another precision is refused.
    again = fine_tune(ranker, precision, source, RECIPE, out, log=lines.append)
    assert "fine-tuned already" in lines[-1]
    np.testing.assert_array_equal(
        probabilities(again, source, "valid"), probabilities(tuned, source, "valid")
    )
    with pytest.raises(UserError, match="another fine-tuning"):
        fine_tune(ranker, all_of(SPACE, 3, 2), source, RECIPE, out)
