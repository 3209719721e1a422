// Takes: this session and those before it. One is chosen in the list, then looked at, named, marked or deleted.

const megabytes = (bytes) => (bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
const placeOf = (name) => `/api/takes/${encodeURIComponent(name.replace(/\.mid$/, ""))}`;

export class Takes {
  // `parts` by name; `tell(text, tone)` shows something, `announce` says what is seen here.
  constructor(parts, viewer, tell, announce) {
    Object.assign(this, { parts, viewer, tell, announce });
    this.entries = [];
    parts.look.addEventListener("click", () => this.open());
    parts.list.addEventListener("dblclick", () => this.open());
    parts.list.addEventListener("keydown", (event) => event.key === "Enter" && this.open());
    parts.list.addEventListener("change", () => this.choose());
    parts.star.addEventListener("click", () => this.mark({ star: !this.chosen?.star }));
    parts.name.addEventListener("change", () => this.mark({ title: parts.name.value.trim() }));
    parts.delete.addEventListener("click", () => this.delete());
    parts.delete.addEventListener("blur", () => this.ask(false));
    parts.session.addEventListener("click", () => viewer.open({ title: "This session", place: "/api/take" }));
  }

  get chosen() {
    return this.entries.find(({ name }) => name === this.parts.list.value);
  }

  async refresh() {
    const answer = await fetch("/api/takes");
    if (!answer.ok) return;
    this.entries = await answer.json();
    const { list, part, none } = this.parts;
    const chosen = list.value;
    list.replaceChildren(...this.entries.map((take) => new Option(wordsOf(take), take.name)));
    list.value = chosen;
    if (!list.value && this.entries.length) list.selectedIndex = 0;
    part.hidden = this.entries.length === 0;
    none.hidden = this.entries.length > 0;
    this.choose();
  }

  // Show what can be done with the take that is chosen.
  choose() {
    const { name, star } = this.parts;
    this.ask(false);
    if (name !== document.activeElement) name.value = this.chosen?.title ?? "";
    star.textContent = this.chosen?.star ? "No star" : "Star";
  }

  open() {
    const take = this.chosen;
    if (take) this.viewer.open({ title: take.title || dateOf(take), place: placeOf(take.name) });
  }

  async mark(changes) {
    const take = this.chosen;
    if (!take) return;
    const sent = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(changes) };
    await this.send(`${placeOf(take.name)}/marks`, sent, "title" in changes ? "it has its name" : changes.star ? "it has a star" : "the star is off");
  }

  // Delete what is chosen, when asked for twice.
  async delete() {
    const take = this.chosen;
    if (!take) return;
    if (!this.isAsking) return this.ask(true);
    this.ask(false);
    await this.send(placeOf(take.name), { method: "DELETE" }, "it is deleted");
  }

  ask(isAsking) {
    if (isAsking && !this.isAsking) this.announce("Delete it for good? Press again.");
    this.isAsking = isAsking;
    const text = isAsking ? "Delete it for good?" : "Delete";
    if (this.parts.delete.textContent !== text) this.parts.delete.textContent = text;
  }

  // Keep the last half minute of what was played as a take of its own.
  async keep() {
    const answer = await fetch("/api/take/keep", { method: "POST" }).catch(() => null);
    if (!answer?.ok) return this.tell(answer ? await answer.text() : "pianod is not there");
    this.tell("the last half minute is kept among the takes", "good");
    return this.refresh();
  }

  async send(place, sent, done) {
    const answer = await fetch(place, sent).catch(() => null);
    if (!answer?.ok) return this.tell(answer ? await answer.text() : "pianod is not there");
    this.announce(done);
    return this.refresh();
  }
}

function dateOf({ written_s: written }) {
  return new Date(written * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

function wordsOf(take) {
  const { title, star, bytes } = take;
  return [...(star ? ["★"] : []), ...(title ? [title, "·"] : []), dateOf(take), "·", megabytes(bytes)].join(" ");
}
