// The metronome of the page: clicks on the grid that the daemon keeps, in time with what it sends.

const AHEAD_S = 0.3;
const LOOK_MS = 100;

export class Metronome {
  constructor(sound, clock) {
    Object.assign(this, { sound, clock });
    this.grid = null; // {origin, period, beats}: also what the roll draws
    this.next = 0;
    this.last = -Infinity; // when the last click was due
    setInterval(() => this.turn(), LOOK_MS);
  }

  // Without a tempo there are no beats: the clock that is followed halts.
  take({ settings, trade, chart, beat_from: from, beat_s: origin, beat_bpm: tempo }) {
    const isWanted = settings.metronome !== "off" || trade || chart || from !== "set";
    const isOn = isWanted && tempo !== null;
    const grid = isOn ? { origin, period: 60 / tempo, beats: settings.beats } : null;
    if (JSON.stringify(grid) !== JSON.stringify(this.grid)) {
      this.grid = grid;
      this.next = 0;
    }
    this.isHeard = settings.metronome === "page";
  }

  turn() {
    if (!this.grid || !this.isHeard) return;
    const { origin, period, beats } = this.grid;
    const now = this.clock();
    this.next = Math.max(this.next, Math.ceil((now - origin) / period), 0);
    while (origin + this.next * period < now + AHEAD_S) {
      const at = origin + this.next * period;
      if (at - this.last > period / 2) this.sound.click(this.next % beats === 0, at - now); // no beat twice where the grid was set right
      this.last = at;
      this.next++;
    }
  }
}
