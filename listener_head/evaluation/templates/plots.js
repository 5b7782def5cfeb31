"use strict";
// Draws the panels of the page's data (figures.py) on one time axis. Only what a screen can show is drawn: of
// many values in a pixel the lowest and the highest; a closer look draws the values themselves.
const data = JSON.parse(document.getElementById("plots").textContent);
const video = document.getElementById("video");
const end = Math.max(data.end, 0.1);
const shortest = Math.min(0.2, end);
let view = [0, end];

const decoded = data.arrays.map(() => null);
function array(number) {
  if (!decoded[number]) {
    const text = atob(data.arrays[number]);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    decoded[number] = new Float32Array(bytes.buffer);
  }
  return decoded[number];
}

function firstFrom(times, time) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1; else high = middle;
  }
  return low;
}

function thinned(times, values, pixels) {
  const first = Math.max(0, firstFrom(times, view[0]) - 1);
  const last = Math.min(times.length, firstFrom(times, view[1]) + 2);
  const size = (last - first) / pixels;
  if (size <= 4) return { x: times.subarray(first, last), y: values.subarray(first, last) };
  const x = [], y = [];
  for (let pixel = 0; pixel < pixels; pixel++) {
    const from = first + Math.floor(pixel * size), to = first + Math.floor((pixel + 1) * size);
    let low = -1, high = -1;
    for (let i = from; i < to; i++) {
      const value = values[i];
      if (value !== value) continue;
      if (low < 0 || value < values[low]) low = i;
      if (high < 0 || value > values[high]) high = i;
    }
    const kept = low < 0 ? [from] : low === high ? [low] : [Math.min(low, high), Math.max(low, high)];
    for (const i of kept) { x.push(times[i]); y.push(values[i]); }
  }
  return { x, y };
}

const panels = data.panels.map((panel) => {
  const element = document.getElementById(panel.id);
  const hidden = new Set();
  for (const curve of panel.curves) if (!curve.shown) hidden.add(curve.kind);
  return { ...panel, element, hidden };
});

function curves(panel) {
  const pixels = Math.max(200, panel.element.clientWidth);
  const shown = panel.curves.filter((curve) => !panel.hidden.has(curve.name) && !panel.hidden.has(curve.kind));
  return shown.map((curve) => ({
    ...thinned(array(curve.x), array(curve.y), pixels),
    type: "scatter", mode: "lines", showlegend: false,
    name: curve.kind ? `${curve.name}, ${curve.kind}` : curve.name,
    line: { color: curve.color, width: curve.dash === "solid" ? 1.6 : 1.3, dash: curve.dash },
    ...(curve.filled ? { fill: "tonexty", fillcolor: curve.color, line: { color: curve.color, width: 0.5 } } : {}),
    ...(panel.outline ? { hoverinfo: "skip" } : { hovertemplate: "%{y:.3~g}" }),
  }));
}

// One curve on an axis of its own shades all spans: quicker than a shape for each.
function shading(spans, color) {
  const x = [], y = [];
  for (const [from, to] of spans) {
    x.push(from, from, to, to);
    y.push(0, 1, 1, 0);
  }
  return { type: "scatter", mode: "lines", x, y, yaxis: "y2", fill: "tozeroy", fillcolor: color,
           line: { width: 0 }, opacity: 1, hoverinfo: "skip", showlegend: false };
}

function layout(panel) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--soft").trim(), line = style.getPropertyValue("--line").trim();
  const axis = { color: ink, gridcolor: line, zerolinecolor: line, linecolor: line };
  return {
    width: panel.element.clientWidth, height: panel.element.clientHeight,
    margin: { l: 44, r: 22, t: 8, b: 30 },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: ink, family: "system-ui, sans-serif", size: 12 },
    hovermode: "x unified", dragmode: "zoom",
    hoverlabel: { bgcolor: style.getPropertyValue("--card").trim(), bordercolor: line },
    xaxis: { ...axis, range: [...view], ticksuffix: " s", hoverformat: ".2f" },
    yaxis: { ...axis, fixedrange: true, showticklabels: !panel.outline, zeroline: true, overlaying: "y2", tickmode: "auto",
             ...(panel.from_zero ? { rangemode: "tozero" } : {}) },
    yaxis2: { visible: false, fixedrange: true, range: [0, 1] },
    shapes: [playhead(ink)],
  };
}

