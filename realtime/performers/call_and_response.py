"""Call and response: listen until the phrase is over, go on in its manner, yield to the first key.

Everything is one stream of one voice: the model hears each key as it comes, so that at the hand-over nothing is left
to do but to sample. It samples a little ahead of time, before the pause has quite passed; if the player goes on
after all, what was sampled is taken back and nobody has heard it. Runs on the engine's thread.

What is played depends on what was heard, on its moments and on the seed alone, not on how fast the machine is: after
each thing that the player does it draws from a generator of its own, and what may still come is decided on the
stream's time, never on the clock's.

A key and a pedal have one hand on them: while the player holds one down, the model neither lifts nor strikes it.
"""

from collections.abc import Sequence

from loguru import logger

from inference.onnx_session import Session
from piano.cues import ENDING
from piano.events import NoteOn, Pedal, TimedEvent
from piano.sampling.ending import Ending
from piano.sampling.memory import Memory
from realtime.output.event_queue import Release
from realtime.performers.answer_plan import Answer, AnswerPrompt
from realtime.performers.coming_to_end import Step, ending_of, lift_all, step_of, toward_end
from realtime.performers.performer import Activity, Output, PerformerStatus
from realtime.performers.play_settings import AnswerSettings, Length, PauseSettings, PlaySettings
from realtime.performers.turn_player import CHANGE_AFTER_NS, TurnPlayer

FIRST_NOTE_WITHIN_NS = 40_000_000
"""An answer begins no later than this after the phrase is over."""

EARLY_NS = 250_000_000
"""How long before the end of a pause the answer is begun."""

SHORTEST_ANSWER_NS = 2_000_000_000


