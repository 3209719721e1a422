"""What a process that draws pieces holds: the model, loaded once it is there."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from inference.onnx_session import Session
from realtime.engine.find_bundle import open_bundle
from realtime.engine.open_model import open_session
from realtime.settings import Settings


@dataclass
class SessionMaker:
    """One for each process. `realtime.files.batch_run` opens it there, and then has it make things."""

    settings: Settings
    cores: int = field(default=1, kw_only=True)
    """For each process; what is made does not depend on it."""
    _session: Session | None = field(default=None, init=False)

    def open(self) -> None:
        """Load the model."""
        helper = ThreadPoolExecutor(1, "next window") if self.cores > 1 else None
        self._session, _ = open_session(open_bundle(self.settings), self.settings, spreads=False, helper=helper)

    @property
    def session(self) -> Session:
        """Return the model; RuntimeError before it was loaded."""
        if self._session is None:
            raise RuntimeError("the maker has not been opened")
        return self._session
