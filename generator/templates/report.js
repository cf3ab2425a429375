// SPDX-License-Identifier: BSD-2-Clause
// The report's page: picture to zoom, drag and filter; an instance that is clicked shows what it holds and why.
"use strict";
const facts = JSON.parse(document.getElementById("facts").textContent);
const svg = document.querySelector("#picture svg");
const panel = document.getElementById("panel");
const byName = new Map(facts.instances.map(i => [i.name, i]));
const node = name => document.getElementById("instance-" + name);

function make(tag, text, more = {}) {
  const element = Object.assign(document.createElement(tag), more);
  if (text !== undefined && text !== null) element.textContent = text;
  return element;
}

function link(name) {
  return byName.has(name) ? make("button", name, {className: "link", type: "button", onclick: () => select(name)})
    : make("span", name);
}

// rows of cells; a cell is text, a number or an element
function table(titles, rows) {
  const whole = make("table"), head = whole.createTHead().insertRow(), body = whole.createTBody();
  const numeric = titles.map((_, n) => rows.length > 0 && rows.every(row => typeof row[n] === "number"));
  titles.forEach((title, n) => head.append(make("th", title, {className: numeric[n] ? "number" : ""})));
  for (const row of rows) {
    const line = body.insertRow();
    row.forEach((value, n) => {
      const cell = line.insertCell();
      cell.className = numeric[n] ? "number" : "";
      cell.append(value instanceof Node ? value : typeof value === "number" ? value.toLocaleString("en") : value ?? "");
    });
  }
  return whole;
}

const place = text => make("span", text, {className: "place"});
const kib = bytes => Math.ceil(bytes / 1024);

function section(title, ...content) {
  panel.append(make("h3", title), ...content);
}

function reachList(name, forward) {
  const list = make("div"), steps = facts.reach.steps;
  const found = forward ? Object.entries(facts.reach.paths[name])
    : Object.entries(facts.reach.paths).filter(([, to]) => name in to).map(([from, to]) => [from, to[name]]);
  for (const [other, path] of found) {
    const entry = make("details"), title = make("summary");
    title.append(link(other), ` in ${path.length} step${path.length > 1 ? "s" : ""}`);
    const way = make("ol");
    path.forEach(n => { const step = make("li", steps[n].text + " "); step.append(place(steps[n].place)); way.append(step); });
    entry.append(title, way);
    list.append(entry);
  }
  if (!found.length) list.append("nobody");
  return list;
}

function show(i) {
  panel.replaceChildren(make("h2", i.name), make("p", `${i.component}: ${i.description} `), place(i.place));
  if (i.trusted) panel.append(make("p", "Says that it keeps its clients apart: verdicts may rest on it."));
  section("Capabilities, and why it has them", table(["slot", "type", "rights", "what", "why", "where"],
    i.capabilities.map(c => [c.slot, c.type, c.rights, c.what, c.why, place(c.place)])));
  if (i.calls) section("System calls that it may make", i.calls.may.join(" ") || "none");
  if (i.calls?.asked.length) section("of these its monitor is asked about", i.calls.asked.join(" "));
  section("Can influence", reachList(i.name, true));
  section("Can be influenced by", reachList(i.name, false));
  section("Settings", table(["", ""], Object.entries(i.settings)));
  section("Memory map", table(["address", "size", "rights", "what"],
    i.map.map(m => [place(m.address), m.size, m.rights, m.what])));
}

function select(name) {
  const chosen = byName.get(name);
  document.querySelectorAll(".selected, .reached").forEach(e => e.classList.remove("selected", "reached"));
  if (!chosen) return;
  node(name)?.classList.add("selected");
  Object.keys(facts.reach.paths[name]).forEach(other => node(other)?.classList.add("reached"));
  show(chosen);
  history.replaceState(null, "", "#" + name);
}

function filter() {
  const word = document.getElementById("filter").value.trim().toLowerCase();
  const kept = new Set(facts.instances.filter(i => `${i.name} ${i.component}`.toLowerCase().includes(word)).map(i => i.name));
  const near = new Set(kept);
  facts.connections.forEach(c => {
    if (kept.has(c.client)) near.add(c.server);
    if (kept.has(c.server)) near.add(c.client);
  });
  facts.instances.forEach(i => node(i.name)?.classList.toggle("dim", !near.has(i.name)));
  svg.querySelectorAll(".edge").forEach(edge => {
    const ends = edge.querySelector("title").textContent.split("->");
    edge.classList.toggle("dim", word !== "" && !ends.some(end => kept.has(end.split(".")[0])));
  });
  document.querySelectorAll("[data-show]").forEach(box => svg.querySelectorAll(`.${box.dataset.show}`).forEach(
    part => part.classList.toggle("hidden", !box.checked)));
}

