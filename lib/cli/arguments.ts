import { InvalidArgumentError } from 'commander';

/** Parses a whole number of at least `least`. */
export function count(least = 1): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
  };
}

/** Parses a finite number of at least `least`. */
export function number(least = -Infinity): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a number${least === -Infinity ? '' : ` of at least ${least}`}.`);
  };
}

/** Parses `224,224,3` or `224x224x3`; `null` or `?` for a size that is not known. */
export function shape(text: string): (number | null)[] {
  const sizes = text.split(/[,x]/).map((part) => {
    if (part === 'null' || part === '?') return null;
    const value = Number(part);
    if (part.trim() !== '' && Number.isSafeInteger(value) && value > 0) return value;
    throw new InvalidArgumentError('Expected sizes like 224,224,3.');
  });
  return sizes;
}

/** Parses `224` (a square) or `240,320` (height, width). */
export function imageSize(text: string): [height: number, width: number] {
  const [height, width = height, ...rest] = shape(text);
  if (height && width && rest.length === 0) return [height, width];
  throw new InvalidArgumentError('Expected a size like 224, or height and width like 240,320.');
}
