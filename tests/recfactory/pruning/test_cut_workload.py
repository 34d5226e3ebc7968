"""What is left of a path on a machine."""

import cut_paths
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hw
from recfactory.codesign.workload import path_workload
from recfactory.errors import UserError
from recfactory.pruning.anatomy import macs
from recfactory.pruning.cut import to_json, whole
from recfactory.pruning.workload import CUT, cut_workload, read_cut, write_cut
from recfactory.space import make_space
from recfactory.space.genes import decode
from recfactory.space.sampling import sample_uniform

MACHINES = [hw.load(name) for name in ("handcrafted", "cpu")]
names = st.sampled_from(list(cut_paths.PATHS))


def costs(workload):
    return [
        value
        for machine in MACHINES
        for one in [hw.estimate(workload, machine)]
        for value in (one.energy_j[0], one.latency_s[0], one.interval_s[0])
    ]


@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_where_nothing_is_cut_it_is_the_paths(seed):
    space = make_space(cut_paths.LAYOUT, "full", blocks=4, dense_dims=(16, 32), sparse_dims=(16, 32))
    (path,) = decode(space, sample_uniform(space, 1, np.random.default_rng(seed)))
    ours, theirs = cut_workload(path, whole(path), cut_paths.LAYOUT), path_workload(path, cut_paths.LAYOUT)
    assert set(ours.names) == set(theirs.names)
    assert costs(ours) == pytest.approx(costs(theirs))


@given(names, st.integers(0, 99), st.sampled_from([0.5, 0.85]))
@settings(max_examples=25, deadline=None)
def test_less_is_multiplied_and_it_costs_no_more(name, seed, share):
    path = cut_paths.PATHS[name]
    cut = cut_paths.random_cut(path, seed, share)
    left, before = cut_workload(path, cut, cut_paths.LAYOUT), path_workload(path, cut_paths.LAYOUT)
    assert left.macs.sum() == macs(path, cut)
    assert costs(left)[0] <= costs(before)[0]
    assert costs(left)[1] <= costs(before)[1] * (1 + 1e-12)


def test_it_is_kept_in_a_file(tmp_path):
    path = cut_paths.PATHS["gates and sums"]
    cut = cut_paths.random_cut(path, 3)
    write_cut(tmp_path, path, cut)
    again, found = read_cut(tmp_path)
    assert again == path
    assert to_json(found) == to_json(cut)
    (tmp_path / CUT).write_text("{}")
    with pytest.raises(UserError, match="does not say what is left of a path"):
        read_cut(tmp_path)
