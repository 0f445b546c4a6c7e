// What the dashboard does in the browser: copy buttons, and activities as they happen.
// Whatever comes from calendars is set as text, never as markup.

const MOST_ROWS = 200;
const SHAPES = {
  add: "M8 3v10M3 8h10",
  update: "M1.5 10c2.5-5.5 4.5-5 6.5-2s4 3.5 6.5-2",
  delete: "M3 8h10",
};

document.documentElement.classList.add("scripted");

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    // no clipboard without https: the browser's own copying takes the selection
    field.select();
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 2000);
});

function row(template, told) {
  const made = template.content.firstElementChild.cloneNode(true);
  const fill = { ...told, what: `${told.kind} ${told.verb}`, profile: `Profile ${told.profile}` };
  made.classList.add(told.type, "fresh");
  made.querySelector("path").setAttribute("d", SHAPES[told.type] ?? "");
  for (const field of made.querySelectorAll("[data-field]")) {
    field.textContent = fill[field.dataset.field];
    if (field.tagName === "A") field.setAttribute("href", told.href);
    if (field.tagName === "TIME") {
      field.setAttribute("datetime", told.at);
      field.title = told.at;
    }
  }
  return made;
}

function follow(bar) {
  const list = document.getElementById(bar.dataset.into);
  const template = document.getElementById("live-row");
  const status = bar.querySelector("[data-status]");
  const pause = bar.querySelector("[data-pause]");
  let source = null;

  function say(state, text) {
    bar.dataset.state = state;
    status.textContent = text;
  }

  function open() {
    say("waiting", "Connecting …");
    source = new EventSource(bar.dataset.live);
    source.addEventListener("ready", () => say("live", "Live"));
    source.addEventListener("error", () =>
      say("waiting", source.readyState === EventSource.CLOSED ? "Ended. Load the page again." : "Connecting again …"),
    );
    source.addEventListener("activity", (event) => {
      const told = JSON.parse(event.data);
      const key = `${told.profile}-${told.position}`;
      if ([...list.children].some((one) => one.dataset.key === key)) return; // the page had it
      document.querySelector("[data-empty]")?.remove();
      const made = row(template, told);
      made.dataset.key = key;
      list.prepend(made);
      while (list.children.length > MOST_ROWS) list.lastElementChild.remove();
    });
  }

  pause.addEventListener("click", () => {
    if (source) {
      source.close();
      source = null;
      say("paused", "Paused");
      pause.textContent = "Go on";
    } else {
      pause.textContent = "Pause";
      open();
    }
  });
  bar.hidden = false;
  open();
}

for (const bar of document.querySelectorAll("[data-live]")) follow(bar);
