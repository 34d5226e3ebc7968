import pytest
from hypothesis import given
from hypothesis import strategies as st

from recfactory.errors import UserError
from recfactory.yaml_text import format_yaml, parse_yaml


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1e-3", 1e-3),
        ("-2E6", -2e6),
        ("1.5e+3", 1500.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("7", 7),
        ("true", True),
        ("False", False),
        ("~", None),
        ("no", "no"),
        ("012", "012"),
        ("1:30", "1:30"),
        ("2020-13-45", "2020-13-45"),
        ("e3", "e3"),
        ("1e", "1e"),
    ],
)
def test_words_mean_what_their_writer_expects(written, meant):
    found = parse_yaml(f"key: {written}", "here")["key"]
    assert found == meant
    assert type(found) is type(meant)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("a: [1", r"not valid YAML \(line 1"),
        ("a: 1\na: 2", r"the key 'a' stands twice \(line 2\)"),
        ("!!python/object:os.system x", "not valid YAML"),
        ("\x00", "not valid YAML"),
        ("!!int x", "not valid YAML"),
        ("!!bool maybe", "not valid YAML"),
        ("!!timestamp 2020-13-45", "not valid YAML"),
        ("!!timestamp soon", "not valid YAML"),
        ("a: 1\nb: &b {c: *b}", r"not valid YAML \(line 2, column 4\).*recursive"),
        ("[" * 3000, "nested too deeply"),
        ("[" * 3000 + "]" * 3000, "nested too deeply"),
    ],
)
def test_what_is_no_yaml(written, said):
    with pytest.raises(UserError, match=said):
        parse_yaml(written, "here")


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        # PyYAML writes no lone surrogates.
        | st.text(st.characters(exclude_categories=["Cs"]))
        | st.from_regex(r"-?[0-9]+\.?[eE][-+]?[0-9]+", fullmatch=True),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("ab1e"), inner),
        max_leaves=8,
    )
)
def test_what_is_written_is_read_as_the_same_values(values):
    assert parse_yaml(format_yaml(values), "here") == values
