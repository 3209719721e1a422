"""Duet, loop and velocity: the whole daemon as its own process on a real JACK server, judged by the messages alone."""

import itertools
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from piano.events import NoteOff, NoteOn
from realtime.files.continuation import part_of
from realtime.midi.message import MessageKind, bytes_of, kind_of
from tests.realtime.live.test_end_to_end import PHRASE, Daemon, account_of, script_of, start_pianist
from tests.support.jack import JackServer
from tests.support.listener import Listener

StartDaemon = Callable[..., Daemon]


@pytest.fixture
def start(jack_server: JackServer, tmp_path: Path) -> Iterator[StartDaemon]:
    """Give what starts a daemon, and end all that were started."""
    running: list[Daemon] = []

    def start(*flags: str) -> Daemon:
        running.append(Daemon(jack_server, tmp_path, "--no-panel", *flags))
        return running[-1]

    yield start
    for daemon in running:
        if daemon.process.poll() is None:
            daemon.end(signal.SIGKILL)


def test_a_duet_is_played_while_the_player_plays_and_ends(
    jack_server: JackServer, start: StartDaemon, tmp_path: Path
) -> None:
    daemon = start("--mode", "duet", "--restraint", "-2", "--alone-after-s", "0.5", "--duet-highest", "60")
    script = {"takes": [{"after": "now", "notes": script_of(part_of(PHRASE, 0.0, 4.0))}], "listen_s": 1.2}
    account = account_of(start_pianist(jack_server, tmp_path, script))
    said = daemon.end()
    assert daemon.process.returncode == 0, said
    listener = Listener()
    first_ns, last_ns = account.played[0][0], account.played[-1][0]
    for at_ns, data in account.heard:
        listener.hear(data)
        assert at_ns > first_ns
    assert listener.is_silent(), "it ends when the player has stopped"
    assert listener.struck
    assert any(at_ns < last_ns for at_ns, data in account.heard if kind_of(data) is MessageKind.NOTE_ON), "both at once"
    assert all(pitch <= 60 for _, pitch, _ in listener.struck)


def test_a_signal_in_the_middle_of_a_duet_releases_every_note(
    jack_server: JackServer, start: StartDaemon, tmp_path: Path
) -> None:
    daemon = start("--mode", "duet", "--restraint", "-2", "--thru")
    held = [[at_s, bytes_of(NoteOn(pitch, 70)).hex()] for at_s, pitch in ((0.0, 60), (0.3, 64), (0.6, 67))]
    script = {"takes": [{"after": "now", "notes": held}], "listen_s": 1.0, "ending": "wait"}
    pianist = start_pianist(jack_server, tmp_path, script)
    assert pianist.stderr is not None
    assert [pianist.stderr.readline(), pianist.stderr.readline()] == ["ready\n", "played\n"]
    said = daemon.end()
    assert daemon.process.returncode == 0, said
    listener = Listener()
    for _, data in account_of(pianist).heard:
        listener.hear(data)
    assert {pitch for _, pitch, _ in listener.struck} >= {60, 64, 67}
    assert listener.is_silent()


def test_a_phrase_goes_round_twice_with_a_voice_over_it_and_is_cleared(
    jack_server: JackServer, start: StartDaemon, tmp_path: Path
) -> None:
    daemon = start(
        *("--mode", "loop", "--trigger", "cc", "--trigger-cc", "80", "--clear-cc", "83"),
        *("--restraint", "-2", "--duet-density", "8", "--duet-lowest", "60"),
    )
    phrase = [(0.0, 40, 0.4), (0.6, 47, 0.3), (1.2, 52, 2.0)]  # the last is still held when the phrase ends
    events = [(at_s, bytes_of(NoteOn(pitch, 70 + pitch)).hex()) for at_s, pitch, _ in phrase]
    events += [(at_s + held_s, bytes_of(NoteOff(pitch)).hex()) for at_s, pitch, held_s in phrase]
    events += [(2.0, "b0507f"), (2.1, "b05000"), (6.3, "b0537f"), (6.4, "b05300")]
    script = {"takes": [{"after": "now", "notes": [list(event) for event in sorted(events)]}], "listen_s": 0.5}
    account = account_of(start_pianist(jack_server, tmp_path, script))
    said = daemon.end()
    assert daemon.process.returncode == 0, said
    listener = Listener()
    for _, data in account.heard:
        listener.hear(data)
    assert listener.is_silent(), "the loop is cleared, and every note of it is released"
    struck = [(at_ns, data[1], data[2]) for at_ns, data in account.heard if kind_of(data) is MessageKind.NOTE_ON]
    own = [pitch for _, pitch, _ in struck if pitch < 60]
    assert own == [40, 47, 52, 40, 47, 52, 40], "two passes, and the beginning of a third"
    assert all(velocity == 70 + pitch for _, pitch, velocity in struck if pitch < 60), "as the player struck them"
    seams_ns = [at_ns for at_ns, pitch, _ in struck if pitch == 40]
    for begin_ns, end_ns in itertools.pairwise(seams_ns):
        assert [pitch for at_ns, pitch, _ in struck if begin_ns < at_ns < end_ns and pitch >= 60], "a voice over each"
    at_seam = Listener()
    for at_ns, data in account.heard:
        if at_ns < seams_ns[1]:
            at_seam.hear(data)
    assert at_seam.is_silent(), "nothing lasts beyond the seam"


