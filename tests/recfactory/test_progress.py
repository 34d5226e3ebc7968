"""The progress line."""

import io

import pytest

from recfactory.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_silent_where_the_stream_is_no_terminal() -> None:
    stream = io.StringIO()
    with Progress("work", 10, stream=stream) as progress:
        progress.advance(10)
    assert (stream.getvalue(), progress.done) == ("", 10)


def test_draws_one_line_and_seldom() -> None:
    stream = Terminal()
    with Progress("work", 1000, "rows", stream) as progress:
        for _ in range(1000):
            progress.advance(1)
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().endswith("\n")
    assert stream.getvalue().count("\r") < 20


@pytest.mark.parametrize(
    ("total", "done", "seconds", "line"),
    [
        (2000, 500, 10.0, "work: 500 rows of 2.0k (25%), 50/s, 0:30 left"),
        (None, 3_000_000, 2.0, "work: 3.0M rows, 1.5M/s"),
        (100_000, 50_000, 100.0, "work: 50.0k rows of 100.0k (50%), 500/s, 1:40 left"),
        (10, 0, 0.0, "work: 0 rows of 10 (0%), 0/s, 0:00 left"),
    ],
)
def test_rate_and_time_left(total: int | None, done: int, seconds: float, line: str) -> None:
    progress = Progress("work", total)
    progress.done = done
    assert progress.line(seconds) == line
