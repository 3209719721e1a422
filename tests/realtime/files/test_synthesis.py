"""Sound where the machine has a synthesiser, and one line where it has none."""

import stat
import sys
from pathlib import Path

import pytest
from loguru import logger

from realtime.cli.demo_phrases import QUESTION, phrase_path
from realtime.files.synthesis import find_soundfont, synthesise


def test_the_largest_soundfont_of_the_first_place_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "small.sf2").write_bytes(b"1")
    (tmp_path / "b" / "large.SF3").write_bytes(b"123")
    (tmp_path / "b" / "larger.txt").write_bytes(b"12345")
    places = [tmp_path / "nowhere", tmp_path / "a", tmp_path / "b"]
    assert find_soundfont(places) == tmp_path / "b" / "large.SF3"
    assert find_soundfont(places[:2]) is None


def a_synthesiser(folder: Path, body: str) -> None:
    program = folder / "fluidsynth"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(("body", "is_made"), [('echo sound > "$8"', True), ("exit 3", False), ("exit 0", False)])
def test_the_synthesiser_makes_the_file_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, is_made: bool
) -> None:
    a_synthesiser(tmp_path, body)
    (tmp_path / "piano.sf2").write_bytes(b"1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert synthesise(phrase_path(QUESTION), tmp_path / "out.wav", [tmp_path]) is is_made
    assert (tmp_path / "out.wav").exists() is is_made


def test_without_a_synthesiser_or_a_soundfont_there_is_no_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not synthesise(phrase_path(QUESTION), tmp_path / "out.wav", [tmp_path])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not synthesise(phrase_path(QUESTION), tmp_path / "out.wav", [tmp_path])


def test_it_says_how_to_get_a_synthesiser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    place = logger.add(lambda line: said.append(str(line)), format="{message}")
    monkeypatch.setenv("PATH", str(tmp_path))
    for system, way in (("linux", "sudo apt install fluidsynth"), ("darwin", "brew install fluid-synth")):
        monkeypatch.setattr(sys, "platform", system)
        synthesise(phrase_path(QUESTION), tmp_path / "out.wav", [tmp_path])
        assert f"FluidSynth is not installed ({way}" in said[-1]
    logger.remove(place)
