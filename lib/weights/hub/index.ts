/**
 * Published weights of the zoo's networks. For the command line:
 *
 * - `fovea weights list`: {@link listWeights}, a row a file with its state;
 * - `fovea weights pull MODEL`: {@link pullWeights}, with a bar on standard error;
 * - `fovea weights verify`: {@link verifyWeights}, a verdict for each file that is here.
 */
export type { Evaluation, WeightsEntry, WeightsFile } from './facts.js';
export { findWeights, publishedFor } from './find.js';
export { isPublishedName, loadPretrained } from './load.js';
export type { PullProgress } from './progress-bar.js';
export { pullWeights, type PulledWeights, type PullOptions } from './pull.js';
export { listWeights, verifyWeights, type WeightsStatus, type WeightsVerdict } from './status.js';
