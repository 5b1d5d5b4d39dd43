// The page: one file at a time, from its way in to its result.

import { save, stem } from "./downloads.js";
import { clearProblem, showProblem } from "./problems.js";
import { Results } from "./results.js";
import { Refusal, Service, pause } from "./service.js";
import { SettingsForm } from "./settings.js";
import { Stage } from "./stage.js";
import { StartPanel, showShare } from "./start.js";
import { askToken } from "./token.js";
import { TRUST, facts, kindOf, noiseSentence, number, percent, suggestion } from "./words.js";

const $ = (id) => document.getElementById(id);

const ENDED = ["done", "failed", "cancelled"];

const service = new Service(askToken);
const start = new StartPanel();
const stage = new Stage(service);
const results = new Results();
let options = null;
let form = null;

let source = null; // what was opened, to open it again: {file} or {example: true}
let open = null; // File, as the service tells it
let coming = null; // AbortController of what is on its way in
let arriving = null; // id of a file that the service has, and reads
let job = null; // the job that runs
let working = null; // AbortController of the job
let dirty = false; // whether settings changed since the last job
const saved = new Set(); // jobs whose result was downloaded

function say(text) {
  $("live").textContent = text;
}

// ---- the way in

async function bringIn(what) {
  coming?.abort(new DOMException("another file", "AbortError"));
  const controller = (coming = new AbortController());
  leave();
  source = what;
  showStart();
  clearProblem($("start-problem"));
  const name = what.file ? what.file.name || "the pasted image" : "the example";
  let file = null;
  try {
    await prepared();
    if (what.file && what.file.size > options.limits.bytes) {
      throw new Refusal("TooLarge", `${name} has ${number(what.file.size / 1e6)} MB`, 413);
    }
    if (what.file && what.file.size === 0) throw new Refusal("UnreadableFile", `${name} is empty`, 422);
    file = await patiently(() => send(what, name, controller.signal), controller.signal, (text) => start.waiting(text));
    arriving = file.id;
    start.sending(name, null);
    say(`Reading ${name}`);
    for await (const state of service.follow(`api/files/${file.id}`, isRead, { signal: controller.signal })) file = state;
    if (file.state === "failed") throw new Refusal(file.error.name, file.error.message, 422);
    start.idle();
    showFile(file);
  } catch (error) {
    if (file && open?.id !== file.id) forget(file.id);
    if (coming !== controller) return; // another file is on its way, and shows itself
    start.idle();
    if (controller.signal.aborted) return;
    const again = ["Unreachable", "NotFound", "Unauthorised", "TimedOut", "WorkerDied"].includes(error.name);
    showProblem($("start-problem"), asRefusal(error), {
      limits: options?.limits,
      actions: again ? [["Try again", () => bringIn(what)]] : [],
    });
  } finally {
    if (coming === controller) coming = arriving = null;
  }
}

function send(what, name, signal) {
  if (!what.file) {
    start.sending(name, null);
    return service.json("POST", "api/files/example", { signal });
  }
  start.sending(name, 0);
  return service.upload(what.file, (share) => start.sending(name, share), signal);
}

const isRead = (file) => file.state === "ready" || file.state === "failed";

/** Ask again for as long as the queue is full, when the service says to. */
async function patiently(ask, signal, tell) {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (error.name !== "QueueFull") throw error;
      say("The service is busy. It is asked again.");
      for (let left = Math.max(1, Math.ceil(error.retryAfter || 5)); left > 0; left -= 1) {
        tell(`The service is busy: its queue is full. Trying again in ${left} s`);
        await pause(1000, signal);
      }
    }
  }
}

function asRefusal(error) {
  if (error instanceof Refusal) return error;
  console.error(error);
  return new Refusal("Page", error.message);
}

// ---- a file

function showFile(file) {
  open = file;
  dirty = false;
  $("start").hidden = true;
  $("work").hidden = false;
  $("another").hidden = false;
  document.body.classList.add("working");
  document.title = `${file.name} – noiseless`;
  $("name").textContent = file.name;
  $("kind").textContent = kindOf(file);
  $("facts").replaceChildren(
    ...facts(file).flatMap(([term, text]) => [
      Object.assign(document.createElement("dt"), { textContent: term }),
      Object.assign(document.createElement("dd"), { textContent: text }),
    ]),
  );
  showNoise(file);
  clearProblem($("work-problem"));
  results.clear();
  $("settings").open = false;
  form.prepare(file, suggestion(file)?.preset);
  stage.open(file);
  showAction();
  $("name").focus({ preventScroll: true });
  window.scrollTo(0, 0);
  say(`${file.name} is open. ${file.noise ? $("noise-sentence").textContent : ""}`);
}

