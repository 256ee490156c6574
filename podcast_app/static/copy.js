// A button copies what stands beside it; without this, one selects it by hand.

export function copyOnPress(field) {
  const [from, button, said] = ["from", "button", "said"].map((name) => field.querySelector(`[data-copy-${name}]`));
  button.hidden = false;
  button.addEventListener("click", async () => {
    from.select();
    if (await copied(from.value)) said.textContent = said.dataset.copySaid;
  });
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text); // over https and on this machine only
    return true;
  } catch {
    return document.execCommand("copy"); // what is selected
  }
}

for (const field of document.querySelectorAll("[data-copy]")) copyOnPress(field);
