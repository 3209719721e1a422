// The piano roll: time runs to the right, the line is now, and beyond it stands what the model has planned.

import { COLOURS, HIGHEST, LOWEST, SHADES, fit, isBlack } from "./layout.js";

const NOW_AT = 0.8; // of the width
const PEDAL_HEIGHT = 5;
const LINE = "rgb(232 234 240 / 0.55)";

export class Roll {
  constructor(canvas, music, clock) {
    this.canvas = canvas;
    this.music = music;
    this.clock = clock;
    this.seconds = 12;
    this.backS = 0;
    this.frames = 0;
    this.drawn = 0; // notes in the last frame
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
    const { width, height, changed } = fit(this.canvas);
    if (!width || !height) return;
    const g = this.canvas.getContext("2d");
    const rows = height - 3 * PEDAL_HEIGHT - 4;
    const step = rows / (HIGHEST - LOWEST + 1);
    if (changed || !this.ground) this.ground = this.drawGround(width, height, step);
    g.drawImage(this.ground, 0, 0, width, height);
    const now = this.clock();
    const seen = now - this.backS;
    const scale = width / this.seconds;
    const line = this.backS > 0 ? width : width * NOW_AT;
    const x = (at) => line + (at - seen) * scale;
    const y = (pitch) => (HIGHEST - pitch) * step;
    const from = seen - line / scale;
    const to = seen + (width - line) / scale;
    if (this.grid) this.drawBeats(g, from, to, x, height);
    if (this.split !== null) dash(g, 0, y(this.split) + step, width);
    this.drawPedals(g, from, Math.min(to, now), x, rows, now);
    this.drawn = 0;
    for (const who of ["player", "model"]) {
      for (const note of this.music[who].between(from, Math.min(to, now))) {
        const left = x(note.start);
        const right = x(Math.min(note.end, now));
        bar(g, left, y(note.pitch), Math.max(right - left, 2), step, SHADES[who][note.mended ?? note.velocity]);
        this.drawn++;
      }
    }
    if (this.backS === 0) {
      g.strokeStyle = `rgb(${COLOURS.model.join(" ")} / 0.75)`;
      g.fillStyle = `rgb(${COLOURS.model.join(" ")} / 0.12)`;
      g.lineWidth = 1;
      for (const note of this.music.ahead(now)) {
        const left = x(note.start);
        const right = x(note.end === Infinity ? note.start + 0.12 : note.end);
        g.beginPath();
        g.roundRect(left + 0.5, y(note.pitch) + 0.5, Math.max(right - left, 3), Math.max(step - 1, 2), 2);
        g.fill();
        g.stroke();
      }
      g.fillStyle = LINE;
      g.fillRect(line, 0, 1, height);
    }
    if (this.cursor !== null) {
      g.fillStyle = LINE;
      g.fillRect(x(this.cursor), 0, 1, height);
    }
  }

  drawBeats(g, from, to, x, height) {
    const { origin, period, beats } = this.grid;
    for (let beat = Math.max(Math.ceil((from - origin) / period), 0); origin + beat * period <= to; beat++) {
      g.fillStyle = beat % beats === 0 ? "rgb(232 234 240 / 0.16)" : "rgb(232 234 240 / 0.07)";
      g.fillRect(x(origin + beat * period), 0, 1, height);
    }
  }

  drawPedals(g, from, to, x, top, now) {
    ["player", "model"].forEach((who, row) => {
      g.fillStyle = `rgb(${COLOURS[who].join(" ")} / 0.55)`;
      for (const span of this.music[who].pedalsBetween(from, to)) {
        const left = x(span.start);
        g.fillRect(left, top + 4 + row * (PEDAL_HEIGHT + 2), x(Math.min(span.end, now)) - left, PEDAL_HEIGHT);
      }
    });
  }

  drawGround(width, height, step) {
    const ground = document.createElement("canvas");
    const ratio = window.devicePixelRatio || 1;
    ground.width = Math.round(width * ratio);
    ground.height = Math.round(height * ratio);
    const g = ground.getContext("2d");
    g.scale(ratio, ratio);
    g.fillStyle = "#0b0d11";
    g.fillRect(0, 0, width, height);
    for (let pitch = LOWEST; pitch <= HIGHEST; pitch++) {
      const top = (HIGHEST - pitch) * step;
      if (isBlack(pitch)) {
        g.fillStyle = "#0f1218";
        g.fillRect(0, top, width, step);
      }
      if (pitch % 12 === 0) {
        g.fillStyle = "#1c212b";
        g.fillRect(0, top + step - 0.5, width, 1);
      }
    }
    return ground;
  }
}

function dash(g, left, top, width) {
  g.strokeStyle = "rgb(232 234 240 / 0.35)";
  g.setLineDash([4, 6]);
  g.beginPath();
  g.moveTo(left, top);
  g.lineTo(left + width, top);
  g.stroke();
  g.setLineDash([]);
}

function bar(g, left, top, width, height, colour) {
  g.fillStyle = colour;
  g.beginPath();
  g.roundRect(left, top + 0.5, width, Math.max(height - 1, 2), 2);
  g.fill();
}
