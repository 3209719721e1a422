// The piano roll: time runs to the right, the line is now, and beyond it stands what the model has planned. What has
// ended is on a strip that is shifted; what sounds, what is planned and the lines are drawn in each frame.

import { COLOURS, HIGHEST, LOWEST, SHADES, fit, isBlack } from "./layout.js";
import { Strip } from "./strip.js";

const NOW_AT = 0.8; // of the width
const PEDAL_HEIGHT = 5;
const SHORTEST = 2; // pixels of a note
const UNKNOWN_S = 0.12; // a planned note whose end is not known
const LINE = "rgb(232 234 240 / 0.55)";
const VOICES = ["player", "model"];

export class Roll {
  constructor(canvas, music, clock) {
    this.canvas = canvas;
    this.music = music;
    this.clock = clock;
    this.strip = new Strip();
    this.seconds = 12;
    this.backS = 0;
    this.frames = 0;
    this.drawn = 0; // notes and pedals that the last frame drew
    this.ghosts = 0; // planned notes among them
    this.cursor = null; // where something is replayed
    this.grid = null; // beats: {origin, period, beats}
    this.split = null; // the pitch from which the keyboard is the upper one's
  }

  start() {
    const frame = () => {
      this.draw();
      this.frames++;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  draw() {
    const { changed } = fit(this.canvas);
    const { width, height } = this.canvas;
    if (!width || !height) return;
    const g = this.canvas.getContext("2d");
    g.resetTransform();
    this.measure(width, height);
    if (changed || !this.ground) this.ground = this.drawGround(width, height);
    g.drawImage(this.ground, 0, 0);
    const now = this.clock();
    const line = this.backS > 0 ? width : Math.round(width * NOW_AT);
    const left = Math.round((now - this.backS) * this.scale) - line; // of what is seen, in pixels from second 0
    const x = (at) => at * this.scale - left;
    if (this.grid) this.drawBeats(g, left / this.scale, (left + width) / this.scale, x);
    if (this.split !== null) dash(g, 0, this.top(this.split) + this.step, width, this.ratio);
    const voices = VOICES.map((who) => this.music[who]);
    this.strip.update(voices, { width, height, scale: this.scale }, left, this);
    g.drawImage(this.strip.canvas, this.strip.left - left, 0);
    this.drawn = this.strip.painted;
    for (const voice of voices) this.drawSounding(g, voice, now, left);
    if (this.backS === 0) {
      this.drawPlanned(g, now, left);
      g.fillStyle = LINE;
      g.fillRect(line, 0, this.ratio, height);
    }
    if (this.cursor !== null) {
      g.fillStyle = LINE;
      g.fillRect(Math.round(x(this.cursor)), 0, this.ratio, height);
    }
    this.left = left;
  }

  // Sizes in device pixels.
  measure(width, height) {
    this.ratio = window.devicePixelRatio || 1;
    this.rows = height - (3 * PEDAL_HEIGHT + 4) * this.ratio;
    this.step = this.rows / (HIGHEST - LOWEST + 1);
    this.scale = width / this.seconds;
  }

  top(pitch) {
    return (HIGHEST - pitch) * this.step;
  }

  // Where a note lies that lasts until a moment; `left` is the place of the canvas's left edge.
  box(note, end, left) {
    const x = note.start * this.scale - left;
    const width = Math.max((end - note.start) * this.scale, SHORTEST * this.ratio);
    return { x, y: this.top(note.pitch) + 0.5, width, height: Math.max(this.step - 1, SHORTEST) };
  }

  note(g, voice, note, end, left) {
    const { x, y, width, height } = this.box(note, end, left);
    g.fillStyle = SHADES[this.nameOf(voice)][note.mended ?? note.velocity];
    g.beginPath();
    g.roundRect(x, y, width, height, 2 * this.ratio);
    g.fill();
  }

  pedal(g, voice, span, end, left) {
    const who = this.nameOf(voice);
    const top = this.rows + (4 + VOICES.indexOf(who) * (PEDAL_HEIGHT + 2)) * this.ratio;
    g.fillStyle = `rgb(${COLOURS[who].join(" ")} / 0.55)`;
    g.fillRect(span.start * this.scale - left, top, (end - span.start) * this.scale, PEDAL_HEIGHT * this.ratio);
  }

  nameOf(voice) {
    return voice === this.music.player ? "player" : "model";
  }

  drawSounding(g, voice, now, left) {
    if (voice.isHidden) return;
    for (const note of voice.sounding.values()) {
      this.note(g, voice, note, Math.max(now, note.start), left);
      this.drawn++;
    }
    if (voice.pedalIsDown) this.pedal(g, voice, voice.pedals.at(-1), now, left);
  }

  drawPlanned(g, now, left) {
    g.strokeStyle = `rgb(${COLOURS.model.join(" ")} / 0.9)`;
    g.fillStyle = `rgb(${COLOURS.model.join(" ")} / 0.16)`;
    g.lineWidth = this.ratio;
    const planned = this.music.ahead(now);
    for (const note of planned) {
      const { x, y, width, height } = this.box(note, note.end === Infinity ? note.start + UNKNOWN_S : note.end, left);
      g.beginPath();
      g.roundRect(x + 0.5, y, Math.max(width, 3 * this.ratio), height, 2 * this.ratio);
      g.fill();
      g.stroke();
    }
    this.ghosts = planned.length;
    this.drawn += this.ghosts;
  }

  drawBeats(g, from, to, x) {
    const { origin, period, beats } = this.grid;
    for (let beat = Math.max(Math.ceil((from - origin) / period), 0); origin + beat * period <= to; beat++) {
      g.fillStyle = beat % beats === 0 ? "rgb(232 234 240 / 0.2)" : "rgb(232 234 240 / 0.09)";
      g.fillRect(Math.round(x(origin + beat * period)), 0, this.ratio, this.rows);
    }
  }

  // Black keys as shade, octaves as lines with their names.
  drawGround(width, height) {
    const ground = Object.assign(document.createElement("canvas"), { width, height });
    const g = ground.getContext("2d");
    g.fillStyle = "#0b0d11";
    g.fillRect(0, 0, width, height);
    g.font = `${10 * this.ratio}px system-ui, sans-serif`;
    for (let pitch = LOWEST; pitch <= HIGHEST; pitch++) {
      const top = this.top(pitch);
      if (isBlack(pitch)) {
        g.fillStyle = "#10141b";
        g.fillRect(0, top, width, this.step);
      }
      if (pitch % 12 === 0) {
        g.fillStyle = "#262d39";
        g.fillRect(0, Math.round(top + this.step), width, this.ratio);
      }
    }
    g.fillStyle = "#8b95a5";
    for (let octave = 1; octave < 8; octave++) {
      g.fillText(`C${octave}`, 5 * this.ratio, this.top(12 * (octave + 1)) + this.step - 2 * this.ratio);
    }
    return ground;
  }
}

function dash(g, left, top, width, ratio) {
  g.strokeStyle = "rgb(232 234 240 / 0.4)";
  g.lineWidth = ratio;
  g.setLineDash([4 * ratio, 6 * ratio]);
  g.beginPath();
  g.moveTo(left, top);
  g.lineTo(left + width, top);
  g.stroke();
  g.setLineDash([]);
}
