"use strict";
/* The page of a study: asks, shows, keeps. What it asks is in manifest.js; what a video is, is nowhere here. */

(() => {
  const study = window.STUDY;
  const EQUAL = "equal";
  const ATTITUDES = ["positive", "neutral", "negative"];
  const LETTERS = "ABCDEFGH";
  // The matching test first: the preference test names the attitude of listeners that it shows too.
  const TESTS = ["matching", "preference"];
  const $ = (id) => document.getElementById(id);

  let rater = "";
  let asked = []; // this rater's questions, in this rater's order
  let at = 0; // position in asked; asked.length is the last page
  let answers = {}; // by question
  let unsent = new Set(); // questions whose answer the server has not confirmed
  let shownAt = 0;
  let sending = false;
  let warning = ""; // stands on every question

  /* ---- Chance: the same for a rater whenever and wherever they come back. */

  function random(text) {
    let state = 2166136261; // FNV-1a, then mulberry32
    for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 16777619);
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  }

  function shuffled(items, text) {
    const draw = random(`${study.study}/${rater}/${text}`);
    const order = [...items];
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(draw() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  /* As many questions of a test as one rater is asked, drawn from all strata alike. */
  function drawn(test) {
    const strata = new Map();
    for (const question of shuffled(study.questions.filter((each) => each.test === test), `draw ${test}`)) {
      strata.set(question.stratum, [...(strata.get(question.stratum) ?? []), question]);
    }
    const piles = shuffled([...strata.keys()].sort((a, b) => a - b), `strata ${test}`).map((key) => strata.get(key));
    const picked = [];
    for (let row = 0; picked.length < study.questions_each && piles.some((pile) => row < pile.length); row++) {
      picked.push(...piles.filter((pile) => row < pile.length).map((pile) => pile[row]));
    }
    return shuffled(picked.slice(0, study.questions_each), `order ${test}`);
  }

  /* ---- What is kept on this computer, by rater. */

  const raterName = (text) => text.trim().replace(/\s+/g, " ").toLowerCase();
  const place = (name) => `listener_head study ${study.study} ${name}`;

  function kept(name) {
    try {
      return JSON.parse(localStorage.getItem(place(name))) ?? {};
    } catch {
      return {};
    }
  }

  function keep() {
    try {
      localStorage.setItem(place(rater), JSON.stringify({ answers, unsent: [...unsent] }));
      localStorage.setItem(place(""), JSON.stringify({ rater }));
    } catch {
      warning = "This browser keeps nothing: please finish without closing the page.";
    }
  }

  const sheet = (of) => ({
    format: "listener_head study answers 1", study: study.study, rater, answers: of.map((id) => answers[id]),
  });

  /* ---- The server, where there is one. */

  async function fetchAnswers() {
    if (!window.STUDY_SERVER) return;
    try {
      const reply = await fetch(`answers?rater=${encodeURIComponent(rater)}`);
      if (!reply.ok) return;
      for (const answer of (await reply.json()).answers) {
        const own = answers[answer.question];
        if (!own || new Date(own.at) <= new Date(answer.at)) {
          answers[answer.question] = answer;
          unsent.delete(answer.question);
        }
      }
    } catch {
      warning = "The server did not answer; your answers are kept here.";
    }
  }

  async function send() {
    if (!window.STUDY_SERVER || sending || !unsent.size) return;
    sending = true;
    const batch = [...unsent];
    const body = JSON.stringify(sheet(batch));
    let stored = false;
    try {
      const headers = { "Content-Type": "application/json" };
      stored = (await fetch("answers", { method: "POST", headers, body })).ok;
    } catch {
      stored = false; // the next answer tries again, and so does the last page
    }
    sending = false;
    // An answer that was changed meanwhile has still to be sent.
    const sent = new Map(JSON.parse(body).answers.map((answer) => [answer.question, answer.at]));
    if (stored) for (const id of batch) if (sent.get(id) === answers[id].at) unsent.delete(id);
    keep();
    if (stored && unsent.size) await send();
    if (at === asked.length) showResult();
  }

  /* ---- Pages. */

  function show(page) {
    for (const id of ["start", "question", "done"]) $(id).hidden = id !== page;
    $("progress").hidden = page === "start";
    const done = asked.filter((each) => answers[each.id]).length;
    $("progress").max = asked.length;
    $("progress").value = done;
    $("count").textContent = page === "question" ? `Question ${at + 1} of ${asked.length}` : "";
  }

  function trouble(text) {
    $("trouble").textContent = text;
    $("trouble").hidden = !text;
  }

  function showQuestion() {
    const question = asked[at];
    const before = answers[question.id];
    const order = before?.shown ?? shuffled(question.videos, `videos ${question.id}`);
    const matching = question.test === "matching";
    trouble(warning);
    $("asked").textContent = matching ? "Which attitude does each listener have?" : "Which listener is better?";
    $("hint").replaceChildren(...(matching
      ? ["All listen to the same speaker. Judge each on its own."]
      : ["The listener's attitude to the speaker is meant to be ", strong(question.attitude), "."]));
    const speaker = question.speaker ? [figure(question.speaker, "Speaker")] : [];
    const number = counter();
    const listeners = order.map((name, i) => {
      const panel = figure(name, `Listener ${LETTERS[i]}`);
      panel.dataset.listener = name;
      if (matching) panel.append(choices(name, `Attitude of listener ${LETTERS[i]}`, ATTITUDES.map((each) => [each, each]), number));
      return panel;
    });
    $("videos").replaceChildren(...speaker, ...listeners);
    document.querySelector("#question > fieldset")?.remove();
    if (!matching) {
      const [first, second] = order;
      const options = [[first, "A is better"], [EQUAL, "Equally good"], [second, "B is better"]];
      const across = choices("better", "Which listener is better?", options, number);
      across.className = "across";
      $("videos").after(across);
    }
    if (before) check(before.choice);
    $("back").disabled = at === 0;
    show("question");
    checkComplete();
    $("asked").focus();
    shownAt = performance.now();
    prepareVideos();
    play();
  }

  const strong = (text) => Object.assign(document.createElement("strong"), { textContent: text });

  const counter = () => {
    let count = 0;
    return () => ++count;
  };

  function figure(name, caption) {
    const panel = document.createElement("figure");
    const video = document.createElement("video");
    Object.assign(video, { src: `videos/${name}`, playsInline: true, preload: "auto" });
    video.setAttribute("aria-label", caption);
    panel.append(video, Object.assign(document.createElement("figcaption"), { textContent: caption }));
    return panel;
  }

  /* Radio buttons; each has the next number as its key. */
  function choices(name, legend, options, number) {
    const group = document.createElement("fieldset");
    group.append(Object.assign(document.createElement("legend"), { textContent: legend }));
    for (const [value, text] of options) {
      const label = Object.assign(document.createElement("label"), { className: "option" });
      const input = Object.assign(document.createElement("input"), { type: "radio", name, value });
      const key = String(number());
      input.dataset.key = key;
      const word = text[0].toUpperCase() + text.slice(1);
      const hint = Object.assign(document.createElement("kbd"), { textContent: key });
      hint.setAttribute("aria-hidden", "true");
      label.append(input, word, hint);
      group.append(label);
    }
    return group;
  }

  const groups = () => [...document.querySelectorAll("#question fieldset")];
  const chosen = (group) => group.querySelector(":checked")?.value;

  function check(choice) {
    for (const input of document.querySelectorAll("#question input")) {
      input.checked = (typeof choice === "string" ? choice : choice[input.name]) === input.value;
    }
  }

  function checkComplete() {
    $("next").disabled = !groups().every(chosen);
  }

  function takeAnswer() {
    const question = asked[at];
    const choice = question.test === "preference"
      ? chosen(groups()[0])
      : Object.fromEntries(groups().map((group) => [group.querySelector("input").name, chosen(group)]));
    const shown = [...document.querySelectorAll("[data-listener]")].map((panel) => panel.dataset.listener);
    const before = answers[question.id];
    const seconds = Math.round(performance.now() - shownAt) / 1000 + (before?.seconds ?? 0);
    if (before && JSON.stringify(before.choice) === JSON.stringify(choice)) return; // only looked at again
    answers[question.id] = { question: question.id, shown, choice, seconds, at: new Date().toISOString() };
    unsent.add(question.id);
    keep();
    send();
  }

  function go(to) {
    stop();
    at = to;
    if (at < asked.length) showQuestion();
    else showDone();
  }

  function showDone() {
    show("done");
    showResult();
    $("thanks").focus();
    send();
  }

  function showResult() {
    const total = asked.length;
    const missing = asked.filter((each) => unsent.has(each.id)).length;
    const stored = window.STUDY_SERVER && !missing;
    $("again").hidden = !window.STUDY_SERVER || !missing;
    $("download").classList.toggle("primary", !stored);
    if (!window.STUDY_SERVER) {
      $("result").textContent = `All ${total} questions are answered. Please download the answers and send the file to whoever asked you.`;
    } else if (missing) {
      $("result").textContent = `${missing} of ${total} answers have not reached the server yet. Send again, or download the file.`;
    } else {
      $("result").textContent = `All ${total} answers are stored. You may close this page.`;
    }
  }

  /* ---- Videos: together from the start, with one sound. */

  const videos = () => [...document.querySelectorAll("#videos video")];

  function prepareVideos() {
    videos().forEach((video, i) => {
      video.muted = i > 0; // the speaker's sound, or that of the first listener's video
      video.addEventListener("ended", () => {
        if (videos().every((each) => each.ended)) $("play-word").textContent = "Play again";
      });
      video.addEventListener("error", () => trouble("A video cannot be played. Please tell whoever asked you."));
    });
  }

  function stop() {
    for (const video of videos()) video.pause();
  }

  function play() {
    $("play-word").textContent = "From the start";
    for (const video of videos()) {
      video.currentTime = 0;
      // Refused where nobody has touched the page yet: the button plays it then.
      video.play().catch((problem) => {
        if (problem.name === "NotAllowedError") $("play-word").textContent = "Play";
      });
    }
  }

  /* ---- What the rater does. */

  async function begin(event) {
    event.preventDefault();
    const name = raterName($("rater").value);
    if (!name || rater) return;
    rater = name;
    const before = kept(rater);
    answers = before.answers ?? {};
    unsent = new Set(before.unsent ?? []);
    await fetchAnswers();
    asked = TESTS.flatMap(drawn);
    keep();
    send();
    const open = asked.findIndex((each) => !answers[each.id]);
    go(open < 0 ? asked.length : open);
  }

  function tellKnown() {
    const name = raterName($("rater").value);
    const count = name ? Object.keys(kept(name).answers ?? {}).length : 0;
    $("known").textContent = count ? `Welcome back: ${count} answered so far.` : "";
    $("begin").textContent = count ? "Continue" : "Begin";
  }

  function download() {
    const file = new Blob([JSON.stringify(sheet(Object.keys(answers)), null, 1)], { type: "application/json" });
    const url = URL.createObjectURL(file);
    const name = `answers_${study.study}_${rater.replace(/[^\p{L}\p{N}]+/gu, "_")}.json`;
    Object.assign(document.createElement("a"), { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  function onKey(event) {
    if ($("question").hidden || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const input = document.querySelector(`#question input[data-key="${CSS.escape(event.key)}"]`);
    if (input) {
      input.checked = true;
      checkComplete();
    } else if (event.key.toLowerCase() === "r") {
      play();
    } else if (event.key === "Enter" && !event.target.closest("button, input")) {
      $("next").click();
    } else {
      return;
    }
    event.preventDefault();
  }

  $("enter").addEventListener("submit", begin);
  $("rater").addEventListener("input", tellKnown);
  $("question").addEventListener("change", checkComplete);
  $("question").addEventListener("submit", (event) => {
    event.preventDefault();
    takeAnswer();
    go(at + 1);
  });
  $("back").addEventListener("click", () => go(at - 1));
  $("review").addEventListener("click", () => go(asked.length - 1));
  $("play").addEventListener("click", play);
  $("again").addEventListener("click", send);
  $("download").addEventListener("click", download);
  document.addEventListener("keydown", onKey);
  $("rater").value = kept("").rater ?? "";
  tellKnown();
  $("rater").select(); // the next rater at this computer writes over it
})();
