// Shows, of each requirement in a draft, only the fields that its kind has.
"use strict";
{
  const rowsOf = (select) => {
    const { kinds, all } = JSON.parse(select.dataset.fields);
    const box = select.closest(".inline-related");
    const wanted = kinds[select.value] || [];
    return all
      .map((name) => [box.querySelector(`.form-row.field-${name}`), wanted.includes(name)])
      .filter(([row]) => row !== null);
  };
  const fit = (select) => {
    for (const [row, isWanted] of rowsOf(select)) {
      row.classList.toggle("hidden", !isWanted && row.querySelector(".errorlist") === null);
    }
  };
  const selects = (root) => root.querySelectorAll("select.requirement-kind");

  document.addEventListener("DOMContentLoaded", () => selects(document).forEach(fit));
  document.addEventListener("formset:added", (event) => selects(event.target).forEach(fit));
  document.addEventListener("change", (event) => {
    if (event.target.matches("select.requirement-kind")) fit(event.target);
  });
  // What is hidden is not sent: the kind that was chosen does not have it.
  document.addEventListener("submit", (event) => {
    for (const select of selects(event.target)) {
      for (const [row] of rowsOf(select).filter(([row]) => row.classList.contains("hidden"))) {
        row.querySelectorAll("input, select").forEach((input) => { input.value = ""; });
      }
    }
  });
}
