"""Another model while it plays: by name alone, in the background, between two events; else the old one goes on."""

import shutil
import threading
from pathlib import Path

import pytest

from inference.onnx_session import Session
from inference.swappable_session import SwappableSession
from piano.errors import BundleError, ConfigError
from realtime.control.model_choice import ModelChoice, models_of, name_of, open_model
from realtime.control.protocol import ControlError
from realtime.engine.commands import ExchangeModel
from realtime.settings import Settings
from realtime.threads.clock import MonotonicClock
from realtime.threads.inbox import Inbox
from tests.support.session_models import model_of_chance

WITHIN_NS = 20_000_000_000


class Room:
    """A choice among models of chance, and the engine's inbox."""

    def __init__(self, folder: Path, *names: str) -> None:
        for name in names:
            (folder / name).mkdir()
            (folder / name / "manifest.json").write_text("{}")
        (folder / "no model").mkdir()
        self.clock = MonotonicClock()
        self.inbox: Inbox[ExchangeModel] = Inbox(self.clock)
        self.session = SwappableSession(model_of_chance(1))
        self.choice = ModelChoice(Settings(models=folder), "chance", self.session, self.inbox.put)
        self.opened: list[str] = []
        self.choice.open = self.open

    def open(self, settings: Settings) -> tuple[Session, str]:
        self.opened.append(settings.model)
        if settings.model.endswith("bad"):
            raise BundleError("it is damaged")
        return model_of_chance(2), "other chance"

    def exchange(self) -> None:
        message = self.inbox.get(self.clock.now_ns() + WITHIN_NS)
        assert message is not None
        message.exchange()


def test_models_are_found_by_name(tmp_path: Path) -> None:
    room = Room(tmp_path, "small", "large")
    assert room.choice.names == ("embedded", "large", "small")
    assert room.choice.state.name == "embedded"


def test_the_one_that_was_started_with_is_among_them(tmp_path: Path) -> None:
    settings = Settings(model=str(tmp_path / "mine"))
    assert models_of(settings) == {"embedded": "embedded", "mine": str(tmp_path / "mine")}
    assert name_of(settings.model) == "mine"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--models"):
        models_of(Settings(models=tmp_path / "nowhere"))


def test_another_model_is_exchanged_by_the_engine(tmp_path: Path) -> None:
    room = Room(tmp_path, "small")
    room.session.feed([1, 2, 3])
    room.choice.choose("small")
    room.exchange()
    assert (room.choice.state.name, room.choice.state.provider) == ("small", "other chance")
    assert room.choice.setting == str(tmp_path / "small") == room.opened[0]
    same = model_of_chance(2)
    same.feed([1, 2, 3])
    assert (room.session.feed([4]) == same.feed([4])).all()


def test_one_that_cannot_be_loaded_leaves_the_old_one_playing(tmp_path: Path) -> None:
    room = Room(tmp_path, "bad", "small")
    room.choice.choose("bad")
    room.choice.wait()
    state = room.choice.state
    assert (state.name, state.loading, state.fault) == ("embedded", None, "bad: it is damaged")
    room.choice.choose("small")
    room.exchange()
    assert room.choice.state.fault is None


def test_a_model_that_takes_long_holds_up_no_other(tmp_path: Path) -> None:
    room = Room(tmp_path, "slow", "small")
    goes_on = threading.Event()

    def open_slowly(settings: Settings) -> tuple[Session, str]:
        if settings.model.endswith("slow"):
            goes_on.wait()
        return room.open(settings)

    room.choice.open = open_slowly
    room.choice.choose("slow")
    slow = room.choice._thread
    assert slow is not None
    assert room.choice.state.loading == "slow"
    room.choice.choose("small")
    assert room.choice.state.loading == "small"
    room.exchange()
    assert room.choice.state.name == "small"
    goes_on.set()
    slow.join()
    room.exchange()  # the late one, which nobody wants any more
    assert room.choice.state.name == "small"


def test_a_load_can_be_given_up(tmp_path: Path) -> None:
    room = Room(tmp_path, "bad")
    goes_on = threading.Event()

    def open_slowly(settings: Settings) -> tuple[Session, str]:
        goes_on.wait()
        return room.open(settings)

    room.choice.open = open_slowly
    room.choice.choose("bad")
    room.choice.cancel()
    assert room.choice.state.loading is None
    goes_on.set()
    room.choice.wait()
    assert room.choice.state.fault is None


@pytest.mark.parametrize("name", ["../small", "/etc", "", "no model"])
def test_a_name_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    room = Room(tmp_path, "small")
    with pytest.raises(ControlError, match="there is no model"):
        room.choice.choose(name)
    assert room.opened == []


def test_a_real_bundle_takes_over_from_another(tmp_path: Path, tiny_bundle: Path, tiny_exact_bundle: Path) -> None:
    shutil.copytree(tiny_exact_bundle, tmp_path / "exact")
    clock = MonotonicClock()
    inbox: Inbox[ExchangeModel] = Inbox(clock)
    settings = Settings(model=str(tiny_bundle), models=tmp_path)
    session, provider = open_model(settings)
    changing = SwappableSession(session)
    choice = ModelChoice(settings, provider, changing, inbox.put)
    changing.feed(list(range(100)))
    choice.choose("exact")
    message = inbox.get(clock.now_ns() + WITHIN_NS)
    assert message is not None
    message.exchange()
    assert choice.state.name == "exact"
    assert changing.length == 100
    assert changing.feed([1]).size > 0
