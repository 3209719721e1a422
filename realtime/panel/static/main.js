// The page: it joins the link, the music, the roll, the keyboard, the sound and the controls.

import { Job } from "./job.js";
import { Keyboard } from "./keyboard.js";
import { Link } from "./link.js";
import { Music } from "./music.js";
import { Plot } from "./plot.js";
import { Presets } from "./presets.js";
import { Replay } from "./replay.js";
import { Roll } from "./roll.js";
import { SettingsForm } from "./settings.js";
import { Sound } from "./sound.js";
import { WebMidi } from "./web_midi.js";

const SOUND_DELAY_S = 0.04; // evens out the way over the socket
const OLDEST_SOUNDED_S = 0.5;

const find = (id) => document.getElementById(id);

const link = new Link(`ws://${location.host}/api/live`);
const music = new Music();
const sound = new Sound();
const roll = new Roll(find("roll"), music, () => link.nowS());
const keyboard = new Keyboard(find("keyboard"), find("keys"), music);
const webMidi = new WebMidi();
const plots = { hearing: new Plot(find("hearing"), find("hearing-text")), lateness: new Plot(find("lateness"), find("lateness-text")) };
const form = new SettingsForm(find("settings"), (name, value) => link.ask("change", { settings: { [name]: value } }), tell);
const replay = new Replay(music, sound, roll, () => link.nowS());
const job = new Job(
  Object.fromEntries(["file", "seconds", "progress", "result", "listen", "canvas"].map((part) => [part, find(part === "canvas" ? "job-roll" : `job-${part}`)])),
  sound,
  tell,
);
let latest = null;
let soundWasChosen = false;

export const app = { link, music, sound, roll, keyboard, webMidi, replay, job, status: () => latest };

