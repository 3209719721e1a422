// How it keeps time: running plots, how full the context is, and what went by since the start.

import { Plot } from "./plot.js";

const COUNTS = [
  ["Answers", (status) => status.answers],
  ["Broken off by you", (status) => status.interruptions],
  ["Events heard", (status) => status.heard],
  ["Messages sent", (status) => status.sent],
  ["Planned ahead", (status) => status.planned],
  ["Tokens in the stream", (status) => status.stream_tokens],
  ["Taken back", (status) => status.losses.stale],
  ["Too late", (status) => status.losses.too_late],
  ["Ended as too long", (status) => status.losses.overlong],
  ["Could not be passed on", (status) => status.losses.left_out],
  ["Without a port", (status) => status.losses.undelivered],
  ["Too much at once", (status) => status.losses.overload],
];

export class Health {
  constructor(parts) {
    this.parts = parts;
    const spark = (name) => ({ canvas: document.getElementById(`spark-${name}`), value: document.getElementById(`spark-${name}-value`) });
    this.plots = {
      hearing: new Plot(parts.hearing, parts.hearingText, spark("hearing")),
      lateness: new Plot(parts.lateness, parts.latenessText, spark("lateness")),
    };
    this.values = COUNTS.map(([title]) => {
      const value = document.createElement("dd");
      parts.counts.append(Object.assign(document.createElement("dt"), { textContent: title }), value);
      return value;
    });
  }

  take(status) {
    const { fill, fillValue } = this.parts;
    for (const [name, plot] of Object.entries(this.plots)) plot.take(status.at_s, status[name]);
    fill.value = status.context_fill;
    fillValue.textContent = `${Math.round(status.context_fill * 100)} %`;
    document.getElementById("spark-fill").style.width = `${Math.min(status.context_fill, 1) * 100}%`;
    document.getElementById("spark-fill-value").textContent = fillValue.textContent;
    COUNTS.forEach(([, count], index) => (this.values[index].textContent = count(status)));
  }
}
