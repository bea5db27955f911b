/* A part of a page that keeps itself up to date while something of it is under way.

   data-follow="address"    the part; while data-live stands on it, the address is asked again and again which version there is now
   data-version             the version that the part shows; when the address answers another one, the part is fetched anew
*/
(() => {
    "use strict";

    const SOON = 700;
    const RARELY = 5000;

    const renew = async (part) => {
        const answer = await fetch(location.href, { credentials: "same-origin" });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelector("[data-follow]");
        if (!answer.ok || !fresh) return location.reload();
        part.replaceWith(fresh);
        return follow(fresh);
    };

    const follow = (part) => {
        if (!part || !("live" in part.dataset)) return;
        const look = async () => {
            if (!part.isConnected) return;
            try {
                const answer = await fetch(part.dataset.follow, { headers: { Accept: "application/json" }, credentials: "same-origin" });
                if (answer.redirected) return location.reload();
                if (answer.ok) {
                    const facts = await answer.json();
                    if (facts.version !== part.dataset.version) return renew(part);
                }
            } catch {
                // The server may be restarting: the next look tells.
            }
            return setTimeout(look, document.hidden ? RARELY : SOON);
        };
        setTimeout(look, SOON);
    };

    document.addEventListener("DOMContentLoaded", () => follow(document.querySelector("[data-follow]")));
})();
