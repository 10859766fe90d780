/**
 * The most bytes of a gradient in strips that exist at a time: long beside a launch, and within the last cache of most
 * processors.
 */
export const STRIP_BYTES = 16 << 20;
