// Between "publish" and "it is out" are seconds: the page looks by itself. Without this, a link looks again.

const LOOK_AGAIN = 1500; // ms

const state = document.querySelector("[data-going-out]");
const form = document.querySelector("form[data-episode]");

let isLeft = false; // whoever goes elsewhere is not called back
addEventListener("beforeunload", () => (isLeft = true));

if (state) wait(written());

/** What stands in the form. */
function written() {
  return form ? new URLSearchParams(new FormData(form)).toString() : "";
}

async function wait(before) {
  await new Promise((done) => setTimeout(done, LOOK_AGAIN));
  const now = await stateNow();
  if (isLeft) return;
  if (!now || now.matches("[data-going-out]")) return wait(before);
  if (written() === before) location.replace(location.pathname);
  else state.replaceWith(document.adoptNode(now)); // what is being typed stays where it is
}

/** As the site shows it now; nothing while it cannot be reached. */
async function stateNow() {
  try {
    const answer = await fetch(location.pathname);
    return new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".state");
  } catch {
    return null;
  }
}
