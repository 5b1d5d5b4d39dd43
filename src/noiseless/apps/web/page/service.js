// The service, as the page talks to it: every request with the token, every refusal as one kind of error.

const PATIENCE = [300, 600, 1200, 2400]; // milliseconds between attempts to reach a service that does not answer

/** A refusal: `name` is that of the service's error, "Unreachable" where there was no answer. */
export class Refusal extends Error {
  constructor(name, message, status = 0, retryAfter = 0) {
    super(message);
    this.name = name;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export const address = (path) => new URL(path, document.baseURI).href;

export const pause = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });

function refusalOf(status, text, retryAfter) {
  try {
    const { name, message } = JSON.parse(text).error;
    return new Refusal(String(name), String(message), status, retryAfter);
  } catch {
    return new Refusal("Refused", `The service answered ${status}.`, status, retryAfter);
  }
}

const unreachable = () => new Refusal("Unreachable", "The service does not answer.");

export class Service {
  #token;
  #askToken;

  /** `askToken(wrong)` resolves to a token, or to null when the person does not give one. */
  constructor(askToken) {
    this.#askToken = askToken;
    const given = new URLSearchParams(location.hash.slice(1)).get("token");
    if (given) {
      sessionStorage.setItem("token", given);
      history.replaceState(null, "", location.pathname + location.search); // not to be copied, nor seen over a shoulder
    }
    this.#token = sessionStorage.getItem("token");
  }

  get hasToken() {
    return Boolean(this.#token);
  }

  get #headers() {
    return this.#token ? { Authorization: `Bearer ${this.#token}` } : {};
  }

  /** A response that is fine, or a Refusal. After a 401 the person is asked for the token, and it is tried again. */
  async call(method, path, { json, signal, keepalive, headers } = {}) {
    for (;;) {
      let response;
      try {
        response = await fetch(address(path), {
          method,
          signal,
          keepalive,
          cache: "no-store",
          headers: { ...this.#headers, ...headers, ...(json && { "Content-Type": "application/json" }) },
          body: json && JSON.stringify(json),
        });
      } catch (error) {
        throw signal?.aborted ? error : unreachable();
      }
      if (response.ok) return response;
      const refusal = refusalOf(response.status, await response.text(), Number(response.headers.get("Retry-After")));
      if (response.status !== 401) throw refusal;
      await this.#renewToken(refusal);
    }
  }

  async json(method, path, options) {
    return (await this.call(method, path, options)).json();
  }

  async #renewToken(refusal) {
    this.#asking ??= this.#askToken(Boolean(this.#token)).finally(() => (this.#asking = null));
    const token = await this.#asking; // one question for all requests that were refused
    if (!token) throw refusal;
    this.#token = token;
    sessionStorage.setItem("token", token);
  }
  #asking = null;

  /** Send a file; `progress(share)` while it goes. The only request by XMLHttpRequest: fetch does not tell how far it is. */
  async upload(file, progress, signal) {
    for (;;) {
      const { status, text, retryAfter } = await this.#send(file, progress, signal);
      if (status >= 200 && status < 300) return JSON.parse(text);
      const refusal = refusalOf(status, text, retryAfter);
      if (status !== 401) throw refusal;
      await this.#renewToken(refusal);
    }
  }

  #send(file, progress, signal) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", address("api/files"));
      for (const [name, value] of Object.entries(this.#headers)) request.setRequestHeader(name, value);
      request.upload.addEventListener("progress", (event) => event.lengthComputable && progress(event.loaded / event.total));
      request.addEventListener("load", () =>
        resolve({
          status: request.status,
          text: request.responseText,
          retryAfter: Number(request.getResponseHeader("Retry-After")),
        }),
      );
      request.addEventListener("error", () => reject(unreachable()));
      request.addEventListener("abort", () => reject(signal.reason));
      signal.addEventListener("abort", () => request.abort(), { once: true });
      const form = new FormData();
      form.append("file", file, file.name || "pasted.png");
      request.send(form);
    });
  }

  /**
   * The states of a file or a job, until `ended(state)`. A stream that breaks is opened again; `silent(true)` is called
   * while the service does not answer. Refusal "NotFound": it was started anew, or deleted what it had.
   */
  async *follow(path, ended, { signal, silent = () => {} } = {}) {
    let failures = 0;
    for (;;) {
      try {
        const response = await this.call("GET", `${path}/events`, { signal, headers: { Accept: "text/event-stream" } });
        for await (const state of eventsOf(response.body)) {
          failures = 0;
          silent(false);
          yield state;
          if (ended(state)) return;
        }
      } catch (error) {
        if (signal?.aborted || (error instanceof Refusal && error.status)) throw error;
      }
      if (failures === PATIENCE.length) throw unreachable();
      if (failures > 0) silent(true);
      await pause(PATIENCE[failures++], signal);
    }
  }

  async bitmap(path, signal) {
    const response = await this.call("GET", path, { signal });
    return createImageBitmap(await response.blob(), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  }
}

/** The JSON of each `data:` in a stream of server-sent events. */
async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
      rest = events.pop();
      for (const event of events) {
        const data = event
          .split("\n")
          .filter((line) => line.startsWith("data:"))
          .map((line) => line.slice(5).trimStart());
        if (data.length) yield JSON.parse(data.join("\n"));
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
