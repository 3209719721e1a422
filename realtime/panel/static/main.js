// The page: it joins the link, the music, the roll, the keyboard, the sound and the controls.

import { Announcer } from "./announcer.js";
import { Doctor } from "./doctor.js";
import { Faces } from "./faces.js";
import { escape } from "./focus.js";
import { Guide } from "./guide.js";
import { Health } from "./health.js";
import { Held } from "./held.js";
import { Job } from "./job.js";
import { Keyboard } from "./keyboard.js";
import { Learning } from "./learn.js";
import { Link } from "./link.js";
import { Metronome } from "./metronome.js";
import { Offers } from "./offers.js";
import { Music } from "./music.js";
import { PlayFace, turnOf } from "./play.js";
import { Phone } from "./phone.js";
import { Presets } from "./presets.js";
import { Replay } from "./replay.js";
import { Review } from "./review.js";
import { Roll } from "./roll.js";
import { SettingsForm } from "./settings.js";
import { Sound } from "./sound.js";
import { Steering } from "./steering.js";
import { Tabs } from "./tabs.js";
import { Takes } from "./takes.js";
import { MusicalTime } from "./time.js";
import { Viewer } from "./viewer.js";
import { WebMidi } from "./web_midi.js";

const SOUND_DELAY_S = 0.04; // evens out the way over the socket
const OLDEST_SOUNDED_S = 0.5;
const TOGETHER = ["duet", "loop"]; // modes in which both play at once

const find = (id) => document.getElementById(id);
const parts = (prefix, names) => Object.fromEntries(names.map((name) => [camel(name), find(`${prefix}-${name}`)]));
const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

const announce = (text) => announcer.say(text);
const announcer = new Announcer(find("announcer"), { box: find("notice-box"), text: find("notice"), close: find("notice-close") });
const link = new Link(`ws://${location.host}/api/live`);
const music = new Music();
const sound = new Sound();
const roll = new Roll(find("roll"), music, () => link.nowS());
const keyboard = new Keyboard(find("keyboard"), find("keys"), music);
const webMidi = new WebMidi();
const metronome = new Metronome(sound, () => link.nowS());
const time = new MusicalTime(
  { beat: find("time-beat"), trade: find("time-trade"), chart: find("chart"), keys: find("chart-keys") },
  () => link.nowS(),
  announce,
  async (settings) => tellRefusal(await link.ask("change", { settings })),
);
const replay = new Replay(sound, () => link.nowS(), (position) => {
  roll.backS = position === null ? 0 : Math.max(link.nowS() - position, 0.001);
});
const steering = new Steering(link, tell, announce);
const change = (name, value) => link.ask("change", { settings: { [name]: value } });
const form = new SettingsForm(find("settings"), change, tell);
const faces = new Faces(document.querySelectorAll("#faces button"));
const play = new PlayFace(
  { ways: document.querySelectorAll(".way"), title: find("knobs-title"), knobs: find("knobs"), turn: find("turn") },
  [[find("loop"), find("loop-slot")], [find("sound-part"), find("sound-slot")]],
  faces,
  async (name, value) => tellRefusal(await change(name, value)),
);
const presets = new Presets(parts("preset", ["list", "name", "recall", "save", "forget"]), (name, fields) => link.ask(name, fields), tell);
const health = new Health({
  ...Object.fromEntries(["hearing", "lateness", "fill", "counts"].map((name) => [name, find(name)])),
  hearingText: find("hearing-text"),
  latenessText: find("lateness-text"),
  fillValue: find("fill-value"),
});
const VIEWER = ["title", "first", "first-name", "second", "second-name", "listen", "output", "picture", "file", "sound", "close", "roll", "at", "at-value", "zoom", "zoom-value"];
const viewer = new Viewer({ viewer: find("viewer"), ...parts("viewer", VIEWER) }, find("live"), sound, tell, announce, [find("keyboard")]);
const takes = new Takes(
  { list: find("takes"), session: find("take-look"), ...parts("takes", ["part", "name", "look", "star", "delete", "none"]) },
  viewer,
  tell,
  announce,
);
const JOB = ["dialog", "question", "tasks", "asks", "choice", "seconds", "start", "cancel", "target", "strip", "name", "progress", "stop", "look", "close", "file"];
const job = new Job(parts("job", JOB), viewer, tell, announce);
const review = new Review({ review: find("review"), ...parts("review", ["filter", "pieces", "task", "look", "again"]) }, viewer);
const choosePort = async (direction, port) => tellRefusal(await link.ask("choose_port", port ? { direction, port } : { direction }));
const doctor = new Doctor(parts("doctor", ["look", "keyboard", "found", "state"]), (settings) => link.ask("change", { settings }), tell, announce);
const GUIDE = ["title", "back", "next", "close", "keyboard", "ports", "heard", "lamp", "output", "page-sound", "output-sound", "local", "local-off", "local-on"];
const guide = new Guide(
  { guide: find("guide"), doctorPlace: find("guide-doctor"), ...parts("guide", GUIDE) },
  find("live"),
  find("doctor"),
  { choose: choosePort, chord, tryOutput: () => post("/api/doctor/sound"), localControl: (on) => post(`/api/doctor/local-control?on=${Number(on)}`) },
  announce,
  [find("keyboard")],
);
const held = new Held(find("held"), find("keyboard"), tell);
const offers = new Offers(find("offer"), { use: (port) => choosePort("input", port), sound: () => chooseSound(true), guide: () => openGuide() }, announce, tell);
const phone = new Phone(parts("phone", ["part", "none", "code", "address", "warning"]));
const learning = new Learning(async (name, value) => tellRefusal(await change(name, value)), announce, async (afterS) => {
  const asked = Number.isFinite(afterS) ? `?after_s=${afterS}` : "";
  return (await fetch(`/api/controller${asked}`)).json();
});
let latest = null;
let soundWasChosen = false;

