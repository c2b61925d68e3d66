/*
 * Saves answers as they are given and shows the time that is left.
 * Without it the page's own buttons save: nothing here is needed to take an assessment.
 */
"use strict";

(() => {
  const WAIT_MS = 700;
  const LONGEST_RETRY_MS = 30000;
  const NEARLY_OVER_MS = 2500;

  const form = document.getElementById("attempt");
  const state = document.getElementById("save-state");
  const csrf = form.querySelector("[name=csrfmiddlewaretoken]").value;
  let isOver = false;
  let isLeaving = false;

  /* ---- Answers ---------------------------------------------------------------------------- */

  const questions = new Map();
  for (const section of form.querySelectorAll("[data-item]")) {
    const question = new Question(section);
    questions.set(question.id, question);
    section.addEventListener("input", () => question.changed());
    section.addEventListener("change", () => question.changed());
  }

  function Question(section) {
    this.id = section.dataset.item;
    const kind = section.dataset.kind;
    const sequence = section.querySelector(`[name="sequence-${this.id}"]`);
    const fields = [...section.querySelectorAll(`[name="answer-${this.id}"]`)];
    const fault = section.querySelector(".fault");
    let kept = JSON.stringify(read());
    let timer = null;
    let running = null;
    let delay = 0;
    this.problem = "";

    function read() {
      const ticked = fields.filter((field) => field.checked).map((field) => field.value);
      if (kind === "multiple_response") {
        return ticked.length ? ticked : null;
      }
      if (kind === "multiple_choice") {
        return ticked.length ? ticked[0] : null;
      }
      if (kind === "true_false") {
        return ticked.length ? ticked[0] === "true" : null;
      }
      return fields[0].value === "" ? null : fields[0].value;
    }

    this.isDirty = () => JSON.stringify(read()) !== kept;

    this.changed = () => {
      this.problem = "";
      this.plan(WAIT_MS);
      tell();
    };

    this.plan = (milliseconds) => {
      clearTimeout(timer);
      timer = setTimeout(() => this.save(), milliseconds);
    };

    /* One save of a question at a time: a later answer waits for the one before it. */
    this.save = () => {
      clearTimeout(timer);
      if (running === null && this.isDirty() && !isOver) {
        running = send().finally(() => {
          running = null;
          tell();
          if (this.problem === "" && this.isDirty()) {
            this.plan(WAIT_MS);
          }
        });
        tell();
      }
      return running ?? Promise.resolve();
    };

    const send = async () => {
      const value = read();
      const sent = JSON.stringify(value);
      /* The clock keeps the saves of several windows in order, the known number those of clocks
         that disagree. */
      const number = Math.max(Date.now(), Number(sequence.value) + 1);
      let response;
      try {
        response = await fetch(form.dataset.save + this.id, {
          method: "PUT",
          credentials: "same-origin",
          headers: {
            Accept: "application/json",
            "Content-Type": "application/json",
            "X-CSRFToken": csrf,
          },
          body: JSON.stringify({ value, sequence: number }),
        });
      } catch {
        return again();
      }
      if (response.status === 429 || response.status >= 500) {
        return again();
      }
      const answer = await response.json().catch(() => ({}));
      if (response.ok) {
        return accept(answer, sent, number);
      }
      if (response.status === 409) {
        isOver = true;
      } else {
        this.problem = "refused";
        show(answer.detail || answer.title || "");
      }
      return undefined;
    };

    const accept = (answer, sent, number) => {
      delay = 0;
      kept = sent;
      sequence.value = String(answer.sequence);
      this.problem = answer.sequence > number ? "newer" : "";
      show(answer.fault ? answer.fault.message : "");
    };

    const again = () => {
      this.problem = "offline";
      delay = Math.min(delay ? delay * 2 : 2000, LONGEST_RETRY_MS);
      this.plan(delay);
    };

    const show = (text) => {
      fault.textContent = text;
      fault.hidden = text === "";
      if (fields.length === 1) {
        fields[0].toggleAttribute("aria-invalid", text !== "");
        if (text !== "") {
          fields[0].setAttribute("aria-invalid", "true");
        }
      }
    };

    this.isSaving = () => running !== null;
  }

  function tell() {
    const all = [...questions.values()];
    const problem = ["offline", "newer", "refused"].find((name) =>
      all.some((question) => question.problem === name),
    );
    const isWaiting = all.some((question) => question.isSaving() || question.isDirty());
    const name = isOver ? "over" : problem ?? (isWaiting ? "saving" : "saved");
    if (state.dataset.state !== name) {
      state.dataset.state = name;
      state.textContent = state.dataset[name];
    }
  }

  const saveAll = () => Promise.all([...questions.values()].map((question) => question.save()));

  addEventListener("online", saveAll);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") {
      saveAll();
    }
  });
  addEventListener("beforeunload", (event) => {
    if (!isLeaving && !isOver && [...questions.values()].some((q) => q.isDirty())) {
      event.preventDefault();
    }
  });
  form.addEventListener("submit", () => {
    isLeaving = true;
  });
  tell();

  /* ---- Time ------------------------------------------------------------------------------- */

  const clock = document.getElementById("timer");
  if (!clock) {
    return;
  }
  const notice = document.getElementById("time-notice");
  const ends = Date.parse(clock.dataset.ends);
  /* The server's clock decides; this one only runs as fast. */
  const ahead = Date.parse(clock.dataset.now) - Date.now();
  const left = () => ends - (Date.now() + ahead);
  let announced = left() <= 300000 ? (left() <= 60000 ? 2 : 1) : 0;

  const two = (number) => String(number).padStart(2, "0");

  function tick() {
    const milliseconds = Math.max(0, left());
    const seconds = Math.ceil(milliseconds / 1000);
    const hours = Math.floor(seconds / 3600);
    const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
    clock.textContent = `${clock.dataset.left} ${hours ? `${hours}:` : ""}${rest}`;
    clock.classList.toggle("short", seconds <= 60);
    if (announced < 1 && seconds <= 300) {
      announced = 1;
      notice.textContent = notice.dataset.five;
    }
    if (announced < 2 && seconds <= 60) {
      announced = 2;
      notice.textContent = notice.dataset.one;
    }
    if (milliseconds <= NEARLY_OVER_MS) {
      saveAll();
    }
    if (milliseconds === 0) {
      clearInterval(ticking);
      finish();
    }
  }

  async function finish() {
    clock.textContent = clock.dataset.over;
    await Promise.race([saveAll(), new Promise((done) => setTimeout(done, 3000))]);
    isLeaving = true;
    form.action = form.dataset.submit;
    form.submit();
  }

  const ticking = setInterval(tick, 500);
  tick();
})();
