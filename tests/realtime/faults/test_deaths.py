"""The whole daemon over JACK, and what becomes of its notes when it dies, its guardian or the JACK server."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from piano.events import NoteOff, NoteOn, Pedal
from realtime.midi.message import ALL_SOUND_OFF, MessageKind, bytes_of, kind_of
from tests.realtime.live.test_end_to_end import Account, Daemon, account_of, start_pianist
from tests.support.jack import JackServer
from tests.support.listener import Listener
from tests.support.programs import path_of

Start = Callable[..., Daemon]

HELD = [[0.0, bytes_of(Pedal(down=True)).hex()]]
HELD += [[0.1 * index, bytes_of(NoteOn(pitch, 70)).hex()] for index, pitch in enumerate((60, 64, 67))]


@pytest.fixture
def start(jack_server: JackServer, tmp_path: Path) -> Iterator[Start]:
    """Give what starts a daemon, and end all that were started."""
    running: list[Daemon] = []

    def start(*flags: str, server: JackServer = jack_server) -> Daemon:
        running.append(Daemon(server, tmp_path, "--no-panel", "-v", *flags))
        return running[-1]

    yield start
    for daemon in running:
        if daemon.process.poll() is None:
            daemon.end(signal.SIGKILL)


def guardian_of(daemon: Daemon) -> int:
    """Return the process id of a daemon's guardian."""
    listed = subprocess.run(
        [path_of("pgrep"), "-P", str(daemon.process.pid)], capture_output=True, text=True, check=True
    )
    (pid,) = listed.stdout.split()
    return int(pid)


def hold_keys(server: JackServer, folder: Path, listen_s: float) -> "subprocess.Popen[str]":
    """Return a pianist who holds keys and the pedal, and listens for so long after it is told to end."""
    script = {"takes": [{"after": "now", "notes": HELD}], "listen_s": listen_s, "ending": "wait"}
    pianist = start_pianist(server, folder, script)
    assert pianist.stderr is not None
    assert [pianist.stderr.readline(), pianist.stderr.readline()] == ["ready\n", "played\n"]
    return pianist


def heard(account: Account) -> Listener:
    """Let a listener hear what the pianist heard."""
    listener = Listener()
    for _, data in account.heard:
        listener.hear(data)
    return listener


def test_a_daemon_that_dies_while_keys_are_held_leaves_no_note_behind(
    jack_server: JackServer, start: Start, tmp_path: Path
) -> None:
    daemon = start("--mode", "duet", "--restraint", "-2", "--thru")
    pianist = hold_keys(jack_server, tmp_path, listen_s=0.8)
    daemon.end(signal.SIGKILL)  # its standard error, which the guardian shares, is closed: that has ended as well
    listener = heard(account_of(pianist))
    assert {pitch for _, pitch, _ in listener.struck} >= {60, 64, 67}
    assert listener.pedal[0] == 0
    assert listener.is_silent()


def test_where_both_are_killed_the_next_pianod_releases_what_sounds(
    jack_server: JackServer, start: Start, tmp_path: Path
) -> None:
    flags = ("--mode", "velocity", "--strength", "0", "--takes", str(tmp_path / "takes"))
    daemon = start(*flags)
    pianist = hold_keys(jack_server, tmp_path, listen_s=1.5)
    os.kill(guardian_of(daemon), signal.SIGKILL)
    daemon.end(signal.SIGKILL)
    listener = heard(account_of(pianist))
    assert not listener.is_silent()
    wait_for(start(*flags), "recovered a take that was cut off")
    for _, data in account_of(start_pianist(jack_server, tmp_path, {"takes": [], "listen_s": 1.5})).heard:
        listener.hear(data)
    assert {pitch for _, pitch, _ in listener.struck} == {60, 64, 67}
    assert listener.is_silent()
    assert listener.pedal[0] == 0


def test_a_panic_by_signal_silences_everything_and_the_playing_goes_on(
    jack_server: JackServer, start: Start, tmp_path: Path
) -> None:
    daemon = start("--mode", "velocity", "--strength", "0")
    pianist = hold_keys(jack_server, tmp_path, listen_s=0.8)
    daemon.process.send_signal(signal.SIGUSR1)
    wait_for(daemon, "panic: everything is silenced")
    assert_it_plays(jack_server, daemon, tmp_path)
    everything = [data for _, data in account_of(pianist).heard]
    panicked = everything.index(bytes((0xB0, ALL_SOUND_OFF, 0))) + 1
    listener = Listener()
    for data in everything[:panicked]:
        listener.hear(data)
    assert [pitch for _, pitch, _ in listener.struck] == [60, 64, 67]
    assert listener.is_silent()
    assert [data[1] for data in everything[panicked:] if kind_of(data) is MessageKind.NOTE_ON] == [60, 62]


