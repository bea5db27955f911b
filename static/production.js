/* Keeps the progress of production batches up to date without a reload, and the form of batch production to what applies.

   data-batch="17"                      whose figures an element shows: data-batch-state, -made, -rate, -left, -bar, -undo, -file="csv"
   data-live                            there is something to wait for
   data-version="..."                   on the page of one batch: when the server's word differs, the page has something new and is loaded again
   data-reload="2"                      the page is loaded again after so many seconds
   data-download                        a form whose answer is a file
   data-produce                         the form of batch production; data-for="automatic|upload|all" on its fields
*/
(() => {
    "use strict";

    const EVERY = 1000;
    const HIDDEN = 5000;
    const AFTER_DOWNLOAD = 2500;
    const here = document.currentScript;

    const progressUrl = () => {
        if (here && here.dataset.progress) return here.dataset.progress;
        return new URL("progress/", window.location.origin + window.location.pathname).pathname;
    };

    const each = (batch, part, act) => document.querySelectorAll(`[data-batch="${batch.id}"][data-batch-${part}]`).forEach(act);

    const show = (batch) => {
        each(batch, "made", (at) => { at.textContent = batch.made; });
        each(batch, "rate", (at) => { at.textContent = batch.rate; });
        each(batch, "left", (at) => { at.textContent = batch.left; });
        each(batch, "state", (at) => {
            const badge = at.querySelector(".np-badge");
            badge.className = `np-badge np-badge--${batch.state}`;
            badge.textContent = batch.label;
        });
        each(batch, "bar", (at) => {
            at.firstElementChild.style.width = `${batch.percent}%`;
            at.setAttribute("aria-valuenow", batch.percent);
            at.classList.toggle("np-progress--done", batch.state === "done");
            at.classList.toggle("np-progress--failed", batch.state === "failed");
            if (!batch.live) at.removeAttribute("data-live");
        });
        each(batch, "undo", (at) => {
            at.firstElementChild.style.width = `${batch.undo}%`;
            at.setAttribute("aria-valuenow", batch.undo);
        });
        each(batch, "file", (at) => {
            const file = batch.files[at.dataset.batchFile];
            if (file) at.firstElementChild.style.width = `${file.percent}%`;
        });
    };

    const isNew = (batch) => [...document.querySelectorAll(`[data-batch="${batch.id}"][data-version]`)].some((at) => at.dataset.version !== batch.version);

    const poll = async () => {
        const waiting = new Set([...document.querySelectorAll("[data-batch][data-live]")].map((at) => at.dataset.batch));
        if (!waiting.size) return;
        try {
            const answer = await fetch(`${progressUrl()}?ids=${[...waiting].join(",")}`, { headers: { Accept: "application/json" } });
            if (answer.redirected || answer.status === 403) return;
            if (answer.ok) {
                const { batches } = await answer.json();
                batches.forEach(show);
                if (batches.some(isNew) && !document.querySelector("dialog[open]")) {
                    window.location.reload();
                    return;
                }
            }
        } catch { /* The server is away for a moment: ask again. */ }
        setTimeout(poll, document.hidden ? HIDDEN : EVERY);
    };

    /* The form: only the fields of the chosen source, and only uploads for the per-product secret. */
    const dress = (form) => {
        const chosen = (name) => { const field = form.querySelector(`[name="${name}"]:checked`); return field ? field.value : ""; };
        const automatic = form.querySelector('[data-source="automatic"]');
        const apply = () => {
            if (automatic) {
                const uploadOnly = chosen("flashing_method") === "per_product";
                automatic.classList.toggle("np-choice--off", uploadOnly);
                automatic.querySelector("input").disabled = uploadOnly;
                if (uploadOnly) form.querySelector('[name="source"][value="upload"]').checked = true;
            }
            const source = chosen("source");
            form.querySelectorAll("[data-for]").forEach((field) => {
                field.hidden = Boolean(source) && field.dataset.for !== "all" && field.dataset.for !== source;
            });
        };
        form.addEventListener("change", apply);
        apply();
    };

    /* The answer is a file, so the page stays: show afterwards what it changed. */
    const afterDownload = (form) => form.addEventListener("submit", () => setTimeout(() => {
        if (!document.querySelector("dialog[open]")) window.location.reload();
    }, AFTER_DOWNLOAD));

    const start = () => {
        document.querySelectorAll("form[data-download]").forEach(afterDownload);
        document.querySelectorAll("form[data-produce]").forEach(dress);
        const again = document.querySelector("[data-reload]");
        if (again) setTimeout(() => window.location.reload(), Number(again.dataset.reload) * 1000);
        poll();
    };

    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
    else start();
})();