export const app = { announcer, doctor, faces, guide, held, steering, offers, play, link, music, sound, roll, keyboard, webMidi, metronome, time, replay, viewer, takes, job, review, status: () => latest };

function tell(text, tone) {
  announcer.tell(text, tone);
}

function tellRefusal(answer) {
  tell(answer.type === "refused" ? answer.reason : "");
}

// Show a text that changes by itself, and say the change.
function showAndSay(element, text, said = text) {
  if (element.textContent === text) return;
  element.textContent = text;
  if (said) announcer.say(said);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// What comes from the daemon

link.addEventListener("hello", ({ detail }) => {
  replay.stop();
  music.clear();
  sound.silence();
  play.leave();
  viewer.hasSoundFiles = detail.sound_files;
  job.largest = detail.largest_file;
  form.build(detail.settings);
  learning.build();
  play.build(detail.settings);
  document.body.classList.remove("away");
  tell("");
  for (const part of [takes, job, review, phone]) part.refresh();
});

link.addEventListener("away", () => {
  document.body.classList.add("away");
  sound.silence();
  showAndSay(find("activity"), "pianod is not there; trying again");
  find("activity").dataset.activity = "away";
});

link.addEventListener("events", ({ detail }) => {
  const now = link.nowS();
  for (const row of detail.events) {
    music.take(row);
    if (row[0] === "player" && row[1] === "on") hear(row[3]);
    if (row[0] === "model") soundRow("model", row, now);
    if (row[0] === "passed" && isMended()) soundRow("here", row, now);
  }
});

function hear(pitch) {
  guide.hear(pitch);
  learning.hear(pitch);
}

function soundRow(who, [, what, at, pitch, value], now) {
  const delay = at - now + (who === "model" ? SOUND_DELAY_S : 0);
  if (what === "off") sound.off(who, pitch, Math.max(delay, 0));
  else if (what === "pedal") sound.pedal(who, value === 1, Math.max(delay, 0));
  else if (delay > -OLDEST_SOUNDED_S) sound.on(who, pitch, value, Math.max(delay, 0));
}

function clockInWords(clock) {
  if (!clock) return "";
  return `MIDI clock comes in: ${clock.tempo_bpm.toFixed(1)} beats a minute${clock.runs ? "" : ", stopped"}.`;
}

// In velocity mode the keys come back with other velocities, and those are what is heard.
function isMended() {
  return latest !== null && latest.mode === "velocity";
}

link.addEventListener("status", ({ detail: status }) => {
  latest = status;
  find("activity").dataset.activity = status.activity;
  const activity = status.activity === "playing" && TOGETHER.includes(status.mode) ? status.mode : status.activity;
  showAndSay(find("activity"), status.fault ?? activity, status.fault ?? turnOf(status));
  showAndSay(find("take-fault"), status.take_fault ? `this take is not being kept: ${status.take_fault}` : "");
  play.take(status);
  guide.take(status);
  offers.take(status, sound.isOn);
  held.take(status);
  const isGone = (way) => (status.gone.some(({ what, returns }) => what === way && returns) ? " (gone)" : "");
  const ports = status.has_midi ? `in ${status.input}${isGone("input")}, out ${status.output}${isGone("output")}` : "no MIDI system: play here";
  setText(find("about"), `${status.mode} · model ${status.model} on ${status.provider.replace("ExecutionProvider", "")} · ${ports}`);
  form.show(status.settings);
  learning.take(status.settings);
  presets.show(status.presets);
  steering.show(status);
  health.take(status);
  metronome.take(status);
  form.note("metronome", clockInWords(status.clock));
  viewer.take(status, link.nowS());
  roll.grid = metronome.grid;
  time.take(status, metronome.grid);
  roll.split = status.mode === "duet" ? status.settings.duet_split : null;
  if (!soundWasChosen) setSound(!status.has_midi);
  const behind = music.first === null ? 0 : Math.max(0, Math.floor(status.at_s - music.first));
  find("back").max = String(behind);
  find("keys-shift").hidden = !keyboard.isPartial;
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
webMidi.addEventListener("controller", ({ detail }) => link.play([0xb0, detail.controller, detail.value]));
find("keys-lower").addEventListener("click", () => keyboard.shift(-1));
find("keys-higher").addEventListener("click", () => keyboard.shift(1));
keyboard.addEventListener("escape", () => escape([learning, viewer, guide], () => command("panic")));
keyboard.addEventListener("keep", () => takes.keep());
keyboard.replayed = () => (replay.isOn ? replay.keys() : viewer.keys());
find("keep").addEventListener("click", () => takes.keep());

// Do what a button asks for; `said` is what there is to say of it, where the status does not.
async function command(name, said) {
  replay.stop();
  if (name === "panic") {
    viewer.replay.stop();
    keyboard.releaseAll();
    sound.silence();
  }
  const answer = await link.ask(name);
  tellRefusal(answer);
  if (said && answer.type === "done") announce(said);
}

for (const button of document.querySelectorAll("[data-command]")) {
  button.addEventListener("click", () => command(button.dataset.command, button.dataset.said));
}

function setSound(on) {
  find("sound").checked = on;
  sound.setOn(on);
}

function chooseSound(on) {
  soundWasChosen = true;
  setSound(on);
  sound.wake();
}

// Four keys of the page's own sound, so that one hears whether there is any.
function chord() {
  chooseSound(true);
  [60, 64, 67, 72].forEach((pitch, index) => {
    sound.on("model", pitch, 80, index * 0.2);
    sound.off("model", pitch, 1.8);
  });
}

async function post(place) {
  const answer = await fetch(place, { method: "POST" });
  tell(answer.ok ? "" : await answer.text());
}

function openGuide() {
  viewer.close();
  guide.open();
}

find("connect").addEventListener("click", openGuide);
viewer.addEventListener("open", () => guide.isOpen && guide.close());
find("sound").addEventListener("change", (event) => chooseSound(event.target.checked));
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
  viewer.close();
  sound.setOn(true);
  sound.wake();
  find("sound").checked = soundWasChosen = true;
  return replay.start(music, roll.backS ? link.nowS() - roll.backS : 0);
});
replay.addEventListener("change", () => setText(find("replay"), replay.isOn ? "Stop the replay" : "Replay here"));
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

faces.start();
guide.offer();
new Tabs(find("tabs"));
find("tab-pieces").addEventListener("click", () => takes.refresh());
roll.start();
keyboard.start();
link.open();
