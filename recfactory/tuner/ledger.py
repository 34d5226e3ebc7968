"""A search on disk: its trials in a journal, from which the state of its sampler is rebuilt."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recfactory.differences import differences
from recfactory.errors import UserError
from recfactory.journal import Journal, Record
from recfactory.search.sampler import Sampler
from recfactory.search.trial import Suggestion, Trial

JOURNAL = "journal.jsonl"
ATTEMPTS = 8
"""To get a suggestion while nothing is running: more than a search has stages that may turn out empty."""


@dataclass
class Entry:
    """A trial of the search.

    Args:
        number: counted from 0, in the order of suggestion.
        row: its genes.
        stage: how it is evaluated.
        tuner_id: worker to which it was handed last.
        scores: by name, once it is finished.
        error: why it failed, once it has.
        seconds: it took.
    """

    number: int
    row: tuple[int, ...]
    stage: str
    tuner_id: str
    scores: dict[str, float] | None = None
    error: str | None = None
    seconds: float = 0.0

    @property
    def running(self) -> bool:
        """Whether its end is still to come."""
        return self.scores is None and self.error is None

    @property
    def trial(self) -> Trial:
        """What samplers are told of it."""
        return Trial(self.row, self.stage, self.scores)


class Ledger:
    """The trials of a search, each suggestion and each end on the disk before anybody learns of it.

    The journal's first record says what the search is. Opened again, the sampler is asked for the same
    suggestions and told the same ends in the same order, and so comes to the same state.

    Args:
        path: of the journal; locked until `close`.
        about: what the search is, as JSON values by name; nested once under `context`.
        sampler: at its beginning.

    Raises:
        UserError: when the journal is of another search, damaged, or written by another process.
    """

    def __init__(self, path: Path, about: Mapping[str, Any], sampler: Sampler) -> None:
        self.path, self.sampler = path, sampler
        self.entries: list[Entry] = []
        self.running: dict[int, Entry] = {}
        self._about: dict[str, Any] = json.loads(json.dumps(about))
        self._journal = Journal(path)
        try:
            self.check(self._about)
            for line, record in enumerate(self._journal.records[1:], 2):
                self._replay(line, record)
        except BaseException:
            self.close()
            raise

    @property
    def over(self) -> bool:
        """Whether every trial there will be has ended."""
        return self.sampler.done and not self.running

    def check(self, about: Mapping[str, Any]) -> None:
        """Refuses to go on with the journal of another search.

        What `about` has under `context` is compared name by name; names that are only in the journal are
        left alone, since a reader of results need not know them.

        Raises:
            UserError: naming what changed.
        """
        ours = json.loads(json.dumps(about))
        if self._journal.records:
            theirs = self._journal.records[0]
            if theirs.get("kind") != "search":
                raise UserError(f"'{self.path}' is no journal of a search; begin in another place")
            changed = _changes(theirs.get("about", {}), ours)
            if changed:
                raise UserError(
                    f"'{self.path}' is of another search: {'; '.join(changed)}; take the old settings, "
                    "or begin in another place (in Python: another project_name, or overwrite=True)"
                )
        self._about = ours

    def suggest(self, tuner_id: str) -> Entry | None:
        """A new trial.

        Args:
            tuner_id: worker it is for.

        Returns:
            The trial; None when running ones must be waited for, or the search is over.
        """
        found = self._ask()
        if found is None:
            return None
        if not self._journal.records:
            self._journal.append({"kind": "search", "about": self._about})
        entry = Entry(len(self.entries), found.row, found.stage, tuner_id)
        record = {"kind": "suggested", "trial": entry.number, "stage": entry.stage, "tuner": tuner_id}
        self._journal.append({**record, "row": list(entry.row)})
        self._add(entry)
        return entry

    def finish(self, number: int, scores: Mapping[str, float], seconds: float) -> None:
        """Ends a running trial.

        Args:
            number: of the trial.
            scores: finite, and with every objective of the sampler.
            seconds: it took.
        """
        kept = {name: float(value) for name, value in scores.items()}
        seconds = round(seconds, 3)
        self._journal.append({"kind": "finished", "trial": number, "scores": kept, "seconds": seconds})
        self._end(number, kept, None, seconds)

    def fail(self, number: int, error: str, seconds: float) -> None:
        """Ends a running trial that gave no scores.

        Args:
            number: of the trial.
            error: why.
            seconds: it took.
        """
        seconds = round(seconds, 3)
        self._journal.append({"kind": "failed", "trial": number, "error": error, "seconds": seconds})
        self._end(number, None, error, seconds)

    def close(self) -> None:
        """Lets others write the journal."""
        self._journal.close()

    def _ask(self) -> Suggestion | None:
        """The sampler's next suggestion."""
        for _ in range(ATTEMPTS):
            found = self.sampler.suggest(1)
            if found:
                return found[0]
            if self.sampler.done or self.running:
                return None
        raise UserError(
            f"{type(self.sampler).__name__} suggests nothing though no trial is running and it is not done"
        )

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.running[entry.number] = entry

    def _end(self, number: int, scores: dict[str, float] | None, error: str | None, seconds: float) -> None:
        entry = self.running.pop(number)
        entry.scores, entry.error, entry.seconds = scores, error, seconds
        self.sampler.update([entry.trial])

    def _replay(self, line: int, record: Record) -> None:
        try:
            kind, number = record["kind"], record["trial"]
            if kind == "suggested":
                self._suggest_again(line, record)
            elif kind == "finished":
                self._end(number, record["scores"], None, record["seconds"])
            elif kind == "failed":
                self._end(number, None, record["error"], record["seconds"])
            else:
                raise KeyError(kind)
        except (KeyError, TypeError) as error:
            raise UserError(
                f"'{self.path}' is damaged in line {line} ({error!r}); restore it, or begin again in "
                "another place (in Python: overwrite=True)"
            ) from error

    def _suggest_again(self, line: int, record: Record) -> None:
        entry = Entry(record["trial"], tuple(record["row"]), record["stage"], record["tuner"])
        found = self._ask()
        if found != Suggestion(entry.row, entry.stage) or len(self.entries) != entry.number:
            raise UserError(
                f"'{self.path}', line {line}: this version of the search suggests another trial than it did "
                "then; go on with the version it was begun with, or begin another search"
            )
        self._add(entry)


def _changes(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    """What differs between two descriptions, in words."""
    before, now = theirs.get("context", {}), ours.get("context", {})
    told = {name: before[name] for name in now if name in before}
    flat = [{**about, **context, "context": None} for about, context in ((theirs, told), (ours, now))]
    return list(differences(*flat))
