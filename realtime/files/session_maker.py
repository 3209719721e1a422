"""What a process that draws pieces holds: the model, loaded once it is there."""

from dataclasses import dataclass, field

from inference.onnx_session import Session
from realtime.engine.find_bundle import open_bundle
from realtime.engine.open_model import open_session
from realtime.settings import Settings


@dataclass
class SessionMaker:
    """One for each process. `realtime.files.batch_run` opens it there, and then has it make things."""

    settings: Settings
    _session: Session | None = field(default=None, init=False)

    def open(self) -> None:
        """Load the model."""
        self._session, _ = open_session(open_bundle(self.settings), self.settings, spreads=False)

    @property
    def session(self) -> Session:
        """Return the model; RuntimeError before it was loaded."""
        if self._session is None:
            raise RuntimeError("the maker has not been opened")
        return self._session
