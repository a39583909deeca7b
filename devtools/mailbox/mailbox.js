// Looks for new messages every two seconds and keeps the place of whoever is reading.
const list = document.getElementById("list");
const address = new URL(list.dataset.url, location.href);
address.searchParams.set("open", list.dataset.open);
let shown = null;

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(address);
    const html = await answer.text();
    if (answer.ok && html !== shown && !list.contains(document.activeElement)) {
      list.innerHTML = html;
      shown = html;
    }
  } catch {
    // The demo has stopped; the messages already shown stay.
  }
}

document.getElementById("to").addEventListener("change", (event) => event.target.form.submit());
setInterval(look, 2000);
