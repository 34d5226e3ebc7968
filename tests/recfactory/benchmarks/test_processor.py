"""What a roofline of this machine needs."""

from hw import load
from hw.config import Roofline
from recfactory.benchmarks.processor import bench_processor


def test_it_measures_what_the_preset_asks_to_be_replaced():
    measured = bench_processor()
    preset = load("cpu")
    assert isinstance(preset, Roofline)
    for name, value in measured.items():
        assert 0.01 < value / getattr(preset, name) < 100
