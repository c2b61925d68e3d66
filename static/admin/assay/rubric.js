// Adds rows to a rubric where they are asked for, without a visit to the server; tells the points.
"use strict";
{
  const form = document.getElementById("rubric-form");
  const blankOf = (name) => document.getElementById(`blank-${name}`).content;

  // Every number of a copied row, in names, ids and labels.
  const numbered = (fragment, placeholders) => {
    for (const element of fragment.querySelectorAll("*")) {
      for (const { name, value } of [...element.attributes]) {
        let text = value;
        for (const [placeholder, number] of placeholders) text = text.replaceAll(placeholder, number);
        if (text !== value) element.setAttribute(name, text);
      }
    }
    return fragment;
  };
  const counter = (prefix) => form.elements[`${prefix}-TOTAL_FORMS`];
  const most = (prefix) => Number(form.elements[`${prefix}-MAX_NUM_FORMS`].value);

  const addCriterion = () => {
    const number = Number(counter("criteria").value);
    if (number >= most("criteria")) return null;
    const rows = numbered(blankOf("criterion").cloneNode(true), [["__c__", number]]);
    const added = rows.querySelector("[data-row=criterion]");
    added.querySelector("[data-number]").textContent = number + 1;
    document.getElementById("criteria").append(rows);
    counter("criteria").value = number + 1;
    return added;
  };
  const addLevel = (prefix, button) => {
    const number = Number(counter(prefix).value);
    if (number >= most(prefix)) return null;
    const rows = numbered(blankOf("level").cloneNode(true), [
      ["__c__", prefix.split("-")[1]],
      ["__l__", number],
    ]);
    const added = rows.querySelector("[data-row=level]");
    button.closest("[data-row=criterion]").querySelector("tbody").append(added);
    counter(prefix).value = number + 1;
    return added;
  };

  const bestOf = (criterion) => {
    if (criterion.querySelector("input[name$='-remove']:checked:not([name*='-levels-'])")) return 0;
    const points = [...criterion.querySelectorAll("[data-row=level]")]
      .filter((row) => !row.querySelector("input[name$='-remove']").checked)
      .map((row) => Number(row.querySelector("input[name$='-points']").value.replace(",", ".")) || 0);
    return Math.max(0, ...points);
  };
  const total = document.getElementById("rubric-total");
  const tellTotal = () => {
    const criteria = [...form.querySelectorAll("[data-row=criterion]")];
    const points = criteria.reduce((sum, criterion) => sum + bestOf(criterion), 0);
    total.textContent = total.dataset.text.replace("{points}", Math.round(points * 1e4) / 1e4);
  };

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=more]");
    if (!button) return;
    const added = button.value === "criteria" ? addCriterion() : addLevel(button.value, button);
    if (added === null) return; // the server says how many there may be
    event.preventDefault();
    added.querySelector("input:not([type=hidden])").focus();
  });
  form.addEventListener("input", tellTotal);
  tellTotal();
}
