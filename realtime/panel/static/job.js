// A MIDI file that is dropped on the page or chosen: sent, gone on with by the daemon, seen, heard and downloaded.

import { Music } from "./music.js";
import { Replay } from "./replay.js";
import { Roll } from "./roll.js";

const LOOK_MS = 500;

export class Job {
  constructor(parts, sound, tell) {
    Object.assign(this, parts); // file, seconds, progress, result, canvas, listen: the elements
    this.sound = sound;
    this.tell = tell;
    this.music = new Music();
    this.length = 1;
    this.roll = new Roll(this.canvas, this.music, () => this.length);
    this.replay = new Replay(this.music, sound, { backS: 0 }, () => performance.now() / 1000);
    this.file.addEventListener("change", () => this.send(this.file.files[0]));
    this.listen.addEventListener("click", () => this.toggle());
    this.replay.addEventListener("change", () => (this.listen.textContent = this.replay.isOn ? "Stop" : "Listen"));
    window.addEventListener("dragover", (event) => event.preventDefault());
    window.addEventListener("drop", (event) => {
      event.preventDefault();
      this.send(event.dataTransfer.files[0]);
    });
    window.addEventListener("resize", () => this.draw());
  }

  async send(file) {
    if (!file) return;
    this.tell("");
    this.result.hidden = true;
    const answer = await fetch(`/api/job?seconds=${this.seconds.value}`, {
      method: "POST",
      headers: { "Content-Type": "audio/midi" },
      body: file,
    });
    if (!answer.ok) return this.tell(await answer.text());
    this.progress.hidden = false;
    await this.finished();
    this.progress.hidden = true;
    this.file.value = "";
  }

  async finished() {
    for (;;) {
      const job = await (await fetch("/api/job")).json();
      if (job.state === "failed") return this.tell(job.reason);
      if (job.state === "done") return this.show(await (await fetch("/api/job/notes")).json());
      await new Promise((next) => setTimeout(next, LOOK_MS));
    }
  }

  // Before in the player's colour, after in the model's.
  show(rows) {
    this.music.clear();
    const events = rows.flatMap(([track, start, end, pitch, velocity]) => {
      const who = track === 0 ? "player" : "model";
      return [[who, "on", start, pitch, velocity], [who, "off", end, pitch, 0]];
    });
    events.sort((first, second) => first[2] - second[2] || first[1].localeCompare(second[1]));
    for (const event of events) this.music.take(event);
    this.length = Math.max(1, ...rows.map((row) => row[2]));
    this.result.hidden = false;
    this.draw();
  }

  draw() {
    if (this.result.hidden) return;
    this.roll.seconds = this.length;
    this.roll.backS = 1e-9;
    this.roll.draw();
  }

  toggle() {
    if (this.replay.isOn) return this.replay.stop();
    this.sound.setOn(true);
    this.sound.wake();
    return this.replay.start(0);
  }
}