function playhead(color) {
  const at = video ? video.currentTime : 0;
  return { type: "line", xref: "x", yref: "paper", x0: at, x1: at, y0: 0, y1: 1,
           visible: Boolean(video), line: { color, width: 1 } };
}

function draw(panel) {
  const blue = getComputedStyle(document.documentElement).getPropertyValue("--shade").trim();
  const traces = [shading(data.speech, `${blue}1f`), shading(data.absent, "#d0555a22"), ...curves(panel)];
  Plotly.react(panel.element, traces, layout(panel), { displayModeBar: false, doubleClick: "autosize" });
  if (panel.drawn) return;
  panel.drawn = true;
  panel.element.on("plotly_relayout", (change) => {
    if (change["xaxis.autorange"]) show(0, end);
    else if ("xaxis.range[0]" in change) show(change["xaxis.range[0]"], change["xaxis.range[1]"]);
  });
  if (video) panel.element.on("plotly_click", (event) => { video.currentTime = Math.max(0, event.points[0].x); });
}

// Panels that do not yet show what they should; one is drawn at a time, those in sight first.
const stale = new Set();
let working = false;
function redraw(which = panels) {
  which.forEach((panel) => stale.add(panel));
  if (!working && stale.size) { working = true; setTimeout(work); }
}
function inSight(panel) {
  const box = panel.element.getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight;
}
function work() {
  const next = [...stale].find(inSight) ?? [...stale][0];
  if (next) { stale.delete(next); draw(next); }
  working = stale.size > 0;
  if (working) setTimeout(work);
}

function show(from, to) {
  const length = Math.min(Math.max(to - from, shortest), end);
  const start = Math.min(Math.max(from, 0), end - length);
  view = [start, start + length];
  placeWindow();
  redraw();
}

// Beside a panel's title: its curves by name, and by whose they are.
function toggles(panel) {
  const box = panel.element.parentElement.querySelector(".toggles");
  const named = new Map(), kinds = new Map();
  for (const curve of panel.curves) {
    if (!named.has(curve.name)) named.set(curve.name, curve);
    if (curve.kind && !kinds.has(curve.kind)) kinds.set(curve.kind, curve);
  }
  const add = (label, color, dash) => {
    const button = document.createElement("button"), swatch = document.createElement("i");
    button.type = "button";
    swatch.style.borderTopStyle = { solid: "solid", dot: "dotted", dash: "dashed" }[dash];
    swatch.style.borderColor = color;
    button.append(swatch, label);
    button.setAttribute("aria-pressed", !panel.hidden.has(label));
    button.addEventListener("click", () => {
      if (!panel.hidden.delete(label)) panel.hidden.add(label);
      button.setAttribute("aria-pressed", !panel.hidden.has(label));
      redraw([panel]);
    });
    box.append(button);
  };
  if (panel.outline) return;
  for (const [name, curve] of named) add(name, curve.color, "solid");
  if (kinds.size) box.append(document.createElement("span"));
  for (const [kind, curve] of kinds) add(kind, "currentColor", curve.dash);
}

// The strip: the whole recording, and the window of it that the panels show.
const strip = document.getElementById("strip");
const track = strip.querySelector(".track"), frame = strip.querySelector(".window");

function placeWindow() {
  frame.style.left = `${100 * view[0] / end}%`;
  frame.style.width = `${100 * (view[1] - view[0]) / end}%`;
  frame.setAttribute("aria-valuenow", view[0].toFixed(1));
  frame.setAttribute("aria-valuetext", `${view[0].toFixed(1)} to ${view[1].toFixed(1)} seconds`);
  const whole = view[1] - view[0] >= end - 1e-6;
  strip.querySelector(".all").disabled = whole;
}

