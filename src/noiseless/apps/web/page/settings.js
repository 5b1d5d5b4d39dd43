// The form of settings. Only what the person changed is sent, so that a preset keeps its own values.

import { METHOD_NAMES, PRESET_NAMES, inShort, noiseName, number } from "./words.js";

const $ = (id) => document.getElementById(id);

const NUMBERS = ["strength", "steps", "sigma", "bound", "seed"];
const NO_PRESET = "No preset: the kind of noise is found out, and the network removes it.";
const NO_KIND = "Found in the image. Choose a kind if you know better.";

export class SettingsForm extends EventTarget {
  #options;
  #touched = new Set();
  #frames = false; // of a video or a bag: fewer settings

  constructor(options) {
    super();
    this.#options = options;
    const choice = (name, label) => ({ value: name, label });
    fill($("preset"), [choice("", "Find out (usual)"), ...options.presets.map(({ name }) => choice(name, PRESET_NAMES[name] ?? name))]);
    const methods = options.methods.filter(({ name }) => name !== "auto");
    fill($("method"), [choice("", "Automatic (usual)"), ...methods.map(({ name }) => choice(name, METHOD_NAMES[name] ?? name))]);
    fill($("model"), options.models.map(({ name }, index) => choice(index ? name : "", index ? name : `${name} (usual)`)));
    fill($("sampler"), options.samplers.map((name) => choice(name === "auto" ? "" : name, name === "auto" ? "Automatic (usual)" : name)));
    const found = options.noises.filter((noise) => noise.found ?? true);
    const given = options.noises.filter((noise) => !(noise.found ?? true));
    const named = ({ name }) => choice(name, noiseName(name));
    fill($("noise"), [choice("", "Find out (usual)")]);
    group($("noise"), "Can be measured in the image", found.map(named));
    group($("noise"), "Its numbers have to be given", given.map(named));
    $("form").addEventListener("input", (event) => this.#changed(event.target));
    $("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.dispatchEvent(new Event("go"));
    });
    $("to-usual").addEventListener("click", () => this.reset());
    this.reset();
  }

  /** For a file: which fields there are, in which unit sigma is, and the preset that fits it (or null). */
  prepare(file, preset) {
    this.#frames = file.kind !== "image";
    for (const field of document.querySelectorAll(".of-images")) field.hidden = this.#frames;
    $("sigma-unit").textContent = file.picture?.unit ? `(${file.picture.unit})` : "";
    this.reset();
    if (preset && this.#options.presets.some(({ name }) => name === preset)) {
      $("preset").value = preset;
      this.#show();
    }
  }

  reset() {
    $("form").reset();
    this.#touched.clear();
    this.#parameters();
    this.#show();
    this.dispatchEvent(new Event("change"));
  }

  wantError() {
    $("error").checked = true;
    this.#changed($("error"));
  }

  /** The first field that does not hold what it may, or null. */
  get invalid() {
    return [...$("form").elements].find((field) => !field.closest("[hidden]") && field.willValidate && !field.validity.valid) ?? null;
  }

  /** The settings as POST /api/jobs takes them. */
  chosen() {
    const settings = {};
    for (const name of ["preset", "method", "model", "sampler"]) if (shown($(name)) && $(name).value) settings[name] = $(name).value;
    for (const name of NUMBERS) {
      const field = $(name);
      if (!shown(field) || field.value === "") continue;
      if (field.type !== "range" || this.#touched.has(name)) settings[name] = Number(field.value);
    }
    if (shown($("noise")) && $("noise").value) settings.noise = this.#noise();
    for (const name of ["predict", "error"]) if (shown($(name)) && $(name).checked) settings[name] = true;
    return settings;
  }

  #noise() {
    const given = [...$("parameters").querySelectorAll("input")].filter((field) => field.value !== "");
    return $("noise").value + (given.length ? `:${given.map((field) => `${field.name}=${field.value}`).join(",")}` : "");
  }

  #changed(field) {
    this.#touched.add(field.id);
    if (field.id === "noise") this.#parameters();
    this.#show();
    this.dispatchEvent(new Event("change"));
  }

  #parameters() {
    const noise = this.#options.noises.find(({ name }) => name === $("noise").value);
    const found = noise?.found ?? true;
    $("parameters").replaceChildren(
      ...(noise?.parameters ?? []).map(({ name, usual }) => {
        const label = document.createElement("label");
        const field = Object.assign(document.createElement("input"), { type: "number", step: "any", name, id: `noise-${name}`, inputMode: "decimal" });
        field.required = !found && usual === null;
        field.placeholder = found ? "measured" : usual === null ? "" : `${usual}`;
        label.append(`${name[0].toUpperCase()}${name.slice(1).replaceAll("_", " ")} `, field);
        return label;
      }),
    );
  }

  #show() {
    const helpOf = (list, name) => list.find((entry) => entry.name === name)?.help ?? "";
    const { presets, methods, models, noises } = this.#options;
    $("preset-help").textContent = helpOf(presets, $("preset").value) || NO_PRESET;
    $("method-help").textContent = helpOf(methods, $("method").value || "auto");
    $("model-help").textContent = helpOf(models, $("model").value || models[0]?.name);
    $("noise-help").textContent = helpOf(noises, $("noise").value) || NO_KIND;
    $("sigma-field").hidden = Boolean($("noise").value) && !this.#frames; // its numbers have fields of their own then
    if ($("sigma-field").hidden) $("sigma").value = "";
    const preset = $("preset").selectedOptions[0]?.textContent;
    for (const name of ["strength", "steps"]) {
      const usual = $("preset").value && name === "strength" ? `as usual for ${preset}` : `${number($(name).value)} (usual)`;
      $(`${name}-now`).textContent = this.#touched.has(name) ? number($(name).value) : usual;
    }
    const short = inShort(this.chosen());
    $("settings-now").textContent = short === "usual settings" ? "usual" : short;
  }
}

const shown = (field) => !field.closest("[hidden].field");

function fill(select, choices) {
  select.replaceChildren(...choices.map(({ value, label }) => new Option(label, value)));
}

function group(select, label, choices) {
  if (!choices.length) return;
  const part = document.createElement("optgroup");
  part.label = label;
  part.append(...choices.map(({ value, label: text }) => new Option(text, value)));
  select.append(part);
}
