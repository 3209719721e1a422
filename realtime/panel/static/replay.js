// Replay: music that is there, sounded again in this page. Nothing is sent to the daemon.

import { keysAt } from "./music.js";

const AHEAD_S = 0.12;
const LOOK_MS = 40;

export class Replay extends EventTarget {
  // `clock()` runs in seconds; `follow(position)` is told where in the music it is, null when it ends.
  constructor(sound, clock, follow) {
    super();
    Object.assign(this, { sound, clock, follow });
    this.timer = null;
  }

  // The keys that it holds down now, and whose they are.
  keys() {
    return keysAt(this.music, this.isOn ? this.clock() - this.lag : null);
  }

  get isOn() {
    return this.timer !== null;
  }

  // Play the music from a moment of its own on.
  start(music, from) {
    this.stop();
    this.events = eventsOf(music, from);
    if (!this.events.length) return;
    this.music = music;
    this.at = 0;
    this.lag = this.clock() - this.events[0].at;
    this.end = this.events.at(-1).at;
    this.timer = setInterval(() => this.turn(), LOOK_MS);
    this.dispatchEvent(new Event("change"));
  }

  stop() {
    if (!this.isOn) return;
    clearInterval(this.timer);
    this.timer = null;
    this.sound.silence();
    this.follow(null);
    this.dispatchEvent(new Event("change"));
  }

  turn() {
    const position = this.clock() - this.lag;
    this.follow(position);
    while (this.at < this.events.length && this.events[this.at].at < position + AHEAD_S) {
      const { at, who, what, pitch, value } = this.events[this.at++];
      const delay = Math.max(at - position, 0);
      if (what === "on") this.sound.on(who, pitch, value, delay);
      else if (what === "off") this.sound.off(who, pitch, delay);
      else this.sound.pedal(who, value, delay);
    }
    if (position > this.end + 1) this.stop();
  }
}

function eventsOf(music, from) {
  const events = [];
  for (const [who, voice] of [["here", music.player], ["model", music.model]]) {
    if (voice.isHidden) continue;
    for (const { pitch, velocity, mended, start, end } of voice.notes) {
      if (start < from || end === Infinity) continue;
      events.push({ at: start, who, what: "on", pitch, value: mended ?? velocity });
      events.push({ at: end, who, what: "off", pitch });
    }
    for (const { start, end } of voice.pedals) {
      if (start < from || end === Infinity) continue;
      events.push({ at: start, who, what: "pedal", value: true }, { at: end, who, what: "pedal", value: false });
    }
  }
  return events.sort((first, second) => first.at - second.at);
}
