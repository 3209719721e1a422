// Presets: settings by name, kept by the daemon. A recalled preset is a change like any other. What was done is shown,
// and said once.

const DONE = { save_preset: "is kept", recall_preset: "is in force", forget_preset: "is forgotten" };

export class Presets {
  // `ask(command, fields)` asks the daemon; its promise gives the answer. `tell(text, tone)` shows something and says it.
  constructor(parts, ask, tell) {
    Object.assign(this, { parts, tell });
    const use = async (command, preset) => {
      const answer = await ask(command, { preset });
      const isDone = answer.type === "done";
      tell(isDone ? `the preset ${preset} ${DONE[command]}` : answer.reason, isDone ? "good" : "fault");
      return isDone;
    };
    parts.save.addEventListener("click", async () => {
      const name = parts.name.value.trim();
      if (!name) return tell("give the preset a name first");
      if (await use("save_preset", name)) {
        parts.name.value = "";
        this.wanted = name;
      }
      return undefined;
    });
    parts.recall.addEventListener("click", () => use("recall_preset", parts.list.value));
    parts.forget.addEventListener("click", () => use("forget_preset", parts.list.value));
  }

  show(names) {
    const { list, recall, forget } = this.parts;
    const shown = names.join("\n");
    if (shown !== this.shown) {
      this.shown = shown;
      const chosen = list.value;
      list.replaceChildren(...names.map((name) => new Option(name, name)));
      if (names.length === 0) list.append(new Option("none yet", ""));
      if (names.includes(chosen)) list.value = chosen;
      recall.disabled = forget.disabled = names.length === 0;
    }
    if (names.includes(this.wanted)) {
      list.value = this.wanted;
      this.wanted = null;
    }
  }
}
