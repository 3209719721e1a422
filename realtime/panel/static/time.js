// Where one is in time: bar and beat, whose bars these are and how many are left, and the place in the changes.

import { ChartKeys } from "./chart_keys.js";

const TURN_MS = 100;
const FROM = { taps: "tapped", playing: "found in your playing", link: "Ableton Link", clock: "MIDI clock" };
const WHO = { player: "you", pianod: "pianod" };

export class MusicalTime {
  // `parts` holds the elements `beat`, `trade`, `chart` and `keys`; `clock` tells the seconds of the daemon, `announce`
  // says whose bars begin, and not how they are counted down; `change` asks for settings.
  constructor(parts, clock, announce, change) {
    Object.assign(this, { parts, clock, announce });
    this.keys = new ChartKeys(parts.keys, change, () => this.write());
    this.grid = null; // {origin, period, beats}
    this.trade = null;
    this.chart = null; // {bars, first_beat}
    setInterval(() => this.turn(), TURN_MS);
  }

  take({ trade, chart: changes, held_chord: held, settings, beat_from: from }, grid) {
    const chart = settings.chord_split === null ? changes : { bars: [held ?? "hold a chord"], first_beat: 0 };
    this.grid = grid;
    this.from = FROM[from];
    if (trade && trade.who !== this.trade?.who && WHO[trade.who]) this.announce(`${WHO[trade.who]}: ${trade.bars} bars`);
    this.trade = trade;
    const tempo = from === "taps" && grid ? Math.round(60 / grid.period) : null;
    if (tempo !== null && tempo !== this.tapped) this.announce(`tapped: ${tempo} beats a minute`);
    this.tapped = tempo;
    if (JSON.stringify(chart) !== JSON.stringify(this.chart)) {
      this.chart = chart;
      this.keys.take(chart);
      this.write();
    }
    this.turn();
  }

  // Write the changes, as chords or as steps of their key.
  write() {
    const words = this.chart === null ? [] : this.keys.words(this.chart);
    this.parts.chart.replaceChildren(...words.map((bar) => Object.assign(document.createElement("span"), { textContent: bar })));
    this.turn();
  }

  turn() {
    const { beat, trade, chart } = this.parts;
    const place = this.grid ? (this.clock() - this.grid.origin) / this.grid.period : null;
    show(beat, place === null || place < 0 ? "" : this.barAndBeat(place));
    show(trade, this.turnInWords());
    chart.hidden = this.chart === null;
    if (this.chart === null) return;
    if (this.chart.bars.length === 1) chart.firstElementChild.toggleAttribute("data-now", true);
    if (place === null) return;
    const bar = Math.floor((place - this.chart.first_beat) / this.grid.beats);
    const count = this.chart.bars.length;
    [...chart.children].forEach((cell, index) => cell.toggleAttribute("data-now", index === ((bar % count) + count) % count));
  }

  barAndBeat(place) {
    const bar = Math.floor(place / this.grid.beats);
    const beat = Math.floor(place - bar * this.grid.beats) + 1;
    return `bar ${bar + 1}, beat ${beat}${this.from ? ` (${this.from})` : ""}`;
  }

  turnInWords() {
    if (this.trade === null) return "";
    const { who, from_s: from, until_s: until, bars } = this.trade;
    if (until === null || this.grid === null) return `trading ${bars}: play, or ask to be counted in`;
    const bar = this.grid.period * this.grid.beats;
    if (this.clock() < from) return `${WHO[who]} in ${Math.ceil((from - this.clock()) / this.grid.period)}`;
    return `${WHO[who]}: ${Math.max(Math.ceil((until - this.clock()) / bar), 0)} of ${bars} bars left`;
  }
}

function show(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
