from hypothesis import given
from hypothesis import strategies as st

from recfactory.features.layout import Field, make_layout


def test_fields_lie_one_after_another():
    layout = make_layout(("x", "y"), [("a", 1, 10), ("b", 3, 5), ("c", 1, 2)])
    assert layout.dense == ("x", "y")
    assert layout.fields == (Field("a", 0, 1, 0, 10), Field("b", 1, 3, 10, 5), Field("c", 4, 1, 15, 2))
    assert (layout.slots, layout.table_rows) == (5, 17)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 99))))
def test_slots_and_rows_are_tiled(sizes):
    layout = make_layout((), [(f"c{i}", *size) for i, size in enumerate(sizes)])
    slots = [slot for field in layout.fields for slot in range(field.start, field.start + field.slots)]
    rows = [row for field in layout.fields for row in range(field.offset, field.offset + field.size)]
    assert slots == list(range(layout.slots))
    assert rows == list(range(layout.table_rows))
