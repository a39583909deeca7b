/* When the network is away the page stays, and what was chosen with it.

   A marked form is first sent from here, and again until the server has answered. Only then does
   the browser send it, and the server's page follows as it does without a script: sent twice is
   sent once. Nothing is kept anywhere but in the form itself. */
"use strict";

const PATIENCE_MS = 15000;
const AGAIN_MS = 5000;
const waiting = new Map(); // form -> the button that sent it, the last one pressed at the end
const arrived = new WeakSet();
let isSending = false;

async function post(form, button) {
  const data = new FormData(form);
  if (button?.name) data.append(button.name, button.value);
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const body = new URLSearchParams(data);
  await fetch(form.action, { method: "POST", body, redirect: "manual", signal });
}

function say() {
  if (document.getElementById("no-network")) return;
  const words = document.getElementById("no-network-words").content.cloneNode(true);
  document.querySelector("main").prepend(words);
  document.getElementById("no-network").focus();
}

async function send() {
  if (isSending || !waiting.size) return;
  isSending = true;
  try {
    for (const [form, button] of waiting) await post(form, button);
  } catch {
    say();
    setTimeout(send, AGAIN_MS);
    return;
  } finally {
    isSending = false;
  }
  const [form, button] = [...waiting].at(-1);
  waiting.clear();
  arrived.add(form);
  form.requestSubmit(button);
}

function hold(event) {
  const { target: form, submitter: button } = event;
  if (!("keep" in form.dataset) || arrived.has(form)) return;
  event.preventDefault();
  waiting.delete(form);
  waiting.set(form, button);
  document.getElementById("no-network")?.focus();
  send();
}

if ("timeout" in AbortSignal && "requestSubmit" in HTMLFormElement.prototype) {
  document.addEventListener("submit", hold);
  window.addEventListener("online", send);
  window.addEventListener("pageshow", () => [...document.forms].forEach((form) => arrived.delete(form)));
}
