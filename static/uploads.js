/* Uploads: a page that keeps itself up to date while a workbook is checked or imported, and a file that is looked at before it is sent.

   data-upload="address"    the page's body; while data-live stands on it, the address is asked every second how far the work is
   data-version             what the body shows; when the address answers another one, the body is fetched anew
   data-work-bar, data-work-rows, data-work-rate, data-work-left     where the answer's percent, rows, rate and left go
   data-upload-file         a file input: too large a file, or one of another kind, is refused here already
*/
(() => {
    "use strict";

    const LARGEST = 64 * 1024 * 1024;
    const READ = /\.(xlsx|csv|tsv|txt)$/i;

    const show = (body, facts) => {
        const bar = body.querySelector("[data-work-bar]");
        if (bar) {
            bar.classList.toggle("np-progress--busy", facts.percent === null);
            if (facts.percent === null) bar.removeAttribute("aria-valuenow");
            else {
                bar.firstElementChild.style.width = `${facts.percent}%`;
                bar.setAttribute("aria-valuenow", facts.percent);
            }
        }
        for (const part of ["rows", "rate", "left"]) {
            const place = body.querySelector(`[data-work-${part}]`);
            if (place) place.textContent = facts[part];
        }
    };

    const renew = async () => {
        const answer = await fetch(location.href, { credentials: "same-origin" });
        if (!answer.ok || answer.redirected) return location.reload();
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelector("[data-upload]");
        if (!fresh) return location.reload();
        document.querySelector("[data-upload]").replaceWith(fresh);
        return follow();
    };

    const follow = () => {
        const body = document.querySelector("[data-upload]");
        if (!body || !("live" in body.dataset)) return;
        const look = async () => {
            if (!body.isConnected) return;
            try {
                const answer = await fetch(body.dataset.upload, { headers: { Accept: "application/json" }, credentials: "same-origin" });
                if (answer.ok) {
                    const facts = await answer.json();
                    if (facts.version !== body.dataset.version) return renew();
                    show(body, facts);
                }
            } catch {
                // The server may be restarting: the next look tells.
            }
            return setTimeout(look, document.hidden ? 5000 : 1000);
        };
        setTimeout(look, 700);
    };

    const judge = (input) => {
        const file = input.files[0];
        let why = "";
        if (file && !READ.test(file.name)) why = input.dataset.whyKind;
        else if (file && file.size > LARGEST) why = input.dataset.whySize;
        input.setCustomValidity(why);
        if (why) input.reportValidity();
    };

    document.addEventListener("change", (event) => {
        if (event.target.matches("[data-upload-file]")) judge(event.target);
    });
    for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
        document.addEventListener(name, (event) => {
            if (event.target.matches?.("[data-upload-file]")) event.target.classList.toggle("np-file--over", over);
        });
    }
    // The admin's skin writes the name of a chosen file into a text field that plain file inputs have not: this tells it that they are looked after.
    document.querySelectorAll("[data-upload-file]").forEach((input) => { input.hasChangeListener = true; });

    document.addEventListener("DOMContentLoaded", follow);
})();