function showNoise({ noise, picture }) {
  $("noise-card").hidden = !noise;
  if (!noise) return;
  $("noise-sentence").textContent = `${noiseSentence(noise, picture)}.`;
  $("noise-trust").className = `badge trust-${noise.trust}`;
  $("noise-trust").textContent = `Trust: ${TRUST[noise.trust] ?? noise.trust}`;
  $("noise-trust").title = noise.reason ?? "";
  const warnings = noise.noise === "unknown" ? [noise.reason] : (noise.warnings ?? []);
  $("noise-warnings").replaceChildren(
    ...warnings.map((text) => Object.assign(document.createElement("li"), { textContent: text.replace(/^./, (first) => first.toUpperCase()) })),
  );
}

function showStart() {
  $("start").hidden = false;
  $("work").hidden = true;
  $("another").hidden = true;
  document.body.classList.remove("working");
  document.title = "noiseless";
}

/** Let go of the file that is open, here and at the service. */
function leave() {
  working?.abort(new DOMException("left", "AbortError"));
  working = job = null;
  if (open) {
    forget(open.id);
    stage.close();
    results.clear();
    open = null;
  }
}

function forget(id) {
  // Nobody waits for the answer: what the service does not hear of now, it deletes by its own clock.
  service.call("DELETE", `api/files/${id}`, { keepalive: true }).catch(() => {});
}

// ---- a job

async function denoise() {
  if (!open || working) return;
  const wrong = form.invalid;
  if (wrong) {
    $("settings").open = true;
    if ($("more").contains(wrong)) $("more").open = true;
    wrong.reportValidity();
    return;
  }
  clearProblem($("work-problem"));
  const controller = (working = new AbortController());
  const { signal } = controller;
  const file = open;
  dirty = false;
  showRunning("Asking the service", null);
  try {
    const request = { json: { file: file.id, settings: form.chosen() }, signal };
    job = await patiently(() => service.json("POST", "api/jobs", request), signal, (text) => showRunning(text, null));
    await follow(controller);
  } catch (error) {
    failed(error, controller);
  } finally {
    if (working === controller) {
      working = job = null;
      showAction();
    }
  }
}

async function follow({ signal }) {
  let told = "";
  const silent = (on) => on && showRunning("The service does not answer. Waiting for it", null);
  for await (const state of service.follow(`api/jobs/${job.id}`, ({ state: now }) => ENDED.includes(now), { signal, silent })) {
    job = state;
    const { share, text } = state.progress ?? { share: 0, text: "" };
    if (state.state === "waiting") {
      const place = state.place > 1 ? `Waiting, ${state.place - 1} before you` : "Waiting, next in turn";
      showRunning(place, null);
      told = announce(place, told);
    } else if (state.state === "running") {
      showRunning(capital(text || "working"), share);
      // Not every percent is worth a word: each new task, and each quarter.
      told = announce(`${capital(text || "working")}, ${25 * Math.floor(4 * share)} %`, told);
    }
  }
  if (job.state === "failed") throw new Refusal(job.error.name, job.error.message, 422);
  if (job.state === "cancelled") throw new Refusal("Cancelled", "The job was cancelled.", 409);
  const inside = $("action").contains(document.activeElement);
  for (const old of results.add(job)) service.call("DELETE", `api/jobs/${old.id}`).catch(() => {});
  working = job = null;
  showAction();
  if (inside || document.activeElement === document.body) $("download").focus({ preventScroll: true });
  say(`Done. ${$("headline").textContent}`);
}

function announce(text, before) {
  if (text !== before) say(text);
  return text;
}

const capital = (text) => text.replace(/^./, (first) => first.toUpperCase());

function failed(error, controller) {
  if (controller.signal.aborted) return;
  const refusal = asRefusal(error);
  const old = job; // it may go on while nobody hears of it
  if (["Unreachable", "NotFound", "Unauthorised"].includes(refusal.name)) lost(refusal, old ? () => goOn(old) : denoise);
  else showProblem($("work-problem"), refusal, { limits: options.limits });
}

/** Follow a job again that may have gone on while the service was out of reach. */
async function goOn(old) {
  if (working) return;
  const controller = (working = new AbortController());
  job = old;
  showRunning("Asking the service", null);
  try {
    await follow(controller);
  } catch (error) {
    failed(error, controller);
  } finally {
    if (working === controller) {
      working = job = null;
      showAction();
    }
  }
}

/** The service cannot be reached: try again. Or it has lost the file: offer to send it again. */
function lost(refusal, retry) {
  const again = source.file ? "Send the file again" : "Make the example again";
  const actions = refusal.name === "NotFound" ? [[again, () => bringIn(source)]] : [["Try again", retry]];
  showProblem($("work-problem"), refusal, { limits: options.limits, actions });
}

