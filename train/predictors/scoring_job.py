"""Scoring of many performances, wherever it is sent to: one model a process, one performance an item.

What a performance costs depends on the model and on its events alone, and what all cost is added up in their order: so
the figures are the same from one process, from several and from a cluster.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, field

from piano.tokens.encoding import TokenArray
from train.places import given_up
from train.predictors.scoring import Tally, WindowScorer, tally_of
from train.predictors.targets import check_target, load_predictor
from workers.in_turn import Keeping, send_in_turn
from workers.place import Place, Tell
from workers.result_list import ResultList, Stored, key_of


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

    def make(self, works: Sequence[Asked], tell: Tell) -> Iterator[Tally]:  # noqa: ARG002
        """Score performances, one after the other."""
        for asked in works:
            yield tally_of(self._scorer(asked.way), asked.events)

    def _scorer(self, way: Way) -> WindowScorer:
        if way not in self._scorers:
            predictor = self._scorers[Way()].predictor
            self._scorers[way] = WindowScorer(predictor, self.batch, way.recall, way.pulse)
        return self._scorers[way]


def tally_all(
    job: ScoringJob, asked: Iterable[Asked], place: Place, done: ResultList | None = None
) -> dict[str, dict[str, Tally]]:
    """Return what the performances of each row come to, by their names; PianodError if one was given up.

    What stands in the list of what is done is not scored again; the rest comes into it.
    """
    keeping: Keeping[Asked, Tally] = Keeping(
        ResultList() if done is None else done,
        key=lambda one: key_of(job.checksum, job.bf16, one.way, one.events),
        store=lambda tally: Stored(astuple(tally)),
        restore=_tally,
    )
    names: list[tuple[str, str]] = []

    def noted() -> Iterator[Asked]:
        for each in asked:
            names.append((each.row, each.name))
            yield each

    totals: dict[str, dict[str, Tally]] = {}
    for number, tally in enumerate(send_in_turn(job, noted(), place, lost=_lost, keeping=keeping)):
        row, name = names[number]
        totals.setdefault(row, {})
        totals[row][name] = totals[row].get(name, Tally()) + tally
    return totals


def _tally(stored: Stored) -> Tally:
    pieces, notes, tokens, nats, parts = stored.told
    return Tally(pieces, notes, tokens, nats, tuple(parts))


def _lost(asked: Asked, why: str) -> Tally:
    given_up(f"{asked.row}: a performance of {asked.name}", why)
