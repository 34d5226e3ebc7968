"""How rows and whole runs are refused."""

import json

import pytest

from pipelines.features import make_features
from recfactory.errors import UserError


def rejected(out):
    files = sorted((out / "rejected").glob("part-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def refused(message, data, out, *arguments, **more):
    with pytest.raises(UserError, match=message) as caught:
        make_features(str(data), out, *arguments, **more)
    text = str(caught.value)
    assert "\n" not in text
    assert "Traceback" not in text
    assert "while running" not in text
