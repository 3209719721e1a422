"""The piano part of a MIDI file: what of the file is one performance, and how a changed performance goes back into it.

The part is some channels of some tracks, taken for one piano by the rules of `piano.midi.one_piano`. A note of its
performance stands for every event of the file that strikes its key within one press, so that doubles stay doubles.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from piano.errors import MidiFileError
from piano.events import HIGHEST_PITCH, LOWEST_PITCH
from piano.midi.document import MidiDocument
from piano.midi.events import new_track
from piano.midi.file import MidiTrack, merge_tracks, notes_struck, pedals_of
from piano.midi.one_piano import DOUBLE_S, merge_notes
from piano.midi.part_events import events_of, lifted
from piano.midi.scan import CONTROL, NOTE_OFF, NOTE_ON
from piano.midi.strikes import DRUMS, StruckArray
from piano.midi.tracks import SUSTAIN
from piano.notes import NoteArray, NoteMask, PedalArray, Performance

KEYBOARDS = range(8)
"""The programs of General MIDI that are pianos, harpsichord and clavinet, counted from 0."""

ALWAYS = ((-np.inf, np.inf),)
"""All of the time, as stretches of it."""

_ALIKE_S, _ALIKE_SEMITONES = 0.1, 4.0
_NEIGHBOURS = 16

_SAME_S = 1e-6
"""What is moved by less stays where it is."""

Slot = tuple[int, int]
"""A track, by its index, and a channel."""


@dataclass(frozen=True, eq=False)
class PianoPart:
    """A file, the slots that are the piano, and what is played there; `press` is (struck,): the note of each strike."""

    document: MidiDocument
    slots: frozenset[Slot]
    struck: StruckArray = field(repr=False)
    press: NDArray[np.intp] = field(repr=False)
    performance: Performance = field(repr=False)

    @classmethod
    def of(cls, document: MidiDocument, wanted: Sequence[str] = ()) -> "PianoPart":
        """Return the part that stands in the tracks that are wanted, by number from 1 or by (part of) their name.

        Without any, all notes that a keyboard plays by the program in force; all but the drums, where no keyboard
        does. MidiFileError if a track is not there, or if there is no note in what is wanted.
        """
        struck = document.struck
        if wanted:
            chosen = np.isin(struck["track"], list(tracks_named(document, wanted)))
        else:
            chosen = struck["channel"] != DRUMS
            if (of_keyboards := chosen & np.isin(struck["program"], KEYBOARDS)).any():
                chosen = of_keyboards
        if not chosen.any():
            where = f"the tracks {', '.join(wanted)}" if wanted else "it"
            says = "" if wanted else " (drums on channel 10 do not count)"
            raise MidiFileError(f"{document.name}: there is no note in {where}{says}")
        return cls._made(document, struck[chosen])

    @classmethod
    def _made(cls, document: MidiDocument, struck: StruckArray) -> "PianoPart":
        slots = frozenset((int(track), int(channel)) for track, channel in struck[["track", "channel"]].tolist())
        notes = notes_struck(document, struck)
        channels = _pedal_channels(document, slots)
        tracks = [
            MidiTrack(
                "", Performance(merge_notes(notes[struck["track"] == index]), pedals_of(document, index, channels))
            )
            for index in range(len(document.tracks))
        ]
        performance = merge_tracks(tracks)
        return cls(document, slots, struck, _presses(performance.notes, notes), performance)

    def on_the_keys(self) -> "PianoPart":
        """Return the part without what lies off the 88 keys, which then stays as it is; MidiFileError if all does."""
        within = (self.struck["pitch"] >= LOWEST_PITCH) & (self.struck["pitch"] <= HIGHEST_PITCH)
        if not within.any():
            raise MidiFileError(f"{self.document.name}: none of its notes lies on the 88 keys of a piano")
        return self if within.all() else self._made(self.document, self.struck[within])

    @property
    def left_out(self) -> int:
        """Return how many notes of the file, drums aside, are not in the part."""
        struck = self.document.struck
        return int((struck["channel"] != DRUMS).sum() - (self.struck["channel"] != DRUMS).sum())

    @property
    def channel(self) -> int:
        """Return the channel, counted from 0, that has the most notes: of keyboards, where there is one."""
        of_keyboards = np.isin(self.struck["program"], KEYBOARDS)
        return int(np.bincount(self.struck["channel"][of_keyboards if of_keyboards.any() else slice(None)]).argmax())

    def in_tracks(self, tracks: Iterable[int]) -> NoteMask:
        """Return which notes of the performance are struck in any of the tracks, (notes,)."""
        mask = np.zeros(self.performance.notes.size, np.bool_)
        mask[self.press[np.isin(self.struck["track"], list(tracks))]] = True
        return mask

    def with_velocities(self, velocities: NDArray[np.uint8]) -> MidiDocument:
        """Return the file with other velocities, (notes,); where one stays, its events stay as they are."""
        changed = velocities[self.press] != self.performance.notes["velocity"][self.press]
        return self.document.with_velocities(
            {
                (int(strike["track"]), int(strike["event"])): int(velocities[note])
                for strike, note in zip(self.struck[changed], self.press[changed], strict=True)
            }
        )

    def without(self, doomed: NoteMask, pedal_s: Sequence[tuple[float, float]] = ()) -> MidiDocument:
        """Return the file without some notes, (notes,), and without the part's pedal in stretches of seconds."""
        return self._without_strikes(doomed[self.press], pedal_s)

    def _without_strikes(self, doomed: NoteMask, pedal_s: Sequence[tuple[float, float]] = ()) -> MidiDocument:
        """Return the file without some strikes, (struck,): a note may have several, see `without_doubles`."""
        document = self.document
        for index in {track for track, _ in self.slots} | self._pedal_tracks(pedal_s):
            dropped, replaced = self._drop(index, doomed, pedal_s)
            if dropped or replaced:
                document = document.with_track(index, document.tracks[index].edited(dropped, replaced=replaced))
        return document

    def replaced_by(self, performance: Performance) -> MidiDocument:
        """Return the file with this performance in place of the part's.

        Each note goes to the track and channel of the note of the file that is most like it in time and pitch, the
        pedal to the slot with the most notes.
        """
        homes = self._homes(performance.notes)
        slots = sorted(self.slots)
        main = int(np.bincount(homes).argmax()) if homes.size else 0
        bare = self.without(np.ones(self.performance.notes.size, np.bool_), ALWAYS)
        for number, (track, channel) in enumerate(slots):
            mine = Performance(
                performance.notes[homes == number], performance.pedals if number == main else performance.pedals[:0]
            )
            events = events_of(self.document, track, channel, mine)
            if events:
                bare = bare.with_track(track, bare.tracks[track].edited(frozenset(), events))
        return bare

    def with_notes(self, notes: NoteArray, pedals: PedalArray | None = None) -> MidiDocument:
        """Return the file with other notes in place of the part's, (notes,), each for the one of its place, in its
        track and channel; and with other pedal changes, where they are given.

        A note that is not changed stays as it is, byte for byte; of one whose velocity alone is, that byte changes.
        """
        before, moved = self.performance.notes, self._moved(notes)
        velocities = np.where(moved, before["velocity"], notes["velocity"]).astype(np.uint8)
        louder = PianoPart(self.with_velocities(velocities), self.slots, self.struck, self.press, self.performance)
        document = louder.without(moved, () if pedals is None else ALWAYS)
        first = np.full(before.size, -1, np.intp)
        first[self.press[::-1]] = np.arange(self.press.size)[::-1]
        slots = self.struck[["track", "channel"]][first]
        main = max(sorted(self.slots), key=lambda slot: int((slots == np.array(slot, slots.dtype)).sum()))
        for slot in sorted(self.slots):
            mine = Performance(notes[moved & (slots == np.array(slot, slots.dtype))])
            if pedals is not None and slot == main:
                mine = Performance(mine.notes, pedals)
            events = events_of(document, *slot, mine)
            if events:
                document = document.with_track(slot[0], document.tracks[slot[0]].edited(frozenset(), events))
        return document

    def struck_at_once(self, notes: NoteArray) -> tuple[int, int]:
        """Return how many notes of the file strike a key together that `with_notes` strikes once, and how many keys."""
        strikes = np.bincount(self.press, minlength=notes.size)
        several = self._moved(notes) & (strikes > 1)
        return int(strikes[several].sum()), int(several.sum())

    def _moved(self, notes: NoteArray) -> NoteMask:
        """Return which notes are elsewhere, in time or pitch, than the part's of their place, (notes,)."""
        before = self.performance.notes
        moved = notes["pitch"] != before["pitch"]
        for column in ("onset_s", "duration_s"):
            moved = moved | (np.abs(notes[column] - before[column]) >= _SAME_S)
        return np.asarray(moved, np.bool_)

    def with_new_part(self, base: MidiDocument, name: str, performance: Performance) -> MidiDocument:
        """Return `base`, which is this part's file or made from it, with a performance on a track of its own.

        It is on the part's channel: the same instrument, under the same pedal.
        """
        return base.with_new_track(new_track(name, events_of(self.document, 0, self.channel, performance)))

    def _pedal_tracks(self, pedal_s: Sequence[tuple[float, float]]) -> set[int]:
        return set(range(len(self.document.tracks))) if pedal_s else set()

    def until(self, end_s: float, silent_s: float) -> MidiDocument:
        """Return the file without what the part strikes from `end_s` on, and with nothing of it down at `silent_s`:
        keys that are held then and pedals (sustain, sostenuto, soft) come up there, and stay up."""
        late = self._onsets_s() >= end_s
        clocks = self.document.clocks if np.isfinite(end_s) else ()
        for index, clock in enumerate(clocks):  # also what is struck again so soon that both are one note
            end_tick = int(clock.ticks(np.array([end_s]))[0])
            late |= (self.struck["track"] == index) & (self.struck["onset"] >= end_tick)
        document = self._without_strikes(late)
        channels = _pedal_channels(self.document, self.slots)
        strikes = self.struck[~late]
        for index, track in enumerate(document.tracks):
            clock = document.clocks[index]
            tick = int(clock.ticks(np.array([silent_s]))[0])
            own = {channel for number, channel in self.slots if number == index}
            held = strikes[(strikes["track"] == index) & (strikes["onset"] <= tick) & (strikes["end"] > tick)]
            keys = {(int(channel), int(pitch)) for channel, pitch in held[["channel", "pitch"]].tolist()}
            dropped, added = lifted(track, tick, keys, channels, own)
            if dropped or added:
                document = document.with_track(index, track.edited(dropped, added))
        return document

    def _onsets_s(self) -> NDArray[np.float64]:
        """Return when each strike's note begins, (struck,)."""
        return np.asarray(self.performance.notes["onset_s"][self.press], np.float64)

    def _drop(
        self, index: int, doomed: NoteMask, pedal_s: Sequence[tuple[float, float]]
    ) -> tuple[set[int], dict[int, bytes]]:
        """Return which events of a track go, and which become others: a kept note that a doomed one cut short is
        released there instead."""
        track = self.document.tracks[index]
        here = self.struck["track"] == index
        is_doomed = dict(zip(self.struck["event"][here].tolist(), doomed[here].tolist(), strict=True))
        every = self.document.struck
        stays = set(every["event"][every["track"] == index].tolist()) - is_doomed.keys()  # struck by other programs
        channels = {channel for number, channel in self.slots if number == index}
        dropped = self._pedal_in(index, pedal_s)
        owner: dict[tuple[int, int], bool | None] = {}
        last: dict[tuple[int, int], bool] = {}
        replaced: dict[int, bytes] = {}
        for number, event in enumerate(track.events):
            if event.status >= 0xF0:
                continue
            kind, channel = event.status & 0xF0, event.status & 0x0F
            if kind not in (NOTE_ON, NOTE_OFF) or channel not in channels:
                continue
            key = (channel, track.body[event.data])
            if number in is_doomed:
                goes = is_doomed[number]
                if goes and owner.get(key) is False:
                    replaced[number] = bytes((NOTE_OFF | channel, key[1], 64))
                elif goes:
                    dropped.add(number)
                owner[key] = last[key] = goes
            elif number in stays:
                owner[key] = last[key] = False
            else:
                if owner.get(key) or (owner.get(key) is None and last.get(key)):
                    dropped.add(number)
                owner[key] = None
        return dropped, replaced

    def _pedal_in(self, index: int, pedal_s: Sequence[tuple[float, float]]) -> set[int]:
        """Return which events of a track are the part's pedal in some stretches of seconds."""
        if not pedal_s:
            return set()
        track = self.document.tracks[index]
        statuses = {CONTROL | channel for channel in _pedal_channels(self.document, self.slots)}
        found = [
            (number, event.tick)
            for number, event in enumerate(track.events)
            if event.status in statuses and track.body[event.data] == SUSTAIN
        ]
        numbers, ticks = np.array(found, np.int64).reshape(-1, 2).T
        at_s = self.document.clocks[index].seconds(ticks)
        starts_s, ends_s = np.array(sorted(pedal_s)).T
        last = np.searchsorted(starts_s, at_s + _SAME_S, side="right")
        until_s = np.concatenate([[-np.inf], np.maximum.accumulate(ends_s)])[last]
        return set(numbers[at_s <= until_s + _SAME_S].tolist())

    def _homes(self, notes: NoteArray) -> NDArray[np.intp]:
        """Return for each note the slot, as its place among the sorted ones, of the note of the part most like it."""
        slots = sorted(self.slots)
        if len(slots) == 1 or not self.struck.size:
            return np.zeros(notes.size, np.intp)
        ours = notes_struck(self.document, self.struck)
        order = np.argsort(ours["onset_s"], kind="stable")
        ours, struck = ours[order], self.struck[order]
        place = {slot: number for number, slot in enumerate(slots)}
        home = np.array([place[slot] for slot in struck[["track", "channel"]].tolist()], np.intp)
        middle = np.searchsorted(ours["onset_s"], notes["onset_s"])
        around = np.clip(middle[:, None] + np.arange(-_NEIGHBOURS, _NEIGHBOURS), 0, ours.size - 1)
        apart_s = np.abs(ours["onset_s"][around] - notes["onset_s"][:, None])
        apart = np.abs(ours["pitch"][around].astype(np.int64) - notes["pitch"][:, None].astype(np.int64))
        nearest = np.argmin(apart_s / _ALIKE_S + apart / _ALIKE_SEMITONES, axis=1)
        return np.asarray(home[around[np.arange(notes.size), nearest]], np.intp)


