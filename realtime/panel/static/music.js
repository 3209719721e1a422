// What was played and what is planned, ready to be drawn. Times are seconds of the daemon's clock.

const NEVER = Infinity;
const STEP_S = 8;

class Voice {
  constructor() {
    this.notes = []; // {pitch, velocity, start, end}, in order of start; end is NEVER while it sounds
    this.pedals = []; // {start, end}, one after the other
    this.sounding = new Map(); // pitch -> note
    this.ended = []; // notes and pedals, in order of their ends
    this.crossing = new Map(); // step -> notes that have ended and sounded when it began: so few as sound at once
    this.isHidden = false;
    this.looked = 0; // notes and pedals that were looked at for the last two searches
    this.end = 0; // of what has ended
  }

  // Take a whole layer of a picture: notes [start, end, pitch, velocity] and pedals [start, end], in order of start.
  fill({ notes, pedals }) {
    for (const [start, end, pitch, velocity] of notes) {
      const note = { pitch, velocity, start, end };
      this.notes.push(note);
      this.finish(note);
    }
    for (const [start, end] of pedals) {
      this.pedals.push({ start, end });
      this.ended.push(this.pedals.at(-1));
    }
  }

  on(at, pitch, velocity) {
    this.off(at, pitch);
    const note = { pitch, velocity, start: at, end: NEVER };
    this.notes.push(note);
    this.sounding.set(pitch, note);
  }

  off(at, pitch) {
    const note = this.sounding.get(pitch);
    if (!note) return;
    note.end = Math.max(at, note.start);
    this.sounding.delete(pitch);
    this.finish(note);
  }

  finish(note) {
    this.end = Math.max(this.end, note.end);
    this.ended.push(note);
    for (let step = Math.floor(note.start / STEP_S) + 1; step * STEP_S <= note.end; step++) {
      if (!this.crossing.has(step)) this.crossing.set(step, []);
      this.crossing.get(step).push(note);
    }
  }

  pedal(at, down) {
    if (down && !this.pedalIsDown) this.pedals.push({ start: at, end: NEVER });
    else if (!down && this.pedalIsDown) {
      this.pedals.at(-1).end = at;
      this.ended.push(this.pedals.at(-1));
    }
  }

  get pedalIsDown() {
    return this.pedals.at(-1)?.end === NEVER;
  }

  // Notes that lie in part between two moments; an hour of music behind costs a binary search.
  between(from, to) {
    this.looked = 0;
    if (this.isHidden) return [];
    const step = Math.floor(from / STEP_S);
    const before = [...(this.crossing.get(step) ?? []), ...this.sounding.values()];
    const found = before.filter((note) => note.start < step * STEP_S && note.end >= from);
    let index = firstFrom(this.notes, step * STEP_S, "start");
    const first = index;
    for (; index < this.notes.length && this.notes[index].start <= to; index++) {
      if (this.notes[index].end >= from) found.push(this.notes[index]);
    }
    this.looked += before.length + index - first;
    return found;
  }

  pedalsBetween(from, to) {
    if (this.isHidden) return [];
    const first = firstFrom(this.pedals, from, "end");
    let last = first;
    while (last < this.pedals.length && this.pedals[last].start <= to) last++;
    this.looked += last - first;
    return this.pedals.slice(first, last);
  }
}

// The place of the first item whose `key` is not before a moment, where items are in order of it.
function firstFrom(items, at, key) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle][key] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The keys that are down at a moment of music, and whose they are; none where there is no such moment.
export function keysAt(music, position) {
  const keys = new Map();
  if (position === null) return keys;
  for (const who of ["model", "player"]) {
    for (const { pitch } of music[who].between(position, position)) keys.set(pitch, who);
  }
  return keys;
}

export class Music {
  constructor() {
    this.clear();
  }

  clear() {
    this.player = new Voice();
    this.model = new Voice();
    this.planned = []; // {pitch, velocity, start, end, epoch}
    this.first = null;
  }

  // Take one row of the control API: [who, what, at_s, pitch, value, epoch].
  take([who, what, at, pitch, value, epoch]) {
    if (who === "plan") this.plan(what, at, pitch, value, epoch);
    else if (who === "passed") {
      const note = this.player.sounding.get(pitch);
      if (what === "on" && note) note.mended = value;
    } else {
      this.first ??= at;
      const voice = this[who];
      if (what === "on") voice.on(at, pitch, value);
      else if (what === "off") voice.off(at, pitch);
      else voice.pedal(at, value === 1);
    }
  }

  plan(what, at, pitch, velocity, epoch) {
    if (what === "on") this.planned.push({ pitch, velocity, start: at, end: NEVER, epoch });
    else if (what === "off") {
      const note = this.planned.findLast((candidate) => candidate.pitch === pitch && candidate.end === NEVER);
      if (note) note.end = at;
    } else if (what === "taken back") {
      const stands = (note) => note.epoch >= epoch || (at !== null && note.start <= at);
      this.planned = this.planned.filter(stands);
      for (const note of this.planned) if (note.epoch < epoch && at !== null && note.end > at) note.end = NEVER;
    }
  }

  // What is planned for after a moment; what lies before it has happened and is forgotten here.
  ahead(now) {
    if (this.planned.some((note) => note.start < now - 1)) {
      this.planned = this.planned.filter((note) => note.start >= now - 1);
    }
    return this.planned.filter((note) => note.start > now);
  }
}
