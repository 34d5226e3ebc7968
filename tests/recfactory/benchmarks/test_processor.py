"""What a roofline of this machine needs."""

from dataclasses import replace

from hw import load
from recfactory.benchmarks.processor import bench_processor


def test_it_measures_what_a_preset_takes():
    measured = bench_processor()
    assert set(measured) == {"macs_per_s", "bytes_per_s", "start_s"}
    replace(load("cpu"), **{name: value for name, value in measured.items() if name != "start_s"})
