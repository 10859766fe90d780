/** `; did you mean 'same'?` when one of the names is near, else nothing. */
export function suggestion(received: string, names: Iterable<string>): string {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(received.length / 3)) + 1;
  for (const name of names) {
    const distance = plain(received) === plain(name) ? 0 : editDistance(received.toLowerCase(), name.toLowerCase());
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return best === undefined ? '' : `; did you mean '${best}'?`;
}

/** Spellings that differ in case and underscores only are the same word: `kernel_size`, `kernelSize`. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[_\s-]/g, '');
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
