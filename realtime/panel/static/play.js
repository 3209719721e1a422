// The face for a pianist: four ways of playing, the few knobs of the one in force, and who is on.

import { Loan } from "./faces.js";

const TOGETHER = ["duet", "loop"];

export class PlayFace {
  // `parts`: ways (buttons), title, knobs, turn; `kept` are elements that stand here while this face is shown, by slot.
  constructor(parts, slots, faces, change) {
    Object.assign(this, { parts, slots, faces });
    this.loan = new Loan();
    this.labels = new Map(); // label -> what it is called elsewhere
    this.mode = null;
    this.knobs = [];
    for (const way of parts.ways) way.addEventListener("click", () => change("mode", way.dataset.way));
    faces.addEventListener("change", () => this.arrange());
  }

  // Take from what the daemon says of the settings which are the knobs of each way, and what they are called here.
  build(descriptions) {
    this.knobs = descriptions.filter((description) => description.knob_of.length);
    this.arrange();
  }

  // Give back all that stands here: to be called before the settings are built anew.
  leave() {
    for (const [label, text] of this.labels) label.textContent = text;
    this.labels.clear();
    this.loan.takeBack();
  }

  arrange() {
    const focused = document.activeElement;
    this.leave();
    if (this.faces.shown !== "play" || this.mode === null) return;
    for (const [element, slot] of this.slots) this.loan.lend(element, slot);
    for (const { name, knob } of this.knobs.filter((each) => each.knob_of.includes(this.mode))) {
      const row = document.getElementById(`setting-${name}`)?.closest(".row");
      if (!row) continue;
      const label = row.querySelector("label");
      this.labels.set(label, label.textContent);
      label.textContent = knob;
      this.loan.lend(row, this.parts.knobs);
    }
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  }

  take(status) {
    const { ways, title, turn } = this.parts;
    show(turn, turnOf(status));
    turn.dataset.activity = status.activity;
    if (status.mode === this.mode) return;
    this.mode = status.mode;
    for (const way of ways) {
      way.ariaPressed = String(way.dataset.way === status.mode);
      if (way.dataset.way === status.mode) show(title, way.querySelector("b").textContent);
    }
    this.arrange();
  }
}

// Who is on, in words.
export function turnOf({ activity, mode, fault }) {
  if (fault) return "It has stopped";
  if (activity === "playing") return TOGETHER.includes(mode) ? "Both play" : "pianod plays";
  if (mode === "velocity") return "You play";
  return activity === "listening" ? "Your turn: it listens" : activity;
}

function show(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
