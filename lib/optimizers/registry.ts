import { Registry } from '../util/registry.js';
import type { Optimizer } from './optimizer.js';

export const optimizerRegistry = new Registry<Optimizer>('optimizer');
