// What pianod goes by that came from a file: music that it plays like, and the changes. Each stands here by its name, and
// can be taken back.

import { focusOn } from "./focus.js";

const KINDS = [
  { kind: "like", what: "Plays like", nameOf: ({ like }) => like, place: "/api/like/none", gone: "pianod plays like no file any more" },
  { kind: "chart", what: "Plays over", nameOf: ({ chart }) => chart?.name, place: "/api/chart/none", gone: "pianod plays over no changes any more" },
];

export class Held {
  // `element` takes the rows; `otherwise` gets the focus when the last is gone; `tell(text, tone)` shows and says.
  constructor(element, otherwise, tell) {
    Object.assign(this, { element, otherwise, tell });
    this.rows = new Map(KINDS.map((each) => [each.kind, this.row(each)]));
    element.replaceChildren(...this.rows.values());
  }

  row({ kind, what, place, gone }) {
    const row = make("span", { className: "held-row", hidden: true });
    row.dataset.kind = kind;
    const button = make("button", { type: "button", className: "small", textContent: "Remove" });
    button.addEventListener("click", () => this.remove(place, gone));
    row.append(make("span", { textContent: `${what} ` }), make("b", {}), button);
    return row;
  }

  async remove(place, gone) {
    const answer = await fetch(place, { method: "POST" }).catch(() => null);
    if (!answer?.ok) return this.tell(answer ? await answer.text() : "pianod is not there");
    return this.tell(gone, "good");
  }

  take(status) {
    for (const { kind, what, nameOf } of KINDS) {
      const row = this.rows.get(kind);
      const name = nameOf(status) ?? "";
      if (row.dataset.name === name) continue;
      const hadFocus = row.contains(document.activeElement);
      row.dataset.name = name;
      row.hidden = !name;
      row.querySelector("b").textContent = name;
      row.querySelector("b").title = name;
      row.querySelector("button").setAttribute("aria-label", `Remove: ${what} ${name}`);
      if (!name && hadFocus) focusOn(...this.element.querySelectorAll("button"), this.otherwise);
    }
    this.element.hidden = [...this.rows.values()].every((row) => row.hidden);
  }
}

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
