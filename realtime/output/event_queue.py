"""What is still to be sent: the pure core of the output, with no thread, no clock and no port.

The event queue holds the own events that are due later, in a heap, over the `VoiceTracker`, which knows what sounds.
Every method that can make a message due returns what to send, in order. Every own note ends: by its note-off, by an
invalidation, a release, a panic, or at the longest duration.

Epochs: an event belongs to the epoch in which the engine proposed it. `invalidate(epoch)` kills what older epochs
still had to come, except for the note-offs of notes that sound. A note-off of an old one leaves a newer note alone.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto

from piano.events import Event, NoteOff, NoteOn, Pedal
from realtime.midi.message import MessageKind, bytes_of, channel_of, kind_of
from realtime.output.pending_keys import PendingKeys
from realtime.output.voice_tracker import Held, SoundingNotes, VoiceTracker


class Release(Enum):
    """When the own notes that sound end, once what was planned after them is invalid."""

    AT_ONCE = auto()
    AT_TIME = auto()
    """Each at the note-off already planned for it; a note-off that the new epoch plans takes the place of that.
    A note without one sounds on until the new epoch ends it, or the longest duration."""
    BY_NEW_EPOCH = auto()
    """Each when the new epoch, which goes on with the same music, ends it, or at the longest duration."""


class _Command(Enum):
    RELEASE_OWN = auto()


_Entry = tuple[int, int, int, Event | _Command]
"""Due in nanoseconds, number in order of arrival, epoch, what to do."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send now, when it was due, and whether it is of the model's own."""

    due_ns: int
    data: bytes
    own: bool = True


@dataclass(frozen=True, slots=True)
class EventQueueSettings:
    """How own events are sent."""

    channel: int = 0
    """MIDI channel of the own events, 0 to 15."""
    longest_note_ns: int = 30_000_000_000
    """An own note or pedal that is held longer is released."""
    drop_later_than_ns: int | None = 500_000_000
    """An own note that could not begin for this long after its moment is left out; None keeps all."""

    def __post_init__(self) -> None:
        """Refuse durations that make no sense."""
        if self.longest_note_ns <= 0:
            raise ValueError(f"the longest duration of a note must be above 0 ns, not {self.longest_note_ns}")
        if self.drop_later_than_ns is not None and self.drop_later_than_ns < 0:
            raise ValueError(f"how late a note may begin must be at least 0 ns, not {self.drop_later_than_ns}")


@dataclass(slots=True)
class EventQueueCounts:
    """What happened to own events that did not go the usual way."""

    stale: int = 0
    """Killed because their epoch was over."""
    too_late: int = 0
    """Left out because they could not begin in time."""
    overlong: int = 0
    """Ended by the longest duration."""


