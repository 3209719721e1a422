"""The piano part of a MIDI file: what of the file is one performance, and how a changed performance goes back into it.

The part is some channels of some tracks, taken for one piano by the rules of `piano.one_piano`. A note of its
performance stands for every event of the file that strikes its key within one press, so that doubles stay doubles.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from piano.errors import MidiFileError
from piano.exercise import NoteMask
from piano.midi_document import DRUMS, MidiDocument, StruckArray
from piano.midi_events import CONTROL, NOTE_OFF, NOTE_ON, PROGRAM, NewEvent, new_track
from piano.midi_file import MidiTrack, merge_tracks
from piano.midi_tracks import PEDAL_DOWN_FROM
from piano.notes import NOTE, NoteArray, PedalArray, Performance
from piano.one_piano import DOUBLE_S, merge_notes, merge_pedals, pedal_changes

KEYBOARDS = range(8)
"""The programs of General MIDI that are pianos, harpsichord and clavinet, counted from 0."""

SUSTAIN = 64
ALWAYS = ((-np.inf, np.inf),)
"""All of the time, as stretches of it."""

_ALIKE_S, _ALIKE_SEMITONES = 0.1, 4.0
_NEIGHBOURS = 16

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

        Without any, all keyboards of the file by their programs; all but the drums, where no channel is a keyboard.
        MidiFileError if a track is not there, or if there is no note in what is wanted.
        """
        every = {(int(track), int(channel)) for track, channel in document.struck[["track", "channel"]].tolist()}
        if wanted:
            tracks = tracks_named(document, wanted)
            slots = {slot for slot in every if slot[0] in tracks}
        else:
            slots = {slot for slot in every if _program(document, slot) in KEYBOARDS} or every
        if not slots:
            where = f"the tracks {', '.join(wanted)}" if wanted else "it"
            raise MidiFileError(f"{document.name}: there is no note in {where} (drums on channel 10 do not count)")
        return cls._made(document, frozenset(slots))

    @classmethod
    def _made(cls, document: MidiDocument, slots: frozenset[Slot]) -> "PianoPart":
        struck = document.struck
        keys = struck["track"].astype(np.int64) * 16 + struck["channel"]
        struck = struck[np.isin(keys, [track * 16 + channel for track, channel in slots])]
        notes = _notes(document, struck)
        tracks = [
            MidiTrack("", Performance(merge_notes(notes[struck["track"] == index]), _pedals(document, index, slots)))
            for index in range(len(document.tracks))
        ]
        performance = merge_tracks(tracks)
        return cls(document, slots, struck, _presses(performance.notes, notes), performance)

    @property
    def left_out(self) -> int:
        """Return how many notes of the file, drums aside, are not in the part."""
        return int(self.document.struck.size - self.struck.size)

    @property
    def channel(self) -> int:
        """Return the channel, counted from 0, that has the most notes: of keyboards, where there is one."""
        keyboards = [channel for track, channel in self.slots if _program(self.document, (track, channel)) in KEYBOARDS]
        of_keyboards = np.isin(self.struck["channel"], keyboards)
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

    def with_new_part(self, base: MidiDocument, name: str, performance: Performance) -> MidiDocument:
        """Return `base`, which is this part's file or made from it, with a performance on a track of its own.

        It is on the part's channel: the same instrument, under the same pedal.
        """
        return base.with_new_track(new_track(name, events_of(self.document, 0, self.channel, performance)))

    def _pedal_tracks(self, pedal_s: Sequence[tuple[float, float]]) -> set[int]:
        return set(range(len(self.document.tracks))) if pedal_s else set()

    def _drop(
        self, index: int, doomed: NoteMask, pedal_s: Sequence[tuple[float, float]]
    ) -> tuple[set[int], dict[int, bytes]]:
        """Return which events of a track go, and which become others: a kept note that a doomed one cut short is
        released there instead."""
        track, clock = self.document.tracks[index], self.document.clocks[index]
        here = self.struck["track"] == index
        is_doomed = dict(zip(self.struck["event"][here].tolist(), doomed[self.press[here]].tolist(), strict=True))
        channels = {channel for number, channel in self.slots if number == index}
        pedal_channels = _pedal_channels(self.document, self.slots)
        owner: dict[tuple[int, int], bool | None] = {}
        last: dict[tuple[int, int], bool] = {}
        dropped: set[int] = set()
        replaced: dict[int, bytes] = {}
        for number, event in enumerate(track.events):
            if event.status >= 0xF0:
                continue
            kind, channel = event.status & 0xF0, event.status & 0x0F
            if kind == CONTROL and pedal_s and channel in pedal_channels and track.body[event.data] == SUSTAIN:
                at_s = float(clock.seconds(np.array([event.tick]))[0])
                if any(start - 1e-6 <= at_s <= end + 1e-6 for start, end in pedal_s):
                    dropped.add(number)
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
            else:
                if owner.get(key) or (owner.get(key) is None and last.get(key)):
                    dropped.add(number)
                owner[key] = None
        return dropped, replaced

    def _homes(self, notes: NoteArray) -> NDArray[np.intp]:
        """Return for each note the slot, as its place among the sorted ones, of the note of the part most like it."""
        slots = sorted(self.slots)
        if len(slots) == 1 or not self.struck.size:
            return np.zeros(notes.size, np.intp)
        ours = _notes(self.document, self.struck)
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


