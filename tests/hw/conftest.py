from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from hw import PIMConfig, load


@pytest.fixture(scope="session")
def reference():
    return yaml.safe_load((Path(__file__).parent / "reference.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def isaac():
    config = load("isaac")
    assert isinstance(config, PIMConfig)
    return config


@pytest.fixture
def handcrafted():
    return load("handcrafted")


@pytest.fixture
def changed(handcrafted):
    """Makes the hand-crafted machine with other settings."""
    return lambda **settings: replace(handcrafted, **settings)
