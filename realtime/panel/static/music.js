// What was played and what is planned, ready to be drawn. Times are seconds of the daemon's clock.

const NEVER = Infinity;
const LONG_S = 10;
const MOST_AT_ONCE = 256; // notes that may still sound at the end of a piece

class Voice {
  constructor() {
    this.notes = []; // {pitch, velocity, start, end}, in order of start; end is NEVER while it sounds
    this.pedals = []; // {start, end}
    this.sounding = new Map(); // pitch -> note
    this.held = []; // notes that lasted longer than LONG_S: few, and looked at one by one
    this.isHidden = false;
    this.looked = 0; // notes that the last search looked at
    this.end = 0; // of a layer that was filled
  }

  // Take a whole layer of a picture: notes [start, end, pitch, velocity] and pedals [start, end], in order of start.
  fill({ notes, pedals }) {
    for (const [start, end, pitch, velocity] of notes) {
      const note = { pitch, velocity, start, end };
      this.notes.push(note);
      if (end - start > LONG_S) this.held.push(note);
    }
    for (const [start, end] of pedals) this.pedals.push({ start, end });
    this.end = Math.max(0, ...notes.slice(-MOST_AT_ONCE).map(([, end]) => end), ...this.held.map(({ end }) => end));
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
    if (note.end - note.start > LONG_S) this.held.push(note);
    this.sounding.delete(pitch);
  }

  pedal(at, down) {
    const last = this.pedals.at(-1);
    const isDown = last !== undefined && last.end === NEVER;
    if (down && !isDown) this.pedals.push({ start: at, end: NEVER });
    if (!down && isDown) last.end = at;
  }

  get pedalIsDown() {
    return this.pedals.at(-1)?.end === NEVER;
  }

  // Notes that lie in part between two moments; an hour of music behind costs a binary search.
  between(from, to) {
    const found = this.isHidden ? [] : this.held.filter((note) => note.start < from - LONG_S && note.end >= from);
    if (this.isHidden) return found;
    for (const note of this.sounding.values()) if (note.start < from - LONG_S) found.push(note);
    this.looked = 0;
    for (let index = firstFrom(this.notes, from - LONG_S); index < this.notes.length; index++) {
      const note = this.notes[index];
      if (note.start > to) break;
      this.looked++;
      if (note.end >= from) found.push(note);
    }
    return found;
  }

  pedalsBetween(from, to) {
    const found = [];
    if (this.isHidden) return found;
    for (let index = this.pedals.length - 1; index >= 0; index--) {
      const span = this.pedals[index];
      if (span.end < from) break;
      if (span.start <= to) found.push(span);
    }
    return found;
  }
}

export function firstFrom(items, start) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle].start < start) low = middle + 1;
    else high = middle;
  }
  return low;
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