def test_a_guardian_that_dies_is_replaced_and_the_playing_goes_on(
    jack_server: JackServer, start: Start, tmp_path: Path
) -> None:
    daemon = start("--mode", "velocity", "--strength", "0")
    os.kill(guardian_of(daemon), signal.SIGKILL)
    wait_for(daemon, "the MIDI output 'pianod out' is back")
    assert_it_plays(jack_server, daemon, tmp_path)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_what_sounded_when_a_guardian_died_is_released_for_the_first_who_connects_again(
    jack_server: JackServer, start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    daemon = start("--mode", "velocity", "--strength", "0")
    pianist = hold_keys(jack_server, tmp_path, listen_s=0.8)
    os.kill(guardian_of(daemon), number)
    wait_for(daemon, "its guardian has died" if number == signal.SIGKILL else "its guardian was stopped")
    wait_for(daemon, "the MIDI output 'pianod out' is back")
    listener = heard(account_of(pianist))
    assert {pitch for _, pitch, _ in listener.struck} == {60, 64, 67}
    assert not listener.is_silent()
    for _, data in account_of(start_pianist(jack_server, tmp_path, {"takes": [], "listen_s": 1.5})).heard:
        listener.hear(data)
    assert listener.is_silent()
    assert listener.pedal[0] == 0


def test_what_a_keyboard_that_was_connected_holds_is_released_when_it_goes(
    jack_server: JackServer, start: Start, tmp_path: Path
) -> None:
    daemon = start("--mode", "duet", "--restraint", "-2", "--thru")
    ear = start_pianist(jack_server, tmp_path, {"takes": [], "listen_s": 0, "ending": "wait"})
    assert ear.stderr is not None
    assert ear.stderr.readline() == "ready\n"
    script = {"takes": [{"after": "now", "notes": HELD}], "listen_s": 0.8, "ending": "wait"}
    keyboard = start_pianist(jack_server, tmp_path, script)
    assert keyboard.stderr is not None
    assert [keyboard.stderr.readline(), keyboard.stderr.readline()] == ["ready\n", "played\n"]
    keyboard.kill()
    keyboard.communicate()
    wait_for(daemon, "is gone (it is no longer connected): what was held is released")
    listener = heard(account_of(ear))
    assert {pitch for _, pitch, _ in listener.struck} >= {60, 64, 67}
    assert listener.is_silent()
    assert listener.pedal[0] == 0


def test_a_guardian_that_dies_at_the_end_does_not_change_how_the_daemon_ends(start: Start) -> None:
    daemon = start("--mode", "velocity", "--strength", "0")
    os.kill(guardian_of(daemon), signal.SIGKILL)
    said = daemon.end()
    assert daemon.process.returncode == 0, said


def test_a_jack_server_that_is_started_anew_is_played_on_again(start: Start, tmp_path: Path) -> None:
    with JackServer() as server:
        daemon = start("--mode", "velocity", "--strength", "0", server=server)
        server.kill()
        wait_for(daemon, "waiting for it to come back")
        server.start()
        wait_for(daemon, "the MIDI output 'pianod out' is back")
        assert_it_plays(server, daemon, tmp_path)


def wait_for(daemon: Daemon, text: str) -> None:
    """Read what the daemon says until it says this."""
    assert daemon.process.stderr is not None
    for line in daemon.process.stderr:
        daemon.log.append(line)
        if text in line:
            return
    raise AssertionError("".join(daemon.log))


def assert_it_plays(server: JackServer, daemon: Daemon, folder: Path) -> None:
    """Play two keys through the daemon and hear them."""
    notes = [[0.0, NoteOn(60, 70)], [0.1, NoteOff(60)], [0.2, NoteOn(62, 70)], [0.3, NoteOff(62)]]
    script = [[at_s, bytes_of(event).hex()] for at_s, event in notes]  # type: ignore[arg-type]
    account = account_of(start_pianist(server, folder, {"takes": [{"after": "now", "notes": script}], "listen_s": 0.4}))
    said = daemon.end()
    assert daemon.process.returncode == 0, said
    listener = heard(account)
    assert [pitch for _, pitch, _ in listener.struck] == [60, 62]
    assert listener.is_silent()
