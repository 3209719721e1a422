"""Live events to tokens and back, one at a time: the incremental twin of `piano.tokens.encoding`.

Both classes are plain state with no thread of their own; the engine owns them.
"""

from bisect import bisect_right
from dataclasses import dataclass

from piano.events import Event, NoteOff, NoteOn, Pedal, Role, TimedEvent
from piano.tokens.encoding import CUE_RANK, FIRST_CUE_KEY, OFF_RANK, ON_RANK, PEDAL_DOWN_RANK, PEDAL_KEY, PEDAL_UP_RANK
from piano.tokens.vocabulary import STEP_NS, VOCABULARY, Kind, steps_of_ns, velocity_of_bin


@dataclass(frozen=True, slots=True)
class Edit:
    """A change at the end of a token stream: take `rewind` tokens back, then append `tokens`."""

    rewind: int
    tokens: tuple[int, ...]


_Place = tuple[int, int, int, int]  # level, rank, pitch, role: the canonical order within a step


def _rank_and_key(event: Event) -> tuple[int, int]:
    match event:
        case NoteOn(pitch):
            return ON_RANK, pitch
        case NoteOff(pitch):
            return OFF_RANK, pitch
        case Pedal(down):
            return (PEDAL_DOWN_RANK if down else PEDAL_UP_RANK), PEDAL_KEY


def event_tokens(event: Event, role: Role) -> tuple[int, ...]:
    """Return the tokens of an event without its time."""
    match event:
        case NoteOn(pitch, velocity):
            return VOCABULARY.on(role, pitch), VOCABULARY.velocity(velocity)
        case NoteOff(pitch):
            return (VOCABULARY.off(role, pitch),)
        case Pedal(down):
            return (VOCABULARY.pedal(role, down=down),)


class StreamEncoder:
    """Turns events into tokens as they come.

    Events come in order of time. One that belongs, by the canonical order, before others of its own step of
    10 ms is put there: the edit then rewinds over those and repeats them. Nothing older is ever touched.
    """

    def __init__(self, origin_ns: int) -> None:
        self.origin_ns = origin_ns
        self.step = 0
        """The step of the last event, counted from the origin."""
        self._places: list[_Place] = []
        self._tokens: list[tuple[int, ...]] = []
        self._presses: dict[tuple[Role, int], int] = {}

    def step_of(self, at_ns: int) -> int:
        """Return the step of a moment; never before the last event's."""
        return max(steps_of_ns(at_ns - self.origin_ns), self.step)

    def time_of(self, step: int) -> int:
        """Return the moment at which a step stands, in nanoseconds."""
        return self.origin_ns + step * STEP_NS

    def push(self, timed: TimedEvent) -> Edit:
        """Take the next event; return how the stream changes.

        An event that claims to be older than the last one counts as simultaneous with it. A pitch outside the 88
        keys or a velocity outside 1 to 127 is a ValueError.
        """
        tokens = event_tokens(timed.event, timed.role)
        step = self.step_of(timed.at_ns)
        wait = self.pass_time(step)
        rank, key = _rank_and_key(timed.event)
        level = self._presses.get((timed.role, key), 0)
        if rank >= PEDAL_DOWN_RANK:
            self._presses[timed.role, key] = level + 1
        return self._inserted((level, rank, key, int(timed.role)), tokens, wait)

    def push_cue(self, at_ns: int, code: int) -> Edit:
        """Take a cue, a code of `piano.cues`, as `push` takes an event; return how the stream changes."""
        token = VOCABULARY.cue(code)
        wait = self.pass_time(self.step_of(at_ns))
        return self._inserted((0, CUE_RANK, FIRST_CUE_KEY + code, int(Role.OWN)), (token,), wait)

    def _inserted(self, place: _Place, tokens: tuple[int, ...], wait: tuple[int, ...]) -> Edit:
        index = bisect_right(self._places, place)
        if index == len(self._places):
            self._places.append(place)
            self._tokens.append(tokens)
            return Edit(0, wait + tokens)
        later = self._tokens[index:]
        self._places.insert(index, place)
        self._tokens.insert(index, tokens)
        return Edit(sum(map(len, later)), wait + tokens + tuple(token for group in later for token in group))

    def follow(self, timed: TimedEvent, step: int) -> None:
        """Take note of an event that was sampled, whose tokens stand at the end of the stream already."""
        self.pass_time(step)
        rank, key = _rank_and_key(timed.event)
        level = self._presses.get((timed.role, key), 0)
        if rank >= PEDAL_DOWN_RANK:
            self._presses[timed.role, key] = level + 1
        self._places.append((level, rank, key, int(timed.role)))
        self._tokens.append(event_tokens(timed.event, timed.role))

    def shorten_silence(self, at_ns: int, longest_ns: int) -> None:
        """Move the origin so that no more than the longest silence lies between the last event and a moment."""
        silence_ns = at_ns - self.time_of(self.step)
        if silence_ns > longest_ns:
            self.origin_ns += silence_ns - longest_ns

    def copy(self) -> "StreamEncoder":
        """Return an independent encoder in the same state."""
        other = StreamEncoder(self.origin_ns)
        other.step = self.step
        other._places, other._tokens, other._presses = list(self._places), list(self._tokens), dict(self._presses)
        return other

    def pass_time(self, step: int) -> tuple[int, ...]:
        """Move on to a later step without an event; return the TIME tokens for it."""
        if step <= self.step:
            return ()
        wait = VOCABULARY.wait(step - self.step)
        self.step = step
        self._places.clear()
        self._tokens.clear()
        self._presses.clear()
        return wait


class StreamDecoder:
    """Turns tokens into events as they are sampled; the time of an event is the step at which it stands.

    Tokens that are no events (a head, PAD) or no part of the playing (a preview) pass without one.
    """

    def __init__(self, origin_ns: int, step: int = 0) -> None:
        self.origin_ns, self.step = origin_ns, step
        self._pressed: tuple[int, Role] | None = None
        self._in_preview = False

    def push(self, token: int) -> TimedEvent | None:
        """Take the next token; return the event that it completes, if it does."""
        kind, value = int(VOCABULARY.kinds[token]), int(VOCABULARY.values[token])
        pressed, self._pressed = self._pressed, None
        if kind in (Kind.PREVIEW, Kind.PLAY):
            self._in_preview = kind == Kind.PREVIEW
        return None if self._in_preview else self._event(kind, value, Role(int(VOCABULARY.roles[token])), pressed)

    def _event(self, kind: int, value: int, role: Role, pressed: tuple[int, Role] | None) -> TimedEvent | None:
        at_ns = self.origin_ns + self.step * STEP_NS
        match kind:
            case Kind.TIME:
                self.step += value
            case Kind.ON:
                self._pressed = (value, role)
            case Kind.VELOCITY if pressed is not None:
                pitch, role = pressed
                return TimedEvent(at_ns, NoteOn(pitch, velocity_of_bin(value)), role)
            case Kind.OFF:
                return TimedEvent(at_ns, NoteOff(value), role)
            case Kind.PEDAL:
                return TimedEvent(at_ns, Pedal(bool(value)), role)
        return None