function cancel() {
  const id = job?.id;
  working?.abort(new DOMException("cancelled", "AbortError"));
  working = job = null;
  if (id) service.call("DELETE", `api/jobs/${id}`).catch(() => {});
  showAction();
  say("Cancelled.");
  $("denoise").focus({ preventScroll: true });
}

function showRunning(text, share) {
  const inside = document.activeElement === $("denoise");
  $("ready").hidden = true;
  $("running").hidden = false;
  $("running-text").textContent = text;
  $("running-share").textContent = share === null ? "" : percent(share);
  showShare($("running-bar"), share);
  if (open) document.title = `${share === null ? "…" : percent(share)} ${open.name} – noiseless`;
  if (inside) $("cancel").focus({ preventScroll: true });
}

function showAction() {
  $("running").hidden = true;
  $("ready").hidden = false;
  const has = Boolean(results.current);
  $("download").hidden = !has;
  $("denoise").textContent = has ? "Denoise again" : "Denoise";
  $("denoise").className = has && !dirty ? "second" : "main";
  $("download").className = has && dirty ? "second" : "main";
  if (open) document.title = `${open.name} – noiseless`;
}

// ---- what is taken home

async function download(part, name, button) {
  const { current } = results;
  clearProblem($("work-problem"));
  button.disabled = true;
  try {
    await save(service, `api/jobs/${current.id}`, part, name, part === "result" ? current.result.bytes : 0);
    if (part === "result") saved.add(current.id);
    say(`${name} is saved.`);
  } catch (error) {
    lost(asRefusal(error), () => download(part, name, button));
  } finally {
    button.disabled = false;
    if (document.activeElement === document.body) button.focus({ preventScroll: true });
  }
}

// ---- all together

async function prepared() {
  if (options) return;
  const told = await service.json("GET", "api/options");
  if (options) return; // asked for twice at a time
  form = new SettingsForm(told);
  options = told;
  form.addEventListener("change", () => {
    dirty = Boolean(results.current);
    if (open && !working) showAction();
  });
  form.addEventListener("go", denoise);
  start.offer(options);
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  const minutes = options.limits.minutes_kept;
  $("privacy").textContent = `${local ? "Your file stays on this computer" : `Your file goes to ${location.host} only`}, and is deleted when you leave the page.`;
  $("kept").textContent = `The file and its results are deleted when you leave or reload this page, at the latest ${number(minutes)} minutes after their last use.`;
}

start.addEventListener("file", ({ detail }) => bringIn({ file: detail }));
start.addEventListener("example", () => bringIn({ example: true }));
start.addEventListener("several", () => {
  const place = open ? $("work-problem") : $("start-problem");
  showProblem(place, new Refusal("Page", "One file at a time, please: several were given."));
});
stage.addEventListener("want-error", () => {
  form.wantError();
  denoise();
});
stage.addEventListener("trouble", ({ detail }) => {
  if (working || $("work-problem").firstChild || !(detail instanceof Refusal)) return;
  if (["Unreachable", "NotFound"].includes(detail.name)) lost(detail, () => stage.result(results.current));
});
results.addEventListener("change", () => stage.result(results.current));
$("denoise").addEventListener("click", denoise);
$("cancel").addEventListener("click", cancel);
$("sending-cancel").addEventListener("click", () => {
  coming?.abort(new DOMException("cancelled", "AbortError"));
  start.idle();
  $("choose").focus();
  say("Cancelled.");
});
$("download").addEventListener("click", () => download("result", results.current.result.name, $("download")));
$("report-html").addEventListener("click", () => download("report.html", `${stem(open.name)}.report.html`, $("report-html")));
$("report-json").addEventListener("click", () => download("report.json", `${stem(open.name)}.report.json`, $("report-json")));
$("theme").addEventListener("click", () => window.toggleTheme());

window.addEventListener("beforeunload", (event) => {
  // A reload deletes the file, so it asks first while there is something to lose.
  const unsaved = source?.file && results.current && !saved.has(results.current.id);
  if (working || unsaved) event.preventDefault();
});
window.addEventListener("pagehide", () => {
  for (const id of [open?.id, arriving]) if (id) forget(id);
});
window.addEventListener("pageshow", (event) => {
  if (!event.persisted || !open) return; // a page that comes back from the memory of the browser; its file does not
  leave();
  showStart();
  const again = source.file ? "Send the file again" : "Make the example again";
  showProblem($("start-problem"), new Refusal("Left", ""), { actions: [[again, () => bringIn(source)]] });
});

prepared().catch((error) => {
  showProblem($("start-problem"), asRefusal(error), { actions: [["Try again", () => location.reload()]] });
});
