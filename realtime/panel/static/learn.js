// Settings that are keys or controllers: each is told by its name, and learned from what is struck or moved next.

import { nameOf } from "./layout.js";

const KEYS = ["trigger_key", "ending_key", "tap_key", "chord_split", "duet_split", "duet_lowest", "duet_highest"];
const CONTROLLERS = ["trigger_cc", "ending_cc", "tap_cc", "mode_cc", "take_cc", "keep_cc", "undo_cc", "clear_cc"];
const NAMES = {
  1: "modulation wheel", 2: "breath", 4: "foot controller", 7: "volume", 10: "pan", 11: "expression",
  64: "sustain pedal", 65: "portamento", 66: "sostenuto pedal", 67: "soft pedal", 68: "legato pedal", 69: "hold",
};
const ASK_EVERY_MS = 200;

function controllerName(number) {
  return NAMES[number] ?? `controller ${number}`;
}

export class Learning {
  // `change(name, value)` asks the daemon; `announce` says what is to be done; `moved(afterS)` asks which controller was
  // moved after a moment, and what the time is: {controller, now_s}.
  constructor(change, announce, moved) {
    Object.assign(this, { change, announce, moved });
    this.rows = new Map(); // name of a setting -> {input, shown, button, isKey}
    this.waiting = null;
  }

  // Put the names and the buttons beside the controls, which were built anew.
  build() {
    this.rows.clear();
    this.waiting = null;
    for (const name of [...KEYS, ...CONTROLLERS]) {
      const input = document.getElementById(`setting-${name}`);
      const row = input?.closest(".row");
      if (!row || row.querySelector(".learn")) continue;
      const tools = Object.assign(document.createElement("span"), { className: "learn" });
      const shown = document.createElement("b");
      const button = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: "Learn" });
      button.ariaLabel = `Learn: ${row.querySelector("label").textContent}`;
      button.addEventListener("click", () => this.ask(this.waiting === name ? null : name));
      tools.append(shown, button);
      row.append(tools);
      this.rows.set(name, { input, shown, button, isKey: KEYS.includes(name) });
    }
  }

  get isOpen() {
    return this.waiting !== null;
  }

  // Learn nothing after all.
  close() {
    this.ask(null);
    this.announce("nothing is learned");
  }

  ask(name) {
    this.waiting = name;
    for (const [other, { button, isKey }] of this.rows) {
      button.textContent = other === name ? (isKey ? "Strike it" : "Move it") : "Learn";
    }
    if (!name) return;
    const { isKey } = this.rows.get(name);
    this.announce(isKey ? "strike the key" : "move the pedal or the knob");
    if (!isKey) this.listen(name);
  }

  async listen(name) {
    let { now_s: afterS } = await this.moved(Infinity);
    while (this.waiting === name) {
      const { controller } = await this.moved(afterS);
      if (controller !== null && this.waiting === name) this.learn(controller, controllerName(controller));
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
  }

  hear(pitch) {
    if (this.waiting !== null && this.rows.get(this.waiting).isKey) this.learn(pitch, nameOf(pitch));
  }

  learn(value, said) {
    const name = this.waiting;
    this.ask(null);
    this.announce(said);
    this.change(name, value);
  }

  take(settings) {
    for (const [name, { input, shown, isKey }] of this.rows) {
      const value = settings[name] ?? null;
      const text = value === null ? "" : isKey ? nameOf(value) : controllerName(value);
      if (shown.textContent !== text) shown.textContent = text;
      if (input.type === "range" && input.getAttribute("aria-valuetext") !== text) input.setAttribute("aria-valuetext", text);
    }
  }
}
