// Small comforts; every page reads without them.
// The theme wraps wide tables: with the keyboard they are scrolled once they can have the focus.
const reachable = () => {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code")) {
    if (!box.hasAttribute("tabindex")) box.setAttribute("tabindex", "0");
  }
};

// Labels that act as buttons say so, and obey the keyboard.
const pressable = () => {
  for (const label of document.querySelectorAll("label[aria-label]")) {
    label.setAttribute("role", "button");
    label.setAttribute("tabindex", "0");
    label.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      label.click();
    });
  }
};

const facets = () => {
  const form = document.querySelector(".facets");
  if (!form) return;
  const cards = [...document.querySelectorAll(".card")];
  const choose = () => {
    const wanted = [...form.querySelectorAll("select")].filter((select) => select.value);
    for (const card of cards) {
      card.hidden = !wanted.every((select) => card.dataset[select.dataset.facet].split("|").includes(select.value));
    }
    const shown = cards.filter((card) => !card.hidden).length;
    document.querySelector(".found").textContent = `${shown} of ${cards.length} solutions`;
  };
  form.hidden = false;
  form.addEventListener("change", choose);
  choose();
};

document.addEventListener("DOMContentLoaded", () => {
  facets();
  pressable();
  reachable();
  new MutationObserver(reachable).observe(document.body, { childList: true, subtree: true });
});
