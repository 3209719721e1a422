"""Trading bars: the player has so many, pianod has so many, in time. Runs on the engine's thread.

The first key begins the player's turn, at the bar it lies in (or the next one, where it is a pick-up), or an explicit
wish does, which is counted in with a bar of clicks. pianod enters on the downbeat, whatever is being played, and at its
last bar line every key of its own is up. What the player plays in pianod's bars ends nothing: it is heard, and what
comes after it is thought of anew. Two turns of the player's without a key end the trading.

The musical clock decides the moments; where it moves (a change of tempo, a clock that halts), what is planned moves
with it. What is played depends on what was heard, on the beats and on the seed.
"""

from collections.abc import Callable, Sequence

from inference.onnx_session import Session
from piano.cues import ENDING
from piano.events import Event, NoteOff, NoteOn, Pedal, TimedEvent
from piano.sampling.memory import Memory
from piano.solve.guidance import Guidance
from piano.tokens.vocabulary import STEP_NS
from realtime.beat.grid import BeatGrid
from realtime.beat.musical_clock import MusicalClock
from realtime.beat.turns import Turns, first_of
from realtime.output.event_queue import Release
from realtime.output.metronome import CLOCKS_PER_BEAT, Beat
from realtime.performers.answer_plan import Solo
from realtime.performers.coming_to_end import Step, ending_of, step_of, toward_end
from realtime.performers.performer import Activity, Output, PerformerStatus, TradeStatus
from realtime.performers.play_settings import AnswerSettings, PauseSettings, PlaySettings
from realtime.performers.turn_player import CHANGE_AFTER_NS, LATEST_NS, TurnPlayer

EARLY_NS = 300_000_000
"""How long before its downbeat a turn is begun to be thought of."""

LAST_KEY_NS = 60_000_000
"""No key is struck so shortly before the last bar line."""

MOVED_NS = 2_000_000
"""A bar line that moves by less than this leaves what is planned as it is."""

SILENT_TURNS = 2
_SOON_NS = 150_000_000
_HALF_STEP_NS = STEP_NS // 2


