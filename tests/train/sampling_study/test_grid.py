"""Several ways of sampling side by side: valid music, the same for the same seed, that `compare` can judge."""

from pathlib import Path

import pytest

from export.exporter import ExportOptions, export_bundle
from export.music import music_windows
from piano.errors import PianodError
from piano.midi.file import MidiTrack, read_tracks, write_performance
from piano.sampling.sampler import SamplingSettings
from piano.solve.limits import LONGEST_HOLD_S
from piano.tokens.grammar import Grammar
from piano.tokens.vocabulary import STEP_S, VOCABULARY, Kind
from tests.train.conftest import random_performance
from train.__main__ import main
from train.model.gpt2 import GPT2
from train.sampling_study.grid import way_of
from train.sampling_study.side_by_side import ExcerptRequest, play_side_by_side


@pytest.fixture
def bundle(tiny_model: GPT2, tmp_path: Path) -> Path:
    windows = music_windows(None, length=64, count=2)
    export_bundle(tiny_model, {"trained_on": []}, tmp_path / "bundle", windows, ExportOptions("fp32"))
    return tmp_path / "bundle"


@pytest.mark.parametrize("count", [40, 300], ids=["within the context", "beyond it"])
def test_what_is_played_is_valid_and_a_function_of_the_seed(bundle: Path, count: int) -> None:
    def play(seeds: list[int]) -> list[list[int]]:
        sampling = SamplingSettings(repetition_guard=0.5, note_top_p=0.9)
        pieces = play_side_by_side(bundle, [ExcerptRequest(seed, sampling) for seed in seeds], count, ["opening"])
        return [piece.tokens.tolist() for piece in pieces]

    one, other = play([1, 2])
    assert play([1, 2]) == [one, other]
    assert play([2]) == [other]
    assert one != other
    for tokens in (one, other):
        assert count <= len(tokens) < count + 8
        grammar, pressed, step = Grammar(), dict[int, int](), 0
        for token in tokens:
            assert grammar.mask()[token]
            grammar.push(token)
            kind, value = VOCABULARY.kinds[token], int(VOCABULARY.values[token])
            if kind == Kind.TIME:
                step += value
            elif kind == Kind.ON:
                pressed[value] = step
            elif kind == Kind.OFF:
                assert (step - pressed.pop(value)) * STEP_S <= LONGEST_HOLD_S


def test_a_folder_for_each_way_is_written_and_compared(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    primers = tmp_path / "primers"
    primers.mkdir()
    for seed in range(4):
        write_performance(primers / f"{seed}.mid", [MidiTrack("piano", random_performance(seed))])
    command = ["grid", str(bundle), "--out", str(tmp_path / "out"), "--way", "plain:", "--way", "tame:temperature=0.5"]
    command += ["--pieces", "2", "--tokens", "120", "--primers", str(primers), "--primer-tokens", "80"]
    assert main([*command, "--more-tokens", "60"]) == 0
    assert "tame: 2 pieces" in capsys.readouterr().out
    for way in ("plain", "tame"):
        files = sorted(path.name for path in (tmp_path / "out" / way).iterdir())
        assert files[-2:] == ["piece-01.mid", "piece-02.mid"]
        continued = read_tracks(tmp_path / "out" / way / files[0])
        assert [track.name for track in continued] == ["primer", "continuation"]
        heard, played = (track.performance.notes["onset_s"] for track in continued)
        assert played.size == 0 or played.min() >= heard.max()


def test_a_way_is_its_settings() -> None:
    assert way_of("tame:temperature=0.9,top_k=5") == ("tame", SamplingSettings(temperature=0.9, top_k=5))
    assert way_of("plain") == ("plain", SamplingSettings())
    for wrong in ("a:top_p=2", "a:boldness=1", "a:top_p", "a:top_p=x"):
        with pytest.raises(PianodError, match="write NAME:temperature"):
            way_of(wrong)


def test_primers_that_are_too_short_are_told(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["grid", str(bundle), "--out", str(tmp_path / "out"), "--way", "plain:", "--primers", str(tmp_path)]
    assert main(command) == 2
    assert "no MIDI file there has 700 tokens" in capsys.readouterr().err
