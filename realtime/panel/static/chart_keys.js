// The changes in any key by one click, and as steps of it.

const KEYS = ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"];
const REMEMBERED = "pianod.steps";

export class ChartKeys {
  // `change(settings)` asks the daemon; `redraw()` shows the changes again, as chords or as steps.
  constructor(element, change, redraw) {
    Object.assign(this, { element, change, redraw });
    this.chart = null; // {bars, names, steps, key}
    this.inSteps = localStorage.getItem(REMEMBERED) === "true";
    this.steps = button("Steps", "Show the chords as steps of the key: ii, V, I");
    this.steps.addEventListener("click", () => this.toggle());
    this.keys = KEYS.map((key) => button(key, `Play the changes in ${key}`));
    this.keys.forEach((one, index) => one.addEventListener("click", () => this.move(KEYS[index])));
    element.replaceChildren(this.steps, ...this.keys);
    this.show();
  }

  take(chart) {
    this.chart = chart?.steps ? chart : null;
    this.show();
  }

  // What is shown of each bar.
  words(chart) {
    return (this.inSteps ? chart.steps : chart.names) ?? chart.bars;
  }

  toggle() {
    this.inSteps = !this.inSteps;
    localStorage.setItem(REMEMBERED, String(this.inSteps));
    this.show();
    this.redraw();
  }

  move(key) {
    if (this.chart) this.change({ chart: this.chart.steps.join(" | "), chart_key: key });
  }

  show() {
    this.element.hidden = this.chart === null;
    this.steps.setAttribute("aria-pressed", String(this.inSteps));
    this.keys.forEach((one, index) => one.setAttribute("aria-pressed", String(this.chart?.key === KEYS[index])));
  }
}

function button(text, title) {
  return Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: text, title });
}