class Trading(TurnPlayer[Solo]):
    """A performer that trades bars. See `realtime.performers.performer.Performer`."""

    def __init__(
        self,
        session: Session,
        head: Sequence[int],
        output: Output,
        settings: AnswerSettings,
        beats: MusicalClock,
        click: Callable[[bytes], None] | None = None,
        memory: Memory | None = None,
    ) -> None:
        """Begin; a `memory` is what was played before, by other performers, and takes what is played."""
        super().__init__(session, head, output, settings, PauseSettings(), memory)
        self._beats, self._click = beats, click
        self._keys = self._silent = 0
        self._turns: Turns | None = None
        self._next = 1
        """The next turn of pianod's, while it plays none."""
        self._solo: Solo | None = None
        self._clicks: list[int] = []  # the beats of the count-in that are still to be clicked
        self._guidance = Guidance()

    # What the player does

    def on_event(self, timed: TimedEvent) -> None:
        """Take what the player did; a first key begins the trading."""
        self._turn += 1
        self._truncate_plan(timed.at_ns)
        self._phrase.hear(timed)
        self._stream.hear(timed)
        if isinstance(timed.event, NoteOn):
            self._keys += 1
            if self._turns is None and self._beats.grid.runs:
                self._beats.begin_unheard(timed.at_ns)
                grid = self._beats.grid
                self._begin(first_of(timed.at_ns, grid), grid, timed.at_ns)

    def guide(self, guidance: Guidance) -> None:
        super().guide(guidance)
        self._guidance = guidance
        if self._turns is not None:
            guidance.begin(self._turns.first)

    def hand_over(self, at_ns: int) -> None:
        """Count in and begin, unless it is being traded already."""
        if self._turns is not None or not self._beats.grid.runs:
            return
        self._beats.begin_unheard(at_ns + _SOON_NS)
        grid = self._beats.grid
        first = grid.downbeat_from(grid.moment_ns(grid.beat_from(at_ns) + grid.beats))
        self._begin(first, grid, at_ns)
        if not self._beats.is_heard:
            self._clicks = list(range(first - grid.beats, first))

    def stop(self, at_ns: int) -> None:
        """Stop trading and listen."""
        self._turn += 1
        self._silence(at_ns)
        self._turns = None
        self._clicks.clear()

    def come_to_end(self, at_ns: int, within_ns: int) -> None:
        """Bring the turn that is played to an end, at its last bar line if that comes first, and trade no more."""
        solo = self._solo
        if solo is None or at_ns < solo.from_ns:
            self.stop(at_ns)
        elif solo.ending is None:
            self._turn += 1
            self._truncate_plan(at_ns + CHANGE_AFTER_NS)
            solo.ends_ns = min(solo.ends_ns, at_ns + within_ns)
            solo.ending = ending_of(self._stream, min(at_ns, solo.ends_ns), solo.ends_ns)
            self._stream.tell(at_ns + CHANGE_AFTER_NS, ENDING)

    def retry(self, at_ns: int) -> None:
        """Go on otherwise with the turn that is being played."""
        self._turn += 1
        self._truncate_plan(at_ns)

    def change(self, change: PlaySettings, at_ns: int) -> None:
        """Play as other settings say; turns of another length begin anew with the player's."""
        self._turn += 1
        self._truncate_plan(at_ns + CHANGE_AFTER_NS)
        before = self._settings
        self._adopt(change)
        if before.bars != self._settings.bars and self._turns is not None:
            self._silence(at_ns)
            grid = self._beats.grid
            self._begin(first_of(at_ns, grid), grid, at_ns)

    def start_afresh(self) -> None:
        self._turn += 1
        self._invalidate(Release.AT_ONCE)
        self._solo = self._turns = None
        self._clicks.clear()
        self._stream.reset(self._head, forget=True)

    def beats_moved(self, at_ns: int) -> None:
        """Move the bar lines of what is planned, or fall silent where the beats have halted."""
        grid, turns = self._beats.grid, self._turns
        if turns is None:
            return
        if not grid.runs:
            self._silence(at_ns)
            self._clicks.clear()
            return
        if grid.place(at_ns) < turns.first - 2 * grid.beats:  # it was counted anew
            self._silence(at_ns)
            self._begin(first_of(at_ns, grid), grid, at_ns)
            return
        solo = self._solo
        if solo is None:
            self._next = self._own_from(at_ns, grid)
            return
        if solo.ending is not None:
            return
        from_ns, ends_ns = turns.begins_ns(solo.number, grid), turns.begins_ns(solo.number + 1, grid)
        if not from_ns - EARLY_NS <= at_ns < ends_ns:
            self._silence(at_ns)
            self._next = self._own_from(at_ns, grid)
        elif abs(ends_ns - solo.ends_ns) > MOVED_NS or (at_ns < from_ns and abs(from_ns - solo.from_ns) > MOVED_NS):
            self._turn += 1
            cut_ns = at_ns + CHANGE_AFTER_NS if solo.has_entered else at_ns
            solo.from_ns, solo.ends_ns = from_ns, ends_ns
            self._truncate_plan(min(cut_ns, ends_ns))

    # What is to be done

    def due_ns(self) -> int | None:
        grid = self._beats.grid
        if self._turns is None or not grid.runs:
            return None
        if self._clicks:
            return grid.moment_ns(self._clicks[0])
        solo = self._solo
        if solo is None:
            return self._turns.begins_ns(self._next, grid) - EARLY_NS
        return solo.ends_ns if solo.is_complete else self._due_ns(solo)

    def work(self, now_ns: int) -> None:
        """Click, begin a turn whose time has come, play its next event, or end it."""
        if self._turns is None:
            return
        if self._clicks:
            self._count(now_ns)
        elif self._solo is None:
            self._enter(self._turns, now_ns)
        else:
            self._go_on(self._solo, now_ns)

    def status(self) -> PerformerStatus:
        activity = Activity.LISTENING if self._solo is None else Activity.PLAYING
        return PerformerStatus(activity, self._answers, 0, self._stream.length, trade=self._trade())

    def _trade(self) -> TradeStatus:
        grid, turns, solo = self._beats.grid, self._turns, self._solo
        if turns is None:
            return TradeStatus("waiting", None, self._settings.bars)
        number = self._next - 1 if solo is None else solo.number
        from_ns, until_ns = (turns.begins_ns(number + later, grid) for later in (0, 1))
        return TradeStatus("player" if solo is None else "pianod", until_ns, turns.bars, from_ns, turns.first)

    def _begin(self, first: int, grid: BeatGrid, at_ns: int) -> None:
        """Begin with the player's turn, at a beat."""
        self._turns = Turns(first, self._settings.bars)
        self._guidance.begin(first)
        self._next = self._own_from(at_ns, grid)
        self._silent = 0

    def _own_from(self, at_ns: int, grid: BeatGrid) -> int:
        return 1 if self._turns is None else self._turns.own_from(at_ns, grid)

    def _count(self, now_ns: int) -> None:
        """Click the next beat of the count-in."""
        beat, grid = self._clicks.pop(0), self._beats.grid
        if self._click is not None and now_ns - grid.moment_ns(beat) < LATEST_NS:
            for data in Beat(clicks=True, beats=grid.beats).messages(beat % grid.beats * CLOCKS_PER_BEAT):
                self._click(data)

    def _enter(self, turns: Turns, now_ns: int) -> None:
        """Begin a turn of pianod's, unless the player has left."""
        self._silent = 0 if self._keys else self._silent + 1
        self._keys = 0
        if self._silent >= SILENT_TURNS:
            self.stop(now_ns)
            return
        grid = self._beats.grid
        from_ns, ends_ns = (turns.begins_ns(self._next + later, grid) for later in (0, 1))
        self._solo = Solo(self._next, from_ns, ends_ns, from_ns - _HALF_STEP_NS, self._busy_at(now_ns))
        self._answers += 1
        self._sampler.restart(self._turn)
        self._stream.keep_heard()

    def _play_next(self, solo: Solo, earliest_ns: int) -> None:
        """Sample one event, from a moment on at the earliest, and plan it; the first is a key on the downbeat."""
        earliest_ns = max(earliest_ns, solo.planned_ns)
        is_first = not solo.has_entered
        if earliest_ns >= solo.ends_ns - LAST_KEY_NS and not is_first:
            solo.is_complete = True
            return
        bounds = self._bounds(
            earliest_ns,
            earliest_ns if is_first else None,
            self._allowed_now(endless=True),
            must_play=is_first,
            notes_per_s=solo.notes_per_s,
        )
        proposed = self._stream.propose(self._sampler, toward_end(bounds, solo.ending, self._stream, tells_end=False))
        if solo.ending is not None and step_of(solo.ending, proposed, earliest_ns) is Step.AGAIN:
            self._stream.rollback(solo.ending.chord_ns - 1)
            solo.planned_ns = solo.ending.chord_ns
            return
        last_ns = solo.ends_ns - (LAST_KEY_NS if proposed and isinstance(proposed.event, NoteOn) else 0)
        if proposed is None or proposed.at_ns >= last_ns:
            self._stream.rollback(solo.planned_ns)
            solo.is_complete = True
            return
        solo.has_entered |= isinstance(proposed.event, NoteOn)
        solo.planned_ns = proposed.at_ns
        self._end_by(solo.ends_ns, proposed.event)
        self._output.schedule(proposed.at_ns, proposed.event, self._epoch)

    def _end_by(self, line_ns: int, event: Event) -> None:
        """Plan that a key or the pedal comes up at the bar line at the latest, however late it is thought of."""
        match event:
            case NoteOn(pitch):
                self._output.schedule(line_ns, NoteOff(pitch), self._epoch)
            case Pedal(down=True):
                self._output.schedule(line_ns, Pedal(down=False), self._epoch)

    def _end(self, solo: Solo) -> None:
        self._output.release_own()
        self._release_held(solo.ends_ns)
        self._solo = None
        self._next = solo.number + 2
        if solo.ending is not None:
            self.stop(solo.ends_ns)

    def _truncate_plan(self, at_ns: int) -> None:
        """Take back what was planned for after a moment."""
        self._stream.rollback(at_ns)
        solo = self._solo
        self._sampler.restart(self._turn)
        if solo is None:
            return
        self._invalidate(Release.BY_NEW_EPOCH, after_ns=at_ns)
        for pitch in sorted(self._own_keys):
            self._output.schedule(solo.ends_ns, NoteOff(pitch), self._epoch)
        if self._own_pedal_is_down:
            self._output.schedule(solo.ends_ns, Pedal(down=False), self._epoch)
        solo.is_complete = False
        solo.has_entered &= at_ns >= solo.from_ns
        solo.planned_ns = max(solo.from_ns - _HALF_STEP_NS, at_ns)

    def _silence(self, at_ns: int) -> None:
        """End a turn of pianod's at once."""
        if self._solo is not None:
            self._stream.rollback(at_ns)
            self._invalidate(Release.AT_ONCE)
            self._release_held(at_ns)
            self._solo = None
