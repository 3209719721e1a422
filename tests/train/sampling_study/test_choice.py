"""The figure to choose a way of sampling by: its mean, its error, its line in the table."""

import numpy as np
import pytest

from train.sampling_study.choice import Figure, figure_table


def shares(rows: list[float], columns: int) -> np.ndarray:
    return np.repeat(np.array(rows)[:, None], columns, axis=1)


def test_the_figure_is_half_the_band_and_half_the_nearness() -> None:
    figure = Figure(shares([0.5, 0.7], 6), shares([0.9, 0.9, 0.6], 4))
    assert figure.value == pytest.approx((0.6 + 0.8) / 2)
    assert figure.error == pytest.approx(np.hypot(0.1, 0.1) / 2)


def test_each_piece_counts_once_and_each_statistic_alike() -> None:
    in_band = np.array([[1.0, 1.0, 1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]])
    figure = Figure(in_band, shares([0.5, 0.5], 4))
    assert figure.value == 0.5
    assert figure.error == 0


def test_what_was_not_made_is_no_number() -> None:
    assert np.isnan(Figure(shares([0.5, 0.6], 6), np.zeros((0, 4))).value)
    assert np.isnan(Figure(shares([0.5], 6), shares([0.5, 0.6], 4)).error)


def test_the_table_has_a_line_for_each() -> None:
    figure = Figure(shares([0.5, 0.7], 6), shares([0.9, 0.7], 4))
    head, names, first, second = figure_table({"t1": figure, "longer": figure}).splitlines()
    assert "register" in head
    assert "figure" in names
    assert first.startswith("t1    ")
    assert second.startswith("longer")
