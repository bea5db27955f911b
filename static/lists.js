/* Lists by keyboard. Alpine, which the skin is written in, opens and closes the filters; the focus is our business.

   data-hold      a dialog at the side: when it appears the focus goes in, Tab stays within, Escape closes it, and the focus goes back
   .np-drop       a disclosure above the list: Escape and a click beside it close it
*/
(() => {
    "use strict";

    const FOCUSABLE = "a[href], button, input:not([type=hidden]), select:not(.select2-hidden-accessible), textarea, summary, [tabindex='0']";
    const stops = (holder) => [...holder.querySelectorAll(FOCUSABLE)].filter((one) => one.offsetParent && !one.disabled);
    const isShown = (holder) => getComputedStyle(holder).display !== "none";

    // Select2 puts a control of its own before a select: named by the chosen text, or by nothing, with a text field in it that is none.
    const name = (select) => {
        const drawn = select.nextElementSibling?.querySelector(".select2-selection");
        if (!drawn?.firstElementChild.hasAttribute("role") || !select.labels[0]) return;
        for (const attribute of ["role", "aria-readonly"]) drawn.firstElementChild.removeAttribute(attribute);
        select.labels[0].id ||= `${select.id}-label`;
        drawn.setAttribute("aria-labelledby", `${select.labels[0].id} ${drawn.getAttribute("aria-labelledby")}`);
    };

    const hold = (holder) => {
        let before = null;
        let shown = false;
        const look = () => {
            if (isShown(holder) === shown) return;
            shown = !shown;
            if (shown) {
                holder.querySelectorAll("select.select2-hidden-accessible").forEach(name);
                before = document.activeElement;
                stops(holder)[0]?.focus();
            } else before?.focus();
        };
        new MutationObserver(look).observe(holder, { attributes: true, attributeFilter: ["style", "class"] });
        holder.addEventListener("keydown", (event) => {
            if (event.key !== "Tab") return;
            const inside = stops(holder);
            const edge = event.shiftKey ? inside[0] : inside.at(-1);
            if (document.activeElement !== edge) return;
            event.preventDefault();
            (event.shiftKey ? inside.at(-1) : inside[0]).focus();
        });
    };

    document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-hold]").forEach(hold));
    document.addEventListener("keydown", (event) => {
        const drop = event.key === "Escape" && event.target.closest?.(".np-drop[open]");
        if (!drop) return;
        drop.open = false;
        drop.querySelector("summary").focus();
    });
    document.addEventListener("click", (event) => {
        document.querySelectorAll(".np-drop[open]").forEach((drop) => { if (!drop.contains(event.target)) drop.open = false; });
    });
})();