class EventQueue:
    """The heap of due own events, and the wire. Not safe for threads: one owner."""

    def __init__(self, settings: EventQueueSettings | None = None) -> None:
        self._settings = settings or EventQueueSettings()
        self._wire = VoiceTracker(self._settings.channel)
        self._heap: list[_Entry] = []
        self._arrivals = 0
        self._epoch = 0
        self._kept: dict[int, int] = {}  # pitch -> number of the old note-off that one of the new epoch may replace
        self._replaced: set[int] = set()  # numbers of entries in the heap that are void
        self._held_keys = PendingKeys()
        self.counts = EventQueueCounts()

    @property
    def pending(self) -> int:
        """Return how many events wait for their moment."""
        return len(self._heap) - len(self._replaced)

    @property
    def sounding(self) -> SoundingNotes:
        """Return what sounds now."""
        return self._wire.sounding

    @property
    def left_out(self) -> int:
        """Return how many of the player's messages could not be passed on."""
        return self._wire.left_out

    def set_longest_note(self, longest_ns: int) -> None:
        """End own notes and pedals that are held for longer than this."""
        self._settings = replace(self._settings, longest_note_ns=longest_ns)

    def next_due_ns(self) -> int | None:
        """Return the moment at which something may next have to go out, or None."""
        dues_ns = [self._heap[0][0]] if self._heap else []
        for due_ns in (self._overlong_ns(), self._held_keys.next_due_ns()):
            if due_ns is not None:
                dues_ns.append(due_ns)
        return min(dues_ns) if dues_ns else None

    def schedule(self, at_ns: int, event: Event, epoch: int) -> None:
        """Plan an own event. Of an epoch that is over, only what releases is still taken."""
        if epoch < self._epoch:
            if _releases(event):
                self._push(at_ns, epoch, event)
            else:
                self.counts.stale += 1
            return
        if not isinstance(event, Pedal):
            kept = self._kept.pop(event.pitch, None)
            if kept is not None and isinstance(event, NoteOff):
                self._replaced.add(kept)
        self._push(at_ns, epoch, event)

    def schedule_release(self, at_ns: int) -> None:
        """Plan the release of all that is own and sounds then; no invalidation takes this back."""
        self._push(at_ns, self._epoch, _Command.RELEASE_OWN)

    def pop_due(self, now_ns: int) -> list[Outgoing]:
        """Return the messages of everything that is due by now, in the order of their moments."""
        outgoing: list[Outgoing] = []
        while (due_ns := self.next_due_ns()) is not None and due_ns <= now_ns:
            if due_ns == self._held_keys.next_due_ns():
                keys = [message for key in self._held_keys.pop_due(due_ns) for message in self._wire.through(key)]
                outgoing += [Outgoing(due_ns, data, own=False) for data in keys]
                continue
            messages = self._end_overlong(due_ns) if due_ns == self._overlong_ns() else self._pop(now_ns)
            outgoing += [Outgoing(due_ns, data) for data in messages]
        return outgoing

    def send_now(self, event: Event, now_ns: int) -> list[bytes]:
        """Play an own event at once, whatever its epoch."""
        return self._play(event, now_ns, self._epoch, forced=True)

    def through(self, data: bytes) -> list[bytes]:
        """Pass on a message of the player's; one that ends or repeats a key that waits sends that key first."""
        match kind_of(data):
            case MessageKind.NOTE_ON | MessageKind.NOTE_OFF:
                ahead = self._held_keys.let_go(data)
            case MessageKind.SILENCE:
                ahead = self._held_keys.let_go_of_channel(channel_of(data))
            case _:
                ahead = []
        return [out for message in (*ahead, data) for out in self._wire.through(message)]

    def let_end(self, data: bytes) -> list[bytes]:
        """Pass on a message of the player's only as far as it ends what was passed on before."""
        match kind_of(data):
            case MessageKind.NOTE_ON | MessageKind.NOTE_OFF:
                channel, pitch = channel_of(data), data[1]
                if (channel, pitch) in self._held_keys or self._wire.holds_thru(channel, pitch):
                    return self.through(bytes_of(NoteOff(pitch), channel))
            case MessageKind.SUSTAIN | MessageKind.RESET | MessageKind.SILENCE if self._wire.is_used_by_thru(
                channel_of(data)
            ):
                return self.through(data)
        return []

    def release_thru(self) -> list[bytes]:
        """Release all that the player holds: nobody will tell when it ends."""
        self._held_keys.clear()
        return self._wire.release_thru()

    def release_left_over(self, releases: Iterable[bytes]) -> list[bytes]:
        """Return of these note-offs and pedals up, of what another left down, those that end nothing of ours."""
        return [data for data in releases if not self._wire.would_end(data)]

    def hold(self, data: bytes, now_ns: int, due_ns: int) -> list[bytes]:
        """Keep a note-on of the player's until `answer` gives it a velocity, or it is due as it came."""
        ahead = [out for message in self._held_keys.let_go(data) for out in self._wire.through(message)]
        self._wire.take_prefix(channel_of(data))  # more bits of a velocity that is to be another
        self._held_keys.hold(data, now_ns, due_ns)
        return ahead

    def release_held_key(self, pitch: int, velocity: int, pressed_ns: int) -> list[bytes]:
        """Pass on a key that was pressed at a moment, with another velocity; nothing if it waits no longer."""
        data = self._held_keys.release_held_key(pitch, velocity, pressed_ns)
        return [] if data is None else self._wire.through(data)

    @property
    def unanswered(self) -> int:
        """Return how many keys went out as they came because no answer was there in time."""
        return self._held_keys.unanswered

    def invalidate(self, epoch: int, now_ns: int, release: Release, after_ns: int | None = None) -> list[bytes]:
        """Kill what epochs before `epoch` have planned, and return what to send.

        With `Release.AT_ONCE` all of it dies, and what sounds of it ends now. With `Release.AT_TIME` only what was
        planned for after `after_ns` (default: now) dies, and notes end at their own note-offs. What was due by then
        counts as having happened and still goes out; a note that began although it was due later counts as never
        played and ends now. `Release.BY_NEW_EPOCH` is the same, but for the note-offs after `after_ns`: they die too.
        """
        self._epoch = max(self._epoch, epoch)
        self._kept.clear()
        if release is Release.AT_ONCE:
            self._kill_before(epoch)
            return self._wire.release_own(lambda held: held.epoch < epoch)
        cut_ns = now_ns if after_ns is None else after_ns
        messages = self._wire.release_own(lambda held: held.epoch < epoch and held.due_ns > cut_ns)
        self._cut(epoch, cut_ns, keep_releases=release is Release.AT_TIME)
        return messages

    def release_own(self) -> list[bytes]:
        """Release every own note that sounds and the own pedal; what is planned stays planned."""
        return self._wire.release_own()

    def forget_own(self) -> list[bytes]:
        """Forget all that is planned and release what is own; the player's notes, and keys that wait, stay."""
        self._forget_plan()
        return self._wire.release_own()

    def panic(self) -> list[bytes]:
        """Forget all that is planned and silence everything, the player's notes too."""
        self._clear()
        return self._wire.release_all(panic=True)

    def finish(self) -> list[bytes]:
        """Forget all that is planned and release everything, on every channel that was used."""
        self._clear()
        return self._wire.release_all(panic=False)

    def start_afresh(self) -> list[bytes]:
        """Return what silences a port that is back after it was lost; what is planned stays planned."""
        return self._wire.start_afresh()

    def begin_anew(self) -> list[bytes]:
        """Forget all, and return what silences a port of which nobody knows what sounds there."""
        self._clear()
        return self._wire.start_afresh()

    def _push(self, at_ns: int, epoch: int, event: Event | _Command) -> None:
        heapq.heappush(self._heap, (at_ns, self._arrivals, epoch, event))
        self._arrivals += 1

    def _pop(self, now_ns: int) -> list[bytes]:
        due_ns, number, epoch, event = heapq.heappop(self._heap)
        if number in self._replaced:
            self._replaced.discard(number)
            return []
        if isinstance(event, _Command):
            return self._wire.release_own()
        limit_ns = self._settings.drop_later_than_ns
        if limit_ns is not None and now_ns - due_ns > limit_ns and not _releases(event):
            self.counts.too_late += 1
            return []
        if isinstance(event, NoteOff) and self._kept.get(event.pitch) == number:
            del self._kept[event.pitch]
        return self._play(event, due_ns, epoch)

    def _play(self, event: Event, due_ns: int, epoch: int, *, forced: bool = False) -> list[bytes]:
        limit = None if forced else epoch
        match event:
            case NoteOn():
                return self._wire.own_on(event, Held(due_ns, epoch))
            case NoteOff(pitch):
                return self._wire.own_off(pitch, limit)
            case Pedal(True):
                return self._wire.pedal_down(Held(due_ns, epoch))
            case Pedal():
                return self._wire.pedal_up(limit)

    def _overlong_ns(self) -> int | None:
        oldest_ns = self._wire.oldest_due_ns()
        return None if oldest_ns is None else oldest_ns + self._settings.longest_note_ns

    def _end_overlong(self, end_ns: int) -> list[bytes]:
        before = self._wire.sounding
        messages = self._wire.release_own(lambda held: held.due_ns + self._settings.longest_note_ns <= end_ns)
        after = self._wire.sounding
        self.counts.overlong += len(before.own) - len(after.own) + before.own_pedal - after.own_pedal
        return messages

    def _kill_before(self, epoch: int) -> None:
        """Kill all that older epochs planned."""
        before = self.pending
        self._heap = [
            entry
            for entry in self._heap
            if entry[1] not in self._replaced and (entry[2] >= epoch or isinstance(entry[3], _Command))
        ]
        heapq.heapify(self._heap)
        self._replaced.clear()
        self.counts.stale += before - self.pending

    def _cut(self, epoch: int, cut_ns: int, *, keep_releases: bool) -> None:
        """Kill what older epochs planned for after the cut, but for the first release of each note that sounds then,
        where releases are kept.
        """
        sounding = set(self._wire.sounding.own)
        pedal = self._wire.own_pedal_down
        survivors: list[_Entry] = []
        for entry in sorted(self._heap):
            due_ns, number, entry_epoch, event = entry
            if number in self._replaced:
                continue
            if entry_epoch >= epoch or isinstance(event, _Command):
                survivors.append(entry)
                continue
            survives = due_ns <= cut_ns
            match event:
                case NoteOn(pitch) if survives:
                    sounding.add(pitch)
                case NoteOff(pitch) if survives or (keep_releases and pitch in sounding):
                    if not survives and self._wire.holds(pitch):
                        self._kept[pitch] = number
                    survives = True
                    sounding.discard(pitch)
                case Pedal(down) if survives or (keep_releases and pedal and not down):
                    survives, pedal = True, down
            if survives:
                survivors.append(entry)
            else:
                self.counts.stale += 1
        self._heap = survivors  # sorted, hence a heap
        self._replaced.clear()

    def _clear(self) -> None:
        self._held_keys.clear()
        self._forget_plan()

    def _forget_plan(self) -> None:
        self._heap.clear()
        self._replaced.clear()
        self._kept.clear()


def _releases(event: Event) -> bool:
    """Say whether an event ends something: such an event is never dropped."""
    return isinstance(event, NoteOff) or (isinstance(event, Pedal) and not event.down)
