(() => {
  "use strict";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const specs = [...document.querySelectorAll("script[data-chart]")];
  const settings = { displayModeBar: false, responsive: true, showTips: false, typesetMath: false };
  const PRINT_WIDTH = 686;
  const PRINT_HEIGHT = 900;
  const PRINT_LEGEND = 60;
  const FILTER_FROM = 8;
  let closed = [];

  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const plotOf = (spec) => document.getElementById(spec.dataset.chart);

  async function startPlotly() {
    const packed = atob(document.getElementById("plotly-gz").textContent.trim());
    const bytes = Uint8Array.from(packed, (char) => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
    if (!window.Plotly) throw new Error("the chart library did not start");
  }

  async function draw(spec) {
    const { data, layout, themed } = JSON.parse(spec.textContent);
    const plot = plotOf(spec);
    if (themed) layout.template = theme(dark.matches);
    plot.dataset.themed = themed;
    await Plotly.newPlot(plot, data, { ...layout, autosize: true, dragmode: false }, settings);
    plot.dataset.drawn = "yes";
    plot.closest("figure").querySelectorAll("details").forEach((numbers) => { numbers.open = false; });
  }

  const theme = (isDark) => read(isDark ? "theme-dark" : "theme-light");

  const plots = () => document.querySelectorAll(".plot[data-drawn]");

  const glides = (plot) => plot.data.some((trace) => trace.type === "sankey");

  function repaint(isDark, size = () => ({}), still = false) {
    for (const plot of plots()) {
      const paint = plot.dataset.themed === "true" ? { template: theme(isDark) } : {};
      const changed = { ...paint, ...size(plot) };
      // Flows glide to another size, and paper does not wait for them: they are drawn anew, and still.
      if (!glides(plot)) Plotly.relayout(plot, changed);
      else Plotly.newPlot(plot, plot.data, { ...plot.layout, ...changed }, { ...settings, staticPlot: still });
    }
  }

  // On paper a legend of many entries needs more lines than on a screen.
  const extra = (plot) => (plot.data.length > 4 ? PRINT_LEGEND : 0);

  function printSize(plot) {
    const height = Math.min(plot.layout.height + extra(plot), PRINT_HEIGHT);
    plot.dataset.height = plot.layout.height;
    plot.style.height = `${height}px`;
    return { width: PRINT_WIDTH, height, autosize: false };
  }

  function screenSize(plot) {
    const height = Number(plot.dataset.height);
    plot.style.height = `${height}px`;
    return { width: null, height, autosize: true };
  }

  function sizeCellText(points) {
    const maps = [...plots()].filter((plot) => plot.data.some((trace) => trace.type === "heatmap"));
    maps.forEach((plot) => Plotly.restyle(plot, { "textfont.size": points }));
  }

  function beforePrint() {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((part) => { part.open = true; });
    repaint(false, printSize, true);
    sizeCellText(8);
  }

  function afterPrint() {
    closed.forEach((part) => { part.open = false; });
    repaint(dark.matches, screenSize);
    sizeCellText(10.5);
  }

  const text = (row, place) => row.cells[place].textContent.trim();
  const amount = (value) => parseFloat(value.replace(/,/g, ""));

  function compare(a, b) {
    const [left, right] = [amount(a), amount(b)];
    if (Number.isNaN(left) && Number.isNaN(right)) return a.localeCompare(b, "en", { numeric: true });
    if (Number.isNaN(left) || Number.isNaN(right)) return Number.isNaN(left) ? 1 : -1;
    return left - right || a.localeCompare(b, "en");
  }

  function sort(heading) {
    const body = heading.closest("table").tBodies[0];
    const rising = heading.getAttribute("aria-sort") !== "ascending";
    const numeric = heading.classList.contains("right");
    const order = (a, b) => (numeric ? compare(a, b) : a.localeCompare(b, "en", { numeric: true }));
    const sorted = [...body.rows].sort((a, b) => order(text(a, heading.cellIndex), text(b, heading.cellIndex)));
    body.append(...(rising ? sorted : sorted.reverse()));
    heading.parentNode.querySelectorAll("[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
  }

  function makeSortable(table) {
    if (table.tBodies[0].rows.length < 2) return;
    for (const heading of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", `Sort by ${heading.textContent.trim()}`);
      button.addEventListener("click", () => sort(heading));
      heading.append(button);
    }
  }

  // What a filter hides is said beside it, on paper too.
  function makeFilter(table) {
    const rows = [...table.tBodies[0].rows];
    if (rows.length < FILTER_FROM) return;
    const box = Object.assign(document.createElement("p"), { className: "filter" });
    const input = Object.assign(document.createElement("input"), { type: "search" });
    const said = Object.assign(document.createElement("span"), { role: "status" });
    const label = document.createElement("label");
    input.setAttribute("aria-label", `Filter the rows of: ${table.caption.textContent.trim()}`);
    label.append("Filter ", input);
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      rows.forEach((row) => row.classList.toggle("unmatched", !row.textContent.toLowerCase().includes(wanted)));
      const left = rows.filter((row) => !row.classList.contains("unmatched")).length;
      box.classList.toggle("active", wanted !== "");
      said.textContent = wanted ? `${left} of ${rows.length} rows hold “${input.value.trim()}”` : "";
    });
    box.append(label, said);
    table.parentNode.before(box);
  }

  function giveUp(error) {
    root.classList.remove("scripted");
    document.getElementById("charts-failed").hidden = false;
    root.dataset.error = String(error);
  }

  async function start() {
    document.querySelectorAll("table.diskenc").forEach(makeSortable);
    document.querySelectorAll("table.diskenc").forEach(makeFilter);
    if (specs.length) {
      root.classList.add("scripted");
      await startPlotly();
      for (const spec of specs) await draw(spec);
      dark.addEventListener("change", () => repaint(dark.matches));
    }
    addEventListener("beforeprint", beforePrint);
    addEventListener("afterprint", afterPrint);
    root.dataset.ready = "yes";
  }

  start().catch(giveUp);
})();
