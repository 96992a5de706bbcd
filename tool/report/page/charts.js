/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Charts: by uPlot where it is in the page, else as SVG. Each has a table of the same numbers.
 * A chart is { id, title, about, x, series: [{ name, colour, values }], showX, showY, xLabel, logX, logY,
 * binary, bars }; bars stand at 0, 1, 2 ... and showX names them; binary: marks at powers of two.
 */
const plots = [];
const HEIGHT = 260;

function line(values, tag, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (values) made.textContent = values;
    return made;
}

function range(chart) {
    const all = chart.series.flatMap((s) => s.values).filter((v) => known(v) && (!chart.logY || v > 0));
    const top = Math.max(...all, chart.logY ? 1e-9 : 1e-12);
    return chart.logY ? [Math.min(...all, top / 10), top] : [0, top];
}

const scale = (log, low, high, from, to) => {
    const f = log ? Math.log10 : (v) => v;
    const span = f(high) - f(low) || 1;
    return (v) => from + ((f(v) - f(low)) / span) * (to - from);
};

const powersOfTwo = Array.from({ length: 50 }, (_, i) => 2 ** i);

function ticks(log, low, high, count, binary) {
    const found = [];
    if (log) {
        const step = Math.max(1, Math.ceil((Math.log10(high) - Math.log10(low)) / count));
        for (let p = Math.ceil(Math.log10(low) - 1e-9); p <= Math.log10(high) + 1e-9; p += step) found.push(10 ** p);
        return found;
    }
    const rough = (high - low) / count || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = (binary ? powersOfTwo : [1, 2, 5, 10].map((m) => m * power)).find((s) => s >= rough);
    for (let v = Math.ceil(low / step) * step; v <= high + step / 1e6; v += step) found.push(v);
    return found;
}

function svgBars(svg, chart, toX, toY, width) {
    const each = (width / chart.x.length) * 0.8 / chart.series.length;
    chart.series.forEach((s, k) => s.values.forEach((v, i) => {
        const top = toY(v || 0);
        svg.append(line(null, "rect", { x: toX(i) + (k - chart.series.length / 2) * each, y: top, width: Math.max(each - 1, 0.5),
            height: Math.max(toY(0) - top, 0), fill: colour(s.colour) }));
    }));
}

function svgLines(svg, chart, toX, toY) {
    for (const s of chart.series) {
        let path = "";
        let pen = "M";
        s.values.forEach((v, i) => {
            if (!known(v) || (chart.logY && v <= 0)) pen = "M";
            else {
                path += pen + toX(chart.x[i]).toFixed(1) + " " + toY(v).toFixed(1);
                pen = "L";
            }
        });
        svg.append(line(null, "path", { d: path, fill: "none", stroke: colour(s.colour), "stroke-width": 1.8 }));
    }
}

function drawSvg(chart, plot) {
    const width = Math.max(plot.clientWidth, 240);
    const [left, right, top, bottom] = [58, 12, 8, 36];
    const [low, high] = range(chart);
    const svg = line(null, "svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": chart.title });
    const ends = chart.bars ? [-0.5, chart.x.length - 0.5] : [chart.x[0], chart.x[chart.x.length - 1]];
    const toX = scale(chart.logX, ends[0], ends[1], left, width - right);
    const toY = scale(chart.logY, low, high, HEIGHT - bottom, top);
    for (const v of ticks(chart.logY, low, high, 5, chart.binary)) {
        svg.append(line(null, "line", { x1: left, x2: width - right, y1: toY(v), y2: toY(v), stroke: colour("line") }));
        svg.append(line(chart.showY(v), "text", { x: left - 6, y: toY(v) + 4, "text-anchor": "end" }));
    }
    const marks = chart.bars ? chart.x.filter((v) => v % Math.ceil(chart.x.length / (width / 70)) === 0)
                             : ticks(chart.logX, ends[0], ends[1], Math.max(2, Math.floor(width / 110)));
    for (const v of marks) svg.append(line(chart.showX(v), "text", { x: toX(v), y: HEIGHT - bottom + 16, "text-anchor": "middle" }));
    svg.append(line(chart.xLabel, "text", { x: (left + width) / 2, y: HEIGHT - 4, "text-anchor": "middle" }));
    if (chart.bars) svgBars(svg, chart, toX, toY, width - left - right);
    else svgLines(svg, chart, toX, toY);
    plot.replaceChildren(svg, svgLegend(chart));
}

