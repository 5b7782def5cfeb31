// Reads the stream: parts of a byte what it is, four bytes its length, and the content.
import { Plot, WINDOW_S } from "./plot.js";

const DRAWINGS_PER_S = 20, WRITINGS_PER_S = 4;
const AGAIN_MS = 2000; // a stream that has ended is asked for again after this
const OLD_S = 2; // pictures older than this are said to be
const GONE_S = 3.5; // nodes silent for longer are gone
const SPEECH = 0.5, PAUSE_S = 0.3; // voice activity that counts, and silence that still belongs to it
const MODES = ["listening", "idle", "holding", "disabled"];
const ABOUT_MODES = ["listens to a speaker", "nobody is in view", "holds still while the robot speaks", "switched off"];
const find = (selector) => document.querySelector(selector);

const plots = new Map();
const screens = {
  s: { context: find("#speaker canvas").getContext("2d"), text: find("#speaker span"), at: -Infinity },
  l: { context: find("#listener canvas").getContext("2d"), text: find("#listener span"), at: -Infinity },
};
let state = {}, speech = [];
let offset = null; // the graph's seconds minus the page's
let stream = null, problem = "";

const pageSeconds = () => performance.now() / 1000;
const graphSeconds = () => (offset === null ? 0 : pageSeconds() + offset);

// The stream

async function read() {
  stream = new AbortController();
  try {
    const answer = await fetch("stream", { signal: stream.signal });
    if (!answer.ok) throw new Error(await answer.text());
    forget();
    say("");
    await take(answer.body.getReader());
    say("The viewer has ended.");
  } catch (error) {
    if (error.name !== "AbortError") say(answered(error) ? error.message : "The viewer does not answer.");
  }
  offset = null;
  if (!document.hidden) setTimeout(read, AGAIN_MS);
}

const answered = (error) => !(error instanceof TypeError); // fetch's own errors are

async function take(reader) {
  let left = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const bytes = new Uint8Array(left.length + value.length);
    bytes.set(left);
    bytes.set(value, left.length);
    left = split(bytes);
  }
}

/** Handles whole parts, returns the rest. */
function split(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (bytes.length - at >= 5) {
    const end = at + 5 + view.getUint32(at + 1, true);
    if (end > bytes.length) break;
    const kind = String.fromCharCode(bytes[at]), content = bytes.subarray(at + 5, end);
    if (kind === "j") update(JSON.parse(new TextDecoder().decode(content)));
    else show(screens[kind], content.slice());
    at = end;
  }
  return bytes.slice(at);
}

function forget() {
  speech = [];
  for (const plot of plots.values()) plot.points = [];
}

function update(news) {
  // The shortest way that a message took tells the clocks' difference best.
  const difference = news.now - pageSeconds();
  offset = offset === null ? difference : Math.max(difference, offset - 0.001);
  if (news.state) {
    state = news.state;
    dress();
  }
  for (const [key, points] of Object.entries(news.curves)) {
    plots.get(key)?.add(points, news.now);
    if (key === "voice") points.forEach(([time, , activity]) => activity > SPEECH && hear(time));
  }
  speech = speech.filter(([, to]) => to > news.now - WINDOW_S);
}

function hear(time) {
  const last = speech.at(-1);
  if (last && time - last[1] < PAUSE_S) last[1] = time;
  else speech.push([time, time]);
}

async function show(screen, jpeg) {
  screen.at = graphSeconds();
  let bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
  } catch {
    return; // a broken picture; the next one comes soon
  }
  const canvas = screen.context.canvas;
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
  }
  screen.context.drawImage(bitmap, 0, 0);
  bitmap.close();
}

// The state

function dress() {
  for (const panel of state.panels ?? []) {
    let plot = plots.get(panel.key);
    if (!plot) {
      plot = new Plot({ ...panel });
      plots.set(panel.key, plot);
      find(`#${panel.side}`).append(plot.element);
    }
    plot.name(state.names?.[panel.key] ?? panel.names);
  }
  find("#about").textContent = [state.namespace, state.network].filter(Boolean).join("  ·  ");
  for (const button of document.querySelectorAll("#attitudes button")) {
    button.setAttribute("aria-pressed", String(button.dataset.attitude === state.attitude));
  }
}

/** What changes by itself as time goes by. */
function look() {
  const now = graphSeconds(), alive = offset !== null;
  const listens = alive && state.mode !== undefined && now - (plots.get("head")?.points.at(-1)?.[0] ?? -9) < OLD_S;
  const mode = listens ? MODES[state.mode] ?? "" : "";
  const badge = find("#mode");
  put(badge, listens ? mode : "no listener");
  badge.dataset.mode = mode;
  badge.title = listens ? ABOUT_MODES[state.mode] ?? "" : "no message of the listener arrives";
  const button = find("#enabled");
  button.disabled = !listens;
  button.setAttribute("aria-checked", String(listens && mode !== "disabled"));
  for (const each of document.querySelectorAll("#attitudes button")) each.disabled = !alive;
  put(screens.s.text, alive ? (now - screens.s.at > OLD_S ? "no picture arrives" : state.unseen ?? "") : "");
  put(screens.l.text, alive && now - screens.l.at > OLD_S ? "no picture arrives" : "");
  list(now);
}

function list(now) {
  const nodes = Object.entries(state.nodes ?? {});
  const element = find("#nodes");
  while (element.children.length > nodes.length) element.lastChild.remove();
  nodes.forEach(([name, node], i) => {
    const item = element.children[i] ?? element.appendChild(document.createElement("li"));
    const gone = now - node.at > GONE_S;
    put(item, node.level === "ok" && !gone ? name : `${name}: ${gone ? "gone" : node.message}`);
    item.dataset.level = gone ? "gone" : node.level;
  });
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function say(text) {
  problem = text;
  const element = find("#problem");
  element.hidden = !text;
  const line = document.createElement("span");
  line.textContent = text;
  element.replaceChildren(line);
}

// The buttons

async function ask(what, value) {
  try {
    const answer = await fetch(what, { method: "POST", body: JSON.stringify(value) });
    say(answer.ok ? "" : await answer.text());
  } catch {
    say("The viewer does not answer.");
  }
}

for (const button of document.querySelectorAll("#attitudes button")) {
  button.addEventListener("click", () => ask("attitude", button.dataset.attitude));
}
find("#enabled").addEventListener("click", () => ask("enabled", find("#enabled").getAttribute("aria-checked") !== "true"));

// Drawing

let drawn = 0, written = 0;

function draw(time) {
  requestAnimationFrame(draw);
  if (time - drawn < 1000 / DRAWINGS_PER_S - 4) return;
  drawn = time;
  const now = graphSeconds();
  if (time - written > 1000 / WRITINGS_PER_S) {
    written = time;
    look();
    for (const plot of plots.values()) plot.write(now);
  }
  if (offset === null) return;
  const style = getComputedStyle(document.documentElement);
  const colors = {};
  for (const name of ["soft", "grid", "speech"]) colors[name] = style.getPropertyValue(`--${name}`);
  for (const plot of plots.values()) plot.draw(now, speech, colors);
}

// A page that nobody sees costs nothing.
document.addEventListener("visibilitychange", () => (document.hidden ? stream?.abort() : read()));
requestAnimationFrame(draw);
if (!document.hidden) read();
