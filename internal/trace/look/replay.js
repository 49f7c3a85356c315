for (const box of document.querySelectorAll("[data-replay]")) {
  const rows = [...document.getElementById(box.dataset.replay).querySelectorAll("g.row")];
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const says = document.createElement("output");
  let at = rows.length, timer = 0;
  const show = (n) => {
    at = Math.max(0, Math.min(n, rows.length));
    rows.forEach((row, i) => {
      row.classList.toggle("later", i > at);
      row.classList.toggle("now", i === at);
    });
    says.textContent = at < rows.length ? [...rows[at].querySelectorAll("text:not(.mid)")].map((t) => t.textContent).join(" ") : "";
  };
  const stop = () => { clearInterval(timer); timer = 0; };
  const button = (name, act) => {
    const b = document.createElement("button");
    b.type = "button";
    b.textContent = name;
    b.addEventListener("click", act);
    box.append(b);
  };
  button("Replay step by step", () => {
    stop();
    show(0);
    if (!still.matches) timer = setInterval(() => { show(at + 1); if (at >= rows.length) stop(); }, 1400);
  });
  button("Previous", () => { stop(); show(at - 1); });
  button("Next", () => { stop(); show(at >= rows.length ? 0 : at + 1); });
  button("Show all", () => { stop(); show(rows.length); });
  box.append(says);
}
