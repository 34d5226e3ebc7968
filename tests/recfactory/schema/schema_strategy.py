"""Any valid schema, for property tests."""

from hypothesis import strategies as st

from recfactory.schema import Categorical, Dense, FileFormat, Label, Schema, Split

# Words that YAML or a careless reader would take for something else stand beside arbitrary text.
NAMES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
    st.sampled_from(
        [
            "no",
            "true",
            "null",
            "~",
            "1",
            "-3",
            "012",
            "1.5",
            "1e3",
            "1:30",
            "2020-01-01",
            "a: b",
            "- x",
            "#",
            ".inf",
        ]
    ),
).filter(lambda name: name not in ("label", "weight", "timestamp", "truth"))
SPLIT_NAMES = st.sampled_from(["train", "valid", "test"])
FRACTIONS = st.sampled_from([(0.8, 0.1, 0.1), (1.0, 0.0, 0.0), (0.7, 0.3, 0.0), (1 / 3, 1 / 3, 1 / 3)])


@st.composite
def categorical(draw: st.DrawFn, name: str) -> Categorical:
    separator = draw(st.none() | st.sampled_from(["|", " ", ",", "^", "; ", "\t"]))
    return Categorical(
        name,
        draw(st.sampled_from(["vocabulary", "hash"])),
        *(draw(st.integers(1, 10**6)) for _ in range(4)),
        separator,
        1 if separator is None else draw(st.integers(1, 64)),
    )


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    names = draw(st.lists(NAMES, min_size=2, max_size=8, unique=True))
    label, features = names[0], names[1:]
    cut = draw(st.integers(0, len(features)))
    by = draw(st.sampled_from(["hash", "time", "files", "column"]))
    timestamp = draw(NAMES) if by == "time" else draw(st.none() | NAMES)
    other = st.none() | NAMES.filter(lambda name: name not in features)
    fixed = draw(st.booleans())
    schema = Schema(
        name=draw(NAMES),
        label=Label(label, draw(st.sampled_from([None, "> 3", ">= 0.5", "== 1", "<-2"]))),
        dense=tuple(Dense(n, draw(st.sampled_from(["none", "log", "standardize"]))) for n in features[:cut]),
        categorical=tuple(draw(categorical(n)) for n in features[cut:]),
        split=Split(
            by,
            draw(NAMES) if by == "column" else draw(st.none() | NAMES),
            draw(FRACTIONS),
            tuple(draw(st.dictionaries(NAMES, SPLIT_NAMES, max_size=3)).items()),
        ),
        weight=draw(other),
        timestamp=timestamp,
        truth=draw(other),
        slices=tuple(draw(st.lists(NAMES, max_size=3))),
    )
    layout = FileFormat(draw(st.sampled_from(",\t;|")), not fixed, schema.columns if fixed else ())
    return Schema(
        **{**{name: getattr(schema, name) for name in schema.__dataclass_fields__}, "format": layout}
    )
