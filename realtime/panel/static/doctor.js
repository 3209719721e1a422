// What pianod's doctor finds, in the page: what is good, what is wrong, what to do, and a button where one does it.

const SIGNS = { good: "good", note: "note", fault: "wrong" };
const ORDER = ["fault", "note", "good"];

export class Doctor {
  // `parts`: look and keyboard (buttons), found (a list), state; `change(settings)` asks the daemon.
  constructor(parts, change, tell, announce) {
    Object.assign(this, { parts, change, tell, announce });
    parts.look.addEventListener("click", () => this.look("/api/doctor", "looking at this computer; it takes some seconds"));
    parts.keyboard.addEventListener("click", () => this.look("/api/doctor/keyboard", "judging what was heard"));
  }

  async look(place, meanwhile) {
    const { look, keyboard, state } = this.parts;
    look.disabled = keyboard.disabled = true;
    state.textContent = meanwhile;
    this.announce(meanwhile);
    const answer = await fetch(place, { method: "POST" }).catch(() => null);
    look.disabled = keyboard.disabled = false;
    if (!answer?.ok) {
      state.textContent = "";
      return this.tell(answer ? await answer.text() : "pianod is not there");
    }
    this.show(await answer.json());
    return undefined;
  }

  show(sections) {
    const all = sections.flatMap(({ findings }) => findings);
    all.sort((one, other) => ORDER.indexOf(one.grade) - ORDER.indexOf(other.grade));
    this.parts.found.replaceChildren(...all.map((finding) => this.row(finding)));
    const said = summary(all);
    this.parts.state.textContent = said;
    this.announce(said);
  }

  row({ grade, says, remedy, change }) {
    const row = make("li", { className: `finding ${grade}` });
    row.append(make("b", { textContent: SIGNS[grade] }), make("span", { textContent: says }));
    if (remedy) row.append(make("p", { className: "quiet", textContent: remedy }));
    if (change) {
      const button = make("button", { type: "button", className: "small", textContent: change.button });
      button.addEventListener("click", async () => {
        const answer = await this.change(change.settings);
        if (answer.type === "refused") return this.tell(answer.reason);
        button.disabled = true;
        this.announce(`done: ${change.button}`);
        return undefined;
      });
      row.append(button);
    }
    return row;
  }
}

// Return how things stand in one line: what will not work first, then what is worth knowing.
function summary(all) {
  const [faults, notes] = ["fault", "note"].map((wanted) => all.filter(({ grade }) => grade === wanted).length);
  const rest = notes ? `${notes} of ${all.length} findings could be better: they stand below` : `all is well, of ${all.length} findings`;
  return faults ? `${faults} of ${all.length} findings ask for something to be done` : rest;
}

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
