// The controls of the settings, made from what the daemon says of them: headings, labels and sliders too. What it says
// is in force is what they show.

export class SettingsForm {
  // `change(name, value)` asks the daemon; its promise gives the answer.
  constructor(element, change, tell) {
    this.element = element;
    this.change = change;
    this.tell = tell;
    this.fields = new Map();
    this.waiting = new Map(); // name -> number of answers still to come
  }

  build(descriptions) {
    const shape = JSON.stringify(descriptions);
    if (shape === this.shape) return;
    this.shape = shape;
    this.element.replaceChildren();
    this.fields.clear();
    for (const [title, rows] of Map.groupBy(descriptions, ({ section }) => section)) {
      const { modes } = rows[0];
      const section = document.createElement("section");
      const heading = document.createElement("h2");
      heading.textContent = title;
      heading.id = `group-${title.replace(/\W+/g, "-").toLowerCase()}`;
      section.setAttribute("aria-labelledby", heading.id);
      if (modes.length) section.dataset.mode = modes.join(" ");
      const note = make("p", { id: `note-${heading.id}`, className: "quiet", hidden: true });
      section.append(heading, ...rows.map((description) => this.row(description)), note);
      this.element.append(section);
    }
  }

  // Say something of a group, below its controls.
  note(group, text) {
    const note = document.getElementById(`note-group-${group}`);
    note.hidden = !text;
    if (note.textContent !== text) note.textContent = text;
  }

  row(description) {
    const { name } = description;
    const row = document.createElement("div");
    row.className = "row";
    row.title = description.description;
    const label = document.createElement("label");
    label.textContent = description.label;
    label.htmlFor = `setting-${name}`;
    const field = fieldOf(description);
    field.input.id = label.htmlFor;
    field.input.name = name;
    row.append(label, field.input, ...field.beside);
    for (const control of [field.input, ...(field.controls ?? [])]) {
      control.addEventListener("input", () => field.show(field.value()));
      control.addEventListener("change", () => this.send(name, field));
    }
    this.fields.set(name, field);
    return row;
  }

  async send(name, field) {
    this.waiting.set(name, (this.waiting.get(name) ?? 0) + 1);
    const answer = await this.change(name, field.value());
    this.waiting.set(name, this.waiting.get(name) - 1);
    this.tell(answer.type === "refused" ? answer.reason : "");
    if (answer.type === "refused" && this.last) field.set(this.last[name]);
  }

  // Show what is in force, except where the player's hand is on a control.
  show(settings) {
    this.last = settings;
    for (const section of this.element.querySelectorAll("[data-mode]")) {
      section.hidden = !section.dataset.mode.split(" ").includes(settings.mode);
    }
    for (const [name, field] of this.fields) {
      const isBusy = this.waiting.get(name) > 0 || field.input.matches(":active") || isEdited(field.input);
      if (!isBusy && settings[name] !== undefined && settings[name] !== field.value()) field.set(settings[name]);
    }
  }
}

const isEdited = (input) => input === document.activeElement && ["number", "text"].includes(input.type);

function fieldOf(description) {
  const { kind, choices, bounds, optional, none, slider } = description;
  if (kind === "switch") return switchField();
  if (kind === "choice") return choiceField(choices, optional ? none : null);
  if (kind === "text") return textField();
  return slider ? sliderField(description) : numberField(bounds, kind);
}

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

function switchField() {
  const input = make("input", { type: "checkbox" });
  return { input, beside: [], value: () => input.checked, set: (value) => (input.checked = value), show: () => {} };
}

function choiceField(choices, none) {
  const input = make("select", {});
  if (none !== null) input.append(new Option(none, ""));
  for (const choice of choices) input.append(new Option(choice, choice));
  const value = () => (input.value === "" ? null : input.value);
  return { input, beside: [], value, set: (chosen) => (input.value = chosen ?? ""), show: () => {} };
}

function textField() {
  const input = make("input", { type: "text", spellcheck: false });
  const value = () => (input.value.trim() === "" ? null : input.value);
  return { input, beside: [], value, set: (text) => (input.value = text ?? ""), show: () => {} };
}

function numberField(bounds, kind) {
  const input = make("input", { type: "number", step: kind === "whole" ? 1 : "any" });
  if (bounds.ge !== undefined) input.min = bounds.ge;
  if (bounds.le !== undefined) input.max = bounds.le;
  const value = () => (input.value === "" ? null : Number(input.value));
  return { input, beside: [], value, set: (number) => (input.value = number ?? ""), show: () => {} };
}

function sliderField({ name, kind, label, none, optional, slider }) {
  const [min, max, step] = slider;
  const input = make("input", { type: "range", min, max, step });
  const output = make("output", { ariaLive: "off" });
  output.setAttribute("for", `setting-${name}`);
  const free = optional ? make("input", { type: "checkbox", title: none }) : null;
  if (free) free.setAttribute("aria-label", `${label}: ${none}`);
  const digits = kind === "whole" ? 0 : step < 0.1 ? 2 : 1;
  const show = (value) => {
    input.disabled = value === null;
    output.textContent = value === null ? "–" : value.toFixed(digits);
  };
  const value = () => (free?.checked ? null : Number(Number(input.value).toFixed(4)));
  const set = (number) => {
    if (free) free.checked = number === null;
    if (number !== null) input.value = number;
    show(number);
  };
  set(optional ? null : min);
  if (free) {
    const both = make("span", { className: "with-none" });
    both.append(output, free);
    return { input, beside: [both], controls: [free], value, set, show };
  }
  return { input, beside: [output], value, set, show };
}