@pytest.mark.parametrize("strength", ["0", "1"])
def test_each_key_comes_back_once_with_another_velocity(
    jack_server: JackServer, start: StartDaemon, tmp_path: Path, strength: str
) -> None:
    daemon = start("--mode", "velocity", "--strength", strength, "--velocity-wait-ms", "50")
    line = [(index * 0.1, 60 + index) for index in range(14)]
    chords = [(onset_s, pitch) for onset_s in (1.6, 1.9) for pitch in (48, 55, 64, 72)]
    events = [(onset_s, bytes_of(NoteOn(pitch, 100))) for onset_s, pitch in line + chords]
    events += [(onset_s + 0.2, bytes_of(NoteOff(pitch))) for onset_s, pitch in line + chords]
    notes = [[at_s, data.hex()] for at_s, data in sorted(events)]
    script = {"takes": [{"after": "now", "notes": notes}], "listen_s": 0.5}
    account = account_of(start_pianist(jack_server, tmp_path, script))
    said = daemon.end()
    assert daemon.process.returncode == 0, said
    kinds = (MessageKind.NOTE_ON, MessageKind.NOTE_OFF)
    played, heard = (
        [(kind_of(data), data[1]) for _, data in messages if kind_of(data) in kinds]
        for messages in (account.played, account.heard)
    )
    for pitch in {pitch for _, pitch in played}:
        # A release may come twice: until it is known that somebody listens, what went out is owed.
        alternating = [kind for kind, _ in itertools.groupby(kind for kind, other in heard if other == pitch)]
        strikes = [kind for kind, other in heard if other == pitch and kind is MessageKind.NOTE_ON]
        assert len(strikes) == alternating.count(MessageKind.NOTE_ON), "no key is struck twice"
        assert alternating == [kind for kind, other in played if other == pitch], "each key once, its release after it"
        assert alternating[::2] == [MessageKind.NOTE_ON] * (len(alternating) // 2)
    listener = Listener()
    for _, data in account.heard:
        listener.hear(data)
    assert listener.is_silent()
    velocities = {velocity for _, _, velocity in listener.struck}
    assert (velocities == {100}) == (strength == "0")


def test_the_mode_is_exchanged_by_program_change_without_a_note_left_behind(
    jack_server: JackServer, start: StartDaemon, tmp_path: Path
) -> None:
    daemon = start("--mode", "velocity", "--strength", "0", "--mode-by-program", "-v")
    held, released = bytes_of(NoteOn(60, 70)).hex(), bytes_of(NoteOff(60)).hex()
    notes = [[0.0, held], [0.3, "c001"], [0.6, bytes_of(NoteOn(64, 70)).hex()], [0.9, released]]
    notes += [[1.2, bytes_of(NoteOff(64)).hex()], [1.5, "c000"]]
    script = {"takes": [{"after": "now", "notes": notes}], "listen_s": 0.4}
    account = account_of(start_pianist(jack_server, tmp_path, script))
    said = daemon.end()
    assert daemon.process.returncode == 0, said
    assert said.count("the way of playing is now") == 2
    listener = Listener()
    for _, data in account.heard:
        listener.hear(data)
    assert (0, 60, 70) in listener.struck
    assert listener.is_silent()
