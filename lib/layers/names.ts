/** How often each automatic name was given out in this thread. */
const counts = new Map<string, number>();

/** `Conv2D` to `conv2d`, `MaxPooling2D` to `max_pooling2d`, `ResidualUnit` to `residual_unit`: Keras's rule. */
export function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** `Conv2D` to `conv2d`, `MaxPooling2D` to `maxPooling2d`: how a layer's factory is spelled, and its errors begin. */
export function camelCase(className: string): string {
  return className.replace(/^[A-Z]+(?=[A-Z]|$)|^[A-Z]/, (head) => head.toLowerCase()).replace('2D', '2d');
}

/** The next free name of a class: `conv2d`, `conv2d_1`, ... */
export function autoName(className: string): string {
  const base = snakeCase(className);
  const count = counts.get(base) ?? 0;
  counts.set(base, count + 1);
  return count === 0 ? base : `${base}_${count}`;
}

/** Starts the automatic names again (`conv2d` comes next): for tests and for programs that make one model after another. */
export function resetLayerNames(): void {
  counts.clear();
}
