"use strict";
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  document.getElementById("theme").addEventListener("click", () => {
    const is = root.dataset.theme || (dark.matches ? "dark" : "light");
    root.dataset.theme = is === "dark" ? "light" : "dark";
  });

  const tip = document.getElementById("tip");
  const svgNs = "http://www.w3.org/2000/svg";

  // The index of the last of the sorted values that is not above `value`; -1 if all are.
  const below = (values, value) => {
    let [low, high] = [0, values.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] <= value) low = middle + 1; else high = middle;
    }
    return low - 1;
  };
  const nearest = (values, value) => {
    const at = below(values, value);
    if (at < 0) return 0;
    return at + 1 < values.length && values[at + 1] - value < value - values[at] ? at + 1 : at;
  };
  const grouped = (value, decimals) => value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  const span = (nanos) => {
    const units = [[864e11, "d"], [36e11, "h"], [6e10, "min"], [1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
    const [size, unit] = units.find(([size]) => nanos >= size) || [1, "ns"];
    return `${+(nanos / size).toFixed(2)} ${unit}`;
  };
  const xText = (data, x) => {
    if (data.axis === "time") {
      const nanos = BigInt(data.origin) + BigInt(Math.round(x));
      const millis = nanos / 1000000n - (nanos < 0n && nanos % 1000000n !== 0n ? 1n : 0n);
      return new Date(Number(millis)).toISOString().replace("T", " ").replace("Z", "");
    }
    return data.axis === "span" ? span(x) : grouped(x, data.xd);
  };

  for (const figure of document.querySelectorAll("figure.chart[data-chart]")) {
    const svg = figure.querySelector("svg.plot");
    const data = JSON.parse(figure.querySelector("script").textContent);
    const [low, high] = data.ends;
    const toX = (part) => data.axis === "span" ? 10 ** (low + part * (high - low)) : low + part * (high - low);
    const toPart = (x) => ((data.axis === "span" ? Math.log10(x) : x) - low) / (high - low);
    const main = data.series.find((series) => series.x.length > 0 && !series.mark) || data.series.find((series) => series.x.length > 0);
    if (!main) continue;
    const cursor = document.createElementNS(svgNs, "line");
    cursor.setAttribute("class", "cursor");
    cursor.setAttribute("y1", "0");
    cursor.setAttribute("y2", "100%");
    cursor.style.display = "none";
    svg.append(cursor);
    let index = -1;

    const show = (x, at) => {
      const box = svg.getBoundingClientRect();
      const rows = [];
      for (const series of data.series) {
        if (!series.x.length) continue;
        const found = series.hold ? Math.max(0, below(series.x, x)) : nearest(series.x, x);
        if (series.mark && Math.abs(toPart(series.x[found]) - toPart(x)) * box.width > 6) continue;
        if (series.hold && series.x[0] > x) continue;
        rows.push(`<div style="--c:var(--c${series.c})"><span><i></i>${series.n}</span><b>${grouped(series.y[found], series.mark ? data.yd : data.yd + 1)}</b></div>`);
      }
      const end = main.ends ? ` to ${xText(data, main.ends[nearest(main.x, x)])}` : "";
      tip.innerHTML = `${xText(data, x)}${end}${rows.join("")}`;
      tip.hidden = false;
      const part = toPart(x);
      cursor.setAttribute("x1", `${part * 100}%`);
      cursor.setAttribute("x2", `${part * 100}%`);
      cursor.style.display = "";
      const left = box.left + part * box.width;
      const width = tip.offsetWidth;
      tip.style.left = `${Math.max(6, left + 14 + width > innerWidth ? left - width - 14 : left + 14)}px`;
      tip.style.top = `${Math.max(6, Math.min(innerHeight - tip.offsetHeight - 6, at))}px`;
    };
    const hide = () => {
      tip.hidden = true;
      cursor.style.display = "none";
    };
    const point = (event) => {
      const box = svg.getBoundingClientRect();
      const x = toX(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
      index = main.hold || main.ends ? Math.max(0, below(main.x, x)) : nearest(main.x, x);
      show(main.hold ? x : main.x[index], event.clientY + 14);
    };
    svg.addEventListener("pointermove", point);
    svg.addEventListener("pointerdown", point);
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      const far = Math.max(1, Math.round(main.x.length / 20));
      const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -far, PageDown: far, Home: -main.x.length, End: main.x.length }[event.key];
      if (event.key === "Escape") hide();
      if (by === undefined) return;
      event.preventDefault();
      index = Math.min(main.x.length - 1, Math.max(0, index + by));
      show(main.x[index], svg.getBoundingClientRect().top + 20);
    });
  }
})();
