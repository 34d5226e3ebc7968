import pytest

from pipelines.bench import bench_features


@pytest.mark.slow
def test_every_figure_is_measured(tmp_path):
    measured = bench_features(3000, tmp_path)
    assert list(measured) == [
        "rows", "seconds", "rows_per_second", "peak_rss_bytes", "per_row_pipeline_rows_per_second",
        "input_examples_per_second",
    ]  # fmt: skip
    assert measured["rows"] == 3000
    assert all(value > 0 for value in measured.values())
    assert measured["rows_per_second"] == pytest.approx(3000 / measured["seconds"])
    assert 2e8 < measured["peak_rss_bytes"] < 4 << 30
    assert (tmp_path / "criteo.tsv").read_text().count("\n") == 3000
    assert len((tmp_path / "criteo.tsv").read_text().split("\n")[0].split("\t")) == 40
