"use strict";

const order = new Intl.Collator("en", { numeric: true });

// A missing value stays at the end whichever way the column is sorted.
function compare(a, b, direction) {
  const missing = ("missing" in a.dataset) - ("missing" in b.dataset);
  if (missing) return missing;
  if (a.dataset.value && b.dataset.value) return direction * (a.dataset.value - b.dataset.value);
  return direction * order.compare(a.textContent, b.textContent);
}

function sortBy(header) {
  const direction = header.ariaSort === "ascending" ? -1 : 1;
  for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  const body = header.closest("table").tBodies[0];
  const column = header.cellIndex;
  body.append(...[...body.rows].sort((a, b) => compare(a.cells[column], b.cells[column], direction)));
}

for (const header of document.querySelectorAll("thead th")) {
  header.querySelector("button").addEventListener("click", () => sortBy(header));
}

async function copy(code) {
  const status = document.querySelector("[role=status]");
  try {
    await navigator.clipboard.writeText(code.textContent);
    status.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(code); // no clipboard here: leave the command selected
    status.textContent = "Selected";
  }
  return status.textContent;
}

for (const code of document.querySelectorAll(".command code")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    button.textContent = await copy(code);
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  code.after(button);
}
