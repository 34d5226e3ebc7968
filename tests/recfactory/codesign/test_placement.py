"""What a machine computes on digital units."""

from dataclasses import replace

import numpy as np
import pytest

import hw
from recfactory.codesign.designs import Designs
from recfactory.codesign.hardware import Hardware
from recfactory.codesign.placement import placed
from recfactory.codesign.workload import path_workload
from recfactory.features.layout import make_layout
from recfactory.quantise.precision import Crossbar
from recfactory.search.rehearsal import SPACE
from recfactory.space.wiring import live_parts

LAYOUT = make_layout(("a", "b", "c"), [("x", 1, 10), ("y", 1, 20)])
HANDCRAFTED = hw.load("handcrafted")
CHOICES = {"rows": (64, 128), "cell_bits": (1, 4), "placement": ("crossbar", "cheaper")}
DESIGNS = Designs(SPACE, Hardware(HANDCRAFTED, CHOICES, (4, 8), (4, 8), (8,), noise=0.02), LAYOUT)
FOUND = DESIGNS.decode(DESIGNS.sample(60, np.random.default_rng(0)))


@pytest.mark.parametrize("placement", ["crossbar", "cheaper"])
def test_what_has_nothing_on_crossbars_is_digital(placement):
    digital = 0
    for design in FOUND:
        if design.machine.placement == placement:
            workload = path_workload(design.path, LAYOUT, design.precision)
            flags = hw.estimate(workload, design.machine).on_crossbars[0]
            there = {name.split(".")[0] for name, flag in zip(workload.names, flags, strict=True) if flag}
            parts = {(part.number, part.role): part.name for part in live_parts(design.path)}
            expected = {slot for slot in design.precision.bits if parts[slot] not in there}
            assert design.precision.digital == expected
            digital += len(expected)
    assert (digital > 0) == (placement == "cheaper")


def test_a_design_has_the_precision_that_its_path_is_placed_with():
    for design in FOUND:
        bits = replace(design.precision, crossbar=None, digital=frozenset())
        assert placed(design.path, bits, design.machine, LAYOUT, 0.02) == design.precision
        elsewhere = placed(design.path, design.precision, HANDCRAFTED, LAYOUT, 0.0)
        assert elsewhere.crossbar == Crossbar.of(HANDCRAFTED)
        assert not elsewhere.digital