// the picture: wheel zooms at the pointer, dragging moves
const whole = svg.viewBox.baseVal, start = [whole.x, whole.y, whole.width, whole.height];
function view(x, y, width, height) { svg.setAttribute("viewBox", `${x} ${y} ${width} ${height}`); }
svg.addEventListener("wheel", event => {
  event.preventDefault();
  const box = svg.viewBox.baseVal, edge = svg.getBoundingClientRect(), factor = event.deltaY > 0 ? 1.2 : 1 / 1.2;
  const atX = (event.clientX - edge.left) / edge.width, atY = (event.clientY - edge.top) / edge.height;
  view(box.x + box.width * atX * (1 - factor), box.y + box.height * atY * (1 - factor), box.width * factor, box.height * factor);
}, {passive: false});
svg.addEventListener("pointermove", event => {
  if (!event.buttons) return;
  const box = svg.viewBox.baseVal, scale = box.width / svg.getBoundingClientRect().width;
  view(box.x - event.movementX * scale, box.y - event.movementY * scale, box.width, box.height);
});
document.getElementById("fit").onclick = () => view(...start);

svg.querySelectorAll(".instance").forEach(e => e.addEventListener("click", () => select(e.id.replace("instance-", ""))));
document.getElementById("filter").addEventListener("input", filter);
document.querySelectorAll("[data-show]").forEach(box => box.addEventListener("change", filter));

const legend = document.getElementById("legend");
for (const [mode, colour] of Object.entries(facts.colours)) {
  const swatch = make("span", null, {className: "swatch"});
  swatch.style.background = colour;
  legend.append(swatch, mode);
}

function ways(title, steps) {
  const entry = make("details"), list = make("ol");
  steps.forEach(([text, where]) => {
    const line = make("li", text);
    line.append(place(where));
    list.append(line);
  });
  entry.append(make("summary", title), list);
  return entry;
}

const tables = document.getElementById("tables"), widest = Math.max(...facts.instances.map(i => i.memory.budget), 1);
function bar({needed, budget}) {
  const whole = make("span", null, {className: "bar"}), part = make("span", null, {className: "bar used"});
  whole.style.width = `${8 * budget / widest}em`;
  whole.title = `${Math.round(100 * needed / budget)} % needed`;
  part.style.width = `${100 * needed / budget}%`;
  whole.append(part);
  return whole;
}
tables.append(make("h2", "Policy: what must stay impossible"),
  facts.policy.length ? table(["rule", "rests on", "where"], facts.policy.map(p => [
    p.rule, p.trusted.length ? p.trusted.join(", ") + " keeping clients apart" : "", place(p.place)])) : make("p", "none"));
const kinds = Object.keys(facts.instances[0]?.memory.kinds ?? {});
tables.append(make("h2", `Memory budgets in KiB, of ${kib(facts.machine).toLocaleString("en")} in the machine`),
  table(["instance", "budget", "needed", "text", "rodata", ...kinds, ""], facts.instances.map(i => [
    link(i.name), kib(i.memory.budget), kib(i.memory.needed), ...["text", "rodata"].map(
      kind => i.memory.image ? kib(i.memory.image[kind] ?? 0) : "not built"), ...kinds.map(kind => kib(i.memory.kinds[kind])), bar(i.memory)])));
tables.append(make("h2", "Stacks in bytes: the most that the compiled code can need"),
  table(["instance", "thread", "needs", "has", "longest way down"], facts.instances.flatMap(i => i.stacks.map(s => [
    link(i.name), s.thread, s.needs, s.has, ways(s.chain.at(-1)?.function ?? "", s.chain.map(c => [`${c.function}: ${c.depth} `, c.place]))]))));
if (facts.responses.length)
  tables.append(make("h2", "Response times: the longest from the beginning of a period until the work is done"),
    table(["instance", "deadline", "at most", "made of"], facts.responses.map(r => [link(r.instance), r.deadline, r.time,
      ways(`${r.terms.length} parts`, r.terms.map(t => [`${t.time}: ${t.text} `, t.place]))])));
tables.append(make("h2", "Connections"), table(["client", "name", "server", "interface", "rights", "may", "mode", "methods", "where"],
  facts.connections.map(c => [link(c.client), c.name, link(c.server), c.interface, c.rights, c.may, c.mode, c.methods, place(c.place)])));
tables.append(make("h2", "Price list of security modes: instructions a round trip, by bytes"),
  table(["mode", "in registers", "64", "256"], facts.price_list.map(
    p => [p.mode, ...["register", "64", "256"].map(size => p[size] === null ? "not measured" : p[size])])));
tables.append(make("h2", "Prices, from the last `make bench`"), facts.prices.length
  ? table(["operation", "median", "most", "unit"], facts.prices.map(p => [p.name, p.median, p.max, p.unit]))
  : make("p", "not measured: run `make bench`"));
filter();
const first = decodeURIComponent(location.hash.slice(1));
if (byName.has(first)) select(first);
else panel.append(make("p", "Click an instance: what it holds and why, whom it can influence and by which steps, its memory."));
