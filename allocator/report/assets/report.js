"use strict";
(() => {
  const root = document.documentElement;
  const hint = document.getElementById("hint");
  const remember = (key, value) => { try { localStorage.setItem("allocator-" + key, value); } catch { /* private window */ } };
  const recall = (key) => { try { return localStorage.getItem("allocator-" + key); } catch { return null; } };

  const speak = (language) => {
    root.dataset.lang = language;
    root.lang = language === "zh" ? "zh-CN" : "en";
    document.title = root.dataset[language === "zh" ? "titleZh" : "titleEn"];
    for (const button of document.querySelectorAll("[data-speak]"))
      button.setAttribute("aria-pressed", String(button.dataset.speak === language));
    for (const drawing of document.querySelectorAll("[data-label-en]"))
      drawing.setAttribute("aria-label", drawing.dataset[language === "zh" ? "labelZh" : "labelEn"]);
  };
  for (const button of document.querySelectorAll("[data-speak]"))
    button.addEventListener("click", () => { speak(button.dataset.speak); remember("language", button.dataset.speak); });

  const paint = (theme) => {
    root.dataset.theme = theme;
    document.querySelector("[data-theme-switch]").setAttribute("aria-pressed", String(theme === "dark"));
  };
  document.querySelector("[data-theme-switch]").addEventListener("click", () => {
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    paint(theme);
    remember("theme", theme);
  });
  document.querySelector("[data-print]").addEventListener("click", () => window.print());

  const words = (cell) => cell.querySelector("." + root.dataset.lang)?.textContent ?? cell.textContent;
  const sortBy = (head) => {
    const table = head.closest("table"), body = table.tBodies[0];
    const place = [...head.parentNode.children].indexOf(head);
    const rising = head.getAttribute("aria-sort") === "descending" || (head.getAttribute("aria-sort") === "none" && !head.classList.contains("figure"));
    const collator = new Intl.Collator(root.lang, { numeric: true });
    const keyed = [...body.rows].map((row) => {
      const cell = row.cells[place];
      return { row, figure: cell.dataset.value === undefined ? NaN : Number(cell.dataset.value), text: words(cell) };
    });
    const byFigure = head.classList.contains("figure");
    keyed.sort((a, b) => {
      if (byFigure) {
        if (Number.isNaN(a.figure) || Number.isNaN(b.figure)) return Number.isNaN(a.figure) - Number.isNaN(b.figure);
        return rising ? a.figure - b.figure : b.figure - a.figure;
      }
      return rising ? collator.compare(a.text, b.text) : collator.compare(b.text, a.text);
    });
    for (const other of head.parentNode.children) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    body.append(...keyed.map((entry) => entry.row));
  };
  for (const button of document.querySelectorAll("th [role=button]")) {
    button.addEventListener("click", () => sortBy(button.parentNode));
    button.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      sortBy(button.parentNode);
    });
  }

  for (const box of document.querySelectorAll("[data-filter]"))
    box.addEventListener("input", () => {
      const wanted = box.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of document.getElementById(box.dataset.filter).tBodies[0].rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !wanted.every((word) => text.includes(word));
        shown += !row.hidden;
      }
      box.closest(".tools").querySelector(".count").textContent = String(shown);
    });

  let lit = null;
  const show = (mark, x, y) => {
    lit?.classList.remove("lit");
    lit = mark;
    if (!mark) { hint.style.visibility = "hidden"; return; }
    mark.classList.add("lit");
    hint.textContent = mark.dataset[root.dataset.lang];
    hint.style.visibility = "visible";
    hint.style.left = Math.max(4, Math.min(x + 14, innerWidth - hint.offsetWidth - 8)) + "px";
    hint.style.top = Math.max(4, Math.min(y + 16, innerHeight - hint.offsetHeight - 8)) + "px";
  };
  for (const drawing of document.querySelectorAll("svg[role=img]")) {
    drawing.addEventListener("pointermove", (event) => {
      const mark = event.target.closest("[data-en]");
      show(mark, event.clientX, event.clientY);
    });
    drawing.addEventListener("pointerleave", () => show(null));
    drawing.addEventListener("blur", () => show(null));
    drawing.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") show(null);
      if (!step) return;
      event.preventDefault();
      const marks = [...drawing.querySelectorAll("[data-en]")];
      if (!marks.length) return;
      const next = marks[(marks.indexOf(lit) + step + marks.length + (lit ? 0 : step < 0 ? 1 : 0)) % marks.length];
      const box = next.getBoundingClientRect();
      show(next, box.right, box.top);
    });
  }

  speak(recall("language") ?? root.dataset.lang);
  paint(recall("theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
})();
