"use strict";
/* NoiselessViewer: one picture, or two with a wipe between them, in tiles of a pyramid.

   Level k has ceil(width / 2**k) x ceil(height / 2**k) pixels, cut into tiles. The tiles of the level that the screen
   needs are asked for, nearest to the middle first, after the one or few of the coarsest; what is there is drawn from
   coarse to fine. Zoom is in screen pixels a pixel: at 1 each pixel of the picture is one of the screen, also on
   screens of high density. Tiles that are ImageBitmaps belong to the viewer, which closes them. */
(function () {
  const CACHED = 160;        // tiles of each side that are kept (of 512 x 512 pixels, 160 MB), or twice those in sight
  const AT_ONCE = 6;         // requests under way
  const TRIES = 3;           // of a tile that fails
  const MOST = 64;           // screen pixels a pixel
  const STEP = 1.4;          // of the zoom, by key and button
  const GLIDE = 160;         // milliseconds

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  function made(tag, name, inside, attributes) {
    const node = document.createElement(tag);
    node.className = name;
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    inside.append(node);
    return node;
  }

  /* The tiles of one picture: those that are here, under way, and failed. */
  class Tiles {
    constructor(side, changed) {
      this.side = side;
      this.changed = changed;
      this.here = new Map();       // in the order of last use
      this.waiting = new Set();
      this.failed = new Map();
      this.room = CACHED;
      this.closed = false;
    }

    get(level, row, column) {
      const key = `${level}/${row}/${column}`;
      const tile = this.here.get(key);
      if (tile) { this.here.delete(key); this.here.set(key, tile); }
      return tile;
    }

    wants(level, row, column) {
      const key = `${level}/${row}/${column}`;
      return !this.here.has(key) && !this.waiting.has(key) && (this.failed.get(key) || 0) < TRIES;
    }

    async fetch(level, row, column) {
      const key = `${level}/${row}/${column}`;
      this.waiting.add(key);
      try {
        const tile = await this.side.tile(level, row, column);
        if (this.closed) { drop(tile); return; }
        this.here.set(key, tile);
        for (const [old, gone] of this.here) {
          if (this.here.size <= this.room) break;
          this.here.delete(old);
          drop(gone);
        }
      } catch (error) {
        const tries = (this.failed.get(key) || 0) + 1;
        this.failed.set(key, tries);
        if (tries < TRIES && !this.closed) await new Promise((done) => setTimeout(done, 400 * tries));
      } finally {
        this.waiting.delete(key);
        this.changed();
      }
    }

    close() {
      this.closed = true;
      for (const tile of this.here.values()) drop(tile);
      this.here.clear();
    }
  }

  function drop(tile) { if (typeof ImageBitmap === "function" && tile instanceof ImageBitmap) tile.close(); }

  class NoiselessViewer extends EventTarget {
    #root; #canvas; #context; #wipe; #names; #tools; #percent; #before; #label;
    #scene = null; #ghost = null;
    #zoom = 1; #x = 0; #y = 0;                  // the pixel in the middle of the canvas
    #fitted = true; #split = 0.5; #blink = false; #under = null;
    #frame = 0; #glide = null; #pointers = new Map(); #pinch = null; #observer; #idle = [];

    constructor(element, options = {}) {
      super();
      this.#root = element;
      this.#label = options.label || "Picture";
      element.classList.add("nv");
      this.#canvas = made("canvas", "nv-canvas", element, {tabindex: "0", role: "application", "aria-roledescription": "picture"});
      this.#context = this.#canvas.getContext("2d");
      this.#names = ["nv-left", "nv-right"].map((side) => made("span", `nv-name ${side}`, element, {"aria-hidden": "true"}));
      this.#wipe = made("div", "nv-wipe", element, {role: "slider", tabindex: "0", "aria-orientation": "horizontal",
        "aria-valuemin": "0", "aria-valuemax": "100"});
      this.#tools = made("div", "nv-tools", element, {role: "group", "aria-label": "View"});
      this.#tools.hidden = options.controls === false;
      this.#before = this.#button("", () => {});
      this.#button("\u2212", () => this.#zoomBy(1 / STEP), "Zoom out");
      this.#percent = this.#button("100 %", () => this.#goTo(1), "Show at 100 %", "nv-zoom");
      this.#button("+", () => this.#zoomBy(STEP), "Zoom in");
      this.#button("Fit", () => this.fit(), "Fit the whole picture");
      this.#listen();
      this.#observer = new ResizeObserver(() => this.#resized());
      this.#observer.observe(element);
      this.#resized();
      this.split = 0.5;
    }

    /* Show a picture, or two; null for nothing. See the top of the file. */
    show(scene, {keepView = false} = {}) {
      const old = this.#scene;
      this.#ghost?.tiles.forEach((tiles) => tiles.close());
      this.#ghost = null;
      const same = old && scene && old.width === scene.width && old.height === scene.height;
      // Until there is something of the new picture, the old one stays in sight: a window that moves does not flicker.
      if (same && keepView) this.#ghost = old; else old?.tiles.forEach((tiles) => tiles.close());
      const sides = scene ? [scene.left, scene.right].filter(Boolean) : [];
      this.#scene = scene && {width: scene.width, height: scene.height, tile: scene.tile || 512, levels: scene.levels || 1,
        tiles: sides.map((side) => new Tiles(side, () => this.#changed()))};
      const two = sides.length === 2;
      this.#wipe.hidden = !two;
      this.#before.hidden = !two;
      this.#names.forEach((node, index) => { node.textContent = sides[index]?.name || ""; node.hidden = !sides[index]?.name; });
      this.#before.textContent = two ? `Hold: ${sides[0].name}` : "";
      const keys = "Arrow keys move, plus and minus zoom, 0 fits, 1 is 100 %";
      this.#canvas.setAttribute("aria-label", `${this.#label}. ${keys}${two ? `, hold space to see ${sides[0].name} alone` : ""}.`);
      this.#wipe.setAttribute("aria-label", two ? `Boundary between ${sides[0].name} and ${sides[1].name}` : "");
      this.split = this.#split;
      if (!(keepView && same)) this.#fitNow(); else this.#changed();
    }

    get split() { return this.#split; }
    set split(value) {
      this.#split = clamp(Number(value) || 0, 0, 1);
      const share = Math.round(100 * this.#split);
      this.#wipe.style.left = `${100 * this.#split}%`;
      this.#wipe.setAttribute("aria-valuenow", String(share));
      const [left, right] = this.#names.map((node) => node.textContent);
      this.#wipe.setAttribute("aria-valuetext", `${share} % ${left}, ${100 - share} % ${right}`);
      this.#changed();
    }

    get zoom() { return this.#zoom; }
    set zoom(value) { this.#halt(); this.#setZoom(Number(value), this.#canvas.width / 2, this.#canvas.height / 2); }

    /* Zoom, and the pixel in the middle: to be set on another viewer. */
    get view() { return {zoom: this.#zoom, x: this.#x, y: this.#y}; }
    set view({zoom, x, y}) {
      this.#halt();
      this.#fitted = false;
      this.#zoom = clamp(zoom, this.#least(), MOST);
      this.#x = x; this.#y = y;
      this.#moved();
    }

    fit() { this.#goTo(this.#fitZoom()); }

    /* Resolves when all that is in sight is drawn. */
    settled() { return new Promise((done) => { this.#idle.push(done); this.#changed(); }); }

    destroy() {
      this.#observer.disconnect();
      cancelAnimationFrame(this.#frame);
      this.#scene?.tiles.forEach((tiles) => tiles.close());
      this.#ghost?.tiles.forEach((tiles) => tiles.close());
      this.#scene = this.#ghost = null;
      this.#root.replaceChildren();
      this.#root.classList.remove("nv");
    }

    #button(text, act, label, name) {
      const node = made("button", name || "", this.#tools, {type: "button"});
      node.textContent = text;
      if (label) { node.setAttribute("aria-label", label); node.title = label; }
      node.addEventListener("click", act);
      return node;
    }

    // ---- the view

    #ratio() { return this.#canvas.width / Math.max(this.#canvas.clientWidth, 1); }

    #fitZoom() {
      if (!this.#scene) return 1;
      const zoom = Math.min(this.#canvas.width / this.#scene.width, this.#canvas.height / this.#scene.height);
      if (zoom <= 1) return zoom;
      const whole = Math.floor(zoom);                       // pixels of one size, unless too much room were lost by it
      return Math.min(whole >= 0.75 * zoom ? whole : zoom, MOST);
    }

    #least() { return Math.min(this.#fitZoom(), 1); }

    #fitNow() {
      this.#halt();
      this.#fitted = true;
      this.#zoom = this.#fitZoom();
      if (this.#scene) { this.#x = this.#scene.width / 2; this.#y = this.#scene.height / 2; }
      this.#moved();
    }

    /* To a zoom about a point of the canvas, or its middle; softly, unless the reader wants no motion. */
    #goTo(zoom, atX = this.#canvas.width / 2, atY = this.#canvas.height / 2) {
      const fit = zoom === this.#fitZoom();
      const from = {zoom: this.#zoom, x: this.#x, y: this.#y};
      const [px, py] = this.#pixelAt(atX, atY);
      const to = fit && this.#scene ? {zoom, x: this.#scene.width / 2, y: this.#scene.height / 2}
        : {zoom, x: px - (atX - this.#canvas.width / 2) / zoom, y: py - (atY - this.#canvas.height / 2) / zoom};
      this.#halt();
      const arrive = () => { this.#zoom = to.zoom; this.#x = to.x; this.#y = to.y; this.#fitted = fit; this.#moved(); };
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) { arrive(); return; }
      const began = performance.now();
      const step = (now) => {
        const share = clamp((now - began) / GLIDE, 0, 1), eased = share * share * (3 - 2 * share);
        if (share >= 1) { this.#glide = null; arrive(); return; }
        // What is linear in 1 / zoom keeps the point in its place.
        this.#zoom = from.zoom * (to.zoom / from.zoom) ** eased;
        const along = to.zoom === from.zoom ? eased : (1 / this.#zoom - 1 / from.zoom) / (1 / to.zoom - 1 / from.zoom);
        this.#x = from.x + (to.x - from.x) * along;
        this.#y = from.y + (to.y - from.y) * along;
        this.#fitted = false;
        this.#moved();
        this.#glide = requestAnimationFrame(step);
      };
      this.#glide = requestAnimationFrame(step);
    }

    #halt() { if (this.#glide) { cancelAnimationFrame(this.#glide); this.#glide = null; } }

    #zoomBy(factor) { this.#halt(); this.#setZoom(this.#zoom * factor, this.#canvas.width / 2, this.#canvas.height / 2); }

    #setZoom(zoom, atX, atY) {
      if (!Number.isFinite(zoom)) return;
      const [px, py] = this.#pixelAt(atX, atY);
      this.#zoom = clamp(zoom, this.#least(), MOST);
      this.#place(px, py, atX, atY);
    }

    /* Bring a pixel to a point of the canvas. */
    #place(px, py, atX, atY) {
      this.#fitted = this.#zoom === this.#fitZoom();
      this.#x = px - (atX - this.#canvas.width / 2) / this.#zoom;
      this.#y = py - (atY - this.#canvas.height / 2) / this.#zoom;
      this.#moved();
    }

    #moveBy(dx, dy) {
      this.#fitted = this.#fitted && this.#zoom === this.#fitZoom();
      this.#x -= dx / this.#zoom;
      this.#y -= dy / this.#zoom;
      this.#moved();
    }

    #pixelAt(atX, atY) {
      return [this.#x + (atX - this.#canvas.width / 2) / this.#zoom, this.#y + (atY - this.#canvas.height / 2) / this.#zoom];
    }

    #moved() {
      if (this.#scene) {
        // A picture that is smaller than the canvas stays in its middle, a larger one leaves no empty margin.
        const hold = (at, length, room) => length * this.#zoom <= room ? length / 2
          : clamp(at, room / 2 / this.#zoom, length - room / 2 / this.#zoom);
        this.#x = hold(this.#x, this.#scene.width, this.#canvas.width);
        this.#y = hold(this.#y, this.#scene.height, this.#canvas.height);
      }
      this.#percent.textContent = `${(100 * this.#zoom).toFixed(this.#zoom < 0.095 ? 1 : 0)} %`;
      this.#canvas.classList.toggle("nv-deep", this.#zoom > this.#fitZoom() * 1.001);
      this.#tell();
      this.#changed();
    }

    #tell() {
      this.dispatchEvent(new CustomEvent("view", {detail: {zoom: this.#zoom, centre: {x: this.#x, y: this.#y}, pixel: this.#under}}));
    }

    #resized() {
      const ratio = globalThis.devicePixelRatio || 1;
      const width = Math.max(1, Math.round(this.#root.clientWidth * ratio));
      const height = Math.max(1, Math.round(this.#root.clientHeight * ratio));
      if (this.#canvas.width === width && this.#canvas.height === height) return;
      const fitted = this.#fitted;
      this.#canvas.width = width;
      this.#canvas.height = height;
      if (fitted) this.#fitNow(); else { this.#zoom = clamp(this.#zoom, this.#least(), MOST); this.#moved(); }
      this.#draw();                    // at once: a canvas that was resized is empty
    }

    // ---- drawing

    #changed() { if (!this.#frame) this.#frame = requestAnimationFrame(() => { this.#frame = 0; this.#draw(); }); }

    #draw() {
      const context = this.#context, {width, height} = this.#canvas;
      context.clearRect(0, 0, width, height);
      const scene = this.#scene;
      if (!scene) { this.#finish(true); return; }
      const edge = Math.round(this.#blink ? width : this.#split * width);
      const two = scene.tiles.length === 2;
      const parts = two ? [[0, edge], [edge, width]] : [[0, width]];
      let complete = true;
      const wanted = [];
      parts.forEach(([from, to], index) => {
        if (to <= from) return;
        context.save();
        context.beginPath();
        context.rect(from, 0, to - from, height);
        context.clip();
        if (this.#ghost?.tiles[index]) this.#drawSide(this.#ghost, this.#ghost.tiles[index], from, to, null);
        complete = this.#drawSide(scene, scene.tiles[index], from, to, wanted) && complete;
        context.restore();
      });
      if (complete && this.#ghost) { this.#ghost.tiles.forEach((tiles) => tiles.close()); this.#ghost = null; }
      this.#ask(wanted);
      this.#finish(complete);
    }

    /* Draw what is there of a side between two columns of the canvas; into ``wanted`` goes what is missing. */
    #drawSide(scene, tiles, from, to, wanted) {
      const context = this.#context, {width, height} = this.#canvas, zoom = this.#zoom;
      // Edges of tiles lie on pixels of the screen, or there would be seams.
      const left = Math.round(width / 2 - this.#x * zoom), top = Math.round(height / 2 - this.#y * zoom);
      const target = clamp(Math.floor(Math.log2(1 / zoom) + 1e-6), 0, scene.levels - 1);
      const place = (level, row, column) => {
        const side = scene.tile * 2 ** level;
        const pixels = (length, index) => Math.min(scene.tile, Math.ceil(length / 2 ** level) - index * scene.tile) * 2 ** level;
        const x0 = Math.round(left + column * side * zoom), y0 = Math.round(top + row * side * zoom);
        return [x0, y0, Math.round(left + (column * side + pixels(scene.width, column)) * zoom) - x0,
          Math.round(top + (row * side + pixels(scene.height, row)) * zoom) - y0];
      };
      context.save();
      context.beginPath();
      context.rect(left, top, Math.round(scene.width * zoom), Math.round(scene.height * zoom));
      context.clip();
      let complete = true;
      for (let level = scene.levels - 1; level >= target; level -= 1) {
        // Between 1 and 2 pixels of one and of two screen pixels would weave a pattern into noise.
        context.imageSmoothingEnabled = zoom * 2 ** level < 1 || level > 0 || (zoom > 1 && zoom < 2);
        context.imageSmoothingQuality = "high";
        const side = scene.tile * 2 ** level * zoom;
        const span = (start, end, origin, length) => {
          const count = Math.ceil(Math.ceil(length / 2 ** level) / scene.tile);
          return [clamp(Math.floor((start - origin) / side), 0, count - 1), clamp(Math.floor((end - 1 - origin) / side), 0, count - 1)];
        };
        const [firstColumn, lastColumn] = span(from, to, left, scene.width), [firstRow, lastRow] = span(0, height, top, scene.height);
        if (level === target) tiles.room = Math.max(CACHED, 2 * (lastRow - firstRow + 1) * (lastColumn - firstColumn + 1));
        for (let row = firstRow; row <= lastRow; row += 1) {
          for (let column = firstColumn; column <= lastColumn; column += 1) {
            const tile = tiles.get(level, row, column);
            if (tile) { context.drawImage(tile, ...place(level, row, column)); continue; }
            if (level !== target && level !== scene.levels - 1) continue;
            const [x, y, w, h] = place(level, row, column);
            if (x >= to || x + w <= from || y >= height || y + h <= 0) continue;
            if (level === target && (tiles.failed.get(`${level}/${row}/${column}`) || 0) < TRIES) complete = false;
            const far = Math.hypot(x + w / 2 - width / 2, y + h / 2 - height / 2);
            wanted?.push({tiles, level, row, column, order: level === target ? 1e9 + far : far});
          }
        }
      }
      context.restore();
      return complete;
    }

    #ask(wanted) {
      let under = this.#scene.tiles.reduce((sum, tiles) => sum + tiles.waiting.size, 0);
      wanted.sort((a, b) => a.order - b.order);
      for (const {tiles, level, row, column} of wanted) {
        if (under >= AT_ONCE) return;
        if (!tiles.wants(level, row, column)) continue;
        under += 1;
        tiles.fetch(level, row, column);
      }
    }

    #finish(complete) { if (complete && !this.#glide) this.#idle.splice(0).forEach((done) => done()); }

    // ---- the hand

    #at(event) {
      const box = this.#canvas.getBoundingClientRect(), ratio = this.#ratio();
      return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
    }

    #listen() {
      const canvas = this.#canvas;
      canvas.addEventListener("pointerdown", (event) => this.#down(event));
      canvas.addEventListener("pointermove", (event) => this.#move(event));
      for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.#up(event));
      canvas.addEventListener("pointerleave", () => { this.#under = null; this.#tell(); });
      canvas.addEventListener("wheel", (event) => this.#wheel(event), {passive: false});
      canvas.addEventListener("dblclick", (event) => this.#toggle(event));
      canvas.addEventListener("keydown", (event) => this.#key(event));
      canvas.addEventListener("keyup", (event) => { if (event.key === " ") this.#alone(false); });
      canvas.addEventListener("blur", () => this.#alone(false));
      this.#before.addEventListener("pointerdown", (event) => { this.#before.setPointerCapture(event.pointerId); this.#alone(true); });
      for (const name of ["pointerup", "pointercancel", "blur"]) this.#before.addEventListener(name, () => this.#alone(false));
      this.#before.addEventListener("contextmenu", (event) => event.preventDefault());
      this.#before.addEventListener("keydown", (event) => { if (event.key === " " || event.key === "Enter") this.#alone(true); });
      this.#before.addEventListener("keyup", () => this.#alone(false));
      this.#wipe.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        this.#wipe.focus({preventScroll: true});
        this.#wipe.setPointerCapture(event.pointerId);
      });
      this.#wipe.addEventListener("pointermove", (event) => {
        if (!this.#wipe.hasPointerCapture(event.pointerId)) return;
        const box = canvas.getBoundingClientRect();
        this.split = (event.clientX - box.left) / box.width;
      });
      this.#wipe.addEventListener("keydown", (event) => {
        const to = {ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02, PageDown: -0.1, PageUp: 0.1}[event.key];
        const ends = {Home: 0, End: 1}[event.key];
        if (to === undefined && ends === undefined) return;
        event.preventDefault();
        this.split = ends ?? this.#split + to;
      });
      this.#wipe.addEventListener("wheel", (event) => this.#wheel(event), {passive: false});
    }

    #alone(on) {
      if (this.#blink === on || (on && this.#scene?.tiles.length !== 2)) return;
      this.#blink = on;
      this.#before.setAttribute("aria-pressed", String(on));
      this.#wipe.style.opacity = on ? "0" : "";
      this.#names[1].style.opacity = on ? "0" : "";
      this.#changed();
    }

    #down(event) {
      if (event.button > 0) return;
      this.#halt();
      this.#canvas.setPointerCapture(event.pointerId);
      this.#pointers.set(event.pointerId, this.#at(event));
      this.#canvas.classList.add("nv-held");
      this.#startPinch();
    }

    #startPinch() {
      const points = [...this.#pointers.values()];
      this.#pinch = points.length === 2 ? {zoom: this.#zoom, apart: Math.hypot(points[0][0] - points[1][0], points[0][1] - points[1][1])} : null;
    }

    #move(event) {
      const [x, y] = this.#at(event);
      const [px, py] = this.#pixelAt(x, y).map(Math.floor), scene = this.#scene;
      this.#under = scene && px >= 0 && py >= 0 && px < scene.width && py < scene.height ? {x: px, y: py} : null;
      const before = this.#pointers.get(event.pointerId);
      if (!before) { this.#tell(); return; }
      const middle = () => { const all = [...this.#pointers.values()]; return [0, 1].map((axis) => all.reduce((sum, at) => sum + at[axis], 0) / all.length); };
      const [oldX, oldY] = middle();
      this.#pointers.set(event.pointerId, [x, y]);
      const [newX, newY] = middle();
      // What was between the fingers stays there: zoom and place change at once, before the edges have their say.
      const [holdX, holdY] = this.#pixelAt(oldX, oldY);
      if (this.#pinch && this.#pointers.size === 2) {
        const [a, b] = [...this.#pointers.values()];
        this.#zoom = clamp(this.#pinch.zoom * Math.hypot(a[0] - b[0], a[1] - b[1]) / Math.max(this.#pinch.apart, 1), this.#least(), MOST);
      }
      this.#place(holdX, holdY, newX, newY);
    }

    #up(event) {
      this.#pointers.delete(event.pointerId);
      if (!this.#pointers.size) this.#canvas.classList.remove("nv-held");
      this.#startPinch();
    }

    #wheel(event) {
      // At its smallest the picture lets the page scroll on.
      if (event.deltaY > 0 && this.#zoom <= this.#least() * 1.001 && !event.ctrlKey) return;
      event.preventDefault();
      this.#halt();
      const lines = event.deltaMode === 1 ? 18 : event.deltaMode === 2 ? 300 : 1;
      const amount = clamp(event.deltaY * lines, -240, 240) * (event.ctrlKey ? 0.01 : 0.0022);
      this.#setZoom(this.#zoom * Math.exp(-amount), ...this.#at(event));
    }

    #toggle(event) {
      const fit = this.#fitZoom();
      const [x, y] = this.#at(event);
      if (Math.abs(this.#zoom / fit - 1) < 0.001) this.#goTo(fit >= 1 ? Math.min(4 * fit, MOST) : 1, x, y); else this.fit();
    }

    #key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const far = 0.1 * Math.min(this.#canvas.width, this.#canvas.height);
      const acts = {
        "+": () => this.#zoomBy(STEP), "=": () => this.#zoomBy(STEP), "-": () => this.#zoomBy(1 / STEP),
        "0": () => this.fit(), "1": () => this.#goTo(1), " ": () => this.#alone(true),
        ArrowLeft: () => this.#moveBy(far, 0), ArrowRight: () => this.#moveBy(-far, 0),
        ArrowUp: () => this.#moveBy(0, far), ArrowDown: () => this.#moveBy(0, -far),
      };
      if (!acts[event.key]) return;
      event.preventDefault();
      if (event.key.startsWith("Arrow")) this.#halt();
      acts[event.key]();
    }
  }

  globalThis.NoiselessViewer = NoiselessViewer;
})();
