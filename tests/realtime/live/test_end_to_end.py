"""The whole daemon as its own process on a real JACK server, a pianist in another, judged by the messages alone."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from piano.events import TimedEvent
from piano.midi.file import read_performance
from piano.notes import Performance
from realtime.cli.demo_phrases import QUESTION, SECOND_THOUGHT, read_phrase
from realtime.midi.message import MessageKind, event_of, kind_of
from realtime.midi.performance_messages import messages_of
from realtime.performers.phrase_detector import PhraseDetector
from realtime.performers.play_settings import PauseSettings
from tests.support.jack import JackServer
from tests.support.listener import Listener

PHRASE, SECOND_PHRASE = read_phrase(QUESTION), read_phrase(SECOND_THOUGHT)
"""What a person would play: with chords, pedal, a touch of its own."""


def script_of(phrase: Performance) -> list[list[Any]]:
    """Return a phrase as the pianist's script has it."""
    return [[at_ns / 1e9, data.hex()] for at_ns, data in messages_of(phrase)]


class Daemon:
    """`pianod` running on virtual JACK ports."""

    def __init__(self, server: JackServer, folder: Path, *flags: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "realtime", "--api", "jack", "--seed", "5", *flags],
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=server.environment(),
        )
        assert self.process.stderr is not None
        self.log = [self.process.stderr.readline()]
        assert "listening on" in self.log[0], self.log[0] + self.process.stderr.read()

    def end(self, number: signal.Signals = signal.SIGTERM) -> str:
        """End the daemon with a signal; return all that it said."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=30)
        return "".join(self.log) + said


@dataclass(frozen=True, slots=True)
class Account:
    """What the pianist played and heard: moments in nanoseconds, and messages."""

    played: list[tuple[int, bytes]]
    heard: list[tuple[int, bytes]]

    @staticmethod
    def of(text: str) -> "Account":
        """Read what the pianist wrote down."""
        account = json.loads(text)
        return Account(*([(at_ns, bytes.fromhex(data)) for at_ns, data in account[key]] for key in ("played", "heard")))


def start_pianist(server: JackServer, folder: Path, script: dict[str, Any]) -> "subprocess.Popen[str]":
    """Let a pianist play a script on the daemon's ports."""
    path = folder / "script.json"
    path.write_text(json.dumps({"hands": "pianod in", "ear": "pianod out", **script}))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.pianist_process", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=server.environment(),
    )


def account_of(pianist: "subprocess.Popen[str]") -> Account:
    """Let the pianist finish, and return what happened."""
    out, err = pianist.communicate(timeout=90)
    assert pianist.returncode == 0, err
    return Account.of(out)


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    return tmp_path / "takes"


@pytest.fixture
def daemon(jack_server: JackServer, tmp_path: Path, takes: Path) -> Iterator[Daemon]:
    running = Daemon(jack_server, tmp_path, "--takes", str(takes))
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGKILL)


def test_a_duet_over_jack(
    jack_server: JackServer, daemon: Daemon, tmp_path: Path, takes: Path, record_property: Any
) -> None:
    script = {
        "takes": [
            {"after": "now", "notes": script_of(PHRASE)},
            {"after": "answer", "wait_s": 3.0, "notes": script_of(SECOND_PHRASE)},
            {"after": "answer", "wait_s": 1.0, "notes": [[0.0, "903c40"], [0.1, "803c40"]]},
        ],
        "listen_s": 0.4,
    }
    account = account_of(start_pianist(jack_server, tmp_path, script))
    said = daemon.end()
    assert daemon.process.returncode == 0, said

    listener = Listener()
    key_downs = [at_ns for at_ns, data in account.played if kind_of(data) is MessageKind.NOTE_ON]
    interruptions = [key_downs[PHRASE.notes.size], key_downs[-1]]
    phrase_end_ns = max(at_ns for at_ns, data in account.played if at_ns < interruptions[0] and is_key(data))
    for at_ns, data in account.heard:
        listener.hear(data)
        assert at_ns > phrase_end_ns, "nothing is played into the phrase"
    assert listener.is_silent(), "every note-on got its note-off, and nothing sounds after the last interruption"
    assert len(listener.struck) > 10

    notes = [at_ns for at_ns, data in account.heard if kind_of(data) is MessageKind.NOTE_ON]
    second_end_ns = max(at_ns for at_ns, data in account.played if at_ns < interruptions[1] and is_key(data))
    grace_ns = 60_000_000  # the key's way in and the releases' way out
    assert not [at_ns for at_ns in notes if interruptions[0] + grace_ns < at_ns < second_end_ns], "it yields"
    assert not [at_ns for at_ns in notes if at_ns > interruptions[1] + grace_ns], "it yields"

    pause_s = pause_after(PHRASE)
    late_ms = round(((notes[0] - phrase_end_ns) / 1e9 - pause_s) * 1000, 1)
    record_property("first answer after the pause, ms", late_ms)
    print(f"the first answer came {late_ms} ms after the pause of {pause_s:.2f} s")

    (take,) = takes.glob("*.mid")
    played = read_performance(take).notes
    assert (played["track"] == 0).sum() == PHRASE.notes.size + SECOND_PHRASE.notes.size + 1
    assert (played["track"] == 1).sum() >= len(listener.struck), "the daemon may have played on when nobody listened"


def is_key(data: bytes) -> bool:
    """Say whether a message is of a key."""
    return kind_of(data) in (MessageKind.NOTE_ON, MessageKind.NOTE_OFF)


def pause_after(phrase: Performance) -> float:
    """Return how long a pause ends a phrase, in seconds, by the daemon's own rule."""
    listener = PhraseDetector(PauseSettings())
    for at_ns, data in messages_of(phrase):
        event = event_of(data)
        if event is not None:
            listener.hear(TimedEvent(at_ns, event))
    return listener.pause_ns() / 1e9


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_in_the_middle_of_an_answer_releases_every_note(
    jack_server: JackServer, daemon: Daemon, tmp_path: Path, number: signal.Signals
) -> None:
    script = {
        "takes": [{"after": "now", "notes": script_of(SECOND_PHRASE)}, {"after": "answer", "wait_s": 2.0, "notes": []}],
        "listen_s": 0.0,
        "ending": "wait",
    }
    pianist = start_pianist(jack_server, tmp_path, script)
    assert pianist.stderr is not None
    assert [pianist.stderr.readline(), pianist.stderr.readline()] == ["ready\n", "played\n"]
    said = daemon.end(number)
    assert daemon.process.returncode == 0, said
    account = account_of(pianist)
    listener = Listener()
    for _, data in account.heard:
        listener.hear(data)
    assert listener.struck
    assert listener.is_silent()
