from recfactory.cli.terminal import lines_of


def test_a_result_is_lines_with_short_numbers():
    measured = {
        "kdd12": [
            {"method": "fgps", "logloss_mean": 0.4280308880414187, "worse": [0.0010097944, None]},
            {"method": "mlp", "macs": 372800},
        ]
    }
    assert list(lines_of("result", measured)) == [
        "  result:",
        "    kdd12:",
        "      method fgps, logloss_mean 0.42803, worse [0.0010098, None]",
        "      method mlp, macs 372800",
    ]
    assert list(lines_of("examples_per_second", 128943.123)) == ["  examples_per_second: 128,943"]
    assert list(lines_of("bits", {"float": {"mean": 0.5, "std": None}}, "")) == [
        "bits:",
        "  float:",
        "    mean: 0.5",
        "    std: None",
    ]
