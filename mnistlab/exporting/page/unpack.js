// The arrays of the page: mnistlab/exporting/packing.py says how they became text.
"use strict";

const UNSAFE = [0, 10, 13, 60]; // numbers that HTML would change

// Seven bits of each letter; letters from 128 on are an unsafe number and the one after it. The
// first four bytes say how many follow.
function bytesOf(text) {
  const bytes = new Uint8Array(2 * text.length); // more than there will be
  let [n, held, nHeld] = [0, 0, 0];
  const take = (number) => {
    held = ((held << 7) | number) & 0x7fff;
    nHeld += 7;
    if (nHeld < 8) return;
    nHeld -= 8;
    bytes[n++] = held >> nHeld;
  };
  for (let i = 0; i < text.length; i++) {
    const letter = text.charCodeAt(i);
    if (letter > 127) take(UNSAFE[(letter >> 7) - 1]);
    take(letter & 127);
  }
  return bytes.subarray(4, 4 + new DataView(bytes.buffer).getUint32(0, true));
}

async function unpacked(text) {
  const packed = new Blob([bytesOf(text)]).stream();
  return new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

function arrayAt(buffer, { kind, start, n, factors }) {
  if (kind === "bytes") return new Uint8Array(buffer, start, n);
  if (kind === "floats") return new Float32Array(buffer.slice(start, start + 4 * n));
  const [low, high] = [new Uint8Array(buffer, start, n), new Int8Array(buffer, start + n, n)];
  const by = arrayAt(buffer, factors);
  const perRow = n / by.length;
  const values = new Float32Array(n);
  for (let row = 0, i = 0; row < by.length; row++)
    for (let end = i + perRow; i < end; i++) values[i] = ((high[i] << 8) | low[i]) * by[row];
  return values;
}
