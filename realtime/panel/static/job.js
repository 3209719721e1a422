// A MIDI file that is dropped on the page or chosen: what is to be done is asked, the last choice first; how far it is
// stands above the roll, and what was made is looked at when one asks for it. Faults name the file; one that cannot work
// is refused before anything is asked.

import { look } from "./file_check.js";
import { recall, remember } from "./memory.js";

const LOOK_MS = 400;
const LIKE = { task: "like", title: "play like this, from now on", choices: [], asks: "", has_length: false };
const CHANGES = { task: "changes", title: "take its chords for the changes, from now on", choices: [], asks: "", has_length: false };
const DROP = "Drop the file: you are asked what to do with it.";

export class Job {
  // `parts` by name; `announce` says what is seen here.
  constructor(parts, viewer, tell, announce) {
    Object.assign(this, { parts, viewer, tell, announce });
    this.tasks = [];
    this.file = null;
    this.depth = 0; // of elements that a dragged file is over
    this.isFollowing = false;
    this.largest = 2 ** 20; // bytes of a file
    this.looks = 0;
    parts.file.addEventListener("change", () => this.ask(parts.file.files));
    parts.stop.addEventListener("click", () => fetch("/api/job/stop", { method: "POST" }));
    parts.look.addEventListener("click", () => this.open());
    parts.close.addEventListener("click", () => this.forget());
    parts.start.addEventListener("click", () => this.start());
    parts.cancel.addEventListener("click", () => parts.dialog.close());
    parts.dialog.addEventListener("close", () => (parts.file.value = ""));
    parts.dialog.addEventListener("keydown", (event) => event.key === "Enter" && event.target.type === "radio" && this.start());
    parts.tasks.addEventListener("change", () => this.showTask());
    for (const kind of ["dragenter", "dragleave", "dragover", "drop"]) window.addEventListener(kind, (event) => this.drag(event));
  }

  // Light the target up while a file is over the page, and take it.
  drag(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault(); // the browser would leave the page for the file
    if (this.parts.dialog.open) return;
    if (event.type === "dragenter") this.depth++;
    if (event.type === "dragleave") this.depth = Math.max(this.depth - 1, 0);
    if (event.type === "drop") {
      this.depth = 0;
      this.ask(event.dataTransfer.files);
    }
    if (event.type === "dragenter") this.light(DROP);
    else if (this.depth === 0 && event.type !== "drop") this.light("");
  }

  // Say over the page what becomes of a file; an empty text takes it away.
  light(text) {
    this.parts.target.hidden = !text;
    if (text) this.parts.target.firstElementChild.textContent = text;
  }

  async refresh() {
    const answer = await fetch("/api/job/tasks");
    if (!answer.ok) return;
    this.tasks = [...(await answer.json()), LIKE, CHANGES];
    const job = await (await fetch("/api/job")).json();
    if (job.state === "working") this.follow(job);
  }

  // Ask what is to be done with a file, of what can be; one that nothing can be done with is refused. One at a time.
  async ask(files) {
    const [file, ...others] = files;
    if (!file || this.parts.dialog.open) return this.light("");
    const turn = ++this.looks;
    this.tell("");
    this.light(`Reading ${file.name}`);
    const { tasks, fault } = await look(file, this.largest);
    if (turn !== this.looks) return undefined; // another came meanwhile
    this.light("");
    this.parts.file.value = "";
    if (fault) return this.tell(`${file.name}: ${fault}`);
    if (others.length) this.tell(`one file at a time: ${file.name} is taken, ${others.map(({ name }) => name).join(", ")} not`);
    const fitting = this.tasks.filter(({ task }) => tasks.includes(task));
    const meanwhile = fitting.filter((task) => !this.isFollowing || task === LIKE || task === CHANGES);
    if (meanwhile.length < fitting.length) this.tell(`${this.job.name} is still being worked on: the other tasks have to wait for it`);
    return this.choose(file, meanwhile);
  }

