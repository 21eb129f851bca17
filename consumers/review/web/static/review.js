// The labelling page: keys, drafts, and a save that says so when it did not happen.
// Every page works without this file, only with more clicks.
"use strict";

const form = document.querySelector("#verdict");
const DRAFT_AFTER_MS = 600;

if (form) {
  const choices = [...form.elements.choice];
  const status = document.querySelector("#status");
  const save = form.querySelector("button.primary");
  // What the server does not have yet; it is dropped once the server has it.
  const unsent = `prefstream draft ${form.dataset.person} ${form.dataset.item}`;
  let timer = null;
  let saving = false;

  const say = (text, failed = false) => {
    status.textContent = text;
    status.className = failed ? "failed" : "";
  };

  const filledIn = () => ({
    choice: form.elements.choice.value,
    criteria: boxes().filter((box) => box.checked).map((box) => box.value),
    comment: form.elements.comment.value,
  });

  const boxes = () => [...document.querySelectorAll("input[name=criteria]")];

  const fillIn = (draft) => {
    choices.forEach((radio) => { radio.checked = radio.value === draft.choice; });
    boxes().forEach((box) => { box.checked = draft.criteria.includes(box.value); });
    form.elements.comment.value = draft.comment;
    showChoice();
  };

  const showChoice = () => {
    for (const side of ["A", "B"]) {
      const answer = document.querySelector(`#side-${side}`).closest("section");
      answer.classList.toggle("chosen", form.elements.choice.value === side);
    }
  };

  // The server's answer as JSON. A lost connection rejects; a refusal resolves with its message.
  const post = async (url, body) => {
    const response = await fetch(url, {
      method: "POST", body, headers: { Accept: "application/json" },
    });
    const answer = await response.json().catch(() => ({ message: "the server gave no answer" }));
    return { ok: response.ok, answer };
  };

  const changed = () => {
    showChoice();
    localStorage.setItem(unsent, JSON.stringify(filledIn()));
    clearTimeout(timer);
    timer = setTimeout(keepDraft, DRAFT_AFTER_MS);
  };

  const keepDraft = async () => {
    if (saving) return;
    const body = new FormData(form);
    const kept = JSON.stringify(filledIn());
    if (!form.elements.choice.value) body.delete("choice");
    try {
      const { ok, answer } = await post(form.action.replace(/label$/, "draft"), body);
      if (!ok) say(answer.message, true);
      else if (localStorage.getItem(unsent) === kept) localStorage.removeItem(unsent);
    } catch {
      // Kept in this browser; the next change or save tries again.
    }
  };

  const saveAndNext = async () => {
    if (saving) return;
    if (!form.elements.choice.value) {
      say("Choose a verdict first: 1 A, 2 B, 3 a tie, 4 both bad.", true);
      choices[0].focus();
      return;
    }
    saving = true;
    clearTimeout(timer);
    save.setAttribute("aria-busy", "true");
    say("Saving…");
    localStorage.setItem(unsent, JSON.stringify(filledIn()));
    try {
      const { ok, answer } = await post(form.action, new FormData(form));
      if (ok) {
        localStorage.removeItem(unsent);
        location.assign(answer.next);
        return;
      }
      say(`Not saved: ${answer.message}`, true);
    } catch {
      say("Not saved: the connection to the server was lost. Your draft is kept in this browser; " +
        "press Ctrl+Enter to try again.", true);
    }
    saving = false;
    save.removeAttribute("aria-busy");
  };

  const move = (step) => {
    const at = choices.findIndex((radio) => radio.checked);
    choose(at < 0 ? (step > 0 ? 0 : choices.length - 1) : at + step);
  };

  const choose = (index) => {
    const radio = choices[(index + choices.length) % choices.length];
    radio.checked = true;
    radio.focus();
    changed();
  };

  const keys = {
    1: () => choose(0), 2: () => choose(1), 3: () => choose(2), 4: () => choose(3),
    ArrowLeft: () => move(-1), ArrowRight: () => move(1),
    c: () => form.elements.comment.focus(),
    d: () => {
      const other = document.querySelector("#view-differences");
      (other.checked ? document.querySelector("#view-answers") : other).checked = true;
    },
    s: () => {
      document.querySelector(".skip").open = true;
      document.querySelector("#reason").focus();
    },
    u: () => document.querySelector("[data-undo]")?.requestSubmit(),
    "?": () => document.querySelector("#help").showModal(),
  };

  const typing = (target) =>
    target.matches("textarea, select, input:not([type=radio]):not([type=checkbox])") ||
    target.isContentEditable;

  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      saveAndNext();
    } else if (event.key === "Escape") {
      document.activeElement.blur();
      document.querySelector(".skip").open = false;
    } else if (!typing(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey &&
      Object.hasOwn(keys, event.key)) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); saveAndNext(); });
  document.addEventListener("input", (event) => {
    if (event.target.form === form) changed();
  });
  document.querySelector("[data-help]").addEventListener("click", keys["?"]);

  const left = localStorage.getItem(unsent);
  if (left) {
    fillIn(JSON.parse(left));
    say("Your draft was restored from this browser.");
    keepDraft();
  }
  showChoice();
} else {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("textarea, input, select");
    if (event.key === "u" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      document.querySelector("[data-undo]")?.requestSubmit();
    }
  });
}

// Drafts are the person's own: none stays behind for whoever signs in next in this browser.
document.querySelector("form[action='/sign-out']")?.addEventListener("submit", () => {
  Object.keys(localStorage).filter((key) => key.startsWith("prefstream draft ")).forEach((key) => {
    localStorage.removeItem(key);
  });
});
