"""Loop: a phrase is recorded and goes round, and over each pass of it the model plays the missing voice.

The phrase begins with its first key and ends where a pause ends it or where the player says so. What is recorded is
played back with the player's own timing, and the answer of each pass is found before the pass begins, since the loop
is known (`realtime.performers.loop.answer`); only the first one is found while it is played.

    take    another answer from the next pass on
    keep    this answer from now on; what the player plays from now on becomes part of the loop, a layer for each pass
    undo    take the last change back: a layer, an answer, at last the recording
    clear   forget the loop

What is played depends on what was heard and said, on the moments of that, and on the seed: each answer is drawn from a
generator of its own, by the number of its pass. Runs on the engine's thread.
"""

from collections.abc import Sequence
from enum import StrEnum

from loguru import logger

from inference.onnx_session import Session
from piano.events import NoteOn, TimedEvent
from piano.sampling.ending import Ending
from piano.sampling.memory import Memory
from piano.solve.live_stream import LiveStream
from piano.tokens.vocabulary import VOCABULARY, Kind
from realtime.beat.musical_clock import MusicalClock
from realtime.output.event_queue import Release
from realtime.performers.heard_before import MemoryWriter
from realtime.performers.loop.answer import AnswerSpec, LoopAnswer
from realtime.performers.loop.bar_lines import BarLines
from realtime.performers.loop.layers import Layer, Recorder
from realtime.performers.loop.overdubs import Overdubs
from realtime.performers.loop.playback import LATEST_NS, LoopPlayback
from realtime.performers.performer import Activity, LoopStatus, Output, PerformerStatus
from realtime.performers.phrase_detector import PhraseDetector
from realtime.performers.play_settings import LoopSettings, Mode, PauseSettings, PlaySettings

SHORTEST_NS = 1_000_000_000
"""A loop is at least so long."""

LONGEST_NS = 300_000_000_000
"""A recording that is never ended ends here."""

EARLY_NS = 250_000_000
"""How long before the end of a pause the first answer is begun."""

MIDDLE_C = 60
_LOOP_BITS = 32


class AnswerCourse(StrEnum):
    """What becomes of the answer at the next seam, and of the player's keys."""

    RENEW = "renew"
    """Each pass has an answer of its own."""
    HOLD = "hold"
    """The answer is repeated; the player's keys are no part of the loop."""
    KEEP = "keep"
    """The answer is repeated; the player's keys become a layer of the loop."""


