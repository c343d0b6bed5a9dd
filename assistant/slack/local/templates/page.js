// Keeps the page up to date and lets forms work without a reload. Everything also works without it.
"use strict";

const live = () => document.querySelectorAll("[data-live]");
const shown = new Map([...live()].map((part) => [part.id, part.innerHTML]));

function toEnd(part) {
  if (part.classList.contains("scroll")) part.scrollTop = part.scrollHeight;
}

function swap(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const part of live()) {
    const next = fresh.getElementById(part.id);
    if (!next || shown.get(part.id) === next.innerHTML) continue;
    shown.set(part.id, next.innerHTML);
    const atEnd = part.scrollTop + part.clientHeight >= part.scrollHeight - 40;
    part.innerHTML = next.innerHTML;
    if (atEnd) toEnd(part);
  }
}

let asked = 0;
async function refresh() {
  const mine = ++asked;
  const answer = await fetch(location.href);
  if (answer.ok && mine === asked) swap(await answer.text());
}

function confirmed(button) {
  if (!button || !button.dataset.title) return Promise.resolve(true);
  const dialog = document.getElementById("confirm");
  const [no, yes] = dialog.querySelectorAll("button");
  dialog.querySelector("h2").textContent = button.dataset.title;
  dialog.querySelector("p").textContent = button.dataset.text;
  no.textContent = button.dataset.no;
  yes.textContent = button.dataset.yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true });
  });
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  event.preventDefault();
  const button = event.submitter;
  const target = (button && button.getAttribute("formaction")) || form.getAttribute("action");
  const body = new URLSearchParams(new FormData(form, button));
  if (!(await confirmed(button))) return;
  if (button) button.disabled = true;
  const answer = await fetch(target, { method: "POST", body });
  if (button) button.disabled = false;
  if (form.classList.contains("composer")) form.reset();
  if (form.getAttribute("action") === "home") location.href = answer.url;
  else swap(await answer.text());
});

live().forEach(toEnd);
new EventSource("events").onmessage = refresh;
