"use strict";
/* The viewer of a report: its views, the pictures in the page, and the window of values that were packed. */
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (name) => document.getElementById(name);
  const element = find("viewer");
  if (!element || !data.views.length) return;
  document.documentElement.classList.add("js");
  element.hidden = false;

  const views = data.views.map((view) => ({...view}));
  for (const [key, label] of [["removed", "Removed"], ["error", "Error"], ["structure", "Structure"]]) {
    const image = find(`map-${key}`);
    if (image) views.push({key, label, width: image.width, height: image.height, left: {name: label.toLowerCase(), image: image.id}, right: null, map: true});
  }
  for (const view of views) {
    if (!view.map) continue;
    const image = find(view.left.image);
    view.width = image.naturalWidth || Number(image.getAttribute("width"));
    view.height = image.naturalHeight || Number(image.getAttribute("height"));
  }

  function sheet(width, height) {
    const canvas = document.createElement("canvas");
    canvas.width = width; canvas.height = height;
    return [canvas, canvas.getContext("2d", {willReadFrequently: true})];
  }

  async function decoded(source) {
    const image = new Image();
    image.src = source;
    await image.decode();
    const [canvas, context] = sheet(image.naturalWidth, image.naturalHeight);
    context.drawImage(image, 0, 0);
    return [canvas, context];
  }

  /* A side as a canvas of its own size: decoded once, and windowed anew where its values are packed. */
  const kept = new Map();
  function once(key, make) {
    if (!kept.has(key)) kept.set(key, make());
    return kept.get(key);
  }

  const codesOf = (view, side) => once(`codes ${view.key} ${side.name}`, async () => {
    const [canvas, context] = await decoded(side.packed);
    const {width, height} = view, size = width * height;
    const bytes = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const codes = new Uint16Array(size);
    for (let index = 0; index < size; index += 1) codes[index] = bytes[4 * index] * 256 + bytes[4 * (index + size)];
    return codes;
  });

  async function windowed(view, side) {
    const codes = await codesOf(view, side), {base, step} = view.packing, [low, high] = range;
    const table = new Uint8ClampedArray(65536);
    for (let code = 0; code < 65536; code += 1) table[code] = 255 * (base + step * code - low) / Math.max(high - low, 1e-30);
    const [canvas, context] = sheet(view.width, view.height);
    const pixels = context.createImageData(view.width, view.height), out = new Uint32Array(pixels.data.buffer);
    for (let index = 0; index < codes.length; index += 1) {
      const level = table[codes[index]];
      out[index] = 0xff000000 | (level << 16) | (level << 8) | level;
    }
    context.putImageData(pixels, 0, 0);
    return canvas;
  }

  const canvasOf = (view, side) => side.packed ? once(`shown ${view.key} ${side.name}`, () => windowed(view, side))
    : once(`image ${side.image}`, async () => (await decoded(find(side.image).src))[0]);

  /* Half as large, again and again: what the viewer draws far from 100 %. */
  async function levelOf(view, side, level) {
    if (level === 0) return canvasOf(view, side);
    return once(`${side.packed ? "shown" : "image"} ${view.key} ${side.name} ${level}`, async () => {
      const from = await levelOf(view, side, level - 1);
      const [canvas, context] = sheet(Math.ceil(from.width / 2), Math.ceil(from.height / 2));
      context.imageSmoothingQuality = "high";
      context.drawImage(from, 0, 0, from.width / 2, from.height / 2);
      return canvas;
    });
  }

  const TILE = 512;
  function sideOf(view, side) {
    return side && {name: side.name, async tile(level, row, column) {
      const from = await levelOf(view, side, level);
      const width = Math.min(TILE, from.width - column * TILE), height = Math.min(TILE, from.height - row * TILE);
      const [canvas, context] = sheet(width, height);
      context.drawImage(from, -column * TILE, -row * TILE);
      return canvas;
    }};
  }

  const viewer = new NoiselessViewer(element, {label: data.label});
  let current = null, range = null;
  const packed = views.find((view) => view.packing);
  if (packed) range = packed.packing.window;

  function show(view, keepView) {
    current = view;
    const levels = Math.max(1, Math.ceil(Math.log2(Math.max(view.width, view.height) / TILE)) + 1);
    viewer.show({width: view.width, height: view.height, tile: TILE, levels, left: sideOf(view, view.left), right: sideOf(view, view.right)}, {keepView});
    for (const button of find("picker").children) button.setAttribute("aria-pressed", String(button.dataset.key === view.key));
    if (find("window")) find("window").hidden = !view.packing;
    find("readout").textContent = "\u00a0";
  }

  element.style.aspectRatio = `${views[0].width} / ${views[0].height}`;
  if (views.length > 1) {
    find("picker").hidden = false;
    for (const view of views) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = view.label;
      button.dataset.key = view.key;
      button.addEventListener("click", () => show(view, true));
      find("picker").append(button);
    }
  }

  // ---- the window

  if (packed) {
    const {window: usual, range: [least, most]} = packed.packing;
    const level = find("level"), width = find("width");
    level.min = least; level.max = most;
    width.min = (most - least) / 500; width.max = most - least;
    const said = (value) => `${Number(value.toPrecision(4))}${packed.unit === "HU" ? " HU" : ""}`;
    const put = () => {
      level.value = (range[0] + range[1]) / 2;
      width.value = range[1] - range[0];
      tell();
    };
    const tell = () => {
      find("level-said").textContent = said(Number(level.value));
      find("width-said").textContent = said(Number(width.value));
    };
    const moved = () => {
      const middle = Number(level.value), half = Number(width.value) / 2;
      range = [middle - half, middle + half];
      for (const key of [...kept.keys()]) if (key.startsWith("shown ")) kept.delete(key);
      tell();
      show(current, true);
    };
    let waiting = 0;
    for (const input of [level, width]) {
      input.addEventListener("input", () => { if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; moved(); }); });
    }
    find("usual").addEventListener("click", () => { range = usual; put(); moved(); });
    put();
  }

  // ---- the value under the pointer

  find("readout").hidden = false;
  viewer.addEventListener("view", async ({detail: {pixel}}) => {
    if (!pixel || !current || current.map) { find("readout").textContent = "\u00a0"; return; }
    const view = current, {origin, factor} = view;
    const place = [pixel.x, pixel.y].map((at, axis) => Math.floor(at * factor) + origin[axis]);
    const values = [];
    for (const side of [view.left, view.right].filter(Boolean)) {
      if (view.packing) {
        const code = (await codesOf(view, side))[pixel.y * view.width + pixel.x];
        values.push(`${side.name} ${Number((view.packing.base + view.packing.step * code).toPrecision(5))}`);
      } else if (view.bytes) {
        const canvas = await canvasOf(view, side);
        const [r, g, b] = canvas.getContext("2d").getImageData(pixel.x, pixel.y, 1, 1).data;
        values.push(`${side.name} ${r === g && g === b ? r : `${r} ${g} ${b}`}`);
      }
    }
    if (view === current) find("readout").textContent = `x ${place[0]}, y ${place[1]}${values.length ? `: ${values.join(", ")} ${view.unit}` : ""}`;
  });

  show(views[Math.floor(data.first || 0)], false);
})();
