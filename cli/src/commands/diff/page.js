// Adds a filter. Everything else on the page works without it.
const box = document.getElementById("filter");
if (box) {
  const search = Object.assign(document.createElement("input"), {
    type: "search", placeholder: "Filter: policy, frontend, node, pod",
  });
  search.setAttribute("aria-label", "Filter");
  const breaking = Object.assign(document.createElement("input"), { type: "checkbox" });
  const label = document.createElement("label");
  label.append(breaking, " breaking only");
  const shown = document.createElement("span");
  shown.setAttribute("role", "status");
  box.append(search, label, shown);
  box.hidden = false;
  const policies = [...document.querySelectorAll(".policy")];
  const texts = policies.map((policy) => policy.textContent.toLowerCase());
  const apply = () => {
    const wanted = search.value.trim().toLowerCase();
    let count = 0;
    policies.forEach((policy, index) => {
      const fits = texts[index].includes(wanted) && (!breaking.checked || policy.dataset.breaking === "true");
      policy.hidden = !fits;
      count += fits ? 1 : 0;
    });
    shown.textContent = `${count} of ${policies.length} policies`;
  };
  search.addEventListener("input", apply);
  breaking.addEventListener("change", apply);
  apply();
}
