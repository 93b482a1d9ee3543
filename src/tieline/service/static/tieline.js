// Draws the figures of a page, keeps what was typed until it is recorded, and takes files that are dropped.
"use strict";

const QUIET = { responsive: true, displaylogo: false, modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]] };

async function draw(place) {
  try {
    const answer = await fetch(place.dataset.src, { headers: { accept: "application/json" } });
    const figure = await answer.json();
    if (!answer.ok) throw new Error([figure.what, figure.hint].filter(Boolean).join(" Try: "));
    await Plotly.newPlot(place, figure.data, figure.layout, { ...QUIET, staticPlot: place.hasAttribute("data-still") });
    place.dataset.drawn = "";
  } catch (fault) {
    place.textContent = fault.message;
  }
  place.removeAttribute("aria-busy");
}

// What is typed into a field with data-keep, or into a form with data-draft, survives a reload.
function keepTyped(field, key) {
  const kept = localStorage.getItem(key);
  if (kept !== null && !field.value) field.value = kept;
  field.addEventListener("input", () => localStorage.setItem(key, field.value));
}

function keepDraft(form) {
  const own = (field) => `${location.host} ${form.dataset.draft} ${field.name}`;
  const fields = [...form.elements].filter((f) => f.name && !["hidden", "file", "submit"].includes(f.type));
  for (const field of fields) if (!field.hasAttribute("data-keep")) keepTyped(field, own(field));
}

// The answer to a form that was recorded names the drafts that are not needed any more.
function forgetDrafts() {
  for (const mark of document.querySelectorAll("[data-recorded]"))
    for (const key of Object.keys(localStorage))
      if (key.startsWith(`${location.host} `) && key.includes(mark.dataset.recorded)) localStorage.removeItem(key);
}

function takeDropped(area) {
  const field = area.querySelector("input[type=file]");
  for (const kind of ["dragover", "dragleave", "drop"])
    area.addEventListener(kind, (event) => { event.preventDefault(); area.classList.toggle("over", kind === "dragover"); });
  area.addEventListener("drop", (event) => { field.files = event.dataTransfer.files; field.form.requestSubmit(); });
  field.addEventListener("change", () => field.form.requestSubmit());
}

// A slider says where it stands while it moves.
function tellValue(slider) {
  const said = document.createElement("output");
  const tell = () => { said.textContent = Number(slider.value).toPrecision(3) * 1; slider.setAttribute("aria-valuetext", said.textContent); };
  slider.after(said);
  said.textContent = slider.getAttribute("aria-valuetext");
  slider.addEventListener("input", tell);
}

// A slider goes through a volume: its image is asked for once the one before is there.
function goThrough(slider) {
  const image = document.getElementById(slider.dataset.plane), said = slider.parentElement.querySelector("output");
  const show = () => { const to = new URL(image.src); to.searchParams.set("at", slider.value); if (image.src !== to.href) image.src = to.href; };
  image.addEventListener("load", show);
  slider.addEventListener("input", () => {
    said.textContent = `voxel ${+slider.value + 1} of ${+slider.max + 1}`;
    slider.setAttribute("aria-valuetext", said.textContent);
    if (image.complete) show();
  });
}

document.addEventListener("DOMContentLoaded", () => {
  forgetDrafts();
  document.querySelectorAll(".plot[data-src]").forEach(draw);
  document.querySelectorAll("[data-keep]").forEach((field) => keepTyped(field, `${location.host} keep ${field.name}`));
  document.querySelectorAll("form[data-draft]").forEach(keepDraft);
  document.querySelectorAll(".drop").forEach(takeDropped);
  document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => print()));
  document.querySelectorAll("[data-tell]").forEach(tellValue);
  document.querySelectorAll("[data-plane]").forEach(goThrough);
  document.querySelectorAll("[data-go]").forEach((choice) => choice.addEventListener("change", () => choice.form.requestSubmit()));
});
