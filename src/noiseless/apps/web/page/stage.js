// The picture: which tiles are shown, which slice, by which window of values.

import { number } from "./words.js";

const $ = (id) => document.getElementById(id);

const STEPS = 1000; // of the two thumbs
const BETWEEN = 120; // milliseconds between two windows while a thumb moves

const WINDOWS_OF_CT = [
  ["Soft tissue", -160, 240],
  ["Lung", -1350, 150],
  ["Bone", -500, 1300],
  ["Brain", 0, 80],
];

const CAPTIONS = {
  noisy: "",
  compare: "Move the line between the two, or hold the button to see the noisy image alone.",
  removed: "What was taken away, blue below zero and red above. It should look like noise alone: what you recognise here is lost.",
  error: "How far each pixel may be wrong: 68 of 100 are nearer to the truth than this.",
  structure: "Where more than noise was taken away. Noise alone stays in the dark half of the scale.",
};

export class Stage extends EventTarget {
  #service;
  #viewer;
  #file = null;
  #job = null;
  #window = [0, 255];
  #span = [0, 255]; // from the left end of the thumbs to the right
  #slice = 0;
  #scene = new AbortController();
  #timer = 0;

  constructor(service) {
    super();
    this.#service = service;
    this.#viewer = new window.NoiselessViewer($("viewer"), { label: "Picture" });
    this.#viewer.addEventListener("view", ({ detail }) => {
      $("place").textContent = detail.pixel ? `x ${detail.pixel.x}, y ${detail.pixel.y}` : "";
    });
    for (const radio of document.querySelectorAll("input[name=view]")) radio.addEventListener("change", () => this.#show());
    $("slice").addEventListener("input", () => {
      this.#slice = Number($("slice").value) - 1;
      this.#tellSlice();
      this.#soon();
    });
    for (const [id, end] of [["low-thumb", 0], ["high-thumb", 1]]) {
      $(id).addEventListener("input", () => this.#setEnd(end, this.#valueAt($(id).value), false));
      $(id).addEventListener("change", () => {
        if ([0, STEPS].includes(Number($(id).value))) this.#tellWindow(); // at the end of the scale: a longer one
      });
    }
    for (const [id, end] of [["low", 0], ["high", 1]]) {
      $(id).addEventListener("change", () => {
        if ($(id).value === "" || !Number.isFinite(Number($(id).value))) this.#tellWindow();
        else this.#setEnd(end, Number($(id).value));
      });
    }
    $("window-auto").addEventListener("click", () => this.#setWindow(this.#usual));
    $("window-whole").addEventListener("click", () => this.#setWindow(this.#file.picture.range));
    $("make-error").addEventListener("click", () => this.dispatchEvent(new Event("want-error")));
  }

  open(file) {
    this.#file = file;
    this.#job = null;
    const { picture } = file;
    $("viewer").hidden = !picture;
    $("slices").hidden = !(picture?.slices > 1);
    $("window").hidden = !picture;
    if (picture) {
      this.#slice = Math.floor((picture.slices - 1) / 2); // ends of a volume are often empty
      $("slice").max = picture.slices;
      $("slice").value = this.#slice + 1;
      this.#tellSlice();
      $("window").open = picture.dtype !== "uint8" && window.matchMedia("(min-width: 60rem)").matches;
      $("window-buttons").querySelectorAll(".of-ct").forEach((button) => button.remove());
      if (picture.unit === "HU") this.#offerWindowsOfCt();
      this.#window = this.#usual;
      this.#tellWindow();
    }
    this.result(null);
  }

  close() {
    this.#scene.abort();
    this.#file = this.#job = null;
    this.#viewer.show(null);
  }

  /** Show a job that is done, or the noisy image alone. */
  result(job) {
    const first = !this.#job;
    this.#job = job;
    $("views").hidden = !job?.pictures;
    if (first) document.querySelector("input[name=view][value=compare]").checked = true;
    const structure = document.querySelector("input[name=view][value=structure]");
    structure.disabled = !job?.pictures?.structure;
    structure.closest("label").title = structure.disabled ? "Not tested: not possible for this kind of noise, or this size of image." : "";
    if (structure.disabled && structure.checked) document.querySelector("input[name=view][value=compare]").checked = true;
    this.#show();
  }

  get view() {
    if (!this.#job?.pictures) return "noisy";
    return document.querySelector("input[name=view]:checked").value;
  }

  #show() {
    const { view } = this;
    const picture = this.#file?.picture;
    const pictures = this.#job?.pictures;
    const lacking = view === "error" && !pictures.error;
    $("before").textContent = this.#job ? "" : picture ? "The noisy image, as it was given." : "";
    $("no-picture").hidden = Boolean(picture) && !lacking;
    $("no-picture").classList.toggle("of-map", lacking);
    $("make-error").hidden = !lacking;
    if (!picture) {
      const what = this.#file?.kind === "bag" ? "A recording" : "A video";
      $("no-picture-text").textContent = this.#job
        ? `${what} is not shown here. It is done: download the result.`
        : `${what} is not shown here. It is denoised frame by frame; download the result when it is done.`;
      $("caption").textContent = "";
      $("scale").hidden = true;
      this.#viewer.show(null);
      return;
    }
    $("no-picture-text").textContent = lacking ? "No map of the error was made for this result." : "";
    $("caption").textContent = lacking ? "" : CAPTIONS[view];
    $("window").hidden = !["noisy", "compare"].includes(view);
    this.#tellScale(lacking ? "none" : view);
    this.#scene.abort();
    this.#scene = new AbortController();
    const { width, height, tile, levels } = picture;
    const noisy = { name: "noisy", tile: this.#tiles(`api/files/${this.#file.id}/tiles/noisy`, true) };
    const of = (name, kind, windowed) => ({ name, tile: this.#tiles(`api/jobs/${this.#job.id}/tiles/${kind}`, windowed) });
    const sides = {
      noisy: () => [noisy, null],
      compare: () => [noisy, of("denoised", "denoised", true)],
      removed: () => [of("removed", "removed", false), null],
      error: () => [of("error", "error", false), null],
      structure: () => [of("structure", "structure", false), null],
    };
    const [left, right] = lacking ? sides.noisy() : sides[view]();
    this.#viewer.show({ width, height, tile, levels, left, right }, { keepView: true });
  }

  #tiles(path, windowed) {
    const { signal } = this.#scene;
    const slice = this.#slice;
    const query = windowed ? `?low=${this.#window[0]}&high=${this.#window[1]}` : "";
    return async (level, row, column) => {
      try {
        return await this.#service.bitmap(`${path}/${slice}/${level}/${row}/${column}.png${query}`, signal);
      } catch (error) {
        if (!signal.aborted) this.dispatchEvent(new CustomEvent("trouble", { detail: error }));
        throw error;
      }
    };
  }

  /** As often as pictures can follow a hand. */
  #soon() {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      if (this.#file) this.#show();
    }, BETWEEN);
  }

  #tellSlice() {
    const text = `${this.#slice + 1} of ${$("slice").max}`;
    $("slice-now").textContent = text;
    $("slice").setAttribute("aria-valuetext", text);
  }

  #tellScale(view) {
    const limits = this.#job?.pictures;
    const limit = { removed: limits?.removed_limit, error: limits?.error_limit, structure: limits?.structure_limit }[view];
    $("scale").hidden = !Number.isFinite(limit);
    if ($("scale").hidden) return;
    const unit = view !== "structure" && this.#file.picture.unit ? ` ${this.#file.picture.unit}` : "";
    $("scale-bar").className = `scale-bar ${view === "removed" ? "diverging" : "sequential"}`;
    $("scale-low").textContent = view === "removed" ? number(-limit) : "0";
    $("scale-high").textContent = `${number(limit)}${unit}`;
  }

  // ---- the window

  /** As the service proposes; whole numbers of whole numbers. */
  get #usual() {
    const { window: [low, high], dtype } = this.#file.picture;
    return dtype.startsWith("float") ? [low, high] : [Math.floor(low), Math.ceil(high)];
  }

  #valueAt(position) {
    return this.#span[0] + (Number(position) / STEPS) * (this.#span[1] - this.#span[0]);
  }

  #setEnd(end, value, newSpan = true) {
    const { dtype, range } = this.#file.picture;
    const least = dtype.startsWith("float") ? (range[1] - range[0]) / 1e4 || 1e-6 : 1;
    const next = [...this.#window];
    next[end] = dtype.startsWith("float") ? value : Math.round(value);
    if (end === 0) next[0] = Math.min(next[0], next[1] - least);
    else next[1] = Math.max(next[1], next[0] + least);
    this.#setWindow(next, newSpan);
  }

  #setWindow([low, high], newSpan = true) {
    this.#window = high > low ? [low, high] : [low, low + 1];
    this.#tellWindow(newSpan);
    this.#soon();
  }

  #tellWindow(newSpan = true) {
    const { picture } = this.#file;
    const [low, high] = this.#window;
    const { range } = picture;
    const room = high - low; // as much again on either side, unless the values end before
    const ends = [Math.min(low, Math.max(range[0], low - room)), Math.max(high, Math.min(range[1], high + room))];
    // While a hand moves a thumb, the scale under it keeps still.
    if (newSpan || low < this.#span[0] || high > this.#span[1]) this.#span = ends;
    const unit = picture.unit ? ` ${picture.unit}` : "";
    const place = (value) => (STEPS * (value - this.#span[0])) / (this.#span[1] - this.#span[0]);
    for (const [id, value] of [["low", low], ["high", high]]) {
      $(`${id}-thumb`).value = place(value);
      $(`${id}-thumb`).setAttribute("aria-valuetext", `${number(value, 5)}${unit}`);
      $(id).value = Number(value.toPrecision(6));
    }
    $("thumbs-span").style.left = `${place(low) / 10}%`;
    $("thumbs-span").style.right = `${100 - place(high) / 10}%`;
    $("window-now").textContent = `${number(low, 4)} to ${number(high, 4)}${unit}`;
    $("window-level").textContent = `(level ${number((low + high) / 2, 4)}, width ${number(high - low, 4)})`;
  }

  #offerWindowsOfCt() {
    for (const [name, low, high] of WINDOWS_OF_CT) {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet of-ct", textContent: name });
      button.addEventListener("click", () => this.#setWindow([low, high]));
      $("window-buttons").append(button);
    }
  }
}
