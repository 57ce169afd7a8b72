// Tabs as WAI-ARIA describes them: arrow keys move between them, and the address names one.
"use strict";

// A table that is wider than its box is scrolled with arrow keys: then only, the box is a stop.
function watchScrollers() {
  const watch = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const box = target.closest(".scroll");
      const attributes = { tabindex: "0", role: "group", "aria-label": "Table, wider than the screen" };
      const isWider = box.scrollWidth > box.clientWidth;
      for (const [name, value] of Object.entries(attributes))
        if (isWider) box.setAttribute(name, value);
        else box.removeAttribute(name);
    }
  });
  for (const box of document.querySelectorAll(".scroll")) {
    watch.observe(box);
    watch.observe(box.firstElementChild);
  }
}

function startTabs(onOpen) {
  const tabs = [...document.querySelectorAll('[role="tab"]')];
  const open = (tab) => {
    for (const each of tabs) {
      const isOpen = each === tab;
      each.setAttribute("aria-selected", String(isOpen));
      each.tabIndex = isOpen ? 0 : -1;
      byId(each.getAttribute("aria-controls")).hidden = !isOpen;
    }
    onOpen(nameOf(tab));
  };
  const nameOf = (tab) => tab.id.replace("tab-", "");
  const follow = () => open(tabs.find((tab) => `#${nameOf(tab)}` === location.hash) ?? tabs[0]);
  const go = (name) => {
    history.replaceState(null, "", `#${name}`);
    follow();
  };
  const keys = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => go(nameOf(tab)));
    tab.addEventListener("keydown", (event) => {
      const step = keys[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const n = tabs.length;
      const next = Number.isFinite(step) ? (i + step + n) % n : step < 0 ? 0 : n - 1;
      tabs[next].focus();
      go(nameOf(tabs[next]));
    });
  });
  addEventListener("hashchange", follow);
  follow();
  return go;
}
