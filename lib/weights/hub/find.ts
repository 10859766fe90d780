import { FoveaError } from '../../errors.js';
import { published, type WeightsEntry } from './facts.js';

/** The weights published for a network of the zoo; none for most that are not the original authors'. */
export function publishedFor(model: string): readonly WeightsEntry[] {
  return published().filter((entry) => entry.model === model);
}

/**
 * One set of published weights.
 *
 * @param name - `imagenet` for the network's preferred ones, or their publisher's name; case does not matter
 * @throws FoveaError ERR_NOT_FOUND that lists what there is
 */
export function findWeights(model: string, name = 'imagenet'): WeightsEntry {
  const entries = publishedFor(model);
  const wanted = name.toLowerCase();
  const found =
    wanted === 'imagenet'
      ? entries.find((entry) => entry.preferred)
      : entries.find((entry) => entry.name.toLowerCase() === wanted);
  if (found) return found;
  const models = [...new Set(published().map((entry) => entry.model))];
  const known =
    entries.length > 0
      ? `there are ${['imagenet', ...entries.map((entry) => entry.name)].filter((n, i, all) => all.indexOf(n) === i).join(', ')}`
      : `weights are published for ${models.join(', ')}`;
  throw new FoveaError(`weights of ${model}: there are none called '${name}'; ${known}`, {
    code: 'ERR_NOT_FOUND',
    op: 'weights',
    expected: entries.map((entry) => entry.name),
    received: name,
  });
}
