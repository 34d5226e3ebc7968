from recfactory.benchmarks.two_shot import bench_two_shot
from recfactory.search.farthest import Farthest
from recfactory.search.mining import Mining


def test_each_step_is_timed():
    small = bench_two_shot(30, Mining(initial=200, steps=40), Farthest(50, 20, 5))
    assert set(small["seconds"]) >= {"predictor", "mining", "choosing"}
    assert (small["trials"], small["chosen"]) == (30, 50)
    assert small["entropy_ratio"] == small["entropy"]["chosen"] / small["entropy"]["evolution"]
