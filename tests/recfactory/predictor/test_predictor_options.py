import pytest

from recfactory.errors import UsageError
from recfactory.predictor.options import PredictorOptions


def test_options_survive_json():
    options = PredictorOptions(encoding="pids", widths=((8,), (16, 4)), decays=(0.5,), isomorphism=True)
    assert options.to_dict()["widths"] == [[8], [16, 4]]
    assert PredictorOptions.from_dict(options.to_dict()) == options
    assert PredictorOptions.from_dict({}) == PredictorOptions()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("encoding", "graph"),
        ("embedding", 0),
        ("widths", []),
        ("widths", [[]]),
        ("widths", [[16, 0]]),
        ("widths", [16]),
        ("decays", []),
        ("decays", [-1.0]),
        ("epochs", 0),
        ("epochs", 1.5),
        ("learning_rate", 0),
        ("hinge", -0.1),
        ("margin", "wide"),
        ("folds", 1),
        ("clip", 0),
        ("pretrain", 1),
        ("pretrain_rows", 0),
        ("copies", 0),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(name, value):
    with pytest.raises(UsageError, match=f"predictor: {name}"):
        PredictorOptions.from_dict({name: value})


def test_an_unknown_entry_is_refused_with_a_hint():
    with pytest.raises(UsageError, match=r"no entry 'epoch'.*epochs"):
        PredictorOptions.from_dict({"epoch": 3})