class Loop:
    """A performer that loops a phrase. See `realtime.performers.performer.Performer`."""

    def __init__(
        self,
        session: Session,
        head: Sequence[int],
        output: Output,
        settings: LoopSettings,
        memory: Memory | None = None,
        beats: MusicalClock | None = None,
    ) -> None:
        """Begin; a `memory` is what was played before, by other performers, and takes what the player does.

        Where `beats` are kept, the loop lasts whole bars.
        """
        self._bars = BarLines(beats)
        memory = Memory() if memory is None else memory
        self._stream = LiveStream(session, head, memory.copy())  # each answer begins anew from what was played before
        self._writer = MemoryWriter(memory)
        self._head, self._output, self._settings = tuple(head), output, settings
        self._phrase = PhraseDetector(settings.pause or PauseSettings())
        self._overdubs = Overdubs()
        self._epoch = output.begin_epoch()
        self._loops = self._answers = 0
        self._forget()

    def _forget(self) -> None:
        self._loops += 1
        self._recorder: Recorder | None = None  # of the phrase, until the loop goes round
        self._playback: LoopPlayback | None = None
        self._begins_ns = 0  # when the loop goes round first
        self._next: LoopAnswer | None = None  # for the next pass
        self._overdubs.forget()
        self._course = AnswerCourse.RENEW
        self._wants_next = self._is_stopped = False
        self._ends_ns: int | None = None  # where it is being brought to an end
        self._phrase.answered()

    @property
    def mode(self) -> Mode:
        return Mode.LOOP

    # What the player does

    def on_event(self, timed: TimedEvent) -> None:
        """Take what the player did: a part of the phrase, of a layer, or of nothing."""
        if self._playback is not None and self._is_recording(timed.at_ns):
            self._silence()  # the pause was none: what was begun early was not heard yet
            self._playback = None
        self._phrase.hear(timed)
        self._writer.hear(timed)
        if self._playback is None:
            self._record(timed)
        else:
            self._recorder = None
            if self._course is AnswerCourse.KEEP and not self._is_stopped:
                self._overdub(timed, self._playback)

    def hand_over(self, at_ns: int) -> None:
        """End the recording here; while the loop goes round, take another answer; after a stop, play on."""
        playback = self._playback
        if self._is_recording(at_ns):
            self._silence()
            self._close(at_ns)
            self._recorder = None
        elif self._is_stopped and playback is not None:
            self._is_stopped = False
            self._go_round(at_ns, playback.length_ns, playback.number + 1, playback.answer)
        else:
            self.retry(at_ns)

    def retry(self, at_ns: int) -> None:  # noqa: ARG002 - it is for the next pass
        """Take another answer from the next pass on."""
        if self._playback is not None:
            self._wants_next = True
            self._course = AnswerCourse.RENEW if self._settings.renews else AnswerCourse.HOLD

    def keep(self, at_ns: int) -> None:  # noqa: ARG002 - it is for what comes
        """Keep this answer; what is played from now on becomes part of the loop."""
        if self._playback is not None:
            self._course, self._next, self._wants_next = AnswerCourse.KEEP, None, False
            self._overdubs.close()

    def undo(self, at_ns: int) -> None:
        """Take the last change back: of the layers, of the answer; the recording itself where there is no other."""
        playback = self._playback
        before = None if playback is None else self._overdubs.undo()
        if playback is None or before is None:
            self.start_afresh()
            return
        self._next, self._wants_next = None, False
        if self._course is AnswerCourse.RENEW:
            self._course = AnswerCourse.HOLD
        if self._is_stopped:
            playback.set_answer(before.answer)
            return
        self._truncate_plan(playback, at_ns)
        if before.answer is not playback.answer:
            playback.set_answer(before.answer)
        self._sound(playback)
        playback.let_go(at_ns)

    def stop(self, at_ns: int) -> None:
        """Stop the loop, and keep it for a later wish; what is not recorded to its end is forgotten."""
        self._silence()
        if self._playback is None or self._is_recording(at_ns):
            self._forget()
            return
        self._is_stopped = True
        self._next = self._ends_ns = None
        self._overdubs.close()

    def come_to_end(self, at_ns: int, within_ns: int) -> None:
        """Bring the loop to an end: at the seam, or before it where that is too far. It is kept for a later wish."""
        playback = self._playback
        if playback is None or self._is_recording(at_ns) or self._is_stopped or self._ends_ns is not None:
            return
        self._truncate_plan(playback, at_ns)
        ending = Ending(at_ns, at_ns + within_ns)
        is_near = playback.end_ns <= ending.by_ns
        self._ends_ns = playback.end_ns if is_near else ending.by_ns
        playback.last_key_ns = playback.end_ns if is_near else ending.last_key_ns

    def start_afresh(self) -> None:
        """Forget the loop."""
        self._silence()
        self._forget()

    def change(self, change: PlaySettings, at_ns: int) -> None:
        """Go round as other settings say: at once whether the phrase sounds, the rest with the next answer."""
        before, settings = self._settings, change.loop or LoopSettings()
        self._settings, self._head = settings, change.head
        self._phrase.change(settings.pause or PauseSettings())
        self._next = None
        if settings.renews != before.renews and self._course is not AnswerCourse.KEEP:
            self._course = AnswerCourse.RENEW if settings.renews else AnswerCourse.HOLD
        playback = self._playback
        if playback is not None and not self._is_stopped and settings.sounds != before.sounds:
            self._truncate_plan(playback, at_ns)
            self._sound(playback)
            playback.let_go(at_ns)

    # Its turns

    def due_ns(self) -> int | None:
        playback = self._playback
        if playback is None:
            closes_ns = self._closes_ns()
            return None if closes_ns is None else closes_ns - EARLY_NS
        if self._is_stopped:
            return None
        if self._ends_ns is not None:
            return self._ends_ns if playback.start_ns >= self._ends_ns else min(playback.due_ns(), self._ends_ns)
        return 0 if self._is_finding(playback) else playback.due_ns()

    def work(self, now_ns: int) -> None:
        """End a recording, plan what comes next of the loop, or find a piece of an answer."""
        playback = self._playback
        if playback is None:
            closes_ns = self._closes_ns()
            if closes_ns is not None and now_ns >= closes_ns - EARLY_NS:
                self._close(closes_ns)
        elif self._is_stopped:
            return
        elif self._ends_ns is not None and now_ns >= self._ends_ns:
            self.stop(self._ends_ns)
        elif playback.due_ns() <= now_ns:
            if playback.plan_next(now_ns):
                self._turn(playback)
        else:
            self._find(playback, now_ns)

    def status(self) -> PerformerStatus:
        playback, loop = self._playback, None
        if playback is None and self._recorder is not None:
            activity = Activity.RECORDING
        else:
            activity = Activity.LISTENING if playback is None or self._is_stopped else Activity.PLAYING
        if playback is not None:
            layers = len(self._overdubs.layers)
            loop = LoopStatus(playback.start_ns, playback.length_ns, playback.number, layers, self._course)
        return PerformerStatus(activity, self._answers, 0, self._stream.length, loop)

    # The recording

    def _is_recording(self, at_ns: int) -> bool:
        """Say whether the phrase is being recorded at a moment: a pause is acted on early, and may turn out none."""
        return self._recorder is not None and (self._playback is None or at_ns < self._begins_ns)

    def _record(self, timed: TimedEvent) -> None:
        if self._recorder is None and isinstance(timed.event, NoteOn):
            self._recorder = self._overdubs.recorder(
                self._bars.begins_ns(timed.at_ns), pedal=self._phrase.pedal_is_down
            )
        if self._recorder is not None:
            self._recorder.hear(timed)

    def _closes_ns(self) -> int | None:
        """Return when the recording ends by itself; None where there is none."""
        if self._recorder is None:
            return None
        longest_ns = self._recorder.start_ns + LONGEST_NS
        ends_ns = None if self._settings.pause is None else self._phrase.ends_ns()
        return longest_ns if ends_ns is None else min(ends_ns, longest_ns)

    def _close(self, at_ns: int) -> None:
        """End the recording at a moment, which is the seam: the loop goes round from there."""
        recorder = self._recorder
        if recorder is None:
            return
        length_ns = self._bars.length_ns(at_ns - recorder.start_ns, SHORTEST_NS)
        self._overdubs.begin(recorder.layer(length_ns))
        self._course = AnswerCourse.RENEW if self._settings.renews else AnswerCourse.HOLD
        self._begins_ns = recorder.start_ns + length_ns
        self._go_round(self._begins_ns, length_ns, 0, self._begin_answer(length_ns, 0))
        if self._playback is not None:
            self._playback.skip_to(at_ns)
        logger.debug("a loop of {:.2f} s", length_ns / 1e9)

    # Going round

    def _go_round(self, from_ns: int, length_ns: int, number: int, answer: LoopAnswer | None) -> None:
        self._playback = LoopPlayback(self._output, from_ns, length_ns, epoch=self._epoch, number=number)
        self._playback.set_answer(answer)
        self._sound(self._playback)

    def _turn(self, playback: LoopPlayback) -> None:
        """Begin a new pass, with another answer if there is one."""
        if self._next is None:
            return
        self._overdubs.remember(playback.answer)
        self._bars.draw(self._next, playback.start_ns, self._settings.grid)
        playback.set_answer(self._next)
        self._next, self._wants_next = None, False

    def _is_finding(self, playback: LoopPlayback) -> bool:
        """Say whether there is something of an answer still to be found."""
        if playback.answer is not None and not playback.answer.is_complete:
            return True
        if self._next is None:
            return self._wants_next or self._course is AnswerCourse.RENEW
        return not self._next.is_complete

    def _find(self, playback: LoopPlayback, now_ns: int) -> None:
        """Find a piece of this pass's answer or, when that is complete, of the next one's."""
        answer = playback.answer
        if answer is not None and not answer.is_complete:
            answer.work(now_ns - LATEST_NS - playback.start_ns)
        elif self._next is None:
            self._next = self._begin_answer(playback.length_ns, playback.number + 1)
        else:
            self._next.work()

    def _begin_answer(self, length_ns: int, number: int) -> LoopAnswer:
        """Begin the answer for a pass. No other is being found, or it is given up."""
        self._answers += 1
        luck = self._loops << _LOOP_BITS | number
        layers = self._overdubs.layers
        head = _head_of_hand(self._head, layers) if self._settings.finds_hand else self._head
        return LoopAnswer(self._stream, AnswerSpec(head, layers, length_ns, self._settings.limits, luck))

    def _overdub(self, timed: TimedEvent, playback: LoopPlayback) -> None:
        """Make what the player does part of the loop, heard from the next pass on."""
        if self._overdubs.hear(timed, playback, pedal=self._phrase.pedal_is_down):
            self._sound(playback)

    def _sound(self, playback: LoopPlayback) -> None:
        """Let the loop's own voices be heard, where the settings say so."""
        playback.set_layers(self._overdubs.layers if self._settings.sounds else ())

    def _truncate_plan(self, playback: LoopPlayback, at_ns: int) -> None:
        self._epoch = playback.rollback(at_ns)

    def _silence(self) -> None:
        self._epoch = self._output.invalidate(release=Release.AT_ONCE)


def _head_of_hand(head: tuple[int, ...], layers: Sequence[Layer]) -> tuple[int, ...]:
    """Return a head whose task is to play the hand that the layers do not."""
    pitches = [note.pitch for layer in layers for note in layer.notes]
    is_low = sum(pitches) < MIDDLE_C * len(pitches)
    task = VOCABULARY.task("right_hand" if is_low else "left_hand")
    return tuple(task if VOCABULARY.kinds[token] == Kind.TASK else token for token in head)
