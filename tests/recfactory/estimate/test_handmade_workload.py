import numpy as np
import pytest

import hw
from hw.schedule import last_end
from recfactory.errors import UsageError
from recfactory.estimate.handmade import MODELS, handmade_workload
from recfactory.features.layout import make_layout
from recfactory.training.recipe import Recipe

LAYOUTS = {
    "both": make_layout(("x", "y"), [("a", 1, 9), ("b", 1, 7), ("m", 3, 9)]),
    "fields": make_layout((), [("a", 1, 9), ("b", 1, 7)]),
    "one field": make_layout((), [("a", 1, 9)]),
}
SIZES = Recipe(hidden=(8, 5), embedding_dim=4, bottom=(6,), crosses=2)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("model", MODELS)
def test_macs_are_those_counted_on_the_model(model, layout):
    from recfactory.models.macs import count_macs
    from recfactory.models.registry import build

    assert handmade_workload(model, layout, SIZES).macs.sum() == count_macs(build(model, layout, SIZES))


def test_embeddings_are_as_wide_as_the_models():
    layout = LAYOUTS["both"]
    found = {model: handmade_workload(model, layout, SIZES) for model in MODELS}
    assert {model: one.columns[0, 0] for model, one in found.items()} == {
        "dlrm": 4,
        "deepfm": 5,
        "dcnv2": 4,
        "mlp": 4,
    }
    assert all(one.rows[0, 0] == 5 for one in found.values())
    assert found["deepfm"].stored[0, 0] == 25 * 5


def test_branches_run_beside_each_other():
    workload = handmade_workload("dcnv2", LAYOUTS["fields"], SIZES)
    estimate = hw.estimate(workload, hw.load("handcrafted"))
    times = dict(zip(workload.names, estimate.latency_by_operation[0], strict=True))

    def of(*parts):
        return sum(time for name, time in times.items() if name.split(".")[0].startswith(parts))

    expected = of("embedding") + max(of("cross"), of("hidden")) + of("logit")
    # As if each operation had a unit of its own.
    assert last_end(estimate.latency_by_operation, workload.waits, ())[0] == pytest.approx(expected)
    assert np.isfinite(estimate.energy_j).all()


def test_without_hidden_layers_the_logit_reads_what_they_would():
    for model, before in (("mlp", "embedding.lookup"), ("dlrm", "pairs")):
        workload = handmade_workload(model, LAYOUTS["fields"], Recipe(hidden=()))
        logit, waits = workload.names.index("logit.kernel"), workload.waits[0]
        assert [workload.names[place] for place in np.flatnonzero(waits[logit])] == [before]


def test_another_model_is_refused():
    with pytest.raises(UsageError, match="no estimate of the model 'tfrs'; there are dlrm"):
        handmade_workload("tfrs", LAYOUTS["both"])
