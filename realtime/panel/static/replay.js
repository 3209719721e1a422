// Replay: what was played, sounded again in this page, while the roll goes along. Nothing is sent to the daemon.

const AHEAD_S = 0.12;
const LOOK_MS = 40;

export class Replay extends EventTarget {
  constructor(music, sound, roll, clock) {
    super();
    Object.assign(this, { music, sound, roll, clock });
    this.timer = null;
  }

  get isOn() {
    return this.timer !== null;
  }

  // Begin at a moment of the daemon's clock.
  start(from) {
    this.stop();
    this.events = eventsOf(this.music, from);
    if (!this.events.length) return;
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
    this.roll.backS = 0;
    this.dispatchEvent(new Event("change"));
  }

  turn() {
    const position = this.clock() - this.lag;
    this.roll.backS = Math.max(this.lag, 0.001);
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