def tracks_named(document: MidiDocument, wanted: Sequence[str]) -> set[int]:
    """Return the indices of the tracks that are named by number from 1, or by a part of their name in any case."""
    names = [track.name for track in document.tracks]
    found: set[int] = set()
    for word in wanted:
        number = int(word) if word.isdecimal() else 0
        matches = {number - 1} if 1 <= number <= len(names) else set()
        matches |= {index for index, name in enumerate(names) if word.lower() in name.lower() and not number}
        if not matches:
            there = ", ".join(f"{index + 1} ({name})" if name else str(index + 1) for index, name in enumerate(names))
            raise MidiFileError(f"{document.name}: there is no track {word!r} in it; there are: {there}")
        found |= matches
    return found


def without_doubles(notes: NoteArray, kept: NoteArray) -> NoteArray:
    """Return the notes but those whose key is struck by a kept note at about the same moment."""
    if not notes.size or not kept.size:
        return notes
    alone = np.ones(notes.size, np.bool_)
    for pitch in np.unique(kept["pitch"]).tolist():
        ours = np.flatnonzero(notes["pitch"] == pitch)
        theirs_s = np.sort(kept["onset_s"][kept["pitch"] == pitch])
        edges_s = np.concatenate([[-np.inf], theirs_s, [np.inf]])
        after = np.searchsorted(edges_s, notes["onset_s"][ours])
        near_s = np.minimum(edges_s[after] - notes["onset_s"][ours], notes["onset_s"][ours] - edges_s[after - 1])
        alone[ours] = near_s > DOUBLE_S
    return notes[alone]


def _presses(merged: NoteArray, notes: NoteArray) -> NDArray[np.intp]:
    """Return for each note which of the merged ones it is part of: the last one of its key that had begun."""
    press = np.zeros(notes.size, np.intp)
    for pitch in np.unique(notes["pitch"]).tolist():
        ours, theirs = np.flatnonzero(merged["pitch"] == pitch), np.flatnonzero(notes["pitch"] == pitch)
        at = np.searchsorted(merged["onset_s"][ours], notes["onset_s"][theirs], side="right") - 1
        press[theirs] = ours[at]
    return press


def _pedal_channels(document: MidiDocument, slots: frozenset[Slot]) -> set[int]:
    """Return the channels whose pedal is the part's: its own, and those on which nobody plays."""
    of_others = set(document.struck["channel"].tolist()) - {channel for _, channel in slots}
    return set(range(16)) - of_others - ({DRUMS} - {channel for _, channel in slots})
