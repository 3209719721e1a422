// The two faces of the page: what a pianist needs, and everything. Which one is shown is remembered in this browser.

import { recall, remember } from "./memory.js";

const FACES = ["play", "studio"];

// A part of the page that stands elsewhere for a while. Its place is kept.
export class Loan {
  constructor() {
    this.lent = new Map(); // element -> what stands in its place
  }

  lend(element, place) {
    if (!this.lent.has(element)) {
      const mark = document.createComment("");
      element.before(mark);
      this.lent.set(element, mark);
    }
    place.append(element);
  }

  takeBack() {
    for (const [element, mark] of this.lent) mark.replaceWith(element);
    this.lent.clear();
  }
}

export class Faces extends EventTarget {
  // `buttons` are by the name of the face in `data-face`.
  constructor(buttons) {
    super();
    this.buttons = buttons;
    for (const button of buttons) button.addEventListener("click", () => this.show(button.dataset.face));
  }

  get shown() {
    return document.body.dataset.face;
  }

  start() {
    this.show(recall("face", FACES[0]));
  }

  show(face) {
    const known = FACES.includes(face) ? face : FACES[0];
    document.body.dataset.face = known;
    for (const button of this.buttons) button.ariaPressed = String(button.dataset.face === known);
    remember("face", known);
    this.dispatchEvent(new Event("change"));
  }
}
