"""Another model while it plays: the bundles there are, by name, and one loaded in the background.

Names are those of folders that were found at the start; a name that is asked for is looked up among them and never
becomes a path. A thread of its own loads and verifies the bundle and lets it hear what was played; the engine exchanges
it between two events. Where any of this fails the old model goes on, and the reason is told.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from loguru import logger

from inference.manifest import MANIFEST_NAME
from inference.onnx_session import Session
from inference.swappable_session import Successor, SwappableSession
from inference.trial import TrialLoad
from piano.errors import ConfigError, PianodError
from realtime.control.protocol import ControlError
from realtime.engine.commands import ExchangeModel
from realtime.engine.find_bundle import EMBEDDED
from realtime.engine.open_model import open_for_live
from realtime.settings import Settings

MOST_MODELS = 100

Open = Callable[[Settings], tuple[Session, str]]
"""Loads the model that settings name; returns its session and what it runs on. PianodError says what is wrong."""


def open_model(settings: Settings, trial: TrialLoad | None = None) -> tuple[Session, str]:
    """Load the model that the settings name; a first load can be cancelled by its trial."""
    return open_for_live(settings, trial)


def models_of(settings: Settings) -> dict[str, str]:
    """Return the models there are to choose from: what the setting `model` is for each name.

    ConfigError if the folder of models cannot be read.
    """
    found = {EMBEDDED: EMBEDDED}
    if settings.models is not None:
        try:
            folders = sorted(settings.models.expanduser().iterdir())
        except OSError as error:
            raise ConfigError(f"--models {settings.models} cannot be read: {error.strerror}; name a folder") from error
        bundles = [folder for folder in folders if (folder / MANIFEST_NAME).is_file()]
        found |= {folder.name: str(folder) for folder in bundles[:MOST_MODELS]}
    if settings.model not in found.values():
        found[name_of(settings.model)] = settings.model
    return found


def name_of(model: str) -> str:
    """Return the name of a model for the player: that of its folder."""
    return model if model == EMBEDDED else Path(model).expanduser().resolve().name


@dataclass(frozen=True, slots=True)
class ModelState:
    """Which model plays, on what, which one is being loaded, and why the last choice failed."""

    name: str
    provider: str
    loading: str | None = None
    fault: str | None = None


class ModelChoice:
    """The models by name, and the change from one to another. `choose` is for one thread; the state is for any."""

    def __init__(
        self, settings: Settings, provider: str, session: SwappableSession, tell: Callable[[ExchangeModel], None]
    ) -> None:
        """Take the session that plays; `tell` hands a command to the engine. ConfigError as `models_of`."""
        self._settings, self._session, self._tell = settings, session, tell
        self._models = models_of(settings)
        self._thread: threading.Thread | None = None
        self._trial = TrialLoad()
        self._wish = 0
        self._changing = threading.Lock()
        self.open: Open | None = None
        """What loads a model, in place of `open_model`."""
        self.state = ModelState(name_of(settings.model), provider)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the models there are."""
        return tuple(self._models)

    @property
    def setting(self) -> str:
        """Return what the setting `model` is for the model that plays."""
        return self._models[self.state.name]

    def choose(self, name: str) -> None:
        """Begin to load a model, in the place of one that is being loaded; ControlError if there is no such one."""
        if name not in self._models:
            raise ControlError(f"there is no model {name[:60]!r}; there are: {', '.join(self._models)}")
        self.cancel()
        with self._changing:
            self._trial = TrialLoad()
            self.state = ModelState(self.state.name, self.state.provider, loading=name)
            words = (name, self._wish, self._trial)
            self._thread = threading.Thread(target=self._load, args=words, name="model", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Give up what is being loaded, if anything is."""
        with self._changing:
            self._wish += 1
            self._trial.cancel()
            self.state = replace(self.state, loading=None)

    def wait(self) -> None:
        """Wait until nothing is being loaded."""
        if self._thread is not None:
            self._thread.join()

    def _load(self, name: str, wish: int, trial: TrialLoad) -> None:
        """Be the thread that loads one model; what is no longer wished for is let go."""
        try:
            settings = self._settings.model_copy(update={"model": self._models[name]})
            session, provider = open_model(settings, trial) if self.open is None else self.open(settings)
            successor = self._session.prepare(session)
        except Exception as error:  # the top of the thread: the old model goes on, and the reason is told
            self._fail(name, error, wish)
            return
        self._tell(ExchangeModel(lambda: self._exchange(name, provider, successor, wish)))

    def _exchange(self, name: str, provider: str, successor: Successor, wish: int) -> None:
        """Exchange the model; on the engine's thread, between two events."""
        if wish != self._wish:
            return
        try:
            self._session.exchange(successor)
        except (PianodError, ValueError) as error:
            self._fail(name, error, wish)
            return
        self.state = ModelState(name, provider)
        logger.info("the model is now {}, on {}", name, provider)

    def _fail(self, name: str, error: Exception, wish: int) -> None:
        with self._changing:
            if wish != self._wish:
                return
            self._tell_fault(name, error)

    def _tell_fault(self, name: str, error: Exception) -> None:
        reason = str(error) if isinstance(error, PianodError) else f"{type(error).__name__}: {error}"
        self.state = ModelState(self.state.name, self.state.provider, fault=f"{name}: {reason}")
        logger.warning("the model {} cannot be used, {} goes on: {}", name, self.state.name, reason)
