// What went wrong, told where it happened, with what can be done about it.

import { advice } from "./words.js";

export function clearProblem(place) {
  place.replaceChildren();
}

/** Show a refusal in `place`. `actions`: [label, what to do]. */
export function showProblem(place, refusal, { limits = null, actions = [] } = {}) {
  const [title, more] = advice(refusal, limits);
  const box = document.createElement("div");
  box.className = "problem";
  const heading = document.createElement("strong");
  heading.textContent = title;
  const paragraph = (text, kind) => Object.assign(document.createElement("p"), { textContent: text, className: kind });
  box.append(heading);
  if (refusal.status || refusal.name === "Page") box.append(paragraph(sentence(refusal.message), "said"));
  if (more) box.append(paragraph(more, "more-help"));
  const row = document.createElement("p");
  row.className = "problem-actions";
  for (const [label, act] of [...actions, ["Close", () => {}]]) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "second", textContent: label });
    button.addEventListener("click", () => {
      clearProblem(place);
      act();
    });
    row.append(button);
  }
  box.append(row);
  // The role stands before the words come, or some screen readers stay silent.
  place.setAttribute("role", "alert");
  place.replaceChildren(box);
  box.scrollIntoView({ block: "nearest" });
}

function sentence(text) {
  const line = text.trim();
  return line ? `${line[0].toUpperCase()}${line.slice(1)}${/[.!?]$/.test(line) ? "" : "."}` : "";
}
