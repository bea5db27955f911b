/* Keeps the jobs page up to date without a reload.

   data-jobs="address"     the part of the page; the address answers how far its jobs are
   data-version="..."      what the part shows; when the address answers another one (a job came or ended), the part is fetched anew
   data-job="batch-17"     a row: its data-job-state, -rows, -rate, -left and -bar are written in place
*/
(() => {
    "use strict";

    const SOON = 1000;
    const RARELY = 5000;

    const show = (job) => {
        const row = document.querySelector(`[data-job="${CSS.escape(job.key)}"]`);
        if (!row) return;
        for (const part of ["rows", "rate", "left"]) {
            const at = row.querySelector(`[data-job-${part}]`);
            if (at && at.textContent !== job[part]) at.textContent = job[part];
        }
        const bar = row.querySelector("[data-job-bar]");
        if (bar) {
            bar.firstElementChild.style.width = `${job.percent}%`;
            bar.setAttribute("aria-valuenow", job.percent);
        }
    };

    /* The part comes anew; who works by keyboard stays where he was. */
    const renew = async (part) => {
        const answer = await fetch(location.href, { credentials: "same-origin" });
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-jobs]");
        if (!answer.ok || !fresh) return location.reload();
        const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
        part.replaceWith(fresh);
        if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
        return follow(fresh);
    };

    const follow = (part) => {
        if (!part) return;
        const isLive = Boolean(part.querySelector("[data-job-bar]"));
        const look = async () => {
            if (!part.isConnected) return;
            try {
                const answer = await fetch(part.dataset.jobs, { headers: { Accept: "application/json" }, credentials: "same-origin" });
                if (answer.redirected || answer.status === 403) return;
                if (answer.ok) {
                    const { version, jobs } = await answer.json();
                    jobs.forEach(show);
                    if (version !== part.dataset.version) return renew(part);
                }
            } catch {
                // The server may be restarting: the next look tells.
            }
            return setTimeout(look, isLive && !document.hidden ? SOON : RARELY);
        };
        setTimeout(look, SOON);
    };

    document.addEventListener("DOMContentLoaded", () => follow(document.querySelector("[data-jobs]")));
})();
