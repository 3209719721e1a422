"""Makers of files over a model of chance, for processes too: what travels there must be found by its module."""

from piano.solve.sequential_sessions import SequentialSessions
from piano.tokens.vocabulary import VOCABULARY
from realtime.files.new_pieces import PieceMaker
from realtime.files.task_commands import TaskMaker
from tests.support.session_models import ChanceSession, model_of_chance


class ChanceMaker(TaskMaker):
    """Does tasks by chance, and loads nothing."""

    def open(self) -> None:
        self._sessions = SequentialSessions(
            ChanceSession(VOCABULARY.size, 1024), max(self.request.beams, self.request.batch)
        )


class ChancePieces(PieceMaker):
    """Makes pieces by chance, and loads nothing."""

    def open(self) -> None:
        self._session = model_of_chance()
