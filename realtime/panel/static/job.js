// A MIDI file that is dropped on the page or chosen: sent with a task, worked on by the daemon, then seen before and after.

const LOOK_MS = 400;

export class Job {
  constructor(parts, viewer, tell) {
    Object.assign(this, { parts, viewer, tell });
    this.tasks = [];
    parts.file.addEventListener("change", () => this.send(parts.file.files[0]));
    parts.task.addEventListener("change", () => this.showTask());
    parts.stop.addEventListener("click", () => fetch("/api/job/stop", { method: "POST" }));
    parts.look.addEventListener("click", () => this.open());
    window.addEventListener("dragover", (event) => event.preventDefault());
    window.addEventListener("drop", (event) => {
      event.preventDefault();
      this.send(event.dataTransfer.files[0]);
    });
  }

  async refresh() {
    const answer = await fetch("/api/job/tasks");
    if (!answer.ok) return;
    this.tasks = await answer.json();
    const chosen = this.parts.task.value;
    this.parts.task.replaceChildren(
      ...this.tasks.map(({ task, title }) => new Option(title, task)),
      new Option("Play like this, from now on", "like"),
    );
    if (chosen) this.parts.task.value = chosen;
    this.showTask();
  }

  showTask() {
    const task = this.tasks.find(({ task: name }) => name === this.parts.task.value);
    const { choice, seconds } = this.parts;
    choice.replaceChildren(...(task?.choices ?? []).map((name) => new Option(name.replaceAll("_", " "), name)));
    choice.closest(".row").hidden = !task?.choices.length;
    seconds.closest(".row").hidden = !task?.has_length;
  }

  async send(file) {
    if (!file) return;
    const { task, choice, seconds } = this.parts;
    this.tell("");
    this.parts.look.hidden = true;
    if (task.value === "like") return this.playLike(file);
    const wanted = new URLSearchParams({ task: task.value, choice: choice.value, seconds: seconds.value });
    const answer = await fetch(`/api/job?${wanted}`, { method: "POST", headers: { "Content-Type": "audio/midi" }, body: file });
    this.parts.file.value = "";
    if (!answer.ok) return this.tell(await answer.text());
    this.name = file.name;
    await this.finished();
  }

  // The file is no work to be done: what pianod plays live is like it from now on.
  async playLike(file) {
    const wanted = new URLSearchParams({ name: file.name });
    const answer = await fetch(`/api/like?${wanted}`, { method: "POST", headers: { "Content-Type": "audio/midi" }, body: file });
    this.parts.file.value = "";
    this.tell(answer.ok ? `pianod plays like ${file.name} from now on.` : await answer.text());
  }

  // Follow the work to its end.
  async finished() {
    const { progress, stop, look } = this.parts;
    progress.removeAttribute("value");
    progress.hidden = stop.hidden = false;
    for (;;) {
      const job = await (await fetch("/api/job")).json();
      if (job.share > 0) progress.value = job.share;
      if (job.state !== "working") {
        progress.hidden = stop.hidden = true;
        look.hidden = job.state !== "done";
        return job.state === "done" ? this.open() : this.tell(job.reason);
      }
      await new Promise((next) => setTimeout(next, LOOK_MS));
    }
  }

  open() {
    const title = `${this.name ?? "The file"} · before and after`;
    return this.viewer.open({ title, picture: "/api/job/picture", file: "/api/job/made.mid", replay: "/api/job/made/replay" });
  }
}
