// What is chosen from lists that the daemon gives: the MIDI ports, and the model that plays.

export class Steering {
  // `tell` shows a fault, `announce` says what is shown here.
  constructor(link, tell, announce) {
    Object.assign(this, { link, tell, announce });
    this.ports = ["input", "output"].map((direction) => document.getElementById(`port-${direction}`));
    this.model = document.getElementById("model");
    for (const select of this.ports) {
      select.addEventListener("change", () => {
        const port = select.value === "" ? {} : { port: select.value };
        this.choose(select, "choose_port", { direction: select.dataset.direction, ...port });
      });
    }
    this.model.addEventListener("change", () => this.choose(this.model, "choose_model", { model: this.model.value }));
  }

  async choose(select, command, fields) {
    const answer = await this.link.ask(command, fields);
    const isRefused = answer.type === "refused";
    if (isRefused) select.value = select.dataset.chosen;
    this.tell(isRefused ? answer.reason : "");
  }

  show(status) {
    document.getElementById("ports").hidden = !status.has_midi;
    showPorts(this.ports[0], status.inputs, status.input);
    showPorts(this.ports[1], status.outputs, status.output);
    this.showModels(status);
    document.getElementById("loop").hidden = status.mode !== "loop";
    say("loop-state", loopInWords(status.loop));
    this.sayLoop(status);
  }

  // Say what became of a loop, and not each of its passes.
  sayLoop({ mode, loop }) {
    const course = mode !== "loop" ? null : loop ? `${layersInWords(loop)}: ${COURSES[loop.course] ?? loop.course}` : "no loop";
    if (course !== null && this.course && course !== this.course) this.announce(course);
    this.course = course;
  }

  // Shown where there is more than one to choose from; what is being loaded is what was chosen.
  showModels({ models, model, loading, model_fault: fault }) {
    document.getElementById("models").hidden = models.length < 2;
    const chosen = loading ?? model;
    list(this.model, models.map((name) => [name, name]), chosen);
    const state = loading ? `loading ${loading}; ${model} goes on meanwhile` : (fault ?? "");
    if (say("model-state", state) && state) this.announce(state);
    if (this.played && model !== this.played) this.announce(`${model} plays now`);
    this.played = model;
  }
}

const COURSES = {
  renew: "another answer comes at the seam",
  hold: "this answer stays",
  keep: "this answer is kept, and what you play becomes a layer",
};

function loopInWords(loop) {
  if (!loop) return "Play a phrase: it is recorded, and goes round.";
  return `${loop.length_s.toFixed(1)} s, ${layersInWords(loop)}, pass ${loop.passes + 1}: ${COURSES[loop.course] ?? loop.course}.`;
}

const layersInWords = ({ layers }) => (layers === 1 ? "1 layer" : `${layers} layers`);

// Show a text; returns whether it is another than before.
function say(id, text) {
  const place = document.getElementById(id);
  const isNew = place.textContent !== text;
  if (isNew) place.textContent = text;
  return isNew;
}

// The live list of ports; the one in use is there even when it is gone, or is of pianod's own making.
function showPorts(select, names, chosen) {
  const isListed = names.includes(chosen);
  const first = isListed ? "a port of pianod's own" : chosen;
  list(select, [[first, ""], ...names.map((name) => [name, name])], isListed ? chosen : "");
}

// What it holds stays as it is while somebody is at it; what is in force is shown as soon as it is another.
function list(select, options, chosen) {
  const held = JSON.stringify(options);
  if (select.dataset.held !== held && select !== document.activeElement) {
    select.replaceChildren(...options.map(([text, value]) => new Option(text, value)));
    Object.assign(select.dataset, { held, chosen: "" });
    select.value = chosen;
  }
  if (select.dataset.chosen === chosen) return;
  select.dataset.chosen = chosen;
  select.value = chosen;
}
