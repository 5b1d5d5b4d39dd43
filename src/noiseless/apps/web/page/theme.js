"use strict";
// Light or dark before anything is drawn: as the system says, unless the person chose. Only this choice is kept.
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const kept = () => {
    try {
      return window.localStorage.getItem("theme");
    } catch {
      return null; // storage may be forbidden; the choice then lasts as long as the page
    }
  };
  const apply = (chosen) => {
    document.documentElement.dataset.theme = chosen ?? (dark.matches ? "dark" : "light");
    document.dispatchEvent(new Event("theme"));
  };
  apply(kept());
  dark.addEventListener("change", () => apply(kept()));
  window.toggleTheme = () => {
    const chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try {
      window.localStorage.setItem("theme", chosen);
    } catch {
      // see above
    }
    apply(chosen);
  };
})();
