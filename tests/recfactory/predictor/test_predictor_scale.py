import numpy as np
import pytest

from recfactory.predictor.scale import scale_of


def test_outliers_move_nothing_but_themselves():
    losses = np.random.default_rng(0).normal(0.45, 0.01, 101)
    wild = losses.copy()
    wild[losses.argmax()] = 1e6
    assert np.isclose(scale_of(losses, 3).spread, 0.01, rtol=0.3)
    assert scale_of(wild, 3) == scale_of(losses, 3)
    assert scale_of(wild, 3).forth(wild).max() == 3


def test_back_undoes_forth():
    losses = np.random.default_rng(0).normal(0.45, 0.01, 50)
    scale = scale_of(losses, 10)
    np.testing.assert_allclose(scale.back(scale.forth(losses)), losses)


@pytest.mark.parametrize("others", [[], [0.3, 0.7]])
def test_equal_losses_have_a_finite_scale(others):
    losses = np.array([0.5] * 20 + others)
    scale = scale_of(losses, 3)
    assert np.isfinite(scale.forth(losses)).all()
    assert scale.forth(losses)[0] == 0
    assert scale.back(np.array([0.0])) == 0.5
    if not others:
        assert scale.back(np.array([2.0])) == 0.5
