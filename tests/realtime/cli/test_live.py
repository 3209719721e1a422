"""Live play put together: ports in memory, the embedded model's place taken by one of chance, an end by command."""

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from inference import trial
from inference.onnx_session import Logits
from inference.rolling_context import RollingContext
from piano.errors import BundleError, PianodError
from piano.events import NoteOn
from piano.midi.file import read_tracks
from piano.tokens.vocabulary import VOCABULARY
from realtime.cli import live as run
from realtime.engine import engine
from realtime.engine.from_settings import seed_of
from realtime.live.live_session import LivePlay
from realtime.midi.memory_ports import MemoryMidiSystem
from realtime.midi.message import ALL_SOUND_OFF, bytes_of
from realtime.midi.port_events import ThreadFailed
from realtime.midi.ports import Wires
from realtime.settings import Settings
from realtime.take.journal import Journal, encode_record
from realtime.take.take import TakeRecord, TakeSource
from realtime.threads.clock import MonotonicClock
from tests.support.listener import Listener
from tests.support.scripted_play import S, phrase
from tests.support.session_models import ChanceSession, model_of_chance

QUICK = Settings(seed=3, shortest_pause_s=0.1, longest_pause_s=0.1, panel=False)


@pytest.fixture
def system() -> MemoryMidiSystem:
    return MemoryMidiSystem(MonotonicClock())


def test_it_answers_and_releases_all(system: MemoryMidiSystem, tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"takes": tmp_path})
    ears = Listener()
    with LivePlay(settings, system, model_of_chance(), 3) as play:
        keys, port = system.open_output("pianod in"), system.open_input("pianod out")
        for _, message in phrase(0.0, 4):
            keys.send(message)
        for _ in range(1000):
            while (data := port.poll()) is not None:
                ears.hear(data)
            if len(ears.struck) > 3:
                break
            play.partner.engine.wait(0.01)
    while (data := port.poll()) is not None:
        ears.hear(data)
    assert len(ears.struck) > 3
    assert ears.is_silent()
    play.check()
    [path] = tmp_path.glob("*.mid")
    assert [track.name for track in read_tracks(path)] == ["player", "pianod"]


def test_a_fault_in_a_thread_ends_it_with_a_message(system: MemoryMidiSystem) -> None:
    with LivePlay(QUICK, system, model_of_chance(), 3) as play:
        play.partner.inbox.put(ThreadFailed("output", "it broke"))
        assert play.partner.engine.wait(5.0)
    with pytest.raises(PianodError, match="the output thread ended: it broke"):
        play.check()


def test_a_system_that_dies_and_comes_back_is_played_on_again(system: MemoryMidiSystem) -> None:
    with LivePlay(QUICK, system, model_of_chance(), 3) as play:
        scheduler = play.partner.scheduler
        system.die()
        scheduler.send_now(NoteOn(60, 60))
        while not scheduler.status().is_lost:
            play.partner.engine.wait(0.01)
        system.revive()
        while scheduler.status().is_lost:
            play.partner.engine.wait(0.01)
        ears = system.open_input("pianod out")
        scheduler.send_now(NoteOn(62, 60))
        while (data := ears.poll()) != bytes_of(NoteOn(62, 60)):
            assert data != bytes_of(NoteOn(60, 60))
            play.partner.engine.wait(0.01)
    play.check()


def test_a_bundle_that_is_missing_is_told_and_the_system_closed(system: MemoryMidiSystem, tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"model": str(tmp_path / "none")})
    port = system.open_virtual_output("probe")
    with pytest.raises(BundleError, match="there is no such bundle"):
        run.run_live(settings, system)
    assert port.is_closed


def test_a_seed_that_is_set_is_kept() -> None:
    assert seed_of(QUICK) == 3
    assert seed_of(Settings(seed=None)) != seed_of(Settings(seed=None))


