// The controls of the settings, made from what the daemon says of them. What it says is in force is what they show.

const GROUPS = [
  ["Way of playing", ["mode"]],
  ["How bold", ["temperature", "note_top_p", "recall", "pulse_guard", "repetition_guard", "pace_guard", "top_p", "top_k", "min_p", "greedy", "seed"]],
  ["In whose manner", ["composer", "density"]],
  ["How it answers", ["trigger", "phrase_ends", "shortest_pause_s", "longest_pause_s", "answer", "ending_s"], "answer"],
  ["What asks, besides a pause", ["trigger_pedal", "trigger_key", "trigger_cc", "ending_cc", "ending_key"], "answer"],
  [
    "How it plays along",
    ["duet_hand", "duet_split", "duet_side", "duet_lowest", "duet_highest", "duet_density", "role", "restraint", "duet_loudest", "duet_louder", "when_alone", "alone_after_s"],
    "duet loop",
  ],
  ["How the loop goes round", ["loop_sounds", "loop_renews", "take_cc", "keep_cc", "undo_cc", "clear_cc"], "loop"],
  ["How it mends velocities", ["strength", "velocity_wait_ms"], "velocity"],
  ["Time and changes", ["grid", "chart", "chart_key", "chord_split", "harmony"]],
  ["Metronome", ["metronome", "tempo_bpm", "beats", "send_clock", "follow_clock", "link", "tempo_from", "tap_cc", "tap_key"]],
  ["Keyboard and sound", ["thru", "input_channel", "max_polyphony", "longest_note_s", "mode_by_program", "mode_cc"]],
];

const LABELS = {
  mode: "Mode",
  duet_split: "Split at key",
  duet_side: "pianod plays",
  velocity_wait_ms: "Longest wait, ms",
  metronome: "Clicks in",
  tempo_bpm: "Beats a minute",
  beats: "Beats in a bar",
  send_clock: "Send MIDI clock",
  follow_clock: "Follow the MIDI clock that comes in",
  longest_note_s: "Longest note, s",
  mode_by_program: "Programs choose the mode",
  mode_cc: "Controller for the mode",
  duet_hand: "Your hand",
  duet_density: "Most keys a second",
  duet_louder: "Louder by",
  loop_sounds: "Play my phrase too",
  loop_renews: "Another answer each pass",
  take_cc: "Controller: another",
  keep_cc: "Controller: keep",
  undo_cc: "Controller: undo",
  clear_cc: "Controller: clear",
  duet_lowest: "Lowest key",
  duet_highest: "Highest key",
  duet_loudest: "Loudest",
  restraint: "Restraint",
  when_alone: "When you stop",
  alone_after_s: "Stopped after, s",
  strength: "Strength",
  temperature: "Temperature",
  top_p: "Top-p",
  top_k: "Top-k",
  min_p: "Min-p",
  note_top_p: "Top-p of notes",
  repetition_guard: "Against loops",
  pace_guard: "Against rushing",
  recall: "Recall",
  pulse_guard: "Pulse",
  greedy: "Likeliest only",
  seed: "Seed",
  trigger: "Answer after",
  phrase_ends: "A phrase ends by",
  shortest_pause_s: "Shortest pause, s",
  longest_pause_s: "Longest pause, s",
  answer: "Answer length",
  composer: "In the manner of",
  density: "Notes a second",
  trigger_pedal: "Pedal that asks",
  trigger_key: "Key that asks",
  trigger_cc: "Controller that asks",
  ending_s: "An ending takes, s",
  ending_cc: "Controller that ends it",
  ending_key: "Key that ends it",
  thru: "Pass my playing on",
  input_channel: "Listen to channel",
  max_polyphony: "Most keys at once",
  yields: "Ends at my keys",
  bars: "Bars in a turn",
  grid: "Drawn to the beat",
  chart: "Changes",
  chart_key: "Key of the changes",
  chord_split: "Left hand leads under key",
  harmony: "Keeps to the changes",
  role: "Beside me it",
  link: "Take part in Ableton Link",
  tempo_from: "Beats come from",
  tap_cc: "Controller that taps",
  tap_key: "Key that taps",
};

