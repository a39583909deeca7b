"use strict";
// The only place that draws. Plotly's default would offer to upload the chart: it is switched off.
const CONFIG = {
  showSendToCloud: false,
  plotlyServerURL: "",
  displaylogo: false,
  displayModeBar: false,
  responsive: true,
};

// Figures name the page's colours, "var(--ink)"; put in what they are now, light or dark.
function painted(value, style) {
  if (typeof value === "string" && value.startsWith("var(--")) {
    return style.getPropertyValue(value.slice(4, -1)).trim();
  }
  if (Array.isArray(value)) return value.map((part) => painted(part, style));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, painted(part, style)]));
}

async function draw(node) {
  const source = document.getElementById(node.dataset.chart).textContent;
  const figure = painted(JSON.parse(source), getComputedStyle(document.documentElement));
  figure.layout.font.family = getComputedStyle(document.body).fontFamily;
  await Plotly.newPlot(node, figure.data, figure.layout, CONFIG);
  // The wrapper carries the name; the drawing inside would only be read as noise.
  node.querySelectorAll("svg").forEach((svg) => svg.setAttribute("aria-hidden", "true"));
  node.dataset.drawn = "";
}

function drawAll(selector) {
  document.querySelectorAll(selector).forEach(draw);
}

document.addEventListener("DOMContentLoaded", () => drawAll("[data-chart]"));
document.addEventListener("htmx:afterSettle", () => drawAll("[data-chart]:not([data-drawn])"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll("[data-chart]"));
