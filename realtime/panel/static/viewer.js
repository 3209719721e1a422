// A piece in place of the live roll: an earlier take, a file before and after, a task of a data set. It is seen in two
// layers that can be hidden, heard here or through the output, kept as a picture or as a MIDI file.

import { focusOn, isAt } from "./focus.js";
import { Music, keysAt } from "./music.js";
import { Replay } from "./replay.js";
import { Roll } from "./roll.js";

const AFTER_S = 1; // what the roll takes for the present lies so long after all that is seen
const FOLLOW_AT = 0.7; // of the width: where the cursor is kept while it plays

export class Viewer extends EventTarget {
  // `parts` are elements by name; `live` is what is seen when no piece is; `tell` shows a fault, `announce`
  // says what happens; `otherwise` gets the focus when it closes and what opened it is not there.
  constructor(parts, live, sound, tell, announce, otherwise) {
    super();
    Object.assign(this, { parts, live, sound, tell, announce, otherwise });
    this.hasSoundFiles = false;
    this.music = new Music();
    this.length = 1;
    this.piece = null;
    this.now = AFTER_S;
    this.roll = new Roll(parts.roll, this.music, () => this.now);
    this.replay = new Replay(sound, () => performance.now() / 1000, (position) => this.follow(position));
    this.replay.addEventListener("change", () => (parts.listen.textContent = this.replay.isOn ? "Stop it here" : "Play here"));
    parts.close.addEventListener("click", () => this.close());
    parts.listen.addEventListener("click", () => this.toggle());
    parts.output.addEventListener("click", () => this.toggleOutput());
    parts.picture.addEventListener("click", () => this.keepPicture());
    parts.sound.addEventListener("click", () => this.keepSound());
    parts.at.addEventListener("input", () => this.draw());
    parts.zoom.addEventListener("input", () => this.zoom());
    parts.first.addEventListener("change", () => this.draw());
    parts.second.addEventListener("change", () => this.draw());
    window.addEventListener("resize", () => this.draw());
  }

  get isOpen() {
    return !this.parts.viewer.hidden;
  }

  // Show a piece: its title, its `place`, below which its file, sound and replay are, and its `picture` if it is
  // another than that of the file.
  async open({ title, place, picture = `${place}/picture` }) {
    this.tell("");
    const opener = document.activeElement;
    const answer = await fetch(picture);
    if (!answer.ok) return this.tell(`${title}: ${await answer.text()}`);
    this.replay.stop();
    const piece = { title, picture, file: `${place}.mid`, wav: `${place}.wav`, replay: `${place}/replay` };
    this.piece = piece;
    this.fill((await answer.json()).layers);
    this.parts.title.textContent = piece.title;
    this.parts.file.href = piece.file;
    this.parts.sound.hidden = !this.hasSoundFiles;
    this.parts.output.hidden = !this.hasMidi;
    if (!this.isOpen) this.opener = opener;
    this.dispatchEvent(new Event("open"));
    this.parts.viewer.hidden = false;
    this.live.hidden = true;
    this.parts.at.value = 0;
    this.zoom();
    this.parts.title.focus();
    return undefined;
  }

  close() {
    if (!this.isOpen) return;
    const hadFocus = isAt(this.parts.viewer);
    this.replay.stop();
    this.parts.viewer.hidden = true;
    this.live.hidden = false;
    if (hadFocus) focusOn(this.opener, ...this.otherwise);
    this.piece = null;
  }

  fill(layers) {
    this.music.clear();
    const voices = [this.music.player, this.music.model];
    ["first", "second"].forEach((part, index) => {
      const layer = layers[index];
      this.parts[part].checked = true;
      this.parts[part].closest("label").hidden = !layer;
      this.parts[`${part}Name`].textContent = layer?.name ?? "";
      if (layer) voices[index].fill(layer);
    });
    this.length = Math.max(1, ...voices.map((voice) => voice.end));
  }

  zoom() {
    const { zoom, zoomValue, at } = this.parts;
    zoom.max = String(Math.max(Math.ceil(this.length), 8));
    at.max = String(Math.max(this.length - Number(zoom.value), 0).toFixed(1));
    zoomValue.textContent = `${zoom.value} s`;
    this.draw();
  }

  draw() {
    if (!this.isOpen) return;
    const { at, atValue, zoom, first, second } = this.parts;
    const seconds = Number(zoom.value);
    this.music.player.isHidden = !first.checked;
    this.music.model.isHidden = !second.checked;
    this.roll.seconds = seconds;
    const until = Number(at.value) + seconds;
    this.now = Math.max(this.length, until) + AFTER_S;
    this.roll.backS = this.now - until;
    const minutes = Math.floor(Number(at.value) / 60);
    atValue.textContent = `${minutes}:${String(Math.floor(Number(at.value) % 60)).padStart(2, "0")}`;
    this.roll.draw();
  }

  // Keep the cursor in sight; null ends it.
  follow(position) {
    this.roll.cursor = position;
    const seconds = Number(this.parts.zoom.value);
    const from = Number(this.parts.at.value);
    if (position !== null && (position > from + seconds * FOLLOW_AT || position < from)) {
      this.parts.at.value = String(position - seconds * FOLLOW_AT);
    }
    this.draw();
  }

  toggle() {
    if (this.replay.isOn) return this.replay.stop();
    this.sound.setOn(true);
    this.sound.wake();
    return this.replay.start(this.music, Number(this.parts.at.value));
  }

  async toggleOutput() {
    const path = this.isReplaying ? "/api/replay/stop" : `${this.piece.replay}?from_s=${Math.floor(this.parts.at.value)}`;
    const answer = await fetch(path, { method: "POST" });
    if (!answer.ok) this.tell(await answer.text());
  }

  // What the daemon says of its output, and of a replay through it.
  take(status, now) {
    this.hasMidi = status.has_midi;
    const wasReplaying = this.isReplaying;
    this.isReplaying = status.replaying !== null;
    this.parts.output.textContent = this.isReplaying ? "Stop the output" : "Play on the output";
    if (this.isOpen && this.isReplaying) this.follow(now - status.replaying.begins_s);
    else if (this.isOpen && wasReplaying) this.follow(null);
  }

  // The keys of what sounds again at this moment, and whose they are.
  keys() {
    return keysAt(this.music, this.isOpen ? this.roll.cursor : null);
  }

  keepPicture() {
    this.parts.roll.toBlob((picture) => this.keep(picture, "png"));
  }

  // The piece as sound, made by a synthesiser on pianod's machine: it takes a while.
  async keepSound() {
    const { sound } = this.parts;
    sound.disabled = true;
    this.announce("the sound is being made");
    const answer = await fetch(this.piece.wav, { method: "POST" }).catch(() => null);
    sound.disabled = false;
    if (!answer?.ok) return this.tell(`${this.piece.title}: ${answer ? await answer.text() : "pianod is not there"}`);
    return this.keep(await answer.blob(), "wav");
  }

  keep(blob, ending) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${this.piece.title.replace(/[^\w-]+/g, "-")}.${ending}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}
