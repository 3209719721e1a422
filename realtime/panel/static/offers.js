// What the page offers by itself: a keyboard that appears, and its own sound where nothing is wired to pianod. What was
// wired and has gone is told by its name, with what happens when it is back; so is its return.

const WAYS = ["input", "output"];
const NEVER = { input: "keyboard", output: "sound" };

export class Offers {
  // `box` takes the offers; `steps`: use(port), sound(), guide(); `announce` says an offer once, `tell` shows and says.
  constructor(box, steps, announce, tell) {
    Object.assign(this, { box, steps, announce, tell });
    this.known = null; // names of inputs that were there
    this.gone = []; // at the last look
    this.refused = new Set();
    this.shown = "";
  }

  take(status, soundIsOn) {
    if (!status.has_midi) return this.show("", null);
    this.tellReturns(status);
    const isOther = (name) => plain(name) !== plain(status.input);
    const fresh = this.known === null ? [] : status.inputs.filter((name) => !this.known.has(name) && isOther(name));
    this.known ??= new Set(status.inputs);
    if (this.plugged && !status.inputs.includes(this.plugged)) this.plugged = null;
    if (fresh.length) this.plugged = fresh[0];
    for (const name of this.known) if (!status.inputs.includes(name)) this.known.delete(name);
    for (const name of status.inputs) this.known.add(name);
    if (this.plugged && this.plugged !== status.input) return this.offerKeyboard(this.plugged);
    return this.offerSound(status, soundIsOn);
  }

  // Say once what is there again.
  tellReturns(status) {
    const { gone } = status;
    for (const { what, name } of this.gone) {
      if (!gone.some((one) => one.what === what) && isBack(what, name, status)) this.tell(`${spoken(what, name)} is back`, "good");
    }
    this.gone = gone;
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

  offerSound(status, soundIsOn) {
    const bare = unwired(status);
    const wanted = { input: bare.input, output: bare.output && !soundIsOn };
    const text = inWords(status.gone, wanted);
    if (this.refused.has(text)) return this.show("", null);
    return this.show(text, [
      ["Connect my piano", () => this.steps.guide()],
      ...(wanted.output ? [["Sound in this page", () => this.steps.sound()]] : []),
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

// What is missing: what was there, by name, and what has never been.
function inWords(gone, wanted) {
  const system = gone.find(({ what }) => what === "system");
  if (system) return goneInWords(system);
  const missing = WAYS.filter((way) => wanted[way]);
  const lost = gone.filter(({ what }) => wanted[what]);
  const never = missing.filter((way) => !lost.some(({ what }) => what === way)).map((way) => NEVER[way]);
  const none = never.length === 2 ? "Nothing is wired to pianod yet: no keyboard and no sound." : `No ${never[0]} is wired to pianod yet.`;
  return [...lost.map(goneInWords), ...(never.length ? [none] : [])].join(" ");
}

function goneInWords({ what, name, returns }) {
  if (what === "system") return `The MIDI system ${name} no longer answers. As soon as it is back, pianod takes its ports up again.`;
  const does = what === "input" ? "listens to it" : "plays on it";
  const then = returns ? `As soon as it is back, pianod ${does} again.` : "When it is back, wire it to pianod again, or choose it here.";
  return `${plain(name)} is gone: unplugged, switched off, or its program has ended. ${then}`;
}

const spoken = (what, name) => (what === "system" ? `the MIDI system ${name}` : plain(name));

// Whether something that was gone is in use again, and not another in its place.
function isBack(what, name, { input, output, players, listeners }) {
  if (what === "system") return true;
  const [chosen, others] = what === "input" ? [input, players] : [output, listeners];
  return [chosen, ...(others ?? [])].some((one) => plain(one) === plain(name));
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
