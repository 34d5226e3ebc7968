import pytest

from serving.bench import bench_serving


@pytest.mark.slow
def test_it_measures_a_model(saved_model):
    measured = bench_serving(saved_model, seconds=0.6)
    assert set(measured) == {"p50_seconds", "p99_seconds", "requests_per_second", "first_request_seconds"}
    for size in ("1", "64"):
        assert 0 < measured["p50_seconds"][size] <= measured["p99_seconds"][size] < 5
    assert measured["requests_per_second"] > 0
    # Warmed up: the first request is no slower than a cold one, which takes seconds, would be.
    assert 0 < measured["first_request_seconds"] < 1
