// The arrays of the page: mnistlab/exporting/packing.py says how they became text.
"use strict";

// Seven bits of each letter.
function bytesOf(text) {
  const bytes = new Uint8Array(Math.floor((text.length * 7) / 8));
  for (let i = 0, n = 0, held = 0, nHeld = 0; i < text.length; i++) {
    held = ((held << 7) | (text.charCodeAt(i) & 127)) & 0x7fff;
    nHeld += 7;
    if (nHeld >= 8) {
      nHeld -= 8;
      bytes[n++] = held >> nHeld;
    }
  }
  return bytes;
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
