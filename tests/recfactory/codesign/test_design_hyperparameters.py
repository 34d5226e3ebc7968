"""Candidates of a co-design in keras-tuner's form and back."""

import keras_tuner as kt
import numpy as np
import pytest
from test_designs import DESIGNS, ROWS

from recfactory.codesign.hyperparameters import declare, from_hyperparameters, to_hyperparameters
from recfactory.errors import UserError


def test_there_and_back():
    known = kt.HyperParameters()
    declare(DESIGNS, known)
    for row, design in zip(ROWS[:20], DESIGNS.decode(ROWS[:20]), strict=True):
        hp = to_hyperparameters(DESIGNS, row)
        assert from_hyperparameters(DESIGNS, hp) == design
        assert hp.values.keys() == known.values.keys()
        over_the_wire = kt.HyperParameters.from_proto(hp.to_proto())
        assert from_hyperparameters(DESIGNS, over_the_wire) == design


def test_wrong_values_are_told():
    hp = to_hyperparameters(DESIGNS, np.asarray(ROWS[0]))
    hp.values["machine/rows"] = "100"
    with pytest.raises(UserError, match="machine/rows is '100'; there are 64, 128, 256"):
        from_hyperparameters(DESIGNS, hp)
    del hp.values["embedding_bits"]
    with pytest.raises(UserError, match="embedding_bits is missing"):
        from_hyperparameters(DESIGNS, hp)