function tell(text) {
  find("notice").textContent = text;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// What comes from the daemon

link.addEventListener("hello", ({ detail }) => {
  replay.stop();
  music.clear();
  sound.silence();
  form.build(detail.settings);
  document.body.classList.remove("away");
  tell("");
});

link.addEventListener("away", () => {
  document.body.classList.add("away");
  sound.silence();
  setText(find("activity"), "pianod is not there; trying again");
  find("activity").dataset.activity = "away";
});

link.addEventListener("events", ({ detail }) => {
  const now = link.nowS();
  for (const row of detail.events) {
    music.take(row);
    if (row[0] === "model") soundRow("model", row, now);
    if (row[0] === "passed" && isMended()) soundRow("here", row, now);
  }
});

function soundRow(who, [, what, at, pitch, value], now) {
  const delay = at - now + (who === "model" ? SOUND_DELAY_S : 0);
  if (what === "off") sound.off(who, pitch, Math.max(delay, 0));
  else if (what === "pedal") sound.pedal(who, value === 1, Math.max(delay, 0));
  else if (delay > -OLDEST_SOUNDED_S) sound.on(who, pitch, value, Math.max(delay, 0));
}

// In velocity mode the keys come back with other velocities, and those are what is heard.
function isMended() {
  return latest !== null && latest.mode === "velocity";
}

link.addEventListener("status", ({ detail: status }) => {
  latest = status;
  find("activity").dataset.activity = status.activity;
  setText(find("activity"), status.fault ?? status.activity);
  const ports = status.has_midi ? `in ${status.input}, out ${status.output}` : "no MIDI system: play here";
  setText(find("about"), `${status.mode} · model ${status.model} on ${status.provider.replace("ExecutionProvider", "")} · ${ports}`);
  form.show(status.settings);
  find("ports").hidden = !status.has_midi;
  showPorts(find("port-input"), status.inputs, status.input);
  showPorts(find("port-output"), status.outputs, status.output);
  plots.hearing.take(status.at_s, status.hearing);
  plots.lateness.take(status.at_s, status.lateness);
  find("fill").value = status.context_fill;
  setText(find("fill-value"), `${Math.round(status.context_fill * 100)} %`);
  const lost = Object.values(status.losses).reduce((sum, count) => sum + count, 0);
  setText(find("counts"), `answers ${status.answers} · heard ${status.heard} · sent ${status.sent} · ${lost} taken back or left out`);
  if (!soundWasChosen) setSound(!status.has_midi);
  const behind = music.first === null ? 0 : Math.max(0, Math.floor(status.at_s - music.first));
  find("back").max = String(behind);
});

// What the player does

function strike(pitch, velocity) {
  replay.stop();
  sound.wake();
  if (!isMended()) sound.on("here", pitch, velocity);
  link.play([0x90, pitch, velocity]);
}

function release(pitch) {
  if (!isMended()) sound.off("here", pitch);
  link.play([0x80, pitch, 64]);
}

function pedal(down) {
  if (!isMended()) sound.pedal("here", down);
  link.play([0xb0, 64, down ? 127 : 0]);
}

for (const source of [keyboard, webMidi]) {
  source.addEventListener("on", ({ detail }) => strike(detail.pitch, detail.velocity));
  source.addEventListener("off", ({ detail }) => release(detail.pitch));
  source.addEventListener("pedal", ({ detail }) => pedal(detail.down));
}
keyboard.addEventListener("panic", () => command("panic"));

async function command(name) {
  replay.stop();
  if (name === "panic") {
    keyboard.releaseAll();
    sound.silence();
  }
  const answer = await link.ask(name);
  tell(answer.type === "refused" ? answer.reason : "");
}

for (const button of document.querySelectorAll("[data-command]")) {
  button.addEventListener("click", () => command(button.dataset.command));
}

// The live list of ports; the one in use is there even when it is gone, or is of pianod's own making.
function showPorts(select, names, chosen) {
  const wanted = JSON.stringify([names, chosen]);
  if (select.dataset.shown === wanted || select === document.activeElement) return;
  select.dataset.shown = wanted;
  const options = names.map((name) => new Option(name, name));
  if (!names.includes(chosen)) options.unshift(new Option(chosen, ""));
  else options.unshift(new Option("a port of pianod's own", ""));
  select.replaceChildren(...options);
  select.value = names.includes(chosen) ? chosen : "";
}

for (const select of [find("port-input"), find("port-output")]) {
  select.addEventListener("change", async () => {
    const port = select.value === "" ? {} : { port: select.value };
    select.blur();
    const answer = await link.ask("choose_port", { direction: select.dataset.direction, ...port });
    tell(answer.type === "refused" ? answer.reason : "");
  });
}

function setSound(on) {
  find("sound").checked = on;
  sound.setOn(on);
}

find("sound").addEventListener("change", (event) => {
  soundWasChosen = true;
  setSound(event.target.checked);
  sound.wake();
});
find("volume").addEventListener("input", (event) => {
  sound.setVolume(event.target.value / 100);
  setText(find("volume-value"), event.target.value);
});
find("zoom").addEventListener("input", (event) => {
  roll.seconds = Number(event.target.value);
  setText(find("zoom-value"), `${event.target.value} s`);
});
find("back").addEventListener("input", (event) => {
  roll.backS = Number(event.target.value);
  setText(find("back-value"), roll.backS ? `${roll.backS} s` : "now");
});
find("replay").addEventListener("click", () => {
  if (replay.isOn) return replay.stop();
  sound.setOn(true);
  sound.wake();
  find("sound").checked = soundWasChosen = true;
  return replay.start(roll.backS ? link.nowS() - roll.backS : 0);
});
replay.addEventListener("change", () => setText(find("replay"), replay.isOn ? "Stop the replay" : "Replay here"));
new Presets(
  Object.fromEntries(["list", "name", "recall", "save", "forget"].map((part) => [part, find(`preset-${part}`)])),
  () => latest?.settings ?? {},
  (settings) => link.ask("change", { settings }),
  tell,
);
find("web-midi").disabled = !WebMidi.isThere;
find("web-midi").addEventListener("change", async (event) => {
  try {
    const count = await webMidi.setOn(event.target.checked);
    tell(event.target.checked && !count ? "this browser sees no MIDI keyboard; plug one in" : "");
  } catch {
    event.target.checked = false;
    tell("the browser did not allow MIDI; allow it for this page and try again");
  }
});
for (const gesture of ["pointerdown", "keydown"]) window.addEventListener(gesture, () => sound.wake(), { capture: true });

roll.start();
keyboard.start();
link.open();
