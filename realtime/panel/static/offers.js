// What the page offers by itself: a keyboard that appears, and its own sound where nothing is wired to pianod.

export class Offers {
  // `box` takes the offers; `steps`: use(port), sound(), guide(); `announce` says an offer once.
  constructor(box, steps, announce) {
    Object.assign(this, { box, steps, announce });
    this.known = null; // names of inputs that were there
    this.refused = new Set();
    this.shown = "";
  }

  take(status, soundIsOn) {
    if (!status.has_midi) return this.show("", null);
    const fresh = this.known === null ? [] : status.inputs.filter((name) => !this.known.has(name) && name !== status.input);
    this.known ??= new Set(status.inputs);
    if (this.plugged && !status.inputs.includes(this.plugged)) this.plugged = null;
    if (fresh.length) this.plugged = fresh[0];
    for (const name of this.known) if (!status.inputs.includes(name)) this.known.delete(name);
    for (const name of fresh) this.known.add(name);
    if (this.plugged && this.plugged !== status.input) return this.offerKeyboard(this.plugged);
    return this.offerSound(unwired(status), soundIsOn);
  }

  offerKeyboard(name) {
    this.show(`${plain(name)} was plugged in: use it?`, [
      ["Use it", () => this.answer(() => this.steps.use(name))],
      ["Not now", () => this.answer(() => {})],
    ]);
  }

  answer(step) {
    this.plugged = null;
    this.show("", null);
    step();
  }

  offerSound({ input, output }, soundIsOn) {
    const what = [...(input ? ["no keyboard"] : []), ...(output && !soundIsOn ? ["no sound"] : [])];
    const text = what.length ? `Nothing is wired to pianod yet: ${what.join(" and ")}.` : "";
    if (this.refused.has(text)) return this.show("", null);
    return this.show(text, [
      ["Connect my piano", () => this.steps.guide()],
      ...(output && !soundIsOn ? [["Sound in this page", () => this.steps.sound()]] : []),
      ["Not now", () => this.refused.add(text) && this.show("", null)],
    ]);
  }

  show(text, choices) {
    if (text === this.shown) return;
    this.shown = text;
    this.box.hidden = !text;
    this.box.replaceChildren();
    if (!text) return;
    this.box.append(Object.assign(document.createElement("span"), { textContent: text }));
    for (const [title, step] of choices) {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: title });
      button.addEventListener("click", step);
      this.box.append(button);
    }
    this.announce(text);
  }
}

// Which of pianod's ends leads nowhere. A port of another's that was chosen is a wire; who is connected to one of
// pianod's own is known on some systems, and on others only by what was heard.
export function unwired({ has_midi: hasMidi, input, output, inputs, outputs, players, listeners, heard }) {
  if (!hasMidi) return { input: false, output: false };
  const bare = (names, chosen, others, sign) => !names.includes(chosen) && (others === null ? !sign : others.length === 0);
  return { input: bare(inputs, input, players, heard > 0), output: bare(outputs, output, listeners, true) };
}

// A port's name without the numbers that ALSA puts behind it.
export const plain = (name) => name.replace(/ \d+:\d+$/, "").replace(/^(.+):\1.*$/, "$1");