// Sliders run over what is useful; numbers that are better typed are typed.
const SLIDERS = {
  strength: [0, 1, 0.05],
  duet_lowest: [21, 108, 1],
  duet_highest: [21, 108, 1],
  duet_loudest: [1, 127, 1],
  duet_louder: [-64, 64, 1],
  duet_density: [1, 40, 1],
  restraint: [-3, 6, 0.1],
  alone_after_s: [0.5, 30, 0.5],
  temperature: [0.1, 2, 0.05],
  top_p: [0.05, 1, 0.01],
  min_p: [0, 0.5, 0.01],
  note_top_p: [0.05, 1, 0.01],
  repetition_guard: [0, 3, 0.1],
  pace_guard: [0, 2, 0.1],
  recall: [0, 5, 0.1],
  pulse_guard: [0, 5, 0.1],
  shortest_pause_s: [0.1, 5, 0.1],
  longest_pause_s: [0.1, 5, 0.1],
  density: [0.5, 20, 0.5],
  max_polyphony: [1, 88, 1],
  duet_split: [22, 108, 1],
  chord_split: [22, 108, 1],
  velocity_wait_ms: [1, 50, 1],
  tempo_bpm: [40, 208, 1],
  beats: [1, 12, 1],
  longest_note_s: [0.5, 30, 0.5],
  grid: [0, 1, 0.05],
  harmony: [0, 1, 0.05],
  bars: [1, 16, 1],
};
const NONE = { composer: "as you play", density: "as you play", duet_split: "undivided", chord_split: "it does not" };
const AUTO = { density: "auto", duet_split: "none", chord_split: "off" };

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
    const known = new Map(descriptions.map((description) => [description.name, description]));
    const shape = JSON.stringify(descriptions);
    if (shape === this.shape) return;
    this.shape = shape;
    this.element.replaceChildren();
    this.fields.clear();
    const named = new Set(GROUPS.flatMap(([, names]) => names));
    const others = descriptions.map(({ name }) => name).filter((name) => !named.has(name));
    for (const [title, names, mode] of [...GROUPS, ["More", others]]) {
      const present = names.filter((name) => known.has(name));
      if (!present.length) continue;
      const section = document.createElement("section");
      const heading = document.createElement("h2");
      heading.textContent = title;
      heading.id = `group-${title.replace(/\W+/g, "-").toLowerCase()}`;
      section.setAttribute("aria-labelledby", heading.id);
      if (mode) section.dataset.mode = mode;
      const note = make("p", { id: `note-${heading.id}`, className: "quiet", hidden: true });
      section.append(heading, ...present.map((name) => this.row(known.get(name))), note);
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
    label.textContent = LABELS[name] ?? name.replaceAll("_", " ");
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
  const { name, kind, choices, bounds, optional } = description;
  if (kind === "switch") return switchField();
  if (kind === "choice") return choiceField(choices, optional ? (NONE[name] ?? "none") : null);
  if (kind === "text") return textField();
  if (SLIDERS[name]) return sliderField(name, optional ? NONE[name] : null, kind);
  return numberField(bounds, kind);
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

function sliderField(name, none, kind) {
  const [min, max, step] = SLIDERS[name];
  const input = make("input", { type: "range", min, max, step });
  const output = make("output", { ariaLive: "off" });
  output.setAttribute("for", `setting-${name}`);
  const free = none ? make("input", { type: "checkbox", title: none }) : null;
  if (free) free.setAttribute("aria-label", `${LABELS[name]}: ${none}`);
  const digits = kind === "whole" ? 0 : step < 0.1 ? 2 : 1;
  const show = (value) => {
    input.disabled = value === null;
    output.textContent = value === null ? AUTO[name] : value.toFixed(digits);
  };
  const value = () => (free?.checked ? null : Number(Number(input.value).toFixed(4)));
  const set = (number) => {
    if (free) free.checked = number === null;
    if (number !== null) input.value = number;
    show(number);
  };
  set(none ? null : min);
  if (free) {
    const both = make("span", { className: "with-none" });
    both.append(output, free);
    return { input, beside: [both], controls: [free], value, set, show };
  }
  return { input, beside: [output], value, set, show };
}
