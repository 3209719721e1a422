// Presets: settings by name, kept by this browser. A recalled preset is a change like any other.

const PLACE = "pianod-presets";
const NOT_KEPT = ["seed", "input_channel"]; // of the moment, or of the place

export class Presets {
  constructor(parts, current, change, tell) {
    Object.assign(this, parts); // name, list, save, recall, forget: the elements
    this.save.addEventListener("click", () => {
      const name = this.name.value.trim();
      if (!name) return tell("give the preset a name first");
      const kept = Object.entries(current()).filter(([key]) => !NOT_KEPT.includes(key));
      this.write({ ...this.read(), [name]: Object.fromEntries(kept) }, name);
      this.name.value = "";
      tell("");
    });
    this.recall.addEventListener("click", async () => {
      const preset = this.read()[this.list.value];
      if (!preset) return;
      const answer = await change(preset);
      tell(answer.type === "refused" ? answer.reason : "");
    });
    this.forget.addEventListener("click", () => {
      const { [this.list.value]: _gone, ...others } = this.read();
      this.write(others, "");
    });
    this.show("");
  }

  read() {
    try {
      return JSON.parse(localStorage.getItem(PLACE)) ?? {};
    } catch {
      return {};
    }
  }

  write(presets, chosen) {
    localStorage.setItem(PLACE, JSON.stringify(presets));
    this.show(chosen);
  }

  show(chosen) {
    const names = Object.keys(this.read()).sort();
    this.list.replaceChildren(...names.map((name) => new Option(name, name)));
    if (names.length === 0) this.list.append(new Option("none yet", ""));
    if (chosen) this.list.value = chosen;
    this.recall.disabled = this.forget.disabled = names.length === 0;
  }
}
