// A data set to look through: its pieces and tasks, what is given in one colour and what is asked in the other.

const MOST_LISTED = 500;

export class Review {
  constructor(parts, viewer) {
    Object.assign(this, { parts, viewer });
    this.pieces = [];
    this.seed = 0;
    parts.filter.addEventListener("input", () => this.list());
    parts.look.addEventListener("click", () => this.open());
    parts.pieces.addEventListener("dblclick", () => this.open());
    parts.pieces.addEventListener("keydown", (event) => event.key === "Enter" && this.open());
    parts.task.addEventListener("change", () => this.viewer.isOpen && this.open());
    parts.again.addEventListener("click", () => {
      this.seed++;
      this.open();
    });
  }

  async refresh() {
    const answer = await fetch("/api/review");
    if (!answer.ok) return;
    const { pieces, tasks } = await answer.json();
    this.pieces = pieces;
    this.parts.review.hidden = pieces.length === 0;
    const named = (name) => new Option(name.replaceAll("_", " "), name);
    this.parts.task.replaceChildren(new Option("the piece as it is", ""), ...tasks.map(named));
    this.list();
  }

  list() {
    const wanted = this.parts.filter.value.toLowerCase();
    const found = this.pieces.map((name, number) => [name, number]).filter(([name]) => name.toLowerCase().includes(wanted));
    this.parts.pieces.replaceChildren(...found.slice(0, MOST_LISTED).map(([name, number]) => new Option(name, number)));
    this.parts.pieces.selectedIndex = 0;
  }

  open() {
    const number = this.parts.pieces.value;
    if (number === "") return;
    const place = `/api/review/${number}`;
    const task = this.parts.task.value;
    const picture = task ? `${place}/tasks/${task}?seed=${this.seed}` : undefined;
    const title = this.pieces[number] + (task ? ` · ${task.replaceAll("_", " ")}` : "");
    this.viewer.open({ title, place, picture });
  }
}
