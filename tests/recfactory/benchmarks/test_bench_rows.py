"""Rows of a benchmark, made by processes of their own."""

import json

import pytest

from recfactory.benchmarks.rows import Job, make_rows
from recfactory.errors import UserError


def make(value):
    if value is None:
        raise UserError("this one cannot be made")
    return {"value": value}


def jobs(*values, about="first"):
    return [Job("some", seed, make, (value,), {"from": about}) for seed, value in enumerate(values)]


def test_one_that_fails_does_not_lose_the_others(tmp_path):
    rows, told = tmp_path / "rows.jsonl", []
    with pytest.raises(UserError, match="this one cannot be made"):
        make_rows(rows, jobs(None, 1, 2), told.append, processes=1)
    assert [row["value"] for row in told] == [1, 2]
    made = make_rows(rows, jobs(3, 4, 5), told.append, processes=1)
    assert {row["seed"]: row["value"] for row in made} == {0: 3, 1: 1, 2: 2}
    assert [json.loads(line) for line in rows.read_text().splitlines()] == made


def test_rows_that_were_made_from_something_else_are_refused(tmp_path):
    rows = tmp_path / "rows.jsonl"
    make_rows(rows, jobs(1), print, processes=1)
    with pytest.raises(
        UserError, match="the row of some, seed 0 was made from another from; delete the file"
    ):
        make_rows(rows, jobs(1, about="second"), print, processes=1)