function svgLegend(chart) {
    return element("ul", { className: "legend" }, ...chart.series.map((s) => {
        const swatch = element("span", { className: "swatch" });
        swatch.style.background = colour(s.colour);
        return element("li", {}, swatch, s.name);
    }));
}

function uplotAxis(chart, vertical) {
    const show = vertical ? chart.showY : chart.showX;
    const log = vertical ? chart.logY : chart.logX;
    const splits = log ? { splits: (u, axis, low, high) => ticks(true, low, high, 6) } : {};
    if (vertical && chart.binary) splits.incrs = powersOfTwo;
    return { ...splits, stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 },
        size: vertical ? 62 : 34, label: vertical ? undefined : chart.xLabel, labelSize: 20, font: "12px system-ui, sans-serif",
        labelFont: "12px system-ui, sans-serif", space: vertical ? 36 : 72,
        values: (u, marks) => marks.map((v) => {
            if (!known(v)) return "";
            return chart.bars && !vertical && (v % 1 || !(v in chart.x)) ? "" : show(v);
        }) };
}

function uplotSeries(chart, s, k) {
    const bars = { paths: () => null, points: { show: false } };
    if (chart.bars) bars.paths = uPlot.paths.bars({ size: [0.4, 60], align: k ? 1 : -1 });
    else delete bars.paths;
    return { label: s.name, stroke: colour(s.colour), width: chart.bars ? 0 : 1.8, spanGaps: false,
        fill: chart.bars ? colour(s.colour) : undefined, value: (u, v) => (known(v) ? chart.showY(v) : "–"), ...bars };
}

function drawUplot(chart, plot) {
    const [low, high] = range(chart);
    const dense = chart.series.map((s) => s.values.map((v) => (known(v) && (!chart.logY || v > 0) ? v : null)));
    const bounds = chart.logY ? [low, high] : [0, high * 1.05];
    plot.replaceChildren();
    plot.made = new uPlot({
        width: Math.max(plot.clientWidth, 240), height: HEIGHT,
        scales: { x: { time: false, distr: chart.logX ? 3 : 1, ...(chart.bars ? { range: [-0.6, chart.x.length - 0.4] } : {}) },
            y: { distr: chart.logY ? 3 : 1, range: () => bounds } },
        axes: [uplotAxis(chart, false), uplotAxis(chart, true)],
        cursor: { drag: { x: false, y: false } },
        series: [{ label: chart.xLabel, value: (u, v) => (known(v) ? chart.showX(v) : "–") },
            ...chart.series.map((s, k) => uplotSeries(chart, s, k))],
    }, [chart.x, ...dense], plot);
    plot.querySelectorAll("canvas").forEach((canvas) => {
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", chart.title);
    });
}

/* At most 24 rows, evenly spaced. */
function chartTable(chart) {
    const step = Math.max(1, (chart.x.length - 1) / 23);
    const rows = [];
    for (let at = 0; at < chart.x.length - 1e-6; at += step) {
        const i = Math.round(at);
        rows.push([chart.showX(chart.x[i]), ...chart.series.map((s) => (known(s.values[i]) ? chart.showY(s.values[i]) : "–"))]);
    }
    return plainTable(chart.title, [chart.xLabel, ...chart.series.map((s) => s.name)], rows);
}

function drawChart(chart) {
    const old = byId("chart-" + chart.id);
    const plot = element("div", { className: "plot" });
    const table = element("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": chart.title + " as a table" },
        chartTable(chart));
    const made = element("figure", { className: "chart", id: "chart-" + chart.id }, element("h3", {}, chart.title),
        element("p", { className: "about" }, chart.about), plot,
        element("details", { open: old ? old.querySelector("details").open : false }, element("summary", {}, "Show data"), table));
    if (old) old.replaceWith(made);
    else byId("charts").append(made);
    if (!chart.series.some((s) => s.values.some(known))) plot.textContent = "No data for the selected allocators.";
    else if (typeof uPlot === "function") drawUplot(chart, plot);
    else drawSvg(chart, plot);
    plots.push({ chart, plot, width: plot.clientWidth });
}
