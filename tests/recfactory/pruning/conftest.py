"""A small features folder, and a path that is trained on it."""

import pytest
from small_winner import PATH, RECIPE, write_features

from recfactory.training.train import ignore_line, train


@pytest.fixture(scope="session")
def features(tmp_path_factory):
    return write_features(tmp_path_factory.mktemp("pruning") / "features")


@pytest.fixture(scope="session")
def trained(features, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained") / "model"
    train(features, PATH, out, RECIPE, ignore_line)
    return out
