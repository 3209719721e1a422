// A running plot of one figure in milliseconds, on a scale of its square root, so that small and large both show.

import { fit } from "./layout.js";

const REMEMBERED_S = 60;
const MARKS_MS = [100, 10, 1];
const MARK_HEIGHT = 12;

export class Plot {
  // `spark`, where given, is the same once more, small: {canvas, value}.
  constructor(canvas, text, spark = null) {
    Object.assign(this, { canvas, text, spark });
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
    say(this.text, said);
    this.draw(at, this.canvas, true);
    if (!this.spark) return;
    this.draw(at, this.spark.canvas, false);
    say(this.spark.value, summary.count ? `${words(summary.last_ms)} ms` : "–");
  }

  draw(at, canvas, hasScale) {
    const { width, height } = fit(canvas);
    if (!width) return;
    const g = canvas.getContext("2d");
    g.clearRect(0, 0, width, height);
    const most = Math.max(12, ...this.points.map((point) => point.ms));
    const y = (ms) => height - 3 - Math.sqrt(Math.max(ms, 0) / most) * (height - 8);
    g.font = "10px system-ui, sans-serif";
    let above = 0;
    for (const mark of hasScale ? MARKS_MS : []) {
      if (mark >= most || y(mark) - above < MARK_HEIGHT) continue;
      above = y(mark);
      g.fillStyle = "#2c3340";
      g.fillRect(0, Math.round(y(mark)), width, 1);
      g.fillStyle = "#8b95a5";
      g.fillText(`${mark} ms`, 4, Math.round(y(mark)) - 2);
    }
    g.fillStyle = "#8fd0a8";
    for (const point of this.points) {
      const x = width - ((at - point.at) / REMEMBERED_S) * width;
      g.fillRect(x - 1, y(point.ms), 2, height - y(point.ms));
    }
  }
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