  choose(file, fitting) {
    this.file = file;
    this.parts.question.textContent = `What shall be done with ${file.name}?`;
    const last = recall("job-task");
    const ordered = [...fitting].sort((one, other) => (other.task === last) - (one.task === last));
    this.parts.tasks.replaceChildren(...ordered.map((task, index) => choiceOf(task, index === 0)));
    this.parts.seconds.value = recall("job-seconds", "20");
    this.showTask();
    this.parts.dialog.showModal();
    this.parts.tasks.querySelector("input:checked")?.focus();
  }

  get task() {
    const chosen = this.parts.tasks.querySelector("input:checked")?.value;
    return this.tasks.find(({ task }) => task === chosen);
  }

  showTask() {
    const { choice, asks, seconds } = this.parts;
    const { task, choices = [], asks: what = "", has_length: hasLength = false } = this.task ?? {};
    asks.textContent = what;
    choice.replaceChildren(...choices.map((name) => new Option(name.replaceAll("-", " "), name)));
    const last = recall(`job-choice-${task}`);
    if (choices.includes(last)) choice.value = last;
    choice.closest(".row").hidden = !choices.length;
    seconds.closest(".row").hidden = !hasLength;
  }

  async start() {
    const { dialog, choice, seconds } = this.parts;
    const { task } = this.task;
    const { file } = this;
    remember("job-task", task);
    remember("job-seconds", seconds.value);
    if (choice.value) remember(`job-choice-${task}`, choice.value);
    dialog.close();
    if (task === LIKE.task) return this.hand("like", file, "audio/midi", `pianod plays like ${file.name} from now on`);
    if (task === CHANGES.task) return this.hand("chart", file, "application/octet-stream", `pianod plays over the changes of ${file.name} from now on`);
    const wanted = new URLSearchParams({ task, choice: choice.value, seconds: seconds.value, name: file.name });
    const sent = { method: "POST", headers: { "Content-Type": "audio/midi" }, body: file };
    const answer = await fetch(`/api/job?${wanted}`, sent).catch(() => null);
    if (!answer?.ok) return this.tell(`${file.name}: ${answer ? await answer.text() : "it could not be sent"}`);
    return this.follow(await answer.json());
  }

  // The file is no work to be done: what pianod plays live goes by it from now on.
  async hand(place, file, type, said) {
    const sent = { method: "POST", headers: { "Content-Type": type }, body: file };
    const answer = await fetch(`/api/${place}?${new URLSearchParams({ name: file.name })}`, sent).catch(() => null);
    if (answer?.ok) return this.tell(said, "good");
    return this.tell(`${file.name}: ${answer ? await answer.text() : "it could not be sent"}`);
  }

  // Follow the work to its end.
  async follow(job) {
    if (this.isFollowing) return;
    const { strip, name, progress, stop, look } = this.parts;
    this.isFollowing = true;
    this.job = job;
    name.textContent = `${job.task}: ${job.name}`;
    this.announce(`${job.task}: ${job.name}, it is being worked on`);
    progress.removeAttribute("value");
    strip.hidden = progress.hidden = stop.hidden = false;
    look.hidden = true;
    while (job.state === "working") {
      await new Promise((next) => setTimeout(next, LOOK_MS));
      job = await fetch("/api/job").then((answer) => answer.json(), () => ({ state: "failed", reason: "pianod is not there" }));
      if (job.share > 0) progress.value = job.share;
    }
    this.isFollowing = false;
    progress.hidden = stop.hidden = true;
    strip.hidden = job.state !== "done";
    if (job.state !== "done") return this.tell(`${this.job.name}: ${job.reason}`);
    name.textContent = `${job.task}: ${job.name} is done`;
    look.hidden = false;
    return this.announce(name.textContent);
  }

  forget() {
    this.parts.strip.hidden = true;
  }

  open() {
    const title = `${this.job.name || "The file"} · before and after`;
    return this.viewer.open({ title, place: "/api/job/made", picture: "/api/job/picture" });
  }
}

function choiceOf({ task, title }, isChosen) {
  const label = Object.assign(document.createElement("label"), { className: "task" });
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "job-task", value: task, checked: isChosen });
  const words = document.createElement("span");
  words.append(Object.assign(document.createElement("b"), { textContent: task }), ` ${title}`);
  label.append(input, words);
  return label;
}
