"""The examples run: what they write, what goes out, what a pianod that runs answers."""

from pathlib import Path

import pytest

from examples import own_performer, sample, steer
from piano.midi.file import read_performance
from tests.realtime.panel.daemon import Daemon


def test_a_bundle_is_sampled_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample.main(str(tmp_path / "piece.mid"), "3", "120")
    notes = read_performance(tmp_path / "piece.mid").notes
    assert notes.size > 10
    assert f"{notes.size} notes" in capsys.readouterr().out


def test_a_performer_of_ones_own_plays_in_the_engine() -> None:
    heard = own_performer.play()
    struck = [(at_ns // 1_000_000, data[1]) for at_ns, data in heard if data[0] == 0x90]
    assert struck == [(500, 72), (750, 76), (1000, 79)]
    assert [data[1] for _, data in heard if data[0] == 0x80] == [72, 76, 79]


def test_a_pianod_that_runs_is_driven_over_its_api(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    try:
        pitches = steer.answer_to(f"127.0.0.1:{daemon.port}", steer.PHRASE, 3)
    finally:
        daemon.end()
    assert len(pitches) == 3
    assert all(21 <= pitch <= 108 for pitch in pitches)
