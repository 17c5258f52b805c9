"use strict";
/* Sorts a table where its head is clicked and filters it by what is typed above it. Each body is sorted by itself. */
(function () {
  const FEWEST = 7; /* rows from which on a table gets a filter */

  function rows(body) {
    return Array.from(body.rows).filter((row) => !row.classList.contains("head"));
  }

  function key(row, column) {
    const cell = row.cells[column];
    const text = cell === undefined ? "" : cell.dataset.v !== undefined ? cell.dataset.v : cell.textContent.trim();
    const plain = text.replace(/\u2212/g, "-").replace(/[\s\u2009%]/g, "");
    const number = plain === "" ? NaN : parseFloat(plain);
    return { text: text.toLowerCase(), number: number, none: text === "" || text === "\u2013" };
  }

  function compare(a, b) {
    if (!Number.isNaN(a.number) && !Number.isNaN(b.number)) return a.number - b.number;
    if (Number.isNaN(a.number) !== Number.isNaN(b.number)) return Number.isNaN(a.number) ? 1 : -1;
    return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
  }

  function arrange(body, column, sign) {
    const keyed = rows(body).map((row) => ({ row: row, key: key(row, column) }));
    keyed.sort(function (a, b) {
      if (a.key.none !== b.key.none) return a.key.none ? 1 : -1; /* what is missing comes last either way */
      return sign * compare(a.key, b.key);
    });
    body.append(...keyed.map((each) => each.row));
  }

  function numeric(table, column) {
    const found = Array.from(table.tBodies).flatMap(rows).map((row) => key(row, column)).filter((k) => !k.none);
    return found.length > 0 && found.every((k) => !Number.isNaN(k.number));
  }

  function sortable(table) {
    const heads = leaves(table.tHead);
    const original = Array.from(table.tBodies).map(rows);
    heads.forEach(function (head, column) {
      head.tabIndex = 0;
      head.classList.add("sorts");
      function turn() {
        const first = numeric(table, column) ? "descending" : "ascending";
        const second = first === "descending" ? "ascending" : "descending";
        const now = head.getAttribute("aria-sort");
        const next = now === null ? first : now === first ? second : null;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        Array.from(table.tBodies).forEach(function (body, i) {
          if (next === null) body.append(...original[i]);
          else arrange(body, column, next === "ascending" ? 1 : -1);
        });
        if (next !== null) head.setAttribute("aria-sort", next);
      }
      head.addEventListener("click", turn);
      head.addEventListener("keydown", function (event) {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        turn();
      });
    });
  }

  /* The heads of single columns, in the columns' order, of a head of one or two rows. */
  function leaves(head) {
    if (head.rows.length === 1) return Array.from(head.rows[0].cells);
    return [head.rows[0].cells[0], ...head.rows[1].cells];
  }

  function filterable(table) {
    const all = Array.from(table.tBodies).flatMap(rows);
    if (all.length < FEWEST) return;
    const words = all.map((row) => (row.textContent + " " + titles(row)).toLowerCase());
    const box = document.createElement("input");
    const told = document.createElement("span");
    const label = document.createElement("label");
    box.type = "search";
    box.placeholder = "filter rows";
    label.className = "filter";
    label.append(box, told);
    box.addEventListener("input", function () {
      const wanted = box.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      all.forEach(function (row, i) {
        const fits = wanted.every((word) => words[i].includes(word));
        row.hidden = !fits;
        shown += fits ? 1 : 0;
      });
      told.textContent = wanted.length ? shown + " of " + all.length + " rows" : "";
    });
    const frame = table.closest(".scroll") || table;
    frame.before(label);
  }

  function titles(row) {
    return Array.from(row.querySelectorAll("th [title]")).map((each) => each.title).join(" ");
  }

  document.querySelectorAll("table.sortable").forEach(function (table) {
    sortable(table);
    filterable(table);
  });
})();
