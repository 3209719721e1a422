// Settings that are keys: each is told by its name, and learned from the key that is struck next.

import { nameOf } from "./layout.js";

const KEYS = ["trigger_key", "tap_key", "duet_split", "duet_lowest", "duet_highest"];

export class KeyLearning {
  // `change(name, pitch)` asks the daemon; `announce` says what is to be done.
  constructor(change, announce) {
    Object.assign(this, { change, announce });
    this.rows = new Map(); // name of a setting -> {input, key, button}
    this.waiting = null;
  }

  // Put the names and the buttons beside the controls, which were built anew.
  build() {
    this.rows.clear();
    this.waiting = null;
    for (const name of KEYS) {
      const input = document.getElementById(`setting-${name}`);
      const row = input?.closest(".row");
      if (!row || row.querySelector(".learn")) continue;
      const tools = Object.assign(document.createElement("span"), { className: "learn" });
      const key = document.createElement("b");
      const button = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: "Learn" });
      button.ariaLabel = `Learn: ${row.querySelector("label").textContent}`;
      button.addEventListener("click", () => this.ask(this.waiting === name ? null : name));
      tools.append(key, button);
      row.append(tools);
      this.rows.set(name, { input, key, button });
    }
  }

  ask(name) {
    this.waiting = name;
    for (const [other, { button }] of this.rows) button.textContent = other === name ? "Strike it" : "Learn";
    if (name) this.announce("strike the key");
  }

  hear(pitch) {
    const name = this.waiting;
    if (name === null) return;
    this.ask(null);
    this.announce(nameOf(pitch));
    this.change(name, pitch);
  }

  take(settings) {
    for (const [name, { input, key }] of this.rows) {
      const value = settings[name] ?? null;
      const text = value === null ? "" : nameOf(value);
      if (key.textContent !== text) key.textContent = text;
      if (input.type === "range" && input.getAttribute("aria-valuetext") !== text) input.setAttribute("aria-valuetext", text);
    }
  }
}