function outline() {
  const pieces = ["speech", "voice"].map((name) => document.querySelector(`#strip .${name}`));
  pieces[0].setAttribute("d", data.speech.map(([from, to]) => `M${from} -1H${to}V1H${from}Z`).join(""));
  const voice = data.panels.find((panel) => panel.id === "voice");
  if (!voice) return;
  const times = array(voice.curves[0].x), low = array(voice.curves[0].y), high = array(voice.curves[1].y);
  const step = Math.max(1, Math.ceil(times.length / 600));
  let loudest = 1e-6, path = "";
  for (let i = 0; i < times.length; i++) loudest = Math.max(loudest, high[i], -low[i]);
  for (let i = 0; i < times.length; i += step) {
    const top = Math.max(...high.subarray(i, i + step)), bottom = Math.min(...low.subarray(i, i + step));
    path += `M${times[i].toFixed(2)} ${(-top / loudest).toFixed(3)}V${(-bottom / loudest).toFixed(3)}`;
  }
  pieces[1].setAttribute("d", path);
}

function dragging() {
  let grip = null;
  const timeAt = (event) => {
    const box = track.getBoundingClientRect();
    return end * Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  };
  track.addEventListener("pointerdown", (event) => {
    const at = timeAt(event);
    const moving = event.target === frame && view[1] - view[0] < end - 1e-6;
    grip = moving ? { moving, offset: at - view[0] } : { moving, from: at };
    track.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  track.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const at = timeAt(event);
    if (grip.moving) show(at - grip.offset, at - grip.offset + view[1] - view[0]);
    else if (Math.abs(at - grip.from) > end / 100) show(Math.min(at, grip.from), Math.max(at, grip.from));
  });
  for (const kind of ["pointerup", "pointercancel"]) track.addEventListener(kind, () => { grip = null; });
  track.addEventListener("dblclick", () => show(0, end));
  frame.addEventListener("keydown", (event) => {
    const length = view[1] - view[0];
    const change = { ArrowLeft: [-.1, -.1], ArrowRight: [.1, .1], ArrowUp: [.1, -.1], ArrowDown: [-.1, .1],
                     Home: [-end, -end], End: [end, end] }[event.key];
    if (!change) return;
    event.preventDefault();
    show(view[0] + change[0] * length, view[0] + change[0] * length + length + (change[1] - change[0]) * length);
  });
}

for (const seconds of [600, 120, 30, 5].filter((seconds) => seconds < end)) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = seconds < 60 ? `${seconds} s` : `${seconds / 60} min`;
  button.addEventListener("click", () => {
    const middle = video ? video.currentTime : (view[0] + view[1]) / 2;
    show(middle - seconds / 2, middle + seconds / 2);
  });
  strip.querySelector(".all").after(button);
}
strip.querySelector(".all").addEventListener("click", () => show(0, end));
strip.querySelector("svg").setAttribute("viewBox", `0 -1 ${end} 2`);

panels.forEach(toggles);
outline();
dragging();
placeWindow();
draw(panels[0]);
performance.mark("first plot");
redraw(panels.slice(1));

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());
// Paper is narrower than a screen, and does not wait.
const main = document.querySelector("main");
addEventListener("beforeprint", () => { main.style.width = "700px"; panels.forEach(draw); stale.clear(); });
addEventListener("afterprint", () => { main.style.width = ""; redraw(); });
addEventListener("resize", () => redraw());
if (video) {
  video.addEventListener("timeupdate", () => panels.filter((panel) => panel.drawn).forEach((panel) => {
    const at = video.currentTime;
    Plotly.relayout(panel.element, { "shapes[0].x0": at, "shapes[0].x1": at });
  }));
}
