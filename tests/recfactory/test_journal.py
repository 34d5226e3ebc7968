import json
import os
import signal
import subprocess
import sys

import pytest

from recfactory.errors import UserError
from recfactory.journal import Journal

RECORDS = [
    {"kind": "suggested", "row": [1, 2]},
    {"kind": "finished", "scores": {"loss": 0.1 + 0.2}},
    {"text": "é\n"},
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "search" / "journal.jsonl"


def write(path, records=RECORDS):
    with Journal(path) as journal:
        for record in records:
            journal.append(record)


def test_records_come_back_in_order(path):
    write(path, RECORDS[:2])
    write(path, RECORDS[2:])
    with Journal(path) as journal:
        assert journal.records == RECORDS


def test_a_record_is_a_line_that_is_in_the_file_at_once(path):
    with Journal(path) as journal:
        for number, record in enumerate(RECORDS, 1):
            assert journal.append(record) == record
            lines = path.read_text().splitlines()
            assert len(lines) == number
            assert json.loads(lines[-1]) == record
            assert journal.records == RECORDS[:number]


def test_after_a_crash_at_any_byte_of_the_last_line_the_records_before_are_there_and_it_goes_on(path):
    write(path)
    content = path.read_bytes()
    before = content[:-1].rfind(b"\n") + 1
    for length in range(before, len(content)):
        path.write_bytes(content[:length])
        with Journal(path) as journal:
            assert journal.records == RECORDS[:2]
            journal.append(RECORDS[2])
        assert path.read_bytes() == content


@pytest.mark.parametrize(
    "damage", [b"{\n", b"\n", b"[1]\n", b"\xff\xfe\n", b"\0\0\0\n", b'{"a": 1}{"b": 2}\n']
)
def test_damage_elsewhere_is_refused_with_its_line(path, damage):
    write(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + damage + lines[2])
    with pytest.raises(
        UserError, match=r"journal.jsonl' is damaged in line 2, which starts with '.*'; restore it"
    ):
        Journal(path)
    assert path.read_bytes() == lines[0] + damage + lines[2]


def test_a_damaged_journal_is_not_held(path):
    path.parent.mkdir()
    path.write_text("damage\n")
    with pytest.raises(UserError, match="damaged"):
        Journal(path)
    path.write_text("")
    with Journal(path) as journal:
        assert journal.records == []


def test_only_one_writes_at_a_time(path):
    with Journal(path) as journal:
        journal.append(RECORDS[0])
        with pytest.raises(UserError, match="is being written by another process"):
            Journal(path)
        journal.append(RECORDS[1])
    with Journal(path) as journal:
        assert journal.records == RECORDS[:2]


def test_what_is_no_json_is_not_written(path):
    with Journal(path) as journal:
        for bad in ({"loss": float("nan")}, {"row": {1}}):
            with pytest.raises((TypeError, ValueError)):
                journal.append(bad)
        journal.append(RECORDS[0])
        assert journal.records == RECORDS[:1]
    with Journal(path) as journal:
        assert journal.records == RECORDS[:1]


WRITER = """
import sys
from recfactory.journal import Journal
journal = Journal(sys.argv[1])
number = len(journal.records)
while True:
    journal.append({"number": number, "text": "x" * 200})
    print(number, flush=True)
    number += 1
"""


def test_what_was_appended_survives_a_kill_and_the_lock_does_not(path):
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True
        ) as writer:
            for line in writer.stdout:
                last = int(line)
                if last % 20 == 19:
                    break
            os.kill(writer.pid, signal.SIGKILL)
        with Journal(path) as journal:
            numbers = [record["number"] for record in journal.records]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) > last
