// Earlier takes: a list of names, the newest first; one of them is looked at in the viewer.

const megabytes = (bytes) => (bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

export class Takes {
  constructor(parts, viewer) {
    Object.assign(this, { parts, viewer });
    parts.look.addEventListener("click", () => this.open());
    parts.list.addEventListener("dblclick", () => this.open());
    parts.list.addEventListener("keydown", (event) => event.key === "Enter" && this.open());
    parts.session.addEventListener("click", () =>
      viewer.open({ title: "This session", picture: "/api/take/picture", file: "/api/take.mid", replay: "/api/take/replay" }),
    );
  }

  async refresh() {
    const answer = await fetch("/api/takes");
    if (!answer.ok) return;
    const takes = await answer.json();
    const chosen = this.parts.list.value;
    const options = takes.map((take) => {
      const written = new Date(take.written_s * 1000).toLocaleString([], { dateStyle: "short", timeStyle: "short" });
      return new Option(`${take.name} · ${written} · ${megabytes(take.bytes)}`, take.name);
    });
    this.parts.list.replaceChildren(...options);
    this.parts.list.value = chosen;
    if (!this.parts.list.value && takes.length) this.parts.list.selectedIndex = 0;
    this.parts.list.hidden = this.parts.look.hidden = takes.length === 0;
    this.parts.none.hidden = takes.length > 0;
  }

  open() {
    const name = this.parts.list.value;
    if (!name) return;
    const place = `/api/takes/${encodeURIComponent(name.replace(/\.mid$/, ""))}`;
    this.viewer.open({ title: name, picture: `${place}/picture`, file: `${place}.mid`, replay: `${place}/replay` });
  }
}
