// The first-run guide, in place of the roll: what do you have, is the keyboard heard, is there sound, play.

import { Loan } from "./faces.js";
import { focusOn, isAt } from "./focus.js";
import { nameOf } from "./layout.js";
import { recall, remember } from "./memory.js";
import { plain } from "./offers.js";

const LAST = 4;
const HEARD_SHOWN = 8;

export class Guide {
  // `parts` by name, `doctor` the element that stands here too; `steps`: choose(direction, port), sound(), chord(),
  // tryOutput(), localControl(on); `live` is what is seen when the guide is not, and `otherwise` gets the focus when it
  // closes and what opened it is not there.
  constructor(parts, live, doctor, steps, announce, otherwise) {
    Object.assign(this, { parts, live, doctor, steps, announce, otherwise });
    this.loan = new Loan();
    this.step = 1;
    this.heard = [];
    this.status = null;
    parts.back.addEventListener("click", () => this.go(this.step - 1));
    parts.next.addEventListener("click", () => (this.step === LAST ? this.close() : this.go(this.step + 1)));
    parts.close.addEventListener("click", () => this.close());
    parts.keyboard.addEventListener("change", () => this.choose());
    parts.pageSound.addEventListener("click", () => steps.chord());
    parts.outputSound.addEventListener("click", () => steps.tryOutput());
    parts.output.addEventListener("change", () => steps.choose("output", parts.output.value));
    for (const [name, on] of [["localOff", false], ["localOn", true]]) {
      parts[name].addEventListener("click", () => steps.localControl(on));
    }
  }

  get isOpen() {
    return !this.parts.guide.hidden;
  }

  // Show it by itself once, to who has never seen it.
  offer() {
    if (recall("guided") === null) this.open({ quietly: true });
  }

  open({ quietly = false } = {}) {
    if (!this.isOpen) this.opener = quietly ? null : document.activeElement;
    this.parts.guide.hidden = false;
    this.live.hidden = true;
    this.loan.lend(this.doctor, this.parts.doctorPlace);
    this.go(1, quietly);
  }

  close() {
    if (!this.isOpen) return;
    const hadFocus = isAt(this.parts.guide);
    remember("guided", "yes");
    this.parts.guide.hidden = true;
    this.live.hidden = false;
    this.loan.takeBack();
    if (hadFocus) focusOn(this.opener, ...this.otherwise);
  }

  go(step, quietly = false) {
    const { guide, title, back, next } = this.parts;
    this.step = Math.min(Math.max(step, 1), LAST);
    for (const page of guide.querySelectorAll("[data-step]")) page.hidden = Number(page.dataset.step) !== this.step;
    for (const mark of guide.querySelectorAll(".steps li")) {
      mark.toggleAttribute("aria-current", false);
      if (Number(mark.value) === this.step) mark.setAttribute("aria-current", "step");
    }
    title.textContent = guide.querySelector(`[data-step="${this.step}"]`).dataset.title;
    back.hidden = this.step === 1;
    next.textContent = this.step === LAST ? "Begin" : "Next";
    if (this.step === 2) this.heard = [];
    this.show();
    if (!quietly) title.focus();
  }

  choose() {
    const name = this.parts.keyboard.value;
    this.steps.choose("input", name);
    const sounding = this.status?.outputs.find((output) => plain(output) === plain(name));
    if (name && sounding) this.steps.choose("output", sounding);
  }

  hear(pitch) {
    if (!this.isOpen) return;
    const isFirst = this.heard.length === 0;
    this.heard = [...this.heard, pitch].slice(-HEARD_SHOWN);
    this.show();
    if (isFirst && this.step === 2) this.announce(`heard: ${nameOf(pitch)}`);
  }

  take(status) {
    this.status = status;
    if (this.isOpen) this.show();
  }

  show() {
    if (!this.status) return;
    const { has_midi: hasMidi, inputs, outputs, input, output, gone } = this.status;
    const { guide, keyboard, ports, heard, lamp } = this.parts;
    for (const element of guide.querySelectorAll("[data-midi]")) element.hidden = (element.dataset.midi === "yes") !== hasMidi;
    ports.hidden = !hasMidi;
    list(keyboard, inputs, input, unlisted(gone, "input"));
    list(this.parts.output, outputs, output, unlisted(gone, "output"));
    const isOne = outputs.includes(output) && plain(output) === plain(input);
    this.parts.local.hidden = !isOne;
    lamp.dataset.heard = String(this.heard.length > 0);
    say(heard, this.heard.length ? this.heard.map(nameOf).join("  ") : "Nothing heard yet: play some keys.");
  }
}

// What stands for a port that is not in the list: one that was chosen and is gone, or none.
function unlisted(gone, what) {
  const lost = gone.find((one) => one.what === what && one.returns);
  return lost ? `${plain(lost.name)}: gone` : "I wire it to pianod myself";
}

function list(select, names, chosen, none) {
  const wanted = JSON.stringify([names, chosen, none]);
  if (select.dataset.shown === wanted || select === document.activeElement) return;
  select.dataset.shown = wanted;
  select.replaceChildren(new Option(none, ""), ...names.map((name) => new Option(plain(name), name)));
  select.value = names.includes(chosen) ? chosen : "";
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