def events_of(document: MidiDocument, track: int, channel: int, performance: Performance) -> list[NewEvent]:
    """Return a performance as events on a channel, at the ticks that a track's clock has for its moments."""
    clock, notes = document.clocks[track], performance.notes
    onset = clock.ticks(notes["onset_s"])
    end = np.maximum(clock.ticks(notes["onset_s"] + notes["duration_s"]), onset + 1)
    events: list[NewEvent] = []
    for tick, until, pitch, velocity in zip(
        onset.tolist(), end.tolist(), notes["pitch"].tolist(), notes["velocity"].tolist(), strict=True
    ):
        events.append(NewEvent(until, True, bytes((NOTE_OFF | channel, pitch, 64))))
        events.append(NewEvent(tick, False, bytes((NOTE_ON | channel, pitch, velocity))))
    pedals = performance.pedals
    for tick, down in zip(clock.ticks(pedals["time_s"]).tolist(), pedals["down"].tolist(), strict=True):
        events.append(NewEvent(tick, not down, bytes((CONTROL | channel, SUSTAIN, 127 if down else 0))))
    return events


def without_doubles(notes: NoteArray, kept: NoteArray) -> NoteArray:
    """Return the notes but those whose key is struck by a kept note at about the same moment."""
    if not notes.size or not kept.size:
        return notes
    kept_s = {pitch: np.sort(kept["onset_s"][kept["pitch"] == pitch]) for pitch in np.unique(kept["pitch"]).tolist()}
    alone = np.ones(notes.size, np.bool_)
    for index, (onset_s, pitch) in enumerate(zip(notes["onset_s"].tolist(), notes["pitch"].tolist(), strict=True)):
        moments_s = kept_s.get(pitch)
        alone[index] = moments_s is None or float(np.abs(moments_s - onset_s).min()) > DOUBLE_S
    return notes[alone]


def _notes(document: MidiDocument, struck: StruckArray) -> NoteArray:
    """Return strikes as notes, one each and in their order."""
    notes = np.zeros(struck.size, NOTE)
    for index in np.unique(struck["track"]).tolist():
        here, clock = struck["track"] == index, document.clocks[index]
        notes["onset_s"][here] = clock.seconds(struck["onset"][here])
        notes["duration_s"][here] = clock.seconds(struck["end"][here]) - notes["onset_s"][here]
    notes["pitch"], notes["velocity"] = struck["pitch"], struck["velocity"]
    notes["track"] = np.minimum(struck["track"], 255)
    return notes


def _presses(merged: NoteArray, notes: NoteArray) -> NDArray[np.intp]:
    """Return for each note which of the merged ones it is part of: the last one of its key that had begun."""
    press = np.zeros(notes.size, np.intp)
    for pitch in np.unique(notes["pitch"]).tolist():
        ours, theirs = np.flatnonzero(merged["pitch"] == pitch), np.flatnonzero(notes["pitch"] == pitch)
        at = np.searchsorted(merged["onset_s"][ours], notes["onset_s"][theirs], side="right") - 1
        press[theirs] = ours[at]
    return press


def _pedals(document: MidiDocument, index: int, slots: frozenset[Slot]) -> PedalArray:
    """Return the pedal of the part's channels in a track."""
    track, clock = document.tracks[index], document.clocks[index]
    sources = []
    for channel in _pedal_channels(document, slots):
        changes = [
            (event.tick, track.body[event.data + 1] >= PEDAL_DOWN_FROM)
            for event in track.events
            if event.status == CONTROL | channel and track.body[event.data] == SUSTAIN
        ]
        tick, down = np.array(changes, np.int64).reshape(-1, 2).T
        order = np.argsort(tick, kind="stable")
        sources.append(pedal_changes(clock.seconds(tick[order]), down[order].astype(np.bool_)))
    return merge_pedals(sources)


def _pedal_channels(document: MidiDocument, slots: frozenset[Slot]) -> set[int]:
    """Return the channels whose pedal is the part's: its own, and those on which nobody plays."""
    of_others = set(document.struck["channel"].tolist()) - {channel for _, channel in slots}
    return set(range(16)) - of_others - {DRUMS}


def _program(document: MidiDocument, slot: Slot) -> int:
    """Return the first program that a slot is given: by its own track, else by any; 0 if by none."""
    index, channel = slot
    for track in (document.tracks[index], *document.tracks):
        for event in track.events:
            if event.status == PROGRAM | channel:
                return track.body[event.data]
    return 0
