// The sandbox's time as the page knows it: the last reading, carried forward at its rate.

let reading = { at: Date.now(), rate: 1, taken: performance.now() };

/** `now` is ISO 8601, `rate` is sandbox seconds per real second. */
export function setClock(now, rate) {
  reading = { at: Date.parse(now), rate, taken: performance.now() };
}

export function now() {
  return new Date(reading.at + (performance.now() - reading.taken) * reading.rate);
}

export function rate() {
  return reading.rate;
}
