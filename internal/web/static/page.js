// What a page gains where scripts run. Every page works without it.
"use strict";

for (const form of document.querySelectorAll("form[data-forward]")) form.submit();

for (const button of document.querySelectorAll("button[data-show]")) {
  const field = document.getElementById(button.dataset.show);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
    button.textContent = shown ? "Show" : "Hide";
    field.focus();
  });
  field.form.addEventListener("submit", () => { field.type = "password"; });
}

for (const hint of document.querySelectorAll("[data-caps]")) {
  const field = document.getElementById(hint.dataset.caps);
  for (const event of ["keydown", "keyup"]) {
    field.addEventListener(event, (e) => {
      if (e.getModifierState) hint.hidden = !e.getModifierState("CapsLock");
    });
  }
}

const alertBox = document.getElementById("alert");
if (alertBox) alertBox.focus();