def test_the_end_can_be_asked_for_while_a_bundle_hangs(
    system: MemoryMidiSystem, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = subprocess.Popen
    ended: list[subprocess.Popen[str]] = []

    def start_what_hangs(_command: Sequence[str], **given: Any) -> "subprocess.Popen[str]":
        ended.append(start([sys.executable, "-c", "import threading; threading.Event().wait()"], **given))
        threading.Timer(0.1, signal.raise_signal, (signal.SIGTERM,)).start()
        return ended[-1]

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(trial, "WITHIN_S", 20.0)
    monkeypatch.setattr(subprocess, "Popen", start_what_hangs)
    settings = QUICK.model_copy(update={"model": str(tiny_bundle)})
    assert run.run_live(settings, system) == 0
    assert [process.returncode for process in ended] == [-signal.SIGKILL]


class HangingSession(ChanceSession):
    """A model that does not return from a call until it is let."""

    def __init__(self) -> None:
        super().__init__(VOCABULARY.size, 4096)
        self.hangs, self.is_let = threading.Event(), threading.Event()

    def feed(self, tokens: Sequence[int]) -> Logits:
        if self.length > PLAYED_FIRST:
            self.hangs.set()
            self.is_let.wait()
        return super().feed(tokens)


PLAYED_FIRST = 12


def test_leaving_works_while_the_model_hangs(system: MemoryMidiSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_JOIN_S", 0.2)
    hanging, ears = HangingSession(), Listener()
    settings = QUICK.model_copy(update={"thru": True})
    try:
        with LivePlay(settings, system, RollingContext(hanging, HangingSession()), 3):
            keys, port = system.open_output("pianod in"), system.open_input("pianod out")
            for pitch in range(60, 72):
                keys.send(bytes_of(NoteOn(pitch, 60)))
            assert hanging.hangs.wait(20)
        while (data := port.poll()) is not None:
            ears.hear(data)
    finally:
        hanging.is_let.set()
    assert ears.struck
    assert ears.is_silent()


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="no such signal here")
@pytest.mark.parametrize("way", ["signal", "keyboard"])
def test_a_panic_is_silence_while_the_model_hangs(
    system: MemoryMidiSystem, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(engine, "_JOIN_S", 0.2)
    hanging, ears = HangingSession(), Listener()

    def listen_until(*, is_silent: bool) -> None:
        while ears.is_silent() is not is_silent:
            if (data := port.poll()) is not None:
                ears.hear(data)
            hanging.is_let.wait(0.002)

    def listen() -> None:
        listen_until(is_silent=True)
        signal.raise_signal(signal.SIGTERM)

    settings = QUICK.model_copy(update={"thru": True})
    with run.SignalHandlers() as wishes:
        try:
            with LivePlay(settings, system, RollingContext(hanging, HangingSession()), 3) as play:
                keys, port = system.open_output("pianod in"), system.open_input("pianod out")
                for pitch in range(60, 72):
                    keys.send(bytes_of(NoteOn(pitch, 60)))
                assert hanging.hangs.wait(20)
                listen_until(is_silent=False)
                output = play.partner.scheduler
                output.schedule(MonotonicClock().now_ns() + 60 * S, NoteOn(40, 60), output.begin_epoch())
                if way == "signal":
                    signal.raise_signal(signal.SIGUSR1)
                else:
                    keys.send(bytes((0xB0, ALL_SOUND_OFF, 0)))
                listening = threading.Thread(target=listen, daemon=True)
                listening.start()
                wishes.wait(play.partner.engine, play.partner.tell)
                listening.join()
                assert not hanging.is_let.is_set(), "it hangs still"
                assert output.status().pending == 0, "what was planned is forgotten"
        finally:
            hanging.is_let.set()
    assert {pitch for _, pitch, _ in ears.struck} >= {60}


@pytest.mark.parametrize("way", ["its connection ends", "its active sensing ends", "the keyboard that is named goes"])
def test_a_keyboard_that_goes_while_the_model_hangs_leaves_no_key_behind(
    system: MemoryMidiSystem, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(engine, "_JOIN_S", 0.2)
    hanging, ears = HangingSession(), Listener()
    is_named = way == "the keyboard that is named goes"
    settings = QUICK.model_copy(update={"thru": True, "input": "keys" if is_named else None})
    system.plug("keys")
    system.connected = Wires(players=frozenset({"keys"}))
    try:
        with LivePlay(settings, system, RollingContext(hanging, HangingSession()), 3):
            keys, port = system.open_output("keys" if is_named else "pianod in"), system.open_input("pianod out")
            if way == "its active sensing ends":
                keys.send(b"\xfe")
            keys.send(bytes((0xB0, 64, 127)))
            for pitch in range(60, 72):
                keys.send(bytes_of(NoteOn(pitch, 60)))
            assert hanging.hangs.wait(20)
            if is_named:
                system.unplug("keys")
            elif way == "its connection ends":
                system.connected = Wires()
            for _ in range(PATIENCE):
                while (data := port.poll()) is not None:
                    ears.hear(data)
                if {pitch for _, pitch, _ in ears.struck} >= {60, 71} and ears.is_silent() and not ears.pedal[0]:
                    break
                hanging.is_let.wait(0.01)
            assert not hanging.is_let.is_set(), "it hangs still"
            assert {pitch for _, pitch, _ in ears.struck} >= {60, 71}
            assert ears.is_silent()
            assert not ears.pedal[0]
    finally:
        hanging.is_let.set()


PATIENCE = 1000


def test_what_a_pianod_that_was_killed_left_sounding_is_released_by_the_next(
    system: MemoryMidiSystem, tmp_path: Path
) -> None:
    left = [TakeRecord(at, TakeSource.OWN, bytes.fromhex(text)) for at, text in enumerate(("904040", "b0407f"))]
    journal = Journal.begin(tmp_path, "take")
    journal.append(map(encode_record, left))
    journal.close()
    system.plug("sound")
    ears, heard = system.open_input("sound"), list[str]()
    settings = QUICK.model_copy(update={"takes": tmp_path, "output": "sound"})
    with LivePlay(settings, system, model_of_chance(), 3) as play:
        for _ in range(PATIENCE):
            heard += [data.hex() for data in iter(ears.poll, None)]
            if len(heard) > 1:
                break
            play.partner.engine.wait(0.01)
        assert heard == ["804040", "b04000"]
        assert not play.partner.take.sent, "it is not of this take"
