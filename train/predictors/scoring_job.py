"""Scoring of many performances, wherever it is sent to: one model a process, one performance an item.

What a performance costs depends on the model and on its events alone, and what all cost is added up in their order: so
the figures are the same from one process, from several and from a cluster.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from piano.tokens.encoding import TokenArray
from train.places import given_up, tell_nobody
from train.predictors.score_list import ScoreList, key_of
from train.predictors.scoring import Tally, WindowScorer, tally_of
from train.predictors.targets import check_target, load_predictor
from workers.place import Place, Tell
from workers.send import send


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a model is scored: as it is, or mixed with a memory, see `WindowScorer`."""

    recall: float = 0.0
    pulse: float = 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One performance to score: in which row of the table it counts, under which name there, and in which way."""

    row: str
    name: str
    events: TokenArray
    way: Way = Way()


@dataclass(frozen=True, slots=True)
class _Numbered:
    number: int
    asked: Asked


@dataclass(frozen=True, slots=True)
class _Scored:
    number: int
    row: str
    name: str
    tally: Tally


@dataclass
class ScoringJob:
    """Scores with one target, see `train.predictors.targets`, if it is the one of which the caller has the checksum."""

    target: str
    checksum: str
    batch: int = 8
    bf16: bool = False
    _scorers: dict[Way, WindowScorer] = field(default_factory=dict, init=False)

    def open(self) -> None:
        """Load the model; PianodError if it is missing or another one."""
        if not self._scorers:
            check_target(self.target, self.checksum)
            self._scorers[Way()] = WindowScorer(load_predictor(self.target, bf16=self.bf16), self.batch)

    def make(self, works: Sequence[_Numbered], tell: Tell) -> Iterator[_Scored]:  # noqa: ARG002
        """Score performances, one after the other."""
        for work in works:
            asked = work.asked
            yield _Scored(work.number, asked.row, asked.name, tally_of(self._scorer(asked.way), asked.events))

    def _scorer(self, way: Way) -> WindowScorer:
        if way not in self._scorers:
            predictor = self._scorers[Way()].predictor
            self._scorers[way] = WindowScorer(predictor, self.batch, way.recall, way.pulse)
        return self._scorers[way]


def tally_all(
    job: ScoringJob, asked: Iterable[Asked], place: Place, done: ScoreList | None = None
) -> dict[str, dict[str, Tally]]:
    """Return what the performances of each row come to, by their names; PianodError if one was given up.

    What stands in the list of what is done is not scored again; the rest comes into it.
    """
    done = ScoreList() if done is None else done
    found: dict[int, _Scored] = {}
    keys: dict[int, str] = {}

    def groups() -> Iterator[list[_Numbered]]:
        for number, each in enumerate(asked):
            key = key_of(f"{job.checksum} {job.bf16}", repr(each.way), each.events)
            tally = done.get(key)
            if tally is None:
                keys[number] = key
                yield [_Numbered(number, each)]
            else:
                found[number] = _Scored(number, each.row, each.name, tally)

    for one in send(job, groups(), place, tell=tell_nobody, lost=_lost):
        found[one.number] = one
        done.add(keys.pop(one.number), one.tally)
    totals: dict[str, dict[str, Tally]] = {}
    for number in sorted(found):
        one = found[number]
        row = totals.setdefault(one.row, {})
        row[one.name] = row.get(one.name, Tally()) + one.tally
    return totals


def _lost(work: _Numbered, why: str) -> _Scored:
    given_up(f"{work.asked.row}: a performance of {work.asked.name}", why)