class CallAndResponse(TurnPlayer[Answer]):
    """A performer that answers phrases. See `realtime.performers.performer.Performer`."""

    def __init__(
        self,
        session: Session,
        head: Sequence[int],
        output: Output,
        settings: AnswerSettings,
        memory: Memory | None = None,
    ) -> None:
        """Begin; a `memory` is what was played before, by other performers, and takes what is played."""
        super().__init__(session, head, output, settings, settings.pause or PauseSettings(), memory)
        self._answer: Answer | None = None
        self._prompt: AnswerPrompt | None = None
        self._interruptions = 0

    def on_event(self, timed: TimedEvent) -> None:
        """Take what the player did. A key that goes down ends an answer at once."""
        answer = self._answer
        self._turn += 1
        if answer is not None:
            self._truncate_plan(timed.at_ns)
            if self._takes_over(answer, timed):
                was_heard = timed.at_ns >= answer.from_ns
                self._interruptions += was_heard
                self._end_answer(timed.at_ns, was_heard=was_heard)
            elif timed.event == Pedal(down=False):  # it may be ours that the stream believes to be under this foot
                self._output.schedule(timed.at_ns, timed.event, answer.epoch)
        self._phrase.hear(timed)
        self._stream.hear(timed)
        if self._settings.expects and not isinstance(timed.event, Pedal):
            self._phrase.expect(self._stream.survival())
        if isinstance(timed.event, NoteOn):
            self._prompt = None

    def _takes_over(self, answer: Answer, timed: TimedEvent) -> bool:
        """Say whether what the player did ends an answer: any key, or, where one may join, one that is in its way."""
        if timed.at_ns < answer.from_ns or not isinstance(timed.event, NoteOn):
            return timed.at_ns < answer.from_ns
        if self._settings.leads_below is not None and timed.event.pitch < self._settings.leads_below:
            return False
        return not self._settings.joins or answer.joining.takes_over(timed.at_ns, timed.event.pitch)

    def hand_over(self, at_ns: int) -> None:
        """Answer from this moment on; where nothing was played yet, begin a piece."""
        if self._answer is not None and at_ns < self._answer.from_ns:
            self._truncate_plan(at_ns)
            self._end_answer(at_ns, was_heard=False)
        if self._answer is None:
            self._begin(at_ns, self._phrase_ns)

    def stop(self, at_ns: int) -> None:
        """Stop playing and listen."""
        self._turn += 1
        if self._answer is not None:
            self._truncate_plan(at_ns)
            self._end_answer(at_ns, was_heard=True)
        self._phrase.answered()

    def come_to_end(self, at_ns: int, within_ns: int) -> None:
        """Bring the answer to an end; one that has not been heard yet is given up."""
        answer = self._answer
        if answer is None or answer.ending is not None:
            return
        if at_ns < answer.from_ns:
            self.stop(at_ns)
            return
        self._turn += 1
        self._truncate_plan(at_ns + CHANGE_AFTER_NS)
        answer.ending = ending_of(self._stream, at_ns, at_ns + within_ns)
        self._stream.tell(at_ns + CHANGE_AFTER_NS, ENDING)

    def retry(self, at_ns: int) -> None:
        """Take the last answer back and give another; a key that was played since makes it a new question."""
        prompt = self._prompt
        if prompt is None:
            self.hand_over(at_ns)
            return
        self._turn += 1
        self._invalidate(Release.AT_ONCE)
        self._answers -= self._answer is not None
        self._answer = None
        self._stream.return_to(prompt.mark, at_ns - prompt.from_ns)
        self._release_held(at_ns)
        if self._phrase.pedal_is_down:
            self._stream.hear(TimedEvent(at_ns, Pedal(down=True)))
        self._begin(at_ns, prompt.length_ns)

    def change(self, change: PlaySettings, at_ns: int) -> None:
        """Listen and answer as other settings say; what was planned for later is planned anew."""
        self._turn += 1
        self._truncate_plan(at_ns + CHANGE_AFTER_NS)
        self._adopt(change)
        settings = self._settings
        self._phrase.change(settings.pause or PauseSettings())
        if not settings.expects:
            self._phrase.expect(None)
        if self._answer is not None:
            phrase_ns = self._phrase_ns if self._prompt is None else self._prompt.length_ns
            self._answer.enough_ns = self._enough_ns(self._answer.from_ns, phrase_ns)
            self._answer.notes_per_s = settings.notes_per_s or self._answer.notes_per_s

    def start_afresh(self) -> None:
        self._turn += 1
        self._prompt = None
        self._invalidate(Release.AT_ONCE)
        self._answer = None
        self._stream.reset(self._head, forget=True)
        self._phrase.answered()

    def due_ns(self) -> int | None:
        if self._answer is None:
            over_ns = self._over_ns()
            return None if over_ns is None else over_ns - EARLY_NS
        if self._answer.is_complete:
            return self._answer.planned_ns
        return self._due_ns(self._answer)

    def work(self, now_ns: int) -> None:
        """Begin an answer whose time has come, play its next event, or end it."""
        if self._answer is None:
            over_ns = self._over_ns()
            if over_ns is not None and now_ns >= over_ns - EARLY_NS:
                self._begin(over_ns, self._phrase_ns)
        else:
            self._go_on(self._answer, now_ns)

    def status(self) -> PerformerStatus:
        activity = Activity.LISTENING if self._answer is None else Activity.PLAYING
        return PerformerStatus(activity, self._answers, self._interruptions, self._stream.length)

    def _over_ns(self) -> int | None:
        """Return when a pause will have asked for an answer; None if none can."""
        return None if self._settings.pause is None else self._phrase.ends_ns()

    @property
    def _phrase_ns(self) -> int | None:
        """Return how long the phrase has been; None if nothing was played since the last answer."""
        return None if self._phrase.start_ns is None else self._phrase.length_ns

    def _enough_ns(self, from_ns: int, phrase_ns: int | None) -> int | None:
        """Return from when on an answer to a phrase of a length is long enough; None: never, as after no phrase."""
        if phrase_ns is None or self._settings.length is Length.ENDLESS:
            return None
        return from_ns + max(phrase_ns, SHORTEST_ANSWER_NS)

    def _begin(self, at_ns: int, phrase_ns: int | None) -> None:
        self._prompt = AnswerPrompt(self._stream.mark(), at_ns, phrase_ns)
        self._epoch = self._output.begin_epoch()
        self._sampler.restart(self._turn)
        if phrase_ns is not None:
            self._stream.keep_heard()
        self._answer = Answer(at_ns, self._enough_ns(at_ns, phrase_ns), self._epoch, at_ns, self._busy_at(at_ns))
        self._answers += 1
        logger.debug("answering a phrase of {:.1f} s", (phrase_ns or 0) / 1e9)

    def _play_next(self, answer: Answer, earliest_ns: int) -> None:
        earliest_ns = max(earliest_ns, answer.planned_ns)
        if answer.ending is not None and answer.ending.is_over(earliest_ns) and self._is_silent:
            answer.is_complete = True
            return
        is_first = answer.first_note_ns is None
        latest_ns = answer.from_ns + FIRST_NOTE_WITHIN_NS if is_first else None
        allowed = self._allowed_now(endless=self._settings.length is Length.ENDLESS)
        bounds = self._bounds(earliest_ns, latest_ns, allowed, must_play=is_first, notes_per_s=answer.notes_per_s)
        proposed = self._stream.propose(self._sampler, toward_end(bounds, answer.ending, self._stream))
        if answer.ending is not None and not self._leads_to_end(answer, answer.ending, proposed, earliest_ns):
            return
        if proposed is None or answer.is_over(proposed, self._own_keys):
            self._stream.rollback(answer.planned_ns)
            answer.is_complete = True
            return
        if isinstance(proposed.event, NoteOn):
            answer.first_note_ns = proposed.at_ns if is_first else answer.first_note_ns
            answer.last_note_ns = proposed.at_ns
            answer.joining.strike(proposed.at_ns, proposed.event.pitch)
        answer.planned_ns = proposed.at_ns
        self._output.schedule(proposed.at_ns, proposed.event, answer.epoch)

    def _leads_to_end(self, answer: Answer, ending: Ending, proposed: TimedEvent | None, earliest_ns: int) -> bool:
        """Say whether what was sampled is played on the way to the end; plan the end where it is there."""
        step = step_of(ending, proposed, earliest_ns)
        if step is Step.AGAIN:
            self._stream.rollback(ending.chord_ns - 1)
            answer.planned_ns = ending.chord_ns
        elif step is Step.OVER:
            self._stream.rollback(answer.planned_ns)
            if not self._is_silent:
                answer.planned_ns = max(answer.planned_ns, ending.by_ns)
                lift_all(self._output, answer.epoch, answer.planned_ns, self._own_keys, pedal=self._own_pedal_is_down)
            answer.is_complete = True
        return step is Step.PLAY

    def _end(self, answer: Answer) -> None:
        self._output.release_own()
        self._release_held(answer.planned_ns)
        self._answer = None
        self._phrase.answered()

    def _truncate_plan(self, at_ns: int) -> None:
        """Take back what was planned for after a moment and begin a new turn."""
        self._stream.rollback(at_ns)
        answer = self._answer
        if answer is None:
            return
        self._invalidate(Release.BY_NEW_EPOCH, after_ns=at_ns)
        answer.epoch = self._epoch
        if answer.is_complete and at_ns >= answer.planned_ns:
            return
        answer.is_complete = False
        answer.planned_ns = max(answer.from_ns, at_ns)
        if answer.first_note_ns is not None and answer.first_note_ns > at_ns:
            answer.first_note_ns = None

    def _end_answer(self, at_ns: int, *, was_heard: bool) -> None:
        """Give the turn back to the player."""
        self._invalidate(Release.AT_ONCE)
        self._release_held(at_ns)
        self._answer = None
        if was_heard:
            self._phrase.answered()
        else:
            self._answers -= 1
