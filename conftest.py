"""Fixtures of all tests. It stands here and not in tests/, whose folders are named as the packages are."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is slow, and no test is about time.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

SHARED = Path(__file__).parents[1] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real click data, which is kept outside the repository."""
    if not SHARED.is_dir():
        pytest.skip(f"the real click data are not at {SHARED}")
    return SHARED
