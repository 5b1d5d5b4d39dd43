// What came out: how good it is, what to mind, and the results of one file to switch between.

import { inShort } from "./words.js";

const $ = (id) => document.getElementById(id);

const KEPT = 6; // results of a file; the oldest goes when there are more

const SIGNS = {
  good: ["Good", "M5 12.5l4.5 4.5L19 7.5"],
  doubt: ["Doubt", "M12 5v9M12 18.5v.5"],
  bad: ["Bad", "M7 7l10 10M17 7L7 17"],
};

export class Results extends EventTarget {
  #jobs = [];
  #count = 0;
  #current = null;

  get current() {
    return this.#current;
  }

  clear() {
    this.#jobs = [];
    this.#count = 0;
    this.#current = null;
    $("result").hidden = true;
  }

  /** Add a job that is done, and show it. Returns the jobs that are no longer kept. */
  add(job) {
    this.#count += 1;
    this.#jobs.push({ job, name: `${this.#count}. ${inShort(job.settings)}` });
    this.#choose(job);
    return this.#jobs.splice(0, Math.max(0, this.#jobs.length - KEPT)).map((entry) => entry.job);
  }

  #choose(job) {
    this.#current = job;
    $("result").hidden = false;
    this.#history();
    quality(job);
    $("headline").textContent = job.headline ?? "Done.";
    $("report-html").hidden = !job.pictures; // there is one of images alone
    $("reserve").hidden = !job.findings?.length;
    $("findings").replaceChildren(...(job.findings ?? []).map(finding));
    this.dispatchEvent(new Event("change"));
  }

  #history() {
    $("history").hidden = this.#jobs.length < 2;
    $("history").replaceChildren(
      ...this.#jobs.map(({ job, name }) => {
        const label = document.createElement("label");
        const radio = Object.assign(document.createElement("input"), { type: "radio", name: "result", value: job.id });
        radio.checked = job === this.#current;
        radio.addEventListener("change", () => {
          this.#choose(job);
          $("history").querySelector(`input[value="${CSS.escape(job.id)}"]`).focus();
        });
        const text = document.createElement("span");
        text.textContent = name;
        label.append(radio, text);
        return label;
      }),
    );
  }
}

function quality(job) {
  const { predicted_psnr: psnr, predicted_psnr_interval: interval } = job.report?.audit ?? {};
  const truth = job.true_psnr;
  $("psnr").hidden = !Number.isFinite(psnr) && !truth;
  if ($("psnr").hidden) return;
  const decibels = (value) => `${value.toFixed(1)} dB`;
  const predicted = Number.isFinite(psnr);
  $("psnr-number").textContent = decibels(predicted ? psnr : truth.denoised);
  const [low, high] = interval ?? [];
  const sure = predicted && Number.isFinite(low) && Number.isFinite(high);
  $("psnr-label").textContent = predicted
    ? `predicted PSNR${sure ? `, ${low.toFixed(1)} to ${high.toFixed(1)} in 95 of 100 cases` : ""}`
    : "PSNR, measured";
  $("psnr-more").textContent = truth
    ? `The clean image is known here: ${decibels(truth.denoised)} in truth, ${decibels(truth.noisy)} before.`
    : "";
}

function finding({ kind, text }) {
  const item = document.createElement("li");
  const [word, path] = SIGNS[kind] ?? SIGNS.doubt;
  item.className = `finding ${kind}`;
  const sign = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of [["viewBox", "0 0 24 24"], ["aria-hidden", "true"], ["focusable", "false"]]) sign.setAttribute(name, value);
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path);
  sign.append(line);
  const named = document.createElement("strong");
  named.textContent = `${word}: `;
  const words = document.createElement("span");
  words.append(named, text);
  item.append(sign, words);
  return item;
}
