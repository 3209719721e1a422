"""In time over real JACK: a second client is pianist and clock, and all is judged in the driver's time.

The long form, sixteen rounds of four bars at 60, 120 and 208 beats a minute, is `bin/bench trading`.
"""

import os
from collections.abc import Sequence

import pytest

from bench.trading import BEATS, PULSES, QUICK_PLANS, TradingPlan, heard_of, own_of, script_of, trade
from piano.changes import read_chart, scale_tones
from piano.events import NoteOff, NoteOn
from realtime.beat.chords import EARLY_BEATS
from realtime.midi.message import bytes_of
from tests.support.jack import JackServer

ON_TIME_MS = 15.0
"""An entry lies so near to its downbeat, and keys are up so soon after the bar line."""

CLOCK = b"\xf8"
TRADES = ("--answer", "bars", "--bars", "1")


@pytest.fixture
def jack(jack_server: JackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process and those that it starts find the server."""
    for name, value in jack_server.environment().items():
        if os.environ.get(name) != value:
            monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("jack")
@pytest.mark.parametrize("plan", QUICK_PLANS)
def test_each_turn_begins_on_its_downbeat_and_ends_with_its_last_bar(plan: TradingPlan) -> None:
    trades = trade(plan)
    assert (len(trades.entries_ms), trades.silent, trades.stray) == (plan.rounds, 0, 0)
    assert max(map(abs, trades.entries_ms)) <= ON_TIME_MS
    assert max(trades.up_ms) <= ON_TIME_MS


@pytest.mark.usefixtures("jack")
def test_over_a_blues_all_keys_are_of_the_chords_scale() -> None:
    plan = TradingPlan(208.0, 1, 5)
    changes = ("--chart", "blues", "--chart-key", "F", "--harmony", "1")
    heard = heard_of(script_of(plan), "--follow-clock", *TRADES, *changes)
    pulses, chart = _pulses(heard), read_chart("blues", "F")
    keys = [(at_s, event.pitch) for at_s, event in own_of(heard) if isinstance(event, NoteOn)]
    assert len(keys) > plan.rounds
    for at_s, pitch in keys:
        beat = _place(pulses, at_s) / PULSES - BEATS  # the first bar is empty
        near = {chart.chord_at(int((beat + off) // 1), BEATS) for off in (0.0, EARLY_BEATS, -0.05)}
        assert any(pitch % 12 in scale_tones(chord) for chord in near), f"{pitch} at beat {beat:.2f}"


@pytest.mark.usefixtures("jack")
def test_a_clock_that_stops_silences_it_and_goes_on_from_where_its_song_position_says() -> None:
    pulse_s = 60 / 180.0 / PULSES
    bar_s, bar = BEATS * PULSES * pulse_s, BEATS * PULSES
    script: list[tuple[float, bytes]] = [(0.0, b"\xfa")]
    script += [(index * pulse_s, CLOCK) for index in range(2 * bar + bar // 2)]  # the player's bar 1, pianod's bar 2
    script += _key(bar_s + 0.01, 60)
    stops_s = 2.5 * bar_s
    script.append((stops_s, b"\xfc"))
    again_s = stops_s + 1.0
    script += [(again_s - 0.1, b"\xf2\x10\x00"), (again_s - 0.05, b"\xfb")]  # sixteen sixteenths: the second bar
    script += [(again_s + index * pulse_s, CLOCK) for index in range(2 * bar - 4)]
    script += _key(again_s + 0.02, 64)
    heard = heard_of(sorted(script, key=lambda sent: sent[0]), "--follow-clock", *TRADES)
    pulses = _pulses(heard)
    strikes = [at_s for at_s, event in own_of(heard) if isinstance(event, NoteOn)]
    stopped_s = next(at_s for at_s, data in heard if data == b"\xfc")
    resumed = 2 * bar + bar // 2
    assert any(pulses[2 * bar] - 0.02 < at_s < stopped_s for at_s in strikes), "it had begun"
    ends_s = [at_s for at_s, event in own_of(heard) if isinstance(event, NoteOff) and at_s < pulses[resumed]]
    assert max(ends_s) <= stopped_s + 0.5
    assert not any(stopped_s + 0.1 < at_s < pulses[resumed] for at_s in strikes)
    entry_s = next(at_s for at_s in strikes if at_s > pulses[resumed])
    assert -1 < _place(pulses, entry_s) - (resumed + bar) < PULSES, "bar 1 is the player's, bar 2 pianod's, as before"


@pytest.mark.usefixtures("jack")
def test_a_tempo_that_is_tapped_with_a_key_is_kept() -> None:
    beat_s = 0.35
    script = [event for tap in range(2 * BEATS) for event in _key(tap * beat_s, 21)]
    script += [event for beat in range(BEATS) for event in _key((2 * BEATS + beat) * beat_s + 0.01, 60 + beat)]
    script += _key((4 * BEATS + 2) * beat_s, 62)
    heard = heard_of(sorted(script, key=lambda sent: sent[0]), "--tap-key", "21", *TRADES)
    taps = [at_s for at_s, data in heard if data[:2] == b"\x90\x15" and data[2]]
    strikes = [at_s for at_s, event in own_of(heard) if isinstance(event, NoteOn)]
    tapped_s = (taps[-1] - taps[0]) / (len(taps) - 1)
    assert strikes, "it plays its bar"
    assert abs((strikes[0] - taps[0]) / tapped_s - 3 * BEATS) < 0.25, "within a sixteenth of where the taps lead"


def _key(at_s: float, pitch: int) -> list[tuple[float, bytes]]:
    return [(at_s, bytes_of(NoteOn(pitch, 70))), (at_s + 0.1, bytes_of(NoteOff(pitch)))]


def _pulses(heard: Sequence[tuple[float, bytes]]) -> list[float]:
    return [at_s for at_s, data in heard if data == CLOCK]


def _place(pulses: Sequence[float], at_s: float) -> float:
    """Return the place of a moment in pulses."""
    index = max(sum(pulse_s <= at_s for pulse_s in pulses) - 1, 0)
    if index + 1 >= len(pulses):
        return float(index)
    return index + (at_s - pulses[index]) / (pulses[index + 1] - pulses[index])
