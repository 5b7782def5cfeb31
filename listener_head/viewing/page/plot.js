// One panel: curves that move to the left, on a canvas.

export const WINDOW_S = 12;
// Readable on white and on near-black, and apart for colour-blind eyes.
const COLORS = ["#3b7dd8", "#e08a2e", "#2f9e77", "#c25aa5", "#8b74d6", "#c9a227", "#d0555a", "#4aa3b5"];
const LONGEST_GAP_S = 0.5; // a line is broken where nothing came for longer
const LEFT = 34, RIGHT = 8, TOP = 6, BOTTOM = 16; // CSS pixels around the curves
const STEPS = [1, 2, 5, 10];

export class Plot {
  constructor(panel) {
    this.panel = panel;
    this.points = []; // [time, a number or null for each curve], oldest first
    this.low = panel.low;
    this.high = panel.high;
    this.element = document.createElement("article");
    this.element.className = "panel";
    this.element.id = `panel-${panel.key}`;
    const header = document.createElement("header");
    const title = document.createElement("h2");
    title.textContent = panel.title;
    this.legend = document.createElement("ul");
    header.append(title, this.legend);
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", panel.title);
    const area = document.createElement("div");
    area.append(this.canvas);
    this.element.append(header, area);
    this.values = [];
    this.name(panel.names);
  }

  /** The names of the curves, when they are known or change. */
  name(names) {
    const same = names.length === this.values.length && names.every((name, i) => name === this.panel.names[i]);
    if (same) return;
    this.panel.names = names;
    this.points = [];
    this.values = [];
    this.legend.replaceChildren(...names.map((name, i) => {
      const item = document.createElement("li");
      const line = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      line.setAttribute("aria-hidden", "true");
      const stroke = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      for (const [key, value] of [["width", "16"], ["height", "3"], ["fill", color(i)]]) stroke.setAttribute(key, value);
      line.append(stroke);
      const value = document.createElement("b");
      this.values.push(value);
      item.append(line, name, value);
      return item;
    }));
  }

  add(points, now) {
    this.points.push(...points);
    const first = this.points.findIndex((point) => point[0] > now - WINDOW_S - 1);
    if (first > 0) this.points.splice(0, first);
    if (first < 0) this.points = [];
  }

  /** The newest numbers, beside the names. */
  write(now) {
    const newest = this.points.at(-1);
    const fresh = newest && now - newest[0] < 1;
    this.values.forEach((element, i) => {
      const value = fresh ? newest[i + 1] : null;
      element.textContent = value == null ? "–" : `${format(value, this.high - this.low)}${unit(this.panel.unit)}`;
    });
  }

  draw(now, speech, colors) {
    const ratio = Math.min(devicePixelRatio, 2);
    const width = this.canvas.clientWidth, height = this.canvas.clientHeight;
    if (!width) return;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
    }
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.fit();
    const area = { left: LEFT, top: TOP, width: width - LEFT - RIGHT, height: height - TOP - BOTTOM };
    const x = (time) => area.left + area.width * (1 - (now - time) / WINDOW_S);
    const y = (value) => area.top + area.height * (1 - (value - this.low) / (this.high - this.low));
    this.shade(context, area, x, speech, colors);
    this.grid(context, area, now, x, y, colors);
    context.save();
    context.beginPath();
    context.rect(area.left, 0, area.width + 1, height);
    context.clip();
    for (let curve = this.panel.names.length; curve-- > 0;) this.curve(context, curve, x, y);
    context.restore();
  }

  /** The range grows at once and shrinks slowly. */
  fit() {
    let low = this.panel.low, high = this.panel.high;
    for (const point of this.points) {
      for (let i = 1; i <= this.panel.names.length; i++) {
        if (point[i] == null) continue;
        if (point[i] < low) low = point[i];
        if (point[i] > high) high = point[i];
      }
    }
    this.low = Math.min(low, this.low + (low - this.low) * 0.05);
    this.high = Math.max(high, this.high + (high - this.high) * 0.05);
  }

  shade(context, area, x, speech, colors) {
    context.fillStyle = colors.speech;
    for (const [from, to] of speech) {
      const left = Math.max(area.left, x(from)), right = Math.min(area.left + area.width, x(to));
      if (right > left) context.fillRect(left, area.top, right - left, area.height);
    }
  }

  grid(context, area, now, x, y, colors) {
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = colors.soft;
    context.strokeStyle = colors.grid;
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    context.beginPath();
    const step = tick(this.high - this.low);
    for (let value = Math.ceil(this.low / step) * step; value <= this.high + 1e-9; value += step) {
      const at = Math.round(y(value)) + 0.5;
      context.moveTo(area.left, at);
      context.lineTo(area.left + area.width, at);
      context.fillText(String(Number(value.toFixed(6))).replace("-", "−"), area.left - 6, at);
    }
    context.stroke();
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    for (let ago = 0; ago < WINDOW_S; ago += 2) {
      const at = x(now - ago);
      context.textAlign = ago ? "center" : "right";
      context.fillText(ago ? `−${ago} s` : "now", ago ? at : at + RIGHT - 2, area.top + area.height + 13);
    }
  }

  curve(context, curve, x, y) {
    context.strokeStyle = color(curve);
    context.lineWidth = 1.7;
    context.lineJoin = "round";
    context.beginPath();
    let before = null;
    for (const point of this.points) {
      const value = point[curve + 1];
      const broken = before === null || point[0] - before > LONGEST_GAP_S;
      if (value == null) before = null;
      else {
        if (broken) context.moveTo(x(point[0]), y(value));
        else context.lineTo(x(point[0]), y(value));
        before = point[0];
      }
    }
    context.stroke();
    if (this.panel.names.length === 1) this.fill(context, x, y);
  }

  /** The area under a curve that is alone. */
  fill(context, x, y) {
    const known = this.points.filter((point) => point[1] != null);
    if (!known.length) return;
    context.beginPath();
    context.moveTo(x(known[0][0]), y(this.low));
    for (const point of known) context.lineTo(x(point[0]), y(point[1]));
    context.lineTo(x(known.at(-1)[0]), y(this.low));
    context.globalAlpha = 0.22;
    context.fillStyle = color(0);
    context.fill();
    context.globalAlpha = 1;
  }
}

function color(i) {
  return COLORS[i % COLORS.length];
}

function unit(text) {
  return text && text !== "°" ? ` ${text}` : text;
}

function format(value, range) {
  const digits = range > 3 ? (range > 40 ? 0 : 1) : 2;
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text.replace("-", "−");
}

/** Distance of three to five round numbers over a range. */
function tick(range) {
  const power = 10 ** Math.floor(Math.log10(range / 4));
  return power * STEPS.find((step) => step * power >= range / 4);
}
