// The keyboard on the screen: it lights up with what sounds, and is played by mouse, touch and the computer's keys.

import { COLOURS, HIGHEST, LOWEST, fit, keysOf, rangeOf } from "./layout.js";

const WHITE_CODES = ["KeyA", "KeyS", "KeyD", "KeyF", "KeyG", "KeyH", "KeyJ", "KeyK", "KeyL", "Semicolon", "Quote"];
const WHITE_STEPS = [0, 2, 4, 5, 7, 9, 11, 12, 14, 16, 17];
const BLACK_CODES = { KeyW: 1, KeyE: 3, KeyT: 6, KeyY: 8, KeyU: 10, KeyO: 13, KeyP: 15 };
const STEPS = new Map([...WHITE_CODES.map((code, index) => [code, WHITE_STEPS[index]]), ...Object.entries(BLACK_CODES)]);
const COMPUTER_VELOCITY = 76;
const BLACK_HEIGHT = 0.62;

export class Keyboard extends EventTarget {
  constructor(element, canvas, music) {
    super();
    this.element = element;
    this.canvas = canvas;
    this.music = music;
    this.held = new Map(); // what holds a key (a pointer, a code) -> pitch
    this.octave = 4;
    this.shown = [LOWEST, HIGHEST];
    this.pedalIsDown = false;
    this.lit = "";
    this.replayed = () => new Map(); // pitch -> who: keys of what sounds again
    canvas.addEventListener("pointerdown", (event) => this.point(event));
    canvas.addEventListener("pointermove", (event) => this.glide(event));
    for (const kind of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(kind, (event) => this.release(`pointer ${event.pointerId}`));
    }
    window.addEventListener("keydown", (event) => this.keyDown(event));
    window.addEventListener("keyup", (event) => this.keyUp(event));
    window.addEventListener("blur", () => this.releaseAll());
  }

  press(holder, pitch, velocity) {
    if (this.held.has(holder) || pitch < LOWEST || pitch > HIGHEST) return;
    const sounds = [...this.held.values()].includes(pitch);
    this.held.set(holder, pitch);
    if (!sounds) this.dispatchEvent(new CustomEvent("on", { detail: { pitch, velocity } }));
  }

  release(holder) {
    const pitch = this.held.get(holder);
    if (pitch === undefined) return;
    this.held.delete(holder);
    if (![...this.held.values()].includes(pitch)) this.dispatchEvent(new CustomEvent("off", { detail: { pitch } }));
  }

  pedal(down) {
    if (down === this.pedalIsDown) return;
    this.pedalIsDown = down;
    this.dispatchEvent(new CustomEvent("pedal", { detail: { down } }));
  }

  releaseAll() {
    for (const holder of [...this.held.keys()]) this.release(holder);
    this.pedal(false);
  }

  point(event) {
    event.preventDefault();
    this.element.focus({ preventScroll: true });
    const key = this.keyAt(event);
    if (!key) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.press(`pointer ${event.pointerId}`, key.pitch, key.velocity);
  }

  glide(event) {
    const holder = `pointer ${event.pointerId}`;
    if (!this.held.has(holder)) return;
    const key = this.keyAt(event);
    if (key && key.pitch !== this.held.get(holder)) {
      this.release(holder);
      this.press(holder, key.pitch, key.velocity);
    }
  }

  // The key under a pointer; the nearer to its end it is struck, the louder.
  keyAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left;
    const depth = (event.clientY - box.top) / box.height;
    if (depth < 0 || depth > 1) return null;
    const keys = keysOf(box.width, this.shown).filter((key) => x >= key.x && x < key.x + key.width);
    const key = keys.find((candidate) => candidate.black && depth < BLACK_HEIGHT) ?? keys.find((candidate) => !candidate.black);
    if (!key) return null;
    const reach = key.black ? depth / BLACK_HEIGHT : depth;
    return { pitch: key.pitch, velocity: Math.round(30 + 80 * reach) };
  }

  keyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("dialog")) return;
    if (event.code === "Escape") return isListOpen(event.target) ? undefined : this.dispatchEvent(new CustomEvent("escape"));
    if (isTyping(event.target)) return;
    if (event.code === "Space") {
      if (isActivated(event.target)) return;
      event.preventDefault();
      this.pedal(true);
    } else if (event.repeat) return;
    else if (event.code === "KeyZ") this.shift(-1);
    else if (event.code === "KeyX") this.shift(1);
    else if (event.code === "KeyM") this.dispatchEvent(new CustomEvent("keep"));
    else if (STEPS.has(event.code)) {
      this.press(event.code, 12 * (this.octave + 1) + STEPS.get(event.code), COMPUTER_VELOCITY);
    }
  }

  // Another octave for the computer's keys, and in a narrow window for those that are shown.
  shift(octaves) {
    this.octave = Math.min(Math.max(this.octave + octaves, 1), 7);
  }

  get isPartial() {
    return this.shown[1] - this.shown[0] < HIGHEST - LOWEST;
  }

  keyUp(event) {
    if (event.code === "Space") this.pedal(false);
    else this.release(event.code);
  }

  start() {
    const frame = () => {
      this.draw();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  draw() {
    const { width, height, changed } = fit(this.canvas);
    const lit = this.litKeys();
    this.shown = rangeOf(width, 12 * (this.octave + 1));
    const text = [...this.shown, ...[...lit].flat()].join();
    if (!changed && text === this.lit) return;
    this.lit = text;
    const g = this.canvas.getContext("2d");
    g.clearRect(0, 0, width, height);
    for (const key of keysOf(width, this.shown)) {
      const who = lit.get(key.pitch);
      const deep = key.black ? height * BLACK_HEIGHT : height;
      g.fillStyle = who ? `rgb(${COLOURS[who].join(" ")})` : key.black ? "#191c23" : "#dfe2e8";
      g.beginPath();
      g.roundRect(key.x + (key.black ? 0 : 0.5), -4, key.width - (key.black ? 0 : 1), deep + 4, 4);
      g.fill();
      if (!key.black && key.pitch % 12 === 0) {
        g.fillStyle = "#565d6b";
        g.font = "10px system-ui, sans-serif";
        g.textAlign = "center";
        g.fillText(`C${key.pitch / 12 - 1}`, key.x + key.width / 2, height - 6);
      }
    }
  }

  litKeys() {
    const lit = new Map(this.replayed());
    for (const pitch of this.music.model.sounding.keys()) lit.set(pitch, "model");
    for (const pitch of this.music.player.sounding.keys()) lit.set(pitch, "player");
    for (const pitch of this.held.values()) lit.set(pitch, "player");
    return lit;
  }
}

function isTyping(target) {
  return target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && ["text", "number"].includes(target.type));
}

// A list that Escape itself closes.
function isListOpen(target) {
  return target instanceof HTMLSelectElement && CSS.supports("selector(:open)") && target.matches(":open");
}

// Where the space bar has a meaning of its own.
function isActivated(target) {
  return target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement || (target instanceof HTMLInputElement && target.type === "checkbox");
}
