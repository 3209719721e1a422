"""Trading bars on the manual clock: each entry on its downbeat, each key up at the bar line, whatever is played."""

from dataclasses import dataclass, field

import pytest

from piano.events import Pedal
from realtime.engine.commands import ChangePlaying, HandOver, NewPiece, StopPlaying
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.midi.clock_in import MidiClock
from realtime.midi.memory_ports import MemoryOutputPort
from realtime.performers.performer import Activity, TradeStatus
from realtime.performers.play_settings import AnswerSettings, Length, PlaySettings
from realtime.threads.clock import ManualClock
from tests.support.scripted_play import MS, Messages, S, note, own_onsets, sounding_at, wire
from tests.support.session_models import HEAD, model_of_chance

ON_TIME_NS = 15 * MS


def playing(bars: int, seed: int = 3) -> PlaySettings:
    return PlaySettings(AnswerSettings(length=Length.BARS, bars=bars, seed=seed), HEAD)


def a_run(bars: int, tempo_bpm: float = 120.0, *, is_heard: bool = True) -> OfflineRun:
    run = OfflineRun(model_of_chance(), PartnerSettings(playing(bars)))
    run.partner.beats.is_heard = is_heard
    run.partner.beats.set(tempo_bpm, 4, 0, origin_ns=S)
    return run


def plays(run: OfflineRun) -> bool:
    return run.is_playing


