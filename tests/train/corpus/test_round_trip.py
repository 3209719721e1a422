"""The check of the round trip counts what is lost and says no when something is."""

from pathlib import Path

import numpy as np
import pytest

from piano.notes import NOTE, PEDAL, Performance
from train.__main__ import main
from train.corpus.note_cache import CACHE_NAME, NoteCache, Piece
from train.corpus.round_trip import RoundTripLosses, describe_round_trip, measure_round_trip

PLAYED = Performance(
    np.array([(0.004, 0.5, 60, 65, 0), (0.010, 0.2, 109, 64, 0), (0.504, 0.002, 60, 127, 0)], NOTE),
    np.array([(0.001, True), (0.003, False)], PEDAL),
)


def test_what_tokens_cost_is_measured_a_piece() -> None:
    losses = measure_round_trip(PLAYED)
    assert (losses.pieces, losses.notes, losses.outside_piano, losses.tokens) == (1, 3, 1, 10)
    assert (losses.lost_notes, losses.lost_pedals, losses.changed_streams) == (0, 0, 0)
    assert (losses.onset_error_ms, losses.pedal_error_ms) == pytest.approx((4.0, 3.0))
    assert losses.velocity_error == 1
    assert losses.is_within_bounds


def test_pieces_add_up_and_the_worst_error_stays() -> None:
    first = RoundTripLosses(pieces=1, notes=5, tokens=20, onset_error_ms=3.0, velocity_error=2)
    second = RoundTripLosses(pieces=1, notes=7, tokens=30, onset_error_ms=4.0, velocity_error=1)
    both = RoundTripLosses(pieces=2, notes=12, tokens=50, onset_error_ms=4.0, velocity_error=2)
    assert first.and_also(second) == second.and_also(first) == both
    assert "tokens per note         4.167" in describe_round_trip(both)


@pytest.mark.parametrize(
    "losses",
    [
        RoundTripLosses(lost_notes=1),
        RoundTripLosses(lost_pedals=1),
        RoundTripLosses(changed_streams=1),
        RoundTripLosses(onset_error_ms=5.1),
        RoundTripLosses(pedal_error_ms=5.1),
        RoundTripLosses(velocity_error=3),
    ],
)
def test_any_loss_is_a_fault(losses: RoundTripLosses) -> None:
    assert not losses.is_within_bounds


def test_the_command_reports_on_a_cache(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    NoteCache.build([(Piece("made up", "a.mid", "train"), PLAYED)]).save(tmp_path / CACHE_NAME)
    assert main(["round-trip", "--corpus", str(tmp_path), "--workers", "1"]) == 0
    report = capsys.readouterr().out
    assert "pieces                  1\n" in report
    assert "lost notes              0\n" in report


def test_a_missing_cache_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["round-trip", "--corpus", str(tmp_path / "none")]) == 2
    assert "there is no note cache" in capsys.readouterr().err
