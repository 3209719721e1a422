"""What is known of an exercise before it is played: events to be forced, previews, and when our own keys may go down.

Our own events are not looked at, save where they are what is forced: the order of the keys of a score.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piano.events import Role
from piano.notes import Performance
from piano.solve.evidence import Evidence
from piano.solve.must_play import MustPlayNotes, owed_notes
from piano.solve.score_timing import Score, score_of
from piano.solve.texture import Texture, texture_of
from piano.tasks.exercise import Exercise, Preview, PreviewClock
from piano.tasks.previews import Announcement, SharedClock, announcements, order_of, steps_of, whole_steps
from piano.tasks.task_stream import PreviewSize
from piano.tokens.encoding import TokenArray, encode
from piano.tokens.vocabulary import FILL_TASKS, STEP_S, VOCABULARY, Kind

FOREVER = 2**31
"""A step that no music reaches."""

_EMPTY_PREVIEW = (VOCABULARY.preview, VOCABULARY.play)


@dataclass(frozen=True, slots=True)
class ForcedEvent:
    """Something that stands at a step of the stream: an event, or a preview, which comes before all of its step."""

    step: int
    tokens: tuple[int, ...]
    is_event: bool = True


@dataclass(frozen=True, slots=True)
class Constraints:
    """What is forced, and what may be sampled, of one exercise; steps of the stream's clock.

    `strikes` are the stretches, both ends included, in which our own keys may go down. `pitches` are the keys in the
    order in which they must, where that is known.

    Where a C5 of half a second is given and what sounds below it is asked, `events` are C5 down (with its velocity) at
    step 0 and C5 up at step 50, and `strikes` is ((0, 50),): whatever is drawn, these two stand at their steps, and
    no key of ours goes down once C5 is over.
    """

    events: tuple[ForcedEvent, ...]
    strikes: tuple[tuple[int, int], ...]
    previews: tuple[ForcedEvent, ...] = ()
    window: int | None = None
    """The distance at which previews that show nothing follow the last of `previews`; None: there are no more."""
    needed: int = 0
    """How many previews it takes until all has been shown: the piece does not end before."""
    announcements: tuple[Announcement, ...] = ()
    pitches: tuple[int, ...] | None = None
    allows_pedal: bool = True
    owed: MustPlayNotes | None = None
    """The notes that come back once each, where that is known."""
    texture: Texture | None = None
    """What our part is to be like, beside what stands."""
    score: Score | None = None
    """When the keys of a score are written, where they are played in its time."""

    def preview(self, index: int) -> ForcedEvent | None:
        """Return the preview of a number, if there is one."""
        if index < len(self.previews):
            return self.previews[index]
        return None if self.window is None else ForcedEvent(index * self.window, _EMPTY_PREVIEW, is_event=False)


def constraints_of(
    exercise: Exercise,
    size: PreviewSize | None,
    *,
    length_s: float | None = None,
    longest_preview: int = FOREVER,
    evidence: Evidence | None = None,
) -> Constraints:
    """Return what is known of an exercise in which events are asked, with previews of a size (None: without).

    Our own keys go down as long as what is given or shown goes on, in plain music as long as the performance; or for
    `length_s`. A preview of more than so many tokens shows only its first notes.
    """
    preview = exercise.preview
    shown = size if preview is not None else None
    if preview is not None and preview.clock is PreviewClock.ORDER:
        order = order_of(exercise.performance.notes)
        told = announcements(preview, order, shown.notes) if shown else ()
        return Constraints(
            (),
            ((0, FOREVER),),
            announcements=tuple(Announcement(entry.before, _cut(entry.tokens, longest_preview)) for entry in told),
            pitches=tuple(exercise.performance.notes["pitch"][order].tolist()),
            score=_score(exercise, preview, order, evidence),
        )
    events = tuple(_given_events(exercise))
    clock = SharedClock(preview) if preview is not None else None
    strikes = _strikes(exercise, events, clock, length_s)
    has_given_pedal = exercise.task in FILL_TASKS and bool((exercise.pedal_roles == Role.GIVEN).any())
    allows_pedal = exercise.task == "gap" or not has_given_pedal
    texture = _texture(exercise, evidence)
    if clock is None or shown is None:
        return Constraints(events, strikes, allows_pedal=allows_pedal, texture=texture)
    if exercise.task == "gap":
        shows = [(start, clock.gap(start, end)) for start, end in strikes]
        window, needed = None, 0
    else:
        window = whole_steps(shown.window_s)
        needed = clock.windows_to_show_all(window)
        shows = [(start, clock.window(start, window)) for start in range(0, clock.windows(window) * window, window)]
    previews = [
        ForcedEvent(start, tuple(_cut(tokens, longest_preview).tolist()), is_event=False) for start, tokens in shows
    ]
    return Constraints(
        events,
        strikes,
        tuple(previews),
        window,
        needed,
        allows_pedal=allows_pedal,
        texture=texture,
        owed=owed_notes(exercise),
    )


def _score(exercise: Exercise, preview: Preview, order: NDArray[np.intp], evidence: Evidence | None) -> Score | None:
    """Return the score that is played in its own time; None where only the order of its keys counts."""
    if evidence is None or exercise.task != "perform_score":
        return None
    written = preview.notes[order]
    steps = np.sort(steps_of(written))
    lengths = np.maximum(np.rint(written["duration_s"] / STEP_S).astype(np.int64), 1)
    rng = np.random.default_rng(evidence.seed)
    return score_of(steps, lengths, written["pitch"].astype(np.int64), evidence.tempo, rng)


def _texture(exercise: Exercise, evidence: Evidence | None) -> Texture | None:
    """Return what a part that is filled in is to be like; None where nothing stands beside it, or it is free."""
    if evidence is None or evidence.fills is None or exercise.task not in FILL_TASKS or not exercise.given_notes:
        return None
    if exercise.preview is None:
        return None  # a duet does not know what comes
    fills = evidence.fills
    return texture_of(exercise, follows_own=fills.follows_own, density=fills.density, twelfths_s=fills.twelfths_s)


def _given_events(exercise: Exercise) -> Iterator[ForcedEvent]:
    is_given, of_pedals = exercise.roles == Role.GIVEN, exercise.pedal_roles == Role.GIVEN
    notes, pedals = exercise.performance.notes[is_given], exercise.performance.pedals[of_pedals]
    tokens = encode(
        Performance(notes, pedals), roles=exercise.roles[is_given], pedal_roles=exercise.pedal_roles[of_pedals]
    ).tolist()
    step = 0
    for index, token in enumerate(tokens):
        match VOCABULARY.kinds[token]:
            case Kind.TIME:
                step += int(VOCABULARY.values[token])
            case Kind.ON:
                yield ForcedEvent(step, (token, tokens[index + 1]))
            case Kind.OFF | Kind.PEDAL:
                yield ForcedEvent(step, (token,))


def _strikes(
    exercise: Exercise, events: tuple[ForcedEvent, ...], clock: SharedClock | None, length_s: float | None
) -> tuple[tuple[int, int], ...]:
    if exercise.task == "gap":
        spans = [(max(0, whole_steps(gap.start_s)), whole_steps(gap.end_s)) for gap in exercise.gaps]
        return tuple(span for span in spans if span[1] > 0)
    if length_s is not None:
        return ((0, whole_steps(length_s)),)
    last = max(events[-1].step if events else 0, clock.latest if clock else 0)
    if not events and clock is None:
        last = whole_steps(exercise.performance.end_s)
    return ((0, last),)


def _cut(tokens: TokenArray, longest: int) -> TokenArray:
    """Return a preview with no more notes than fit into a number of tokens."""
    if tokens.size <= longest:
        return tokens
    starts = np.flatnonzero(VOCABULARY.kinds[tokens] == Kind.ON)
    has_velocity = int(VOCABULARY.kinds[tokens[starts[0] + 1]] == Kind.VELOCITY)
    kept = int((starts + has_velocity + 2 <= longest).sum())
    end = int(starts[kept - 1]) + has_velocity + 1 if kept else 1
    return np.append(tokens[:end], np.int32(VOCABULARY.play))