def a_turn(from_ns: int, ends_ns: int) -> Messages:
    """Play on each half second; the last key is held into pianod's bars, and one more is struck there."""
    keys = [note(at_ns / S, 55 + at_ns // S % 20, 0.2) for at_ns in range(from_ns, ends_ns, S // 2)]
    keys += [note(ends_ns / S - 0.1, 48, 0.4), note(ends_ns / S + 0.013, 52, 0.1)]
    return wire(sorted((event for key in keys for event in key), key=lambda timed: timed[0]))


@dataclass
class Trades:
    """Rounds that were traded: how far from its downbeat each entry was, and what sounded after each bar line."""

    run: OfflineRun
    bars: int
    early_late_ns: list[int] = field(default_factory=list)
    sounding_after: list[bool] = field(default_factory=list)

    def go(self, rounds: int, tempo_after: float | None = None) -> None:
        """Play rounds; half a bar into each turn of pianod's the tempo changes, where that is wanted."""
        beats = self.run.partner.beats
        line_ns = beats.grid.moment_ns(beats.grid.downbeat_from(self.run.clock.now_ns()))
        for number in range(rounds):
            length = self.bars * beats.grid.beats
            begins = round(beats.grid.place(line_ns))
            down_ns = beats.grid.moment_ns(begins + length)
            self.run.play([(at_ns, data) for at_ns, data in a_turn(line_ns, down_ns)])
            self.run.run_until(beats.grid.moment_ns(begins + length + 2))
            if tempo_after is not None:
                tempo = tempo_after if number % 2 == 0 else 100.0
                beats.set(tempo, 4, self.run.clock.now_ns())
            line_ns = beats.grid.moment_ns(begins + 2 * length)
            self.run.run_until(line_ns + MS)
            onsets = [timed.at_ns for timed in own_onsets(self.run) if down_ns - S < timed.at_ns < line_ns]
            self.early_late_ns.append(min(onsets, default=10**12) - down_ns)
            self.sounding_after.append(not sounding_at(self.run.partner.take.sent, line_ns).is_silent())


@pytest.mark.parametrize(("tempo_bpm", "bars", "rounds"), [(60.0, 1, 8), (120.0, 2, 6), (208.0, 4, 4)])
def test_each_entry_is_on_its_downbeat_and_each_key_up_at_the_bar_line(
    tempo_bpm: float, bars: int, rounds: int
) -> None:
    trades = Trades(a_run(bars, tempo_bpm), bars)
    trades.go(rounds)
    assert max(map(abs, trades.early_late_ns)) <= ON_TIME_NS
    assert not any(trades.sounding_after)
    status = trades.run.partner.engine.status().performer
    assert status.answers == rounds


def test_where_the_tempo_changes_the_bar_lines_move_with_it() -> None:
    trades = Trades(a_run(1, 100.0), 1)
    trades.go(6, tempo_after=140.0)
    assert max(map(abs, trades.early_late_ns)) <= ON_TIME_NS
    assert not any(trades.sounding_after)


def test_the_same_seed_and_playing_give_the_same_notes() -> None:
    def play(seed: int) -> list[object]:
        run = OfflineRun(model_of_chance(), PartnerSettings(playing(1, seed)))
        run.partner.beats.is_heard = True
        run.partner.beats.set(120.0, 4, 0, origin_ns=S)
        trades = Trades(run, 1)
        trades.go(2)
        return list(run.answered())

    assert play(3) == play(3)
    assert play(3) != play(4)


def test_a_wish_is_counted_in_with_a_bar_of_clicks() -> None:
    clock = ManualClock()
    port = MemoryOutputPort(clock)
    run = OfflineRun(model_of_chance(), PartnerSettings(playing(1)), clock, port)
    run.partner.beats.set(60.0, 4, 0, origin_ns=S)
    run.run_until(10 * S)
    run.tell(HandOver())
    run.run_until(14 * S + 200 * MS)
    clicks = [(sent.at_ns, sent.data[1]) for sent in port.sent if sent.data[0] == 0x99]
    first_ns = clicks[0][0]
    assert [(at_ns - first_ns) // S for at_ns, _ in clicks] == [0, 1, 2, 3]
    assert [pitch for _, pitch in clicks] == [76, 77, 77, 77]
    trade = run.partner.engine.status().performer.trade
    assert trade is not None
    assert trade == TradeStatus("player", first_ns + 8 * S, 1, first_ns + 4 * S, trade.first_beat)


def test_a_first_key_begins_a_bar_where_nobody_hears_the_beat() -> None:
    run = a_run(1, 60.0, is_heard=False)
    assert run.partner.engine.status().performer.trade == TradeStatus("waiting", None, 1)
    run.play(wire(note(3.3, 60)))
    run.run_until(8 * S)
    assert own_onsets(run)[0].at_ns == pytest.approx(7_300 * MS, abs=ON_TIME_NS)


def test_two_turns_without_a_key_end_it_and_so_does_stop() -> None:
    run = a_run(1, 240.0)
    run.play(wire(note(1.0, 60)))
    run.run_until(30 * S)
    status = run.partner.engine.status().performer
    assert (status.activity, status.answers) == (Activity.LISTENING, 2)
    assert status.trade is not None
    assert status.trade.who == "waiting"
    run.play(wire(note(31.0, 60)))
    run.run_until(32 * S + 300 * MS)
    assert plays(run)
    run.tell(StopPlaying())
    run.run_until(33 * S)
    assert not plays(run)
    assert sounding_at(run.partner.take.sent, 33 * S).is_silent()


def test_other_turns_begin_anew_with_the_players_and_a_new_piece_forgets() -> None:
    run = a_run(1, 240.0)
    run.play(wire(note(1.0, 60)))
    run.run_until(2 * S + 100 * MS)
    assert plays(run)
    run.tell(ChangePlaying(playing(2)))
    run.run_until(2 * S + 200 * MS)
    assert not plays(run)
    run.run_until(4 * S + 100 * MS)
    assert plays(run)
    run.tell(NewPiece())
    run.run_until(5 * S)
    trade = run.partner.engine.status().performer.trade
    assert trade is not None
    assert trade.who == "waiting"


def test_a_clock_that_halts_silences_it_and_goes_on_where_it_was() -> None:
    run = a_run(1)
    beats = run.partner.beats
    beats.choose(clock=True, playing=False)
    midi_clock = MidiClock(beats.follow)

    def pulses(from_ns: int, count: int) -> int:
        for index in range(count):
            run.run_until(from_ns + index * S // 48)
            midi_clock.hear(run.clock.now_ns(), b"\xf8")
        return run.clock.now_ns()

    midi_clock.hear(0, b"\xfa")
    run.play(wire([*note(2.05, 60), (2.5, Pedal(down=True)), (2.9, Pedal(down=False))]))
    at_ns = pulses(0, 24 * 9)  # into the first bar of pianod's: beats 4 to 8 are the player's
    assert plays(run)
    midi_clock.hear(at_ns, b"\xfc")
    run.run_until(at_ns + S)
    assert not plays(run)
    assert sounding_at(run.partner.take.sent, at_ns + S).is_silent()
    midi_clock.hear(at_ns + S, b"\xf2\x00\x00")
    midi_clock.hear(at_ns + S, b"\xfb")
    start_ns = at_ns + 2 * S
    run.play(wire(note(start_ns / S + 0.1, 64)))
    pulses(start_ns, 24 * 9)
    entry_ns = next(timed.at_ns for timed in own_onsets(run) if timed.at_ns > start_ns)
    assert entry_ns - start_ns == pytest.approx(4 * S, abs=ON_TIME_NS), "as before: at the eighth beat of the song"
