"""The demo in small: a short phrase in real time through ports in memory, and the files that it leaves."""

import json
from pathlib import Path

import numpy as np
import pytest

from piano.errors import ConfigError
from piano.events import NoteOn
from piano.midi.file import read_tracks
from piano.notes import Performance
from realtime.cli import demo
from realtime.cli.demo_phrases import SECOND_THOUGHT, read_phrase
from realtime.cli.demo_player import DemoPlayer, Passage
from realtime.cli.requests import DemoRequest
from realtime.midi.memory_ports import MemoryMidiSystem
from realtime.midi.message import bytes_of, event_of
from realtime.settings import Settings
from realtime.threads.clock import ManualClock
from tests.support.scripted_play import MS, S
from tests.support.session_models import model_of_chance

QUICK = Settings(seed=3, shortest_pause_s=0.4, longest_pause_s=0.4, takes=Path("nowhere"), thru=True)


def short_phrase() -> Performance:
    notes = read_phrase(SECOND_THOUGHT).notes[:5].copy()
    notes["onset_s"] = np.round(notes["onset_s"] * 0.4, 2)
    notes["duration_s"] = 0.1
    return Performance(notes)


def test_a_demo_leaves_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_sound(_midi: Path, wav: Path) -> bool:
        wav.write_bytes(b"RIFF")
        return True

    monkeypatch.setattr(demo, "synthesise", no_sound)
    monkeypatch.setattr(demo, "LISTEN_S", (0.5, 0.3))
    monkeypatch.setattr(demo, "read_phrase", lambda _: short_phrase())
    monkeypatch.setattr(demo, "open_bundle", lambda _: None)
    monkeypatch.setattr(demo, "open_session", lambda *_: (model_of_chance(), "chance"))
    assert demo.run_demo(QUICK, DemoRequest(out=tmp_path / "demo")) == 0
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {
        "duet.mid",
        "duet.png",
        "report.json",
        "duet.wav",
    }
    player, pianod = read_tracks(tmp_path / "demo" / "duet.mid")
    assert (player.name, pianod.name) == ("player", "pianod")
    assert player.performance.notes.size == 10
    told = json.loads((tmp_path / "demo" / "report.json").read_text())
    assert (told["seed"], told["provider"], told["heard"]) == (3, "chance", {"events": 20, "notes": 10})
    assert told["answers"]["count"] >= 2
    assert told["answers"]["notes"] == pianod.performance.notes.size > 0
    assert told["lateness_ms"]["count"] > 0
    assert told["model_ms"]["runs"] > 0
    assert told["settings"]["seed"] == 3


def test_a_folder_that_cannot_be_written_is_told_before_the_music(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written into"):
        demo.run_demo(QUICK, DemoRequest(out=tmp_path / "file" / "demo"))
    with pytest.raises(ConfigError, match="looks like a file"):
        demo.run_demo(QUICK, DemoRequest(out=tmp_path / "out.mid"))
    assert not (tmp_path / "out.mid").exists()


def test_the_player_keeps_to_the_steps_and_waits_for_an_answer() -> None:
    clock = ManualClock(123)
    system = MemoryMidiSystem(clock, ("keys", "ears"))
    keys, answers = system.open_output("keys"), system.open_output("ears")
    said: list[str] = []

    class Answer:
        """Something that answers 300 ms after the last key of each phrase."""

        def __init__(self) -> None:
            self.done = 0

        def next_due_ns(self) -> int | None:
            if len(keys.sent) % 10 or len(keys.sent) == 10 * self.done:
                return None
            return keys.sent[-1].at_ns + 300 * MS

        def run_due(self, now_ns: int) -> None:
            assert now_ns == keys.sent[-1].at_ns + 300 * MS
            self.done += 1
            answers.send(bytes_of(NoteOn(60, 60)))

    clock.attach(Answer())
    player = DemoPlayer(clock, keys, system.open_input("ears"), report=said.append)
    heard = player.play([Passage(short_phrase(), 1.0), Passage(short_phrase(), 0.5)])
    first = keys.sent[0].at_ns
    offsets = [(sent.at_ns - first) % (10 * MS) for sent in keys.sent]
    assert offsets[0] == 0
    assert set(offsets[1:]) <= {2_500_000, 2_499_999, 2_500_001}
    for passage in heard:
        assert passage.answer_ns is not None
        assert 300 * MS <= passage.answer_ns - passage.end_ns <= 310 * MS
    second = next(sent.at_ns for sent in keys.sent[10:] if isinstance(event_of(sent.data), NoteOn))
    assert second >= (heard[0].answer_ns or 0) + S
    assert set(said) == {"the player plays", "pianod listens", "pianod answers"}


def test_a_player_without_an_answer_goes_on() -> None:
    clock = ManualClock()
    system = MemoryMidiSystem(clock, ("keys", "ears"))
    player = DemoPlayer(clock, system.open_output("keys"), system.open_input("ears"), patience_s=1.0)
    [heard] = player.play([Passage(short_phrase(), 1.0)])
    assert heard.answer_ns is None


def test_the_demo_plays_on_cables_of_its_own() -> None:
    made = demo.demo_settings(Settings(input="organ", output="organ", trigger="key", thru=True, input_channel=3))
    assert (made.input, made.output, made.trigger, made.thru, made.input_channel) == (None, None, "pause", False, 0)
    assert made.virtual_input != made.virtual_output
