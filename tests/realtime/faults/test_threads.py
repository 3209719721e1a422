"""A thread of the playing that fails under the hands: it is told once, all is released, and the player plays on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loguru import logger

from piano.midi.file import read_tracks
from realtime.live.live_session import LivePlay
from realtime.midi.memory_ports import MemoryInputPort, MemoryMidiSystem, MemoryOutputPort
from realtime.midi.watchdog import Watchdog
from realtime.output.replay import Replay
from realtime.settings import Settings
from realtime.take import writer_thread as take_keeper
from realtime.threads.clock import MonotonicClock
from realtime.threads.restart_limit import MOST
from tests.support.listener import Listener
from tests.support.session_models import model_of_chance

WAIT_S = 0.002


class Playing:
    """A player at a daemon that passes on what is played, over ports in memory, and an ear at the far end."""

    def __init__(self, folder: Path) -> None:
        self.system = MemoryMidiSystem(MonotonicClock(), ["keys", "sound"])
        settings = Settings(
            input="keys", output="sound", thru=True, panel=False, seed=3, takes=folder, longest_pause_s=10.0,
            shortest_pause_s=10.0,
        )  # fmt: skip
        self.play = LivePlay(settings, self.system, model_of_chance(), 3)
        self._hands, self._ear = self.system.open_output("keys"), self.system.open_input("sound")
        self.listener = Listener()
        self.told: list[str] = []

    def press(self, *pitches: int) -> None:
        for pitch in pitches:
            self._hands.send(bytes((0x90, pitch, 70)))

    def until(self, holds: Callable[[], bool]) -> None:
        """Listen until something holds; what never does is a hang, which the runner of the tests ends."""
        while not holds():
            while (data := self._ear.poll()) is not None:
                self.listener.hear(data)
            assert not self.play.partner.engine.wait(WAIT_S), "it ended"

    def hears(self, pitch: int) -> None:
        """Press a key and wait until it sounds."""
        self.press(pitch)
        self.until(lambda: (0, pitch) in self.listener.sounding)

    def says(self, text: str) -> None:
        """Wait until the player is told something."""
        self.until(lambda: any(text in line for line in self.told))

    def goes_on_after(self, fault: str) -> None:
        """Wait until a fault is told; then all must fall silent, and what is played next must sound."""
        self.says(fault)
        self.until(self.listener.is_silent)
        self.hears(62)
        self.play.check()

    def listen(self) -> None:
        """Listen to what has come by now."""
        while (data := self._ear.poll()) is not None:
            self.listener.hear(data)


@pytest.fixture
def playing(tmp_path: Path) -> Iterator[Playing]:
    stage = Playing(tmp_path)
    sink = logger.add(lambda line: stage.told.append(str(line)), level="WARNING", format="{message}")
    with stage.play:
        yield stage
    stage.listen()
    logger.remove(sink)
    assert stage.listener.is_silent()
    assert len(stage.told) == 1, "the player is told once"


def raise_once(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
    """Let the next call of a method raise what nobody foresaw."""
    method = getattr(owner, name)

    def fail(*_: object) -> object:
        monkeypatch.setattr(owner, name, method)
        raise ArithmeticError("on purpose")

    monkeypatch.setattr(owner, name, fail)


def test_the_input_thread(playing: Playing, monkeypatch: pytest.MonkeyPatch) -> None:
    playing.hears(60)
    raise_once(monkeypatch, MemoryInputPort, "wait")
    playing.goes_on_after("a fault at the MIDI input (ArithmeticError: on purpose)")


def test_the_output_thread(playing: Playing, monkeypatch: pytest.MonkeyPatch) -> None:
    playing.hears(60)
    raise_once(monkeypatch, MemoryOutputPort, "send")
    playing.play.partner.scheduler.through(bytes.fromhex("904070"))
    playing.goes_on_after("a fault at the MIDI output (ArithmeticError: on purpose)")


def test_the_engines_thread(playing: Playing, monkeypatch: pytest.MonkeyPatch) -> None:
    playing.hears(60)
    raise_once(monkeypatch, type(playing.play.partner.engine._performer), "on_event")
    playing.press(61)
    playing.says("answer does not play for 1 s: ArithmeticError: on purpose")
    playing.until(lambda: {(0, 60), (0, 61)} <= playing.listener.sounding.keys())
    playing.hears(62)


def test_the_watchdogs_thread(playing: Playing, monkeypatch: pytest.MonkeyPatch) -> None:
    playing.hears(60)
    raise_once(monkeypatch, Watchdog, "look")
    playing.says("cannot see whether the instruments are still there (ArithmeticError: on purpose)")
    assert (0, 60) in playing.listener.sounding
    playing.hears(62)
    playing.play.check()


def test_the_takes_thread(playing: Playing, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(take_keeper, "encode_record", lambda _: 1 // 0)
        playing.hears(60)
        playing.says("keeping the take failed (ZeroDivisionError")
    playing.hears(62)
    playing.play._stop()
    keeper = playing.play.keeper
    assert keeper is not None
    assert keeper.midi is not None
    assert read_tracks(keeper.midi)[0].performance.notes["pitch"].tolist() == [60, 62]


def test_the_thread_beside(playing: Playing, monkeypatch: pytest.MonkeyPatch) -> None:
    held, fatal = bytes.fromhex("904570"), b"\xf6"
    beside, send = playing.play.beside, Replay._send

    def fail(replay: Replay, data: bytes) -> None:
        if data == fatal:
            raise ArithmeticError("on purpose")
        send(replay, data)

    monkeypatch.setattr(Replay, "_send", fail)
    beside.replay("a piece", [(0, held), (10, fatal), (3600 * 10**9, bytes.fromhex("804500"))])
    playing.says("the replay stopped: ")
    playing.until(playing.listener.is_silent)
    assert beside.clip is None
    beside.replay("another", [(0, held), (3600 * 10**9, bytes.fromhex("804500"))])
    playing.until(lambda: (0, 0x45) in playing.listener.sounding)


def test_a_thread_that_fails_again_and_again_ends_the_playing_with_releases_and_says_why(tmp_path: Path) -> None:
    stage = Playing(tmp_path)
    with stage.play:
        stage.hears(60)
        for _ in range(MOST + 1):
            stage.play.partner.scheduler._post(lambda: 1 // 0)  # type: ignore[arg-type]
        assert stage.play.partner.engine.wait(30)
    stage.listen()
    assert stage.listener.is_silent()
    assert "the output thread ended: ZeroDivisionError" in str(stage.play.partner.engine.status().fault)
