// A running plot of one figure in milliseconds, on a scale of its square root, so that small and large both show.

import { fit } from "./layout.js";

const REMEMBERED_S = 60;
const MARKS_MS = [1, 10, 100];

export class Plot {
  constructor(canvas, text) {
    this.canvas = canvas;
    this.text = text;
    this.points = [];
    this.count = 0;
  }

  // Take a summary of the status: a point where something new was measured, and the percentiles in words.
  take(at, summary) {
    if (summary.count > this.count) this.points.push({ at, ms: summary.last_ms });
    if (summary.count < this.count) this.points = [];
    this.count = summary.count;
    this.points = this.points.filter((point) => point.at > at - REMEMBERED_S);
    const words = (ms) => (ms < 10 ? ms.toFixed(1) : ms.toFixed(0));
    const said = summary.count
      ? `half within ${words(summary.p50_ms)} ms, 99 % within ${words(summary.p99_ms)} ms`
      : "nothing yet";
    if (this.text.textContent !== said) this.text.textContent = said;
    this.draw(at);
  }

  draw(at) {
    const { width, height } = fit(this.canvas);
    const g = this.canvas.getContext("2d");
    g.clearRect(0, 0, width, height);
    const most = Math.max(12, ...this.points.map((point) => point.ms));
    const y = (ms) => height - 3 - Math.sqrt(Math.max(ms, 0) / most) * (height - 8);
    g.fillStyle = "#222732";
    for (const mark of MARKS_MS) if (mark < most) g.fillRect(0, y(mark), width, 1);
    g.fillStyle = "#8fd0a8";
    for (const point of this.points) {
      const x = width - ((at - point.at) / REMEMBERED_S) * width;
      g.fillRect(x - 1, y(point.ms), 2, height - y(point.ms));
    }
  }
}
