import pytest

from pipelines.reading import plan

PIECE = 2000
"""Bytes a piece, so that a small file has several."""


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(plan, "PIECE_BYTES", PIECE)
