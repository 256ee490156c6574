// Files dropped anywhere on a page. On a show's home they open the page for a new episode in its place: a file cannot be
// handed over when a browser goes to another page.

let take = () => {};
let shown = location.pathname;

/** Whatever is dropped on this page goes to `taker`, from now on. */
export function takeDrops(taker) {
  take = taker;
}

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

addEventListener("dragover", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  document.body.toggleAttribute("data-over", true);
});
addEventListener("dragleave", (event) => event.relatedTarget === null && document.body.removeAttribute("data-over"));
addEventListener("drop", (event) => {
  document.body.removeAttribute("data-over");
  if (!hasFiles(event)) return;
  event.preventDefault();
  if (event.dataTransfer.files.length) take(event.dataTransfer.files);
});

// Back from the page that was opened in place, also when it was reloaded since: browsers take both for one document.
addEventListener("popstate", () => location.pathname !== shown && location.reload());

const home = document.querySelector("[data-new-page]");
if (home) takeDrops((files) => openNewPage(home.dataset.newPage, files));

async function openNewPage(address, files) {
  const page = await pageAt(address);
  if (!(page instanceof Document)) return location.assign(address); // signed out, perhaps
  for (const sheet of page.head.querySelectorAll("link[rel=stylesheet]")) {
    if (!document.head.querySelector(`link[href="${sheet.getAttribute("href")}"]`)) document.head.append(sheet);
  }
  const scripts = Array.from(page.head.querySelectorAll("script[src]"), (script) => script.getAttribute("src"));
  document.title = page.title;
  document.body.replaceWith(page.body);
  history.pushState(null, "", address);
  shown = location.pathname;
  await Promise.all(scripts.map((script) => import(script)));
  take(files); // the page's own by now
}

/** @returns {Promise<Document | "signed-out" | "offline" | "silent">} the page; or why it does not come */
export async function pageAt(address) {
  try {
    const answer = await fetch(address);
    if (answer.redirected) return "signed-out";
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : "silent";
  } catch {
    return navigator.onLine ? "silent" : "offline";
  }
}
