// The start: ways to hand over a file, and what happens until it is open.

import { percent } from "./words.js";

const $ = (id) => document.getElementById(id);

/** Events: "file" with the File as detail, "example", "several" when more than one was dropped. */
export class StartPanel extends EventTarget {
  constructor() {
    super();
    drawHero($("hero"));
    $("choose").addEventListener("click", () => $("file").click());
    $("another").addEventListener("click", () => $("file").click());
    $("file").addEventListener("change", () => {
      this.#take($("file").files);
      $("file").value = ""; // so that the same file can be chosen again
    });
    $("example").addEventListener("click", () => this.dispatchEvent(new Event("example")));
    document.addEventListener("paste", (event) => {
      if (event.clipboardData?.files.length) this.#take(event.clipboardData.files);
    });
    this.#dropAnywhere();
  }

  /** Suffixes that the service reads, in few words, for the dialog of the system and the hint. */
  offer({ suffixes, limits, version }) {
    $("file").accept = ""; // DICOM files often have no suffix at all, so nothing is left out of the dialog
    const known = suffixes.map((suffix) => suffix.replace(/^\./, "").toLowerCase());
    const named = [
      [["png"], "PNG"], [["jpg", "jpeg"], "JPEG"], [["tif", "tiff"], "TIFF"], [["webp"], "WebP"], [["dcm"], "DICOM"], [["nii", "nii.gz"], "NIfTI"],
      [["dng"], "DNG"],
    ]
      .filter(([all]) => all.some((suffix) => known.includes(suffix)))
      .map(([, name]) => name);
    $("formats").textContent = `${[...named, "videos"].join(", ")}. Up to ${Math.round(limits.bytes / 1e6)} MB. Or paste an image.`;
    $("formats").title = `noiseless ${version}`;
  }

  /** Show how far a file is on its way: a share of the upload, or null while the service reads it. */
  sending(name, share) {
    $("sending").hidden = false;
    $("drop").classList.add("busy");
    $("sending-text").textContent = share === null ? `Reading ${name} and measuring its noise` : `Sending ${name}, ${percent(share)}`;
    showShare($("sending-bar"), share);
  }

  waiting(text) {
    $("sending").hidden = false;
    $("drop").classList.add("busy");
    $("sending-text").textContent = text;
    showShare($("sending-bar"), null);
  }

  idle() {
    $("sending").hidden = true;
    $("drop").classList.remove("busy");
  }

  #take(files) {
    if (files.length > 1) this.dispatchEvent(new Event("several"));
    else if (files.length === 1) this.dispatchEvent(new CustomEvent("file", { detail: files[0] }));
  }

  #dropAnywhere() {
    let depth = 0; // enter and leave come for each element that the hand passes over
    const show = (on) => ($("overlay").hidden = !on);
    const carriesFile = (event) => event.dataTransfer?.types.includes("Files");
    window.addEventListener("dragenter", (event) => {
      if (!carriesFile(event)) return;
      depth += 1;
      show(true);
    });
    window.addEventListener("dragleave", (event) => {
      if (!carriesFile(event)) return;
      depth -= 1;
      if (depth <= 0) show(false);
    });
    window.addEventListener("dragover", (event) => event.preventDefault());
    window.addEventListener("drop", (event) => {
      event.preventDefault();
      depth = 0;
      show(false);
      if (event.dataTransfer) this.#take(event.dataTransfer.files);
    });
  }
}

/** A bar at a share from 0 to 1; null: nobody knows how far. */
export function showShare(bar, share) {
  bar.classList.toggle("unknown", share === null);
  if (share === null) bar.removeAttribute("aria-valuenow");
  else bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
  bar.firstElementChild.style.width = share === null ? "" : `${100 * share}%`;
}

/** A line of noise that calms down, the same every time. */
function drawHero(svg) {
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647 - 0.5;
  const curve = (x) => 118 + 34 * Math.sin(x / 118 + 0.4) + 14 * Math.sin(x / 51 + 1);
  const points = [];
  for (let x = 0; x <= 900; x += 3) {
    const amount = 1 / (1 + Math.exp((x - 520) / 70));
    points.push(`${x} ${(curve(x) + 55 * (random() + random() + random()) * amount).toFixed(1)}`);
  }
  svg.querySelector(".hero-noise").setAttribute("d", `M${points.join("L")}`);
  const smooth = [];
  for (let x = 0; x <= 1200; x += 10) smooth.push(`${x} ${curve(x).toFixed(1)}`);
  svg.querySelector(".hero-smooth").setAttribute("d", `M${smooth.join("L")}`);
}
