// Plain words for what the service tells. Pure functions: nothing here touches the page.

const LIMIT_OF_FIXED = 1e5;

/** A number as a person writes it: about three digits. */
export function number(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(Number(value))) return "?";
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude >= LIMIT_OF_FIXED * 10 || magnitude < 1e-3)) return Number(value).toExponential(digits - 1);
  const places = magnitude === 0 ? 0 : Math.max(0, digits - 1 - Math.floor(Math.log10(magnitude)));
  const text = Number(value).toFixed(Math.min(places, 6));
  return (text.includes(".") ? text.replace(/\.?0+$/, "") : text).replace("-", "−");
}

export const percent = (share) => `${Math.round(100 * share)} %`;

export function bytes(count) {
  const units = ["bytes", "kB", "MB", "GB"];
  let size = count;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit ? number(size) : size} ${units[unit]}`;
}

export function listed(items, last = "and") {
  return items.length < 2 ? (items[0] ?? "") : `${items.slice(0, -1).join(", ")} ${last} ${items.at(-1)}`;
}

const FORMATS = {
  dcm: "DICOM", dicom: "DICOM", ima: "DICOM", nii: "NIfTI", png: "PNG", jpg: "JPEG", jpeg: "JPEG", tif: "TIFF", tiff: "TIFF",
  webp: "WebP", mp4: "MP4", mkv: "Matroska", avi: "AVI", mov: "QuickTime", webm: "WebM", bag: "bag of ROS 1", mcap: "MCAP",
  zarr: "Zarr", dng: "DNG", bmp: "BMP",
};

export function format(name) {
  const suffix = name.toLowerCase().replace(/\.gz$/, "").split(".").at(-1);
  return FORMATS[suffix] ?? suffix.toUpperCase();
}

const MODALITIES = {
  CT: ["CT", "ct"], MR: ["MR", "mr"], US: ["Ultrasound", "ultrasound"], CR: ["X-ray", "xray"], DX: ["X-ray", "xray"],
  RG: ["X-ray", "xray"], XA: ["X-ray", "xray"], RF: ["Fluoroscopy", "xray"], MG: ["Mammogram", "xray"],
};

/** The preset that fits what the file says it is, and the word for that; or null. */
export function suggestion(file) {
  const found = MODALITIES[file.description?.stored?.modality];
  return found ? { word: found[0], preset: found[1] } : null;
}

/** One line: what kind of file this is. */
export function kindOf(file) {
  if (file.kind === "video") return `Video, ${format(file.name)}`;
  if (file.kind === "bag") return "Recording of a robot (bag)";
  const { slices = 1, channels = 1 } = file.picture ?? {};
  const what = suggestion(file)?.word ?? (channels === 3 ? "Colour image" : channels === 1 ? "Grey image" : `Image of ${channels} channels`);
  return `${what}${slices > 1 ? `, ${slices} slices` : ""}, ${format(file.name)}`;
}

export function typeOf(dtype) {
  const [, kind, bits] = /^(u?int|float|bool)(\d*)$/.exec(dtype ?? "") ?? [];
  if (!kind) return dtype ?? "";
  if (kind === "bool") return "yes or no";
  return `${bits}-bit ${{ uint: "whole numbers", int: "whole numbers, with sign", float: "decimal numbers" }[kind]}`;
}

/** [[term, text]] of an image, for the list of facts. */
export function facts(file) {
  const { picture, description } = file;
  if (!picture) return [["File", bytes(file.bytes)], ...videoFacts(description ?? {})];
  const unit = picture.unit ? ` ${picture.unit}` : "";
  const spacing = (description?.spacing_mm ?? []).filter((size) => size > 0);
  const told = suggestion(file) || format(file.name) === "NIfTI"; // elsewhere it says how a page is printed
  return [
    ["Size", `${picture.width} × ${picture.height}${picture.slices > 1 ? ` × ${picture.slices}` : ""} pixels, ${bytes(file.bytes)}`],
    ["Type", `${typeOf(picture.dtype)}${picture.channels > 1 ? `, ${picture.channels} channels` : ""}`],
    ["Range", `${number(picture.range[0], 5)} to ${number(picture.range[1], 5)}${unit}`],
    ...(told && spacing.length ? [["Spacing", `${spacing.map((size) => number(size)).join(" × ")} mm`]] : []),
  ];
}

function videoFacts(description) {
  const { width, height, frames, rate, seconds, topics } = description;
  return [
    ...(topics ? [["Topics", topics.map(({ name, count }) => `${name} (${count})`).join(", ")]] : []),
    ...(width && height ? [["Size", `${width} × ${height} pixels`]] : []),
    ...(frames ? [["Frames", String(frames)]] : []),
    ...(rate ? [["Rate", `${number(rate)} a second`]] : []),
    ...(seconds ? [["Length", `${number(seconds)} s`]] : []),
  ];
}

const KINDS = {
  gaussian: "Gaussian noise",
  "poisson-gaussian": "photon noise and read noise",
  poisson: "photon noise",
  "srgb-photons": "photon noise, as a camera's processing leaves it",
  rician: "Rician noise, as of MR magnitude images",
  "non-central-chi": "noise of several MR coils",
  speckle: "speckle",
  "amplitude-speckle": "speckle of amplitudes",
  correlated: "noise with a grain wider than a pixel",
  tomography: "noise as tomography shapes it",
  "salt-and-pepper": "black and white pixels",
  "random-impulses": "stray pixels",
  "hot-pixels": "hot pixels",
  stripes: "stripes",
  quantisation: "rounding",
  camera: "noise of a camera's sensor",
};

const SPREAD = new Set(["gaussian", "correlated", "tomography"]); // kinds whose strength is one standard deviation

export const noiseName = (kind) => (kind === "auto" ? "Find out" : (KINDS[kind] ?? kind)).replace(/^./, (first) => first.toUpperCase());

/** The estimated noise in one sentence. */
export function noiseSentence(noise, picture) {
  const unit = picture?.unit || "";
  const kinds = String(noise.noise).split(" + ").map((kind) => KINDS[kind] ?? kind);
  const sigma = noise.sigma ?? noise.parameters?.sigma;
  const strength = strengthOf(sigma);
  if (noise.noise === "unknown" || (noise.trust === "none" && !strength)) return "The noise could not be measured";
  if (strength && SPREAD.has(String(noise.noise).split(" + ")[0])) return `About ${strength}${unit ? ` ${unit}` : ""} of ${listed(kinds)}`;
  const rest = Object.entries(noise.parameters ?? {}).filter(([, value]) => typeof value === "number");
  const numbers = rest.length ? `: ${rest.map(([name, value]) => `${name} ${number(value)}`).join(", ")}` : "";
  return `${listed(kinds)}${numbers}`.replace(/^./, (first) => first.toUpperCase());
}

function strengthOf(sigma) {
  if (typeof sigma === "number") return number(sigma);
  if (Array.isArray(sigma)) {
    const texts = sigma.flat(3).map((value) => number(value));
    return new Set(texts).size === 1 ? texts[0] : `${listed(texts)} (by channel)`;
  }
  return sigma && typeof sigma === "object" && "min" in sigma ? `${number(sigma.min)} to ${number(sigma.max)}` : "";
}

export const TRUST = { high: "high", moderate: "moderate", low: "low", none: "cannot tell" };

/** What a person can do about a refusal: [title, more]. The message of the service stands between the two. */
export function advice(refusal, limits) {
  const most = limits ? `At most ${bytes(limits.bytes)} and ${number(limits.pixels / 1e6)} million pixels are taken here.` : "";
  const table = {
    Unreachable: ["The service does not answer", "Is it still running? Nothing was changed on your computer."],
    TooLarge: ["Too large", most],
    UnsupportedFormat: ["Not a kind of file that can be read", "Choose an image, a DICOM or NIfTI file, or a video."],
    UnreadableFile: ["The file cannot be read", "It may be damaged, or not be what its name says."],
    InvalidImage: ["The image cannot be used", ""],
    QueueFull: ["Busy", ""],
    NotFound: ["The service no longer has this file", "It was restarted, or the time for which files are kept is over."],
    Left: ["The file was deleted when the page was left", "Its results are gone with it."],
    Unauthorised: ["A token is needed", "Ask whoever runs the service for it."],
    Forbidden: ["Refused", "Open the page at the address that the service printed."],
    TimedOut: ["It took too long", "A smaller image, or fewer steps, needs less time."],
    WorkerDied: ["The work broke off", "Often there was not enough memory. A smaller image may do."],
    Cancelled: ["Cancelled", ""],
    MissingExtra: ["A part is not installed", ""],
    InvalidParameter: ["This setting does not work", ""],
    InvalidRequest: ["This setting does not work", ""],
    UnknownName: ["This setting does not work", ""],
  };
  return table[refusal.name] ?? ["It did not work", ""];
}

export const METHOD_NAMES = {
  score: "Network (score)", ensemble: "Ensemble", experts: "Density of experts", "non-local-means": "Non-local means",
  "cosine-shrinkage": "Cosine shrinkage", heat: "Heat", "perona-malik": "Perona-Malik", charbonnier: "Charbonnier",
  "total-variation": "Total variation", "edge-enhancing": "Edge-enhancing", "coherence-enhancing": "Coherence-enhancing",
  "mean-curvature": "Mean curvature",
};

export const PRESET_NAMES = {
  photo: "Photograph", ct: "CT", mr: "MR", xray: "X-ray", ultrasound: "Ultrasound", microscopy: "Microscope image",
  volume: "Volume, slices close together", cctv: "Surveillance camera",
};

/** The settings of a job in few words, for the list of results. */
export function inShort(settings) {
  const { preset, method, model, strength, steps, noise, sigma, bound, sampler, error } = settings ?? {};
  const parts = [
    preset && (PRESET_NAMES[preset] ?? preset),
    method && method !== "auto" && (METHOD_NAMES[method] ?? method),
    model && model !== "base" && `model ${model}`,
    strength !== undefined && strength !== null && strength !== 1 && `strength ${number(strength)}`,
    steps > 1 && `${steps} steps`,
    sampler && sampler !== "auto" && sampler,
    noise && noise !== "auto" && noise,
    typeof sigma === "number" && `sigma ${number(sigma)}`,
    typeof bound === "number" && `bound ${number(bound)}`,
    error && "map of the error",
  ].filter(Boolean);
  return parts.join(", ") || "usual settings";
}
