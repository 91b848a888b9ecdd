// RMDA in 30 lines of JavaScript, behind the process protocol of rmda-ref. Run by: node node_rmda.js
const flat = (a) => (Array.isArray(a) ? a.flatMap(flat) : [a]);
const shaped = (v, shape) => shape.length < 2 ? v : Array.from({ length: shape[0] },
  (_, i) => shaped(v.slice(i * v.length / shape[0], (i + 1) * v.length / shape[0]), shape.slice(1)));
const groupOf = (i, shape, axis) => { // the group of an entry: its place along the axes that are not within a group
  let key = 0, stride = 1;
  for (let a = shape.length - 1, rest = i; a >= 0; rest = Math.floor(rest / shape[a--]))
    if (!axis.includes(a)) { key += stride * (rest % shape[a]); stride *= shape[a]; }
  return key;
};
function prox(x, k, p) {
  if (p.penalty === "none") return x;
  const key = x.map((_, i) => (p.penalty === "l1" ? i : groupOf(i, p.shape, p.axis)));
  const squares = {}, size = {};
  x.forEach((v, i) => { squares[key[i]] = (squares[key[i]] || 0) + v * v; size[key[i]] = (size[key[i]] || 0) + 1; });
  return x.map((v, i) => {
    const norm = Math.sqrt(squares[key[i]]), threshold = k * p.lam * Math.sqrt(size[key[i]]);
    return norm > threshold ? v * (1 - threshold / norm) : 0;
  });
}
let parameters = [];
const fresh = (p) => Object.assign(p, { anchor: p.w, sum: p.w.map(() => 0), weight: 0, t: 0 });
function step(p, grad, eta, c) {
  const scale = Math.sqrt(++p.t);
  p.weight += eta * scale;
  p.sum = p.sum.map((v, i) => v + eta * scale * grad[i]);
  const y = prox(p.sum.map((v, i) => p.anchor[i] - v / scale), p.weight / scale, p);
  p.w = p.w.map((w, i) => (1 - c) * w + c * y[i]);
}
const answers = {
  hello: () => ({ dtypes: ["float64"], features: ["restart", "absent gradients"] }),
  begin: (m) => { parameters = m.parameters.map((p) => fresh({ ...p, w: flat(p.start) })); return {}; },
  restart: () => { parameters.forEach(fresh); return {}; },
  step: (m) => {
    for (const p of parameters) if (m.grads[p.name] !== null) step(p, flat(m.grads[p.name]), m.step_size, m.momentum);
    return { params: Object.fromEntries(parameters.map((p) => [p.name, shaped(p.w, p.shape)])) };
  },
};
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  console.log(JSON.stringify(message.op in answers ? answers[message.op](message) : { error: "unknown op" }));
});
